#!/usr/bin/env bash
# CrossInit, mBART pre-training, unsupervised translation and BLEU on real English and Romanian text, in one command.
usage() {
  cat <<'EOT'
usage: bash examples/quickstart/run.sh [options]

Learns to translate between two languages from text that is not parallel, and scores it:
words are ranked by count and the embeddings aligned by rank (CrossInit); mBART pre-training starts from them; then
translation is learnt by denoising and back-translation. Everything is small: this shows the way, not the paper's scores.

  --preset smoke|default    smoke: under 4 minutes, to see that it works; default: under 10 minutes, on 2 cores
  --init crossinit|random   random: leave the CrossInit stage out, for comparison (default: crossinit)
  --text LANG=FILE          your own text, one sentence a line, UTF-8; give it twice, for two languages. Without it,
                            English and Romanian text is taken from Debian/Ubuntu packages. If line k of one file
                            translates line k of the other, some lines are held out for dev and test, and training sees
                            one half of the rest in each language
  --dev LANG=FILE           with --text: aligned text to watch BLEU on, twice (optional)
  --test LANG=FILE          with --text: aligned text for the final BLEU, twice (optional)
  --seed N                  of everything random (default: 1)
  --out DIR                 where everything goes; a second run with the same DIR goes on where the first ended
                            (default: examples/quickstart/out)

It ends with a table of stages, minutes and figures, and DIR/summary.json. Exit status 0 means that every stage ran.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/quickstart
PRESET=default INIT=crossinit OUT=$HERE/out SEED=1
TEXT=() DEV=() TEST=()
OPTIONS="preset init text dev test seed out"
source "$ROOT/scripts/options.sh"
read_options "$@"
case $PRESET in
  smoke)   WARM_UP=50 PRETRAIN=120 TRANSLATE=30  HELD_OUT=200 ;;
  default) WARM_UP=50 PRETRAIN=800 TRANSLATE=280 HELD_OUT=500 ;;
  *) wrong "--preset is smoke or default, not $PRESET" ;;
