#!/usr/bin/env bash
# The part captions of gpu.sh: bash gpu_captions.sh PYTHON CAPTIONS OUT full|dry. Trains until it is ended; the log has BLEU.
# CAPTIONS is the --out of examples/captions/run.sh with --inits lexicon.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PY=$1 CAPTIONS=$2 OUT=$3 SIZE=$4
lexicons=("$CAPTIONS"/runs/lexicon-*/lexicon/lexicon.tsv)
[ -s "${lexicons[0]}" ] || { echo "gpu_captions.sh: $CAPTIONS holds no runs/lexicon-*/lexicon/lexicon.tsv" >&2; exit 1; }
pair=$(cd "$CAPTIONS/data" && ls valid.*-*.*.idx | head -n 1 | cut -d. -f2)
A=${pair%-*} B=${pair#*-}
if [ $SIZE = full ]; then
  WIDTH=512 LAYERS=6 HEADS=8 TOKENS=4000 PAIRS=500 UPDATES=12000 EVERY=250 PRECISION=--fp16
else
  WIDTH=16 LAYERS=1 HEADS=2 TOKENS=200 PAIRS=2 UPDATES=4 EVERY=2 PRECISION=
fi
"$PY" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || PRECISION=--cpu
MODEL="--arch transformer --share-all-embeddings --encoder-layers $LAYERS --decoder-layers $LAYERS --encoder-embed-dim $WIDTH
  --decoder-embed-dim $WIDTH --encoder-ffn-embed-dim $((4 * WIDTH)) --decoder-ffn-embed-dim $((4 * WIDTH)) --encoder-attention-heads $HEADS
  --decoder-attention-heads $HEADS --dropout 0.1 --encoder-normalize-before --decoder-normalize-before --max-source-positions 256
  --max-target-positions 256"
COMMON="--user-dir $ROOT/crossinit_fairseq --langs $A,$B --lexicon $A-$B=${lexicons[0]} --seed 1 --num-workers 2 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval 50 --log-format json --optimizer adam --clip-norm 1.0 $PRECISION"
train() { "$PY" -m fairseq_cli.train "$CAPTIONS/data" $COMMON $MODEL "$@"; }

train --task crossinit_pretrain --criterion crossinit --batch-size 512 --updates-per-epoch 100 --rescale --lr 0.01 \
  --max-update $PAIRS --start-as-copier --save-dir "$OUT/table"
train --task crossinit_unmt --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens $TOKENS --restrict-vocab-updates -1 \
  --lexicon-bt-updates 200 --lexicon-bt-noise --bt-ahead 4 --adam-betas '(0.9, 0.98)' --lr 0.001 --lr-scheduler inverse_sqrt \
  --warmup-updates 200 --valid-round-trip 100 --validate-interval 100000 --validate-interval-updates $EVERY --save-interval-updates 100000 \
  --max-update $UPDATES --finetune-from-model "$OUT/table/checkpoint_last.pt" --save-dir "$OUT/translation"
