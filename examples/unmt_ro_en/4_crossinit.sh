#!/usr/bin/env bash
# Step 4: align the randomly initialised embeddings, by rank (Steps 2 and 3 of CrossInit) or by the lexicon, into crossinit/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

BY="--ranks en=ranks/en.tsv,ro=ranks/ro.tsv"
[ "$INIT" != lexicon ] || BY="--lexicon en-ro=lexicon/en-ro.tsv"
train CrossInit $ALIGN $DATA $COMMON $MODEL --task crossinit_pretrain --criterion crossinit --langs en,ro $BY \
  --sentencepiece-model prepare/pieces/spm.model --rescale $ALIGN_OPTIONS --save-dir crossinit