esac
[[ $INIT == crossinit || $INIT == random ]] || wrong "--init is crossinit or random, not $INIT"
[[ $SEED =~ ^[0-9]+$ ]] || wrong "--seed is a number, not $SEED"
for set in TEXT DEV TEST; do
  declare -n files=$set
  [ ${#files[@]} -eq 0 ] || [ ${#files[@]} -eq 2 ] || wrong "--${set,,} is given twice, once for each language, or not at all"
  for i in "${!files[@]}"; do
    [[ ${files[$i]} == ?*=?* ]] || wrong "--${set,,} takes LANG=FILE, not ${files[$i]}"
    [ -f "${files[$i]#*=}" ] || wrong "--${set,,}: there is no file ${files[$i]#*=}"
    files[$i]=${files[$i]%%=*}=$(realpath "${files[$i]#*=}")
  done
done
A=en B=ro
if [ ${#TEXT[@]} -eq 2 ]; then A=${TEXT[0]%%=*} B=${TEXT[1]%%=*}; fi
[ "$A" != "$B" ] || wrong "--text names the language $A twice"
[ ${#TEXT[@]} -eq 2 ] || [ $((${#DEV[@]} + ${#TEST[@]})) -eq 0 ] || wrong "--dev and --test go with --text"
mkdir -p "$OUT"
OUT=$(realpath "$OUT")

STARTED=$(date +%s)
bash "$ROOT/scripts/setup.sh"
SETUP_SECONDS=$(($(date +%s) - STARTED))
# on two idle cores a second thread saves a third of the time; on busy ones the threads wait for each other, and it doubles
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
PATH=$ROOT/.venv/bin:$PATH
STAGES=7
[ "$INIT" = crossinit ] || STAGES=6
SETTINGS="$A $B $SEED $PRESET ${TEXT[*]-} ${DEV[*]-} ${TEST[*]-} $(stat -c '%s %Y' "${TEXT[@]#*=}" "${DEV[@]#*=}" "${TEST[@]#*=}" 2>/dev/null || true)"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT. `data` is the folder of binarised text, the first argument of every fairseq command.
MODEL="--arch mbart_base --share-all-embeddings --encoder-layers 2 --decoder-layers 2
  --encoder-embed-dim 128 --decoder-embed-dim 128 --encoder-ffn-embed-dim 512 --decoder-ffn-embed-dim 512
  --encoder-attention-heads 4 --decoder-attention-heads 4 --dropout 0.0 --attention-dropout 0.0
  --max-source-positions 256 --max-target-positions 256"
# a data buffer would end fairseq with an abort after training; 1 is the only multiple that drops no sentence
COMMON="--user-dir $ROOT/crossinit_fairseq --seed $SEED --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval 10 --optimizer adam --clip-norm 1.0"

text() {
  if [ ${#TEXT[@]} -eq 2 ]; then
    python "$HERE/own_text.py" --text "${TEXT[@]}" ${DEV[@]+--dev "${DEV[@]}"} ${TEST[@]+--test "${TEST[@]}"} \
      --hold-out $HELD_OUT --seed "$SEED" --out text >&3
  else
    python "$HERE/debian_text.py" --langs $A,$B --dev $HELD_OUT --test $HELD_OUT --seed "$SEED" --cache apt --out text 2>&3
  fi
}

pieces() {
  python "$HERE/pieces.py" --langs $A,$B --text text --vocabulary 2500 --out pieces
}

data() {
  for lang in $A $B; do
    fairseq-preprocess --only-source --srcdict pieces/dict.txt --destdir data/$lang \
      --trainpref pieces/train.$lang --validpref pieces/valid.$lang
  done
  cp pieces/dict.txt data/
  aligned=
  [ ! -f pieces/dev.$A ] || aligned="--validpref pieces/dev"
  [ ! -f pieces/test.$A ] || aligned="$aligned --testpref pieces/test"
  if [ -n "$aligned" ]; then
    fairseq-preprocess --source-lang $A --target-lang $B --srcdict pieces/dict.txt --tgtdict pieces/dict.txt \
      --destdir data $aligned
  fi
}

crossinit() {
  # a short span and few updates: long before the loss is flat the table of so small a model lies along two directions
  train CrossInit $WARM_UP data $COMMON $MODEL --task crossinit_pretrain --criterion crossinit --langs $A,$B \
    --span 30 --max-rank 10000 --batch-size 64 --updates-per-epoch 100 --rescale --lr 0.001 --save-dir crossinit
}

mbart() {
  # data:data makes fairseq sort the sentences by length again in every epoch; with one folder it sorts only once, and
  # from the second epoch on a batch holds a third of the words
  train mBART $PRETRAIN data:data $COMMON $MODEL --task multilingual_denoising --criterion cross_entropy \
    --langs $A,$B --add-lang-token --sample-break-mode eos --tokens-per-sample 256 --max-tokens 1500 \
    --mask 0.35 --mask-length span-poisson --poisson-lambda 3.5 --replace-length 1 --rotate 0 --permute-sentences 0 \
    --adam-betas '(0.9, 0.98)' --lr 0.002 --lr-scheduler inverse_sqrt --warmup-updates 100 \
    --save-interval-updates 300 --keep-interval-updates 1 --save-dir mbart $START
}

translation() {
  train translation $TRANSLATE data $COMMON $MODEL --task crossinit_unmt --langs $A,$B \
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens 800 --restrict-vocab-updates -1 \
    --adam-betas '(0.9, 0.98)' --lr 0.001 --lr-scheduler inverse_sqrt --warmup-updates 50 \
    --save-dir translation --finetune-from-model mbart/checkpoint_last.pt
}

score() {
  if [ -f pieces/test.$A ]; then
    for pair in "$A $B" "$B $A"; do
      set -- $pair
      fairseq-generate data --user-dir "$ROOT/crossinit_fairseq" --task crossinit_unmt -s $1 -t $2 \
        --path translation/checkpoint_last.pt --beam 4 --max-len-a 1.3 --max-len-b 5 --max-tokens 2000 \
        --remove-bpe sentencepiece --required-batch-size-multiple 1 --num-workers 0 > score/$1-$2.txt
      translations score/$1-$2.txt > score/$1-$2.hyp
      sacrebleu text/test.$2 -i score/$1-$2.hyp -m bleu --format json -w 2 > score/$1-$2.json
      # for comparison: what leaving the text as it is would score
      sacrebleu text/test.$2 -i text/test.$1 -m bleu --format json -w 2 > score/$1-$2.copy.json
    done
  fi
}

stage text "text in $A and $B"
stage pieces "SentencePiece, one vocabulary for both"
stage data "fairseq-preprocess"
SETTINGS+="$COMMON $MODEL $WARM_UP $PRETRAIN $TRANSLATE"
START=
if [ "$INIT" = crossinit ]; then
  stage crossinit "CrossInit: align the embeddings by word rank"
  START="--finetune-from-model crossinit/checkpoint_last.pt"
fi
SETTINGS+=" $START"
stage mbart "mBART pre-training (from $INIT embeddings)"
stage translation "unsupervised translation"
stage score "fairseq-generate and sacreBLEU"
python "$HERE/summary.py" --out "$OUT" --langs "$A,$B" --init "$INIT" --preset "$PRESET" --seed "$SEED" \
  --setup-seconds "$SETUP_SECONDS"
