#!/usr/bin/env bash
# Romanian and English: bash examples/unmt_ro_en/run.sh --help. The steps, with all their options: scripts/unmt/steps.sh.
set -euo pipefail
EXAMPLE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$EXAMPLE/../.." && pwd)
TITLE="Unsupervised translation between Romanian and English, scored on newstest2016 (Table 7 of the paper)."
LANGS=en,ro              # in every stage
PAIR="en ro"             # translated and scored, both ways
DIRECTIONS=en-ro,ro-en   # of back-translation
TEST_NAME=newstest2016.en-ro
DEV_NAME=newsdev2016.en-ro
WEB_RECIPE=ro-en         # of crossinit-prepare download
WEB_BASE="News Crawl and Wikipedia, a few GB"
WEB_PAPER="Wikipedia and 98 GB of CC-100"
# of --init lexicon: pairs that the table is aligned to, and that translation begins with
ALIGNED=en-ro
TRANSLATED=en-ro

lexicon() {
  run crossinit-lexicon induce --text en=prepare/clean/en.txt --text ro=prepare/clean/ro.txt ${SEEDS:+--seeds "$SEEDS"} \
    --all --seed $SEED $LEXICON_OPTIONS -o lexicon/en-ro.tsv
  run crossinit-lexicon show lexicon/en-ro.tsv >&3
}

source "$ROOT/scripts/unmt/settings.sh" "$@"
source "$ROOT/scripts/unmt/steps.sh"
