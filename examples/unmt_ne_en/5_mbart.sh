#!/usr/bin/env bash
# Step 5: mBART pre-training from that table (or from a random one), fairseq's own task, into mbart/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

train mBART $PRETRAIN $DATA_TWICE $COMMON $MODEL --task multilingual_denoising --criterion cross_entropy --langs ne,hi,en \
  --add-lang-token --sample-break-mode eos --mask 0.35 --mask-length span-poisson --poisson-lambda 3.5 --replace-length 1 \
  --rotate 0 --permute-sentences 0 --skip-invalid-size-inputs-valid-test $PRETRAIN_OPTIONS --save-dir mbart $START
