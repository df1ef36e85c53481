#!/usr/bin/env bash
# One run of the example, for run.sh: bash one_run.sh "SEED INIT" UPDATES DIR
# INIT is random, crossinit, rank, oracle or a file of embeddings. DIR holds text/ and data/; everything else
# goes to DIR/runs/INIT-SEED.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/cipher
source "$ROOT/scripts/starts.sh"
read -r SEED INIT <<< "$1"
VECTORS=
! is_file "$INIT" || VECTORS=$INIT
INIT=$(start_name "$INIT")
UPDATES=$2 TEXT=$3/text DATA=$3/data OUT=$3/runs/$INIT-$SEED
mkdir -p "$OUT"
STAGES=3
# a run begins anew when the data did
SETTINGS="$INIT $SEED $UPDATES $(cat "$3/stages/data.done" "$HERE/table.py")${VECTORS:+ $(md5sum < "$VECTORS")}"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT.
MODEL="--arch mbart_base --share-all-embeddings --encoder-layers 2 --decoder-layers 2
  --encoder-embed-dim 64 --decoder-embed-dim 64 --encoder-ffn-embed-dim 256 --decoder-ffn-embed-dim 256
  --encoder-attention-heads 4 --decoder-attention-heads 4 --dropout 0.0 --attention-dropout 0.0
  --encoder-normalize-before --decoder-normalize-before --max-source-positions 64 --max-target-positions 64"
COMMON=(--user-dir "$ROOT/crossinit_fairseq" --seed $SEED --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval 10 --optimizer adam)

table() {
  # for all but CrossInit a learning rate of 0: the model as initialised
  rate=0.001 updates=200
  [ $INIT = crossinit ] || rate=0 updates=1
  words=$(wc -l < "$TEXT/cipher.tsv")
  if [ -n "$VECTORS" ]; then
    table_of table "$VECTORS" "$DATA" "${COMMON[@]}" $MODEL --langs en,xx --span $((words / 40)) --max-rank $words
    run mv table/checkpoint_last.pt table/start.pt
    return
  fi
  train "$INIT-$SEED table" $updates "$DATA" "${COMMON[@]}" $MODEL --task crossinit_pretrain --criterion crossinit --langs en,xx \
    --span $((words / 40)) --max-rank $words --batch-size 64 --updates-per-epoch 100 --lr $rate --save-dir table
  run python "$HERE/table.py" $INIT --checkpoint table/checkpoint_last.pt --text "$TEXT" --seed $SEED --out table/start.pt
}

translation() {
  # two fifths of the updates restore disturbed sentences only, so that there is something to generate with;
  # shuffling and leaving out words would teach an order other than the source's; here it is the same in both languages
  begin=$((UPDATES * 2 / 5))
  train "$INIT-$SEED translation" $UPDATES "$DATA" "${COMMON[@]}" $MODEL --task crossinit_unmt --langs en,xx \
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens 600 --restrict-vocab-updates -1 \
    --max-word-shuffle-distance 1 --word-dropout-prob 0 --word-blanking-prob 0.2 \
    --lambda-bt 0:0,$begin:0,$((begin + 1)):1 --adam-betas '(0.9, 0.98)' --clip-norm 0 \
    --lr 0.003 --lr-scheduler polynomial_decay --warmup-updates 50 --total-num-update $UPDATES \
    --valid-round-trip 100 --validate-interval 1000 --validate-interval-updates 250 \
    --save-interval-updates 250 --keep-interval-updates 1 \
    --save-dir translation --finetune-from-model table/start.pt
}

score() {
  for pair in "en xx" "xx en"; do
    set -- $pair
    run -o score/$1-$2.txt fairseq-generate "$DATA" --user-dir "$ROOT/crossinit_fairseq" --task crossinit_unmt -s $1 -t $2 \
      --path translation/checkpoint_last.pt --beam 1 --max-len-a 1.3 --max-len-b 5 --max-tokens 4000 \
      --required-batch-size-multiple 1 --num-workers 0
    run -o score/$1-$2.hyp translations score/$1-$2.txt
    run -o score/$1-$2.json sacrebleu "$TEXT/test.$2" -i score/$1-$2.hyp -m bleu --tokenize none --force --format json -w 2
  done
}

stage table "$INIT-$SEED: the embedding table to start from"
stage translation "$INIT-$SEED: unsupervised translation"
stage score "$INIT-$SEED: fairseq-generate and sacreBLEU"
