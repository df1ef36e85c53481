#!/usr/bin/env bash
# Step 4: align the randomly initialised embeddings, by rank (Steps 2 and 3 of CrossInit) or by the lexicon, into crossinit/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

BY="--ranks ne=ranks/ne.tsv,hi=ranks/hi.tsv,en=ranks/en.tsv"
[ "$INIT" != lexicon ] || BY="--lexicon ne-en=lexicon/ne-en.tsv,hi-en=lexicon/hi-en.tsv,ne-hi=lexicon/ne-hi.tsv"
train CrossInit $ALIGN $DATA $COMMON $MODEL --task crossinit_pretrain --criterion crossinit --langs ne,hi,en $BY \
  --sentencepiece-model prepare/pieces/spm.model --rescale $ALIGN_OPTIONS --save-dir crossinit
