#!/usr/bin/env bash
# The part captions of gpu.sh: bash gpu_captions.sh PYTHON CAPTIONS OUT full|dry SECONDS UPDATES. Trains for UPDATES, or until
# SECONDS are all but over, and scores the test set with the time that is left; the log has BLEU on dev as it goes.
# CAPTIONS is the --out of examples/captions/run.sh with --inits lexicon.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PY=$1 CAPTIONS=$2 OUT=$3 SIZE=$4 LEFT=$5 UPDATES=$6
BEGIN=$SECONDS
lexicons=("$CAPTIONS"/runs/lexicon-*/lexicon/lexicon.tsv)
[ -s "${lexicons[0]}" ] || { echo "gpu_captions.sh: $CAPTIONS holds no runs/lexicon-*/lexicon/lexicon.tsv" >&2; exit 1; }
pair=$(cd "$CAPTIONS/data" && ls valid.*-*.*.idx | head -n 1 | cut -d. -f2)
A=${pair%-*} B=${pair#*-}
if [ $SIZE = full ]; then
  WIDTH=512 LAYERS=6 HEADS=8 TOKENS=4000 PAIRS=500 WARMUP=200 EVERY=250 PRECISION=--fp16 SCORING=75
else
  WIDTH=16 LAYERS=1 HEADS=2 TOKENS=200 PAIRS=2 WARMUP=2 UPDATES=4 EVERY=2 PRECISION= SCORING=10
fi
DEVICE=
"$PY" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || DEVICE=--cpu PRECISION=
MODEL="--arch transformer --share-all-embeddings --encoder-layers $LAYERS --decoder-layers $LAYERS --encoder-embed-dim $WIDTH
  --decoder-embed-dim $WIDTH --encoder-ffn-embed-dim $((4 * WIDTH)) --decoder-ffn-embed-dim $((4 * WIDTH)) --encoder-attention-heads $HEADS
  --decoder-attention-heads $HEADS --dropout 0.1 --encoder-normalize-before --decoder-normalize-before --max-source-positions 256
  --max-target-positions 256"
COMMON="--user-dir $ROOT/crossinit_fairseq --langs $A,$B --lexicon $A-$B=${lexicons[0]} --seed 1 --num-workers 2 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval 50 --log-format json --optimizer adam --clip-norm 1.0 $DEVICE"
training=$LEFT
train() { timeout $((training > 5 ? training : 5)) "$PY" -m fairseq_cli.train "$CAPTIONS/data" $COMMON $MODEL "$@"; }

train --task crossinit_pretrain --criterion crossinit --batch-size 512 --updates-per-epoch 100 --rescale --lr 0.01 \
  --max-update $PAIRS --start-as-copier --save-interval 1000 --no-save-optimizer-state --save-dir "$OUT/table"
# ended by the clock, what the last validation saved is scored
training=$((LEFT - (SECONDS - BEGIN) - SCORING))
ended=0
train --task crossinit_unmt --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens $TOKENS \
  --restrict-vocab-updates -1 \
  --lexicon-bt-updates $WARMUP --lexicon-bt-noise --bt-ahead 4 --adam-betas '(0.9, 0.98)' \
  --lr 0.001 --lr-scheduler polynomial_decay \
  --total-num-update $UPDATES --warmup-updates $WARMUP --valid-round-trip 100 \
  --validate-interval 100000 --validate-interval-updates $EVERY \
  --save-interval-updates $EVERY --keep-interval-updates 1 --max-update $UPDATES $PRECISION \
  --finetune-from-model "$OUT/table/checkpoint_last.pt" --save-dir "$OUT/translation" || ended=$?
[ $ended -eq 0 ] || [ $ended -eq 124 ] || exit $ended
for sides in "$A $B" "$B $A"; do
  set -- $sides
  "$PY" -m fairseq_cli.generate "$CAPTIONS/data" --user-dir "$ROOT/crossinit_fairseq" \
    --task crossinit_unmt --langs $A,$B -s $1 -t $2 \
    --path "$OUT/translation/checkpoint_last.pt" --beam 4 --max-len-a 1.3 --max-len-b 5 --max-tokens 12000 \
    --generation-vocab target \
    --remove-bpe sentencepiece --required-batch-size-multiple 1 $DEVICE $PRECISION > "$OUT/$1-$2.txt"
  grep ^D- "$OUT/$1-$2.txt" | LC_ALL=C sort -n -k 1.3 | cut -f 3- > "$OUT/$1-$2.tokens"
  # as examples/captions scores it: detokenised, in lower case
  "$PY" -m sacremoses -l $2 -j 1 -q detokenize < "$OUT/$1-$2.tokens" > "$OUT/$1-$2.hyp"
  "$PY" -m sacrebleu "$CAPTIONS/text/reference.$2" -i "$OUT/$1-$2.hyp" -m bleu chrf -lc --format json -w 2 > "$OUT/$1-$2.json"
done
