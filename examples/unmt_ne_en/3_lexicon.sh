#!/usr/bin/env bash
# Step 3 of --init lexicon: which words translate each other, from rank and context in the training text, into lexicon/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

INDUCE="crossinit-lexicon induce --all --seed $SEED $LEXICON_OPTIONS"
# Nepali and Hindi share so many words that they need no seeds
$INDUCE --text ne=prepare/clean/ne.txt --text hi=prepare/clean/hi.txt -o lexicon/ne-hi.tsv
HINDI_SEEDS=
if [ -n "$SEEDS" ]; then
  # the seeds of Nepali and English, through that lexicon, are seeds of Hindi and English
  awk 'BEGIN {print "# languages: ne en\n# lowercase: yes"} !/^#/ {print $1 "\t" $2}' "$SEEDS" > lexicon/seeds.ne-en.tsv
  if crossinit-lexicon compose lexicon/ne-hi.tsv lexicon/seeds.ne-en.tsv -o lexicon/seeds.hi-en.tsv; then
    HINDI_SEEDS="--seeds lexicon/seeds.hi-en.tsv"
  fi
fi
$INDUCE --text hi=prepare/clean/hi.txt --text en=prepare/clean/en.txt $HINDI_SEEDS -o lexicon/hi-en.tsv
$INDUCE --text ne=prepare/clean/ne.txt --text en=prepare/clean/en.txt ${SEEDS:+--seeds "$SEEDS"} -o lexicon/ne-en.tsv
crossinit-lexicon show lexicon/ne-en.tsv >&3
