#!/usr/bin/env bash
# Step 3 of --init lexicon: which words translate each other, from rank and context in the training text, into lexicon/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

for pair in "ne hi" "hi en"; do
  set -- $pair
  crossinit-lexicon induce --text $1=prepare/clean/$1.txt --text $2=prepare/clean/$2.txt \
    --all --seed "$SEED" $LEXICON_OPTIONS -o lexicon/$1-$2.tsv
done
crossinit-lexicon induce --text ne=prepare/clean/ne.txt --text en=prepare/clean/en.txt ${SEEDS:+--seeds "$SEEDS"} \
  --all --seed "$SEED" $LEXICON_OPTIONS -o lexicon/ne-en.tsv
crossinit-lexicon show lexicon/ne-en.tsv >&3
