#!/usr/bin/env bash
# Step 7: translate newstest2016 both ways and score it, into score/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

for pair in "en ro" "ro en"; do
  set -- $pair
  fairseq-generate prepare/data/0 --user-dir "$ROOT/crossinit_fairseq" --task crossinit_unmt --langs en,ro -s $1 -t $2 \
    --path translation/checkpoint_best.pt --truncate-source $GENERATION_OPTIONS --remove-bpe sentencepiece --required-batch-size-multiple 1 \
    --num-workers 0 > score/$1-$2.txt
  WORD_BY_WORD=
  if [ "$INIT" = lexicon ]; then
    crossinit-lexicon translate lexicon/en-ro.tsv --from $1 --to $2 < prepare/clean/test.$1 > score/$1-$2.word_by_word
    WORD_BY_WORD=word_by_word=score/$1-$2.word_by_word
  fi
  crossinit-score --pair $1-$2 --reference text/test.$2 --source text/test.$1 --json score/$1-$2.json \
    $INIT=score/$1-$2.txt $WORD_BY_WORD copying=text/test.$1
done
crossinit-score --table score/en-ro.json score/ro-en.json >&3
