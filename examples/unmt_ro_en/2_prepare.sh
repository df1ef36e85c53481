#!/usr/bin/env bash
# Step 2: clean the text, keep the test set out of it, train SentencePiece, binarise; all into prepare/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"
cd prepare
shopt -s nullglob  # a dev set may be missing

for lang in en ro; do
  [ -f clean/$lang.txt ] || crossinit-prepare clean ../text/mono/$lang/* --lang $lang --keep-out ../text/{test,dev}.* \
    ${LINES:+--max-lines $LINES} --seed "$SEED" -o clean/$lang.txt
  for set in test dev; do
    [ ! -f ../text/$set.$lang ] || crossinit-prepare normalise ../text/$set.$lang --lang $lang -o clean/$set.$lang
  done
done

[ -f pieces/dict.txt ] || crossinit-prepare vocabulary --langs en,ro --text clean --size $VOCABULARY --alpha 0.5 --seed "$SEED" \
  ${PIECES:+--model "$PIECES"} --out pieces
crossinit-prepare encode --langs en,ro --text clean --model pieces/spm.model --valid $VALID --shards $SHARDS --out pieces
crossinit-prepare report --langs en,ro --clean clean --pieces pieces --out . >&3

for shard in $(seq 0 $((SHARDS - 1))); do
  for lang in en ro; do
    fairseq-preprocess --only-source --srcdict pieces/dict.txt --destdir data/$shard/$lang --workers "$(env -u OMP_NUM_THREADS nproc)" \
      --trainpref pieces/$shard/train.$lang --validpref pieces/valid.$lang
  done
  cp pieces/dict.txt data/$shard/
done
DEV=
[ ! -f pieces/dev.en ] || DEV="--validpref pieces/dev"
fairseq-preprocess --source-lang en --target-lang ro --srcdict pieces/dict.txt --tgtdict pieces/dict.txt \
  --destdir data/0 --testpref pieces/test $DEV
