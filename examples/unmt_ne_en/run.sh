#!/usr/bin/env bash
# Nepali and English with Hindi beside: bash examples/unmt_ne_en/run.sh --help. The steps: scripts/unmt/steps.sh.
set -euo pipefail
EXAMPLE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$EXAMPLE/../.." && pwd)
TITLE="Unsupervised translation between Nepali and English, Hindi beside, scored on FLoRes devtest (Table 7 of the paper)."
LANGS=ne,hi,en                       # in every stage
PAIR="ne en"                         # translated and scored, both ways
DIRECTIONS=ne-en,en-ne,hi-en,en-hi   # of back-translation
TEST_NAME=flores.devtest.ne-en
DEV_NAME=flores.dev.ne-en
WEB_RECIPE=ne-en                     # of crossinit-prepare download
WEB_BASE="Wikipedia and CC-100 in Nepali, a few GB"
WEB_PAPER="Wikipedia and 85 GB of CC-100"
# of --init lexicon: pairs that the table is aligned to, and that translation begins with
ALIGNED="ne-en hi-en ne-hi"
TRANSLATED="ne-en hi-en"

lexicon() {
  # Nepali and Hindi share so many words that they need no seeds
  run crossinit-lexicon induce --text ne=prepare/clean/ne.txt --text hi=prepare/clean/hi.txt \
    --all --seed $SEED $LEXICON_OPTIONS -o lexicon/ne-hi.tsv
  HINDI_SEEDS=
  if [ -n "$SEEDS" ]; then
    # the seeds of Nepali and English, through that lexicon, are seeds of Hindi and English
    run -o lexicon/seeds.ne-en.tsv awk 'BEGIN {print "# languages: ne en\n# lowercase: yes"} !/^#/ {print $1 "\t" $2}' "$SEEDS"
    if run crossinit-lexicon compose lexicon/ne-hi.tsv lexicon/seeds.ne-en.tsv -o lexicon/seeds.hi-en.tsv; then
      HINDI_SEEDS="--seeds lexicon/seeds.hi-en.tsv"
    fi
  fi
  run crossinit-lexicon induce --text hi=prepare/clean/hi.txt --text en=prepare/clean/en.txt $HINDI_SEEDS \
    --all --seed $SEED $LEXICON_OPTIONS -o lexicon/hi-en.tsv
  run crossinit-lexicon induce --text ne=prepare/clean/ne.txt --text en=prepare/clean/en.txt ${SEEDS:+--seeds "$SEEDS"} \
    --all --seed $SEED $LEXICON_OPTIONS -o lexicon/ne-en.tsv
  run crossinit-lexicon show lexicon/ne-en.tsv >&3
}

source "$ROOT/scripts/unmt/settings.sh" "$@"
source "$ROOT/scripts/unmt/steps.sh"
