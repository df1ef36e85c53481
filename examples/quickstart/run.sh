#!/usr/bin/env bash
# Real English and Romanian text, a lexicon induced from it, unsupervised translation and BLEU, in one command.
usage() {
  cat <<'EOT'
To begin, in minutes, to see that it works:
  bash examples/quickstart/run.sh --preset smoke
usage: bash examples/quickstart/run.sh [options]

Learns to translate between two languages from text that is not parallel, and scores it. A lexicon is induced: words that
translate each other have like ranks by count and stand in like company. The embedding table is aligned to it. Then
translation is learnt, by denoising and by back-translation, which begins with sentences translated word by word.

  --preset smoke|default    smoke: under 4 minutes, to see that it works; default: under 12 minutes, on 2 cores
  --init lexicon|crossinit|random|FILE
                            what the embedding table knows at first. lexicon: the induced lexicon (the default). crossinit:
                            word ranks alone, as in the paper. random: nothing. The last two use no lexicon at all. Nor does
                            FILE.vec or FILE.safetensors: embeddings of any program as word2vec text, or a table of
                            crossinit-export, of 128 dimensions
  --text LANG=FILE          your own text, one sentence a line, UTF-8; give it twice, for two languages. Without it,
                            English and Romanian text is taken from Debian/Ubuntu packages. If line k of one file
                            translates line k of the other, some lines are held out for dev and test, and training sees
                            one half of the rest in each language
  --dev LANG=FILE           with --text: aligned text to watch BLEU on, twice (optional)
  --test LANG=FILE          with --text: aligned text for the final BLEU, twice (optional)
  --training OPTIONS        further options of crossinit_unmt, in quotes, such as "--lexicon-noise 0.3"
  --seed N                  of everything random (default: 1)
  --out DIR                 where everything goes; a second run with the same DIR goes on where the first ended
                            (default: examples/quickstart/out)

VENV=DIR in the environment: a Python environment that has everything, instead of .venv, which is made if need be.
It ends with a table of stages and minutes, BLEU and chrF2 beside copying the source and beside translating word by word, five
translations, DIR/summary.json and DIR/report.html, one page with the curves, pictures and pairs of words.
Exit status 0 means that every stage ran.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/quickstart
PRESET=default INIT=lexicon TRAINING= OUT=$HERE/out SEED=1
TEXT=() DEV=() TEST=()
OPTIONS="preset init text dev test training seed out"
source "$ROOT/scripts/options.sh"
source "$ROOT/scripts/starts.sh"
read_options "$@"
# updates of the table and of the translation; WORD_BY_WORD of the latter back-translate with the lexicon, or DENOISE of them
# only restore disturbed sentences where there is none; INDUCTION: further options of the lexicon's induction
case $PRESET in
  smoke)   TABLE=100 TRANSLATE=200  WORD_BY_WORD=150 DENOISE=60  HELD_OUT=200
           INDUCTION="--dimensions 100 --learn-words 3000 --rounds 6" ;;
  default) TABLE=300 TRANSLATE=1200 WORD_BY_WORD=600 DENOISE=400 HELD_OUT=500 INDUCTION="--learn-words 3000" ;;
  *) wrong "--preset is smoke or default, not $PRESET" ;;
esac
check_training "$TRAINING"
TRAINING=$(full_paths "$TRAINING")
check_start --init "$INIT" "lexicon|crossinit|random"
check_width --init "$INIT" $PRESET 128
VECTORS=
! is_file "$INIT" || VECTORS=$(realpath "$INIT")
INIT=$(start_name "$INIT")
[[ $SEED =~ ^[0-9]+$ ]] || wrong "--seed is a number, not $SEED"
for set in TEXT DEV TEST; do
  declare -n files=$set
  [ ${#files[@]} -eq 0 ] || [ ${#files[@]} -eq 2 ] || wrong "--${set,,} is given twice, once for each language, or not at all"
  for i in "${!files[@]}"; do
    [[ ${files[$i]} == ?*=?* ]] || wrong "--${set,,} takes LANG=FILE, not ${files[$i]}"
    check_language "--${set,,}" "${files[$i]%%=*}"
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
if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh"
  VENV=$ROOT/.venv
fi
SETUP_SECONDS=$(($(date +%s) - STARTED))
# on two idle cores a second thread saves a third of the time; on busy ones the threads wait for each other, and it doubles
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
PATH=$VENV/bin:$PATH
check_tables ${VECTORS:+"$VECTORS"}
try_training "$TRAINING" "$INIT"
case $INIT in
  lexicon) STAGES=7 ;;
  random)  STAGES=5 ;;
  *)       STAGES=6 ;;
