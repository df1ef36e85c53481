#!/usr/bin/env bash
# Step 6: unsupervised translation from mBART: denoising and on-the-fly back-translation, into translation/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

LEXICON=
[ "$INIT" != lexicon ] || LEXICON="--lexicon ne-en=lexicon/ne-en.tsv,hi-en=lexicon/hi-en.tsv"
train translation $TRANSLATE $DATA $COMMON $MODEL --task crossinit_unmt --langs ne,hi,en --directions ne-en,en-ne,hi-en,en-hi \
  --criterion label_smoothed_cross_entropy --label-smoothing 0.1 $LEXICON $TRANSLATION_OPTIONS \
  --best-checkpoint-metric round_trip_bleu --maximize-best-checkpoint-metric \
  --save-dir translation --finetune-from-model mbart/checkpoint_best.pt
