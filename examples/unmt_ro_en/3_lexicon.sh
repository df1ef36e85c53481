#!/usr/bin/env bash
# Step 3 of --init lexicon: which words translate each other, from rank and context in the training text, into lexicon/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

crossinit-lexicon induce --text en=prepare/clean/en.txt --text ro=prepare/clean/ro.txt ${SEEDS:+--seeds "$SEEDS"} \
  --all --seed "$SEED" $LEXICON_OPTIONS -o lexicon/en-ro.tsv
crossinit-lexicon show lexicon/en-ro.tsv >&3