esac
SETTINGS="$A $B $SEED $PRESET ${TEXT[*]%%=*} ${DEV[*]%%=*} ${TEST[*]%%=*} $(contents "${TEXT[@]#*=}" "${DEV[@]#*=}" "${TEST[@]#*=}")"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT. `data` is the folder of binarised text, the first argument of every fairseq command.
# sinusoidal positions and a table of mean norm 1, fairseq's transformer: mbart_base, with learnt positions and a far smaller
# table, learns much more slowly
MODEL="--arch transformer --share-all-embeddings --encoder-layers 2 --decoder-layers 2
  --encoder-embed-dim 128 --decoder-embed-dim 128 --encoder-ffn-embed-dim 512 --decoder-ffn-embed-dim 512
  --encoder-attention-heads 4 --decoder-attention-heads 4 --dropout 0.0 --attention-dropout 0.0
  --encoder-normalize-before --decoder-normalize-before --max-source-positions 256 --max-target-positions 256"
# a data buffer would end fairseq with an abort after training; 1 is the only multiple that drops no sentence
COMMON=(--user-dir "$ROOT/crossinit_fairseq" --seed $SEED --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval 10 --optimizer adam --clip-norm 1.0)

text() {
  if [ ${#TEXT[@]} -eq 2 ]; then
    run python "$HERE/own_text.py" --text "${TEXT[@]}" ${DEV[@]+--dev "${DEV[@]}"} ${TEST[@]+--test "${TEST[@]}"} \
      --hold-out $HELD_OUT --seed "$SEED" --out text >&3
  else
    run python "$HERE/debian_text.py" --langs $A,$B --dev $HELD_OUT --test $HELD_OUT --seed "$SEED" --cache apt --out text 2>&3
  fi
}

pieces() {
  run python "$HERE/pieces.py" --langs $A,$B --text text --vocabulary 8000 --longest 14 --out pieces
}

data() {
  for lang in $A $B; do
    run fairseq-preprocess --only-source --srcdict pieces/dict.txt --destdir data/$lang \
      --trainpref pieces/train.$lang --validpref pieces/valid.$lang
  done
  run cp pieces/dict.txt data/
  aligned=
  [ ! -f pieces/dev.$A ] || aligned="--validpref pieces/dev"
  [ ! -f pieces/test.$A ] || aligned="$aligned --testpref pieces/test"
  if [ -n "$aligned" ]; then
    run fairseq-preprocess --source-lang $A --target-lang $B --srcdict pieces/dict.txt --tgtdict pieces/dict.txt \
      --destdir data $aligned
  fi
}

lexicon() {
  run crossinit-lexicon induce data --langs $A,$B --all --workers 1 --seed "$SEED" $INDUCTION \
    -o lexicon/lexicon.tsv
  # the most frequent pairs of words that are each other's best, for a person to judge; --all also wrote the one-sided ones
  run -o lexicon/mutual.tsv grep -v -e 'ward$' -e '^# pairs:' lexicon/lexicon.tsv
  run crossinit-lexicon show lexicon/mutual.tsv --pairs 30 >&3
}

table() {
  if [ -n "$VECTORS" ]; then
    table_of table "$VECTORS" data "${COMMON[@]}" $MODEL --langs $A,$B --span 30 --max-rank 10000
  elif [ "$INIT" = lexicon ]; then
    # a model that begins by copying: over an aligned table that is close to translating word by word
    train table $TABLE data "${COMMON[@]}" $MODEL --task crossinit_pretrain --criterion crossinit --langs $A,$B \
      --lexicon $A-$B=lexicon/lexicon.tsv --batch-size 512 --updates-per-epoch 100 --rescale --lr 0.01 \
      --start-as-copier --save-dir table
  else
    # a short span and few updates: long before the loss is flat the table of so small a model lies along two directions
    train table 50 data "${COMMON[@]}" $MODEL --task crossinit_pretrain --criterion crossinit --langs $A,$B \
      --span 30 --max-rank 10000 --batch-size 64 --updates-per-epoch 50 --rescale --lr 0.005 --save-dir table
  fi
}

translation() {
  # with no lexicon the first updates only restore disturbed sentences; with one they also learn to translate what it translated
  # word by word; from then on the model translates for itself
  if [ "$INIT" = lexicon ]; then
    # what was translated word by word is disturbed as the sentences to be restored are: the model learns to write sentences
    start="--lexicon $A-$B=lexicon/lexicon.tsv --lexicon-bt-updates $WORD_BY_WORD --lexicon-bt-noise"
  else
    start="--lambda-bt 0:0,$DENOISE:0,$((DENOISE + 1)):1"
  fi
  [ "$INIT" = random ] || start="$start --finetune-from-model table/checkpoint_last.pt"
  train translation $TRANSLATE data "${COMMON[@]}" $MODEL --task crossinit_unmt --langs $A,$B \
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens 500 --restrict-vocab-updates -1 \
    --adam-betas '(0.9, 0.98)' --lr 0.004 --lr-scheduler polynomial_decay --total-num-update $TRANSLATE --warmup-updates 100 \
    --valid-round-trip 100 --validate-interval 1000 --save-interval-updates 200 --keep-interval-updates 1 \
    --save-dir translation $start $TRAINING
}

# BLEU and chrF2 of a file of translations into a language
bleu() { sacrebleu text/test.$1 -i "$2" -m bleu chrf --format json -w 2; }

score() {
  if [ -f pieces/test.$A ]; then
    for pair in "$A $B" "$B $A"; do
      set -- $pair
      run -o score/$1-$2.txt fairseq-generate data --user-dir "$ROOT/crossinit_fairseq" \
        --task crossinit_unmt --langs $A,$B -s $1 -t $2 \
        --path translation/checkpoint_last.pt --beam 8 --lenpen 0.6 --max-len-a 1.3 --max-len-b 5 \
        --max-tokens 2000 --generation-vocab target \
        --remove-bpe sentencepiece --truncate-source --required-batch-size-multiple 1 --num-workers 0
      run -o score/$1-$2.hyp translations score/$1-$2.txt
      run -o score/$1-$2.json bleu $2 score/$1-$2.hyp
      # for comparison: what leaving the text as it is would score, and what the lexicon does alone
      run -o score/$1-$2.copying.json bleu $2 text/test.$1
      if [ "$INIT" = lexicon ]; then
        run -i text/test.$1 -o score/$1-$2.word_by_word.hyp crossinit-lexicon translate lexicon/lexicon.tsv --from $1 --to $2
        run -o score/$1-$2.word_by_word.json bleu $2 score/$1-$2.word_by_word.hyp
      fi
    done
  fi
}

stage text "text in $A and $B"
stage pieces "SentencePiece, one vocabulary for both"
stage data "fairseq-preprocess"
SETTINGS+=" $INIT $INDUCTION${VECTORS:+ $(md5sum < "$VECTORS")}"
[ "$INIT" != lexicon ] || stage lexicon "a lexicon from the text alone; the score is what a pair was chosen by"
SETTINGS+=" ${COMMON[*]} $MODEL $TABLE"
case $INIT in lexicon) BY="aligned by the lexicon" ;; crossinit) BY="aligned by word rank (CrossInit)" ;; *) BY="of a file" ;; esac
[ "$INIT" = random ] || stage table "the embedding table, $BY"
SETTINGS+=" $TRANSLATE $WORD_BY_WORD $DENOISE${TRAINING:+ $(by_contents "$TRAINING")}"
stage translation "unsupervised translation"
stage score "fairseq-generate and sacreBLEU"
python "$HERE/summary.py" --out "$OUT" --langs "$A,$B" --init "$INIT" --preset "$PRESET" --seed "$SEED" \
  ${TRAINING:+--training="$TRAINING"} --setup-seconds "$SETUP_SECONDS"
python "$HERE/report.py" --out "$OUT" --langs "$A,$B"
