#!/usr/bin/env bash
# Step 4: align the randomly initialised embeddings by rank (Steps 2 and 3 of CrossInit), into crossinit/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

train CrossInit $ALIGN $DATA $COMMON $MODEL --task crossinit_pretrain --criterion crossinit --langs ne,hi,en \
  --ranks ne=ranks/ne.tsv,hi=ranks/hi.tsv,en=ranks/en.tsv --sentencepiece-model prepare/pieces/spm.model --rescale \
  $ALIGN_OPTIONS --save-dir crossinit
