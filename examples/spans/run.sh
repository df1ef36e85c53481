#!/usr/bin/env bash
# CrossInit alone, with spans of several widths: the loss of each until it is flat, as one picture (the paper's Figure 4).
usage() {
  cat <<'EOT'
To begin, in two minutes, to see that it works:
  bash examples/spans/run.sh --preset smoke
usage: bash examples/spans/run.sh [options]

Aligns the embeddings of the paper's analysis model (XLM-tiny-3: English, German, Hindi; section 3.2) by word rank, once for
each width of the span, from published word counts (the PyPI package wordfreq), until the validation loss is flat. Draws
the losses into DIR/losses.png and writes DIR/summary.json. No text and no GPU are needed.

  --preset smoke|default  smoke: under 2 minutes, to see that it works; default: some minutes a span on 2 cores
  --spans N,N,...         widths n (default: 1000,2000,3000,4000, as the paper; smoke: 1000,4000)
  --langs LANG,LANG,...   languages of wordfreq, two or more (default: en,de,hi)
  --rank LANG=FILE        rank table of crossinit-ranks instead of wordfreq's, repeatable; needs its language in --langs
  --lr LR                 Adam's learning rate (default: 0.001; the paper's is 0.0001, which takes ten times as long; smoke: 0.003)
  --seed N                of everything random (default: 1)
  --out DIR               where everything goes; a second run with the same DIR goes on where the first ended
                          (default: examples/spans/out)

VENV=DIR in the environment: a Python environment that has everything, instead of .venv, which is made if need be.
Exit status 0 means that every span ran; the table says which became flat and which ran out of updates.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/spans
PRESET=default SPANS= LANGS=en,de,hi LR= SEED=1 OUT=$HERE/out
RANK=()
OPTIONS="preset spans langs rank lr seed out"
source "$ROOT/scripts/options.sh"
read_options "$@"
case $PRESET in
  smoke)   PIECES=4000  EPOCH=20 UPDATES=200 PAIRS=64 SIZE="--encoder-embed-dim 64 --encoder-ffn-embed-dim 128 --encoder-layers 1"
           SPANS=${SPANS:-1000,4000} LR=${LR:-0.003} ;;
  default) PIECES=8000  EPOCH=20 UPDATES=20000 PAIRS=256 SIZE=
           SPANS=${SPANS:-1000,2000,3000,4000} LR=${LR:-0.001} ;;
  *) wrong "--preset is smoke or default, not $PRESET" ;;
esac
[[ $SPANS =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || wrong "--spans is N,N,..., not $SPANS"
[[ $LANGS =~ ^[^,]+(,[^,]+)+$ ]] || wrong "--langs is LANG,LANG,..., not $LANGS"
IFS=, read -ra languages <<< "$LANGS"
for lang in "${languages[@]}"; do check_language --langs "$lang"; done
[[ $LR =~ ^[0-9.]+(e-?[0-9]+)?$ ]] || wrong "--lr is a number, not $LR"
[[ $SEED =~ ^[0-9]+$ ]] || wrong "--seed is a number, not $SEED"
for i in "${!RANK[@]}"; do
  [[ ,$LANGS, == *,${RANK[$i]%%=*},* && ${RANK[$i]} == ?*=?* ]] ||
    wrong "--rank takes LANG=FILE of a language in --langs, not ${RANK[$i]}"
  [ -f "${RANK[$i]#*=}" ] || wrong "--rank: there is no file ${RANK[$i]#*=}"
  RANK[$i]=${RANK[$i]%%=*}=$(realpath "${RANK[$i]#*=}")
done
mkdir -p "$OUT"
OUT=$(realpath "$OUT")

if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh"
  VENV=$ROOT/.venv
fi
PATH=$VENV/bin:$PATH
IFS=, read -ra widths <<< "$SPANS"
STAGES=$((2 + ${#widths[@]}))
SETTINGS="$LANGS $SEED $PIECES ${RANK[*]%%=*} $(contents "${RANK[@]#*=}")"
source "$ROOT/scripts/stages.sh"

ranks() {
  for lang in "${languages[@]}"; do
    given=$(printf '%s\n' "${RANK[@]-}" | sed -n "s/^$lang=//p" | tail -n 1)
    if [ -n "$given" ]; then
      run cp "$given" ranks/$lang.tsv
    else
      run crossinit-ranks count --lang $lang --wordfreq -o ranks/$lang.tsv
    fi
  done
  run crossinit-ranks show ranks/*.tsv
}

pieces() {
  run python "$HERE/pieces.py" --langs "$LANGS" --ranks ranks --vocabulary $PIECES --out pieces
}

# One span: validate every $EPOCH updates on draws that are always the same; the run ends when 3 validations in a row have not
# brought the loss down by 0.005 nats.
align() {
  tables=
  for lang in "${languages[@]}"; do tables+=,$lang=ranks/$lang.tsv; done
  train "span $1" $UPDATES pieces --user-dir "$ROOT/crossinit_fairseq" --task crossinit_pretrain --criterion crossinit \
    --arch xlm_tiny_3 $SIZE --langs "$LANGS" --ranks "${tables#,}" --sentencepiece-model pieces/spm.model \
    --span "$1" --max-rank 20000 --batch-size $PAIRS --updates-per-epoch $EPOCH --seed "$SEED" \
    --flatness 0.005 --best-checkpoint-metric coarse_loss --patience 3 --optimizer adam --lr "$LR" \
    --num-workers 0 --data-buffer-size 0 --log-interval 5 \
    --no-epoch-checkpoints --save-interval 5 --save-dir "span_$1"
}

stage ranks "word ranks"
stage pieces "SentencePiece, one vocabulary for all languages"
SETTINGS+=" $LR $EPOCH $UPDATES $PAIRS $SIZE"
for n in "${widths[@]}"; do
  stage "span_$n" "CrossInit with a span of $n" align "$n"
done
python "$HERE/losses.py" --out "$OUT" --spans "$SPANS" --seed "$SEED"
