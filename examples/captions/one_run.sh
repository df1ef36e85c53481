#!/usr/bin/env bash
# One run of the example, for run.sh: bash one_run.sh "SEED INIT" PRESET A B DIR "INDUCTION" UPDATES "TRAINING"
# INIT is random, crossinit, lexicon, oracle or a file of embeddings. A and B are languages, INDUCTION and TRAINING are
# further options of crossinit-lexicon induce and of crossinit_unmt, UPDATES another number than the preset's, or nothing. DIR
# holds text/ and data/; everything else goes to DIR/runs/INIT-SEED.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/captions
source "$ROOT/scripts/options.sh"
source "$ROOT/scripts/starts.sh"
read -r SEED INIT <<< "$1"
VECTORS=
! is_file "$INIT" || VECTORS=$INIT
INIT=$(start_name "$INIT")
PRESET=$2 A=$3 B=$4 TEXT=$5/text DATA=$5/data OUT=$5/runs/$INIT-$SEED INDUCTION=$6 UPDATES=$7 TRAINING=$8
source "$HERE/settings.sh"
mkdir -p "$OUT"
case $INIT in
  random)         STAGES=2 ;;
  lexicon|oracle) STAGES=5 ;;
  *)              STAGES=3 ;;
esac
# a run begins anew when the data did
SETTINGS="$INIT $SEED $A $B $(cat "$5/stages/data.done")${VECTORS:+ $(md5sum < "$VECTORS")}"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT.
# sinusoidal positions and a table of mean norm 1, fairseq's transformer: mbart_base, with learnt positions and a far smaller
# table, was still at 2 BLEU where this had 12
MODEL="--arch transformer --share-all-embeddings --encoder-layers $LAYERS --decoder-layers $LAYERS
  --encoder-embed-dim $WIDTH --decoder-embed-dim $WIDTH --encoder-ffn-embed-dim $((4 * WIDTH)) --decoder-ffn-embed-dim $((4 * WIDTH))
  --encoder-attention-heads 4 --decoder-attention-heads 4 --dropout $DROPOUT --attention-dropout 0.0
  --encoder-normalize-before --decoder-normalize-before
  --max-source-positions 256 --max-target-positions 256"
COMMON=(--user-dir "$ROOT/crossinit_fairseq" --seed $SEED --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval 10 --optimizer adam)

# into FILE, the text of tokens as Moses cuts them: detokenised LANG TOKENS FILE
detokenised() { run -i "$2" -o "$3" sacremoses -l $1 -j 1 -q detokenize; }

# into FILE, BLEU and chrF2 of translations: bleu LANG TRANSLATIONS FILE
bleu() { run -o "$3" sacrebleu "$TEXT/reference.$1" -i "$2" -m bleu chrf -lc --format json -w 2; }

lexicon() {
  if [ $INIT = oracle ]; then
    run python "$HERE/oracle.py" --langs $A,$B --aligned "$TEXT/aligned" -o lexicon/lexicon.tsv
  else
    run crossinit-lexicon induce "$DATA" --langs $A,$B --all --workers 1 --seed $SEED $INDUCTION -o lexicon/lexicon.tsv
  fi
  run crossinit-lexicon show lexicon/lexicon.tsv --pairs 30
  # aligned text judges the lexicon here, and nothing else
  run crossinit-lexicon evaluate lexicon/lexicon.tsv --aligned $A="$TEXT/aligned.$A" --aligned $B="$TEXT/aligned.$B" \
    --json lexicon/evaluation.json
}

word_by_word() {
  for pair in "$A $B" "$B $A"; do
    set -- $pair
    run -i "$TEXT/test.$1" -o word_by_word/$1-$2.tokens crossinit-lexicon translate lexicon/lexicon.tsv --from $1 --to $2
    detokenised $2 word_by_word/$1-$2.tokens word_by_word/$1-$2.hyp
    bleu $2 word_by_word/$1-$2.hyp word_by_word/$1-$2.json
  done
}

table() {
  if [ -n "$VECTORS" ]; then
    table_of table "$VECTORS" "$DATA" "${COMMON[@]}" $MODEL --langs $A,$B --span 30 --max-rank 10000
  elif [ $INIT = crossinit ]; then
    train "$INIT-$SEED table" $SPAN_UPDATES "$DATA" "${COMMON[@]}" $MODEL \
      --task crossinit_pretrain --criterion crossinit --langs $A,$B \
      --span 30 --max-rank 10000 --batch-size 64 --updates-per-epoch 50 --rescale --clip-norm 1.0 --lr $SPAN_RATE --save-dir table
  else
    train "$INIT-$SEED table" $PAIR_UPDATES "$DATA" "${COMMON[@]}" $MODEL \
      --task crossinit_pretrain --criterion crossinit --langs $A,$B \
      --lexicon $A-$B=lexicon/lexicon.tsv --batch-size 512 --updates-per-epoch 100 --rescale --clip-norm 1.0 --lr $PAIR_RATE \
      --start-as-copier --save-dir table
  fi
}

translation() {
  # with no lexicon the first updates only restore disturbed sentences; with one they also learn to translate what it translated
  # word by word; from then on the model translates for itself
  start="--lambda-bt 0:0,$DENOISE:0,$((DENOISE + 1)):1"
  [ ! -d lexicon ] || start="--lexicon $A-$B=lexicon/lexicon.tsv --lexicon-bt-updates $WORD_BY_WORD $WITH_LEXICON"
  [ ! -d table ] || start="$start --finetune-from-model table/checkpoint_last.pt"
  train "$INIT-$SEED translation" $UPDATES "$DATA" "${COMMON[@]}" $MODEL --task crossinit_unmt --langs $A,$B \
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens $TOKENS --restrict-vocab-updates -1 \
    --adam-betas '(0.9, 0.98)' --clip-norm 1.0 --lr $RATE --lr-scheduler polynomial_decay \
    --total-num-update $UPDATES --warmup-updates $WARMUP \
    --valid-round-trip 100 --validate-interval 1000 --validate-interval-updates 400 \
    --save-interval-updates 400 --keep-interval-updates 1 --save-dir translation $start $TRAINING
}

score() {
  for pair in "$A $B" "$B $A"; do
    set -- $pair
    run -o score/$1-$2.txt fairseq-generate "$DATA" --user-dir "$ROOT/crossinit_fairseq" \
      --task crossinit_unmt --langs $A,$B -s $1 -t $2 \
      --path translation/checkpoint_last.pt --beam 4 --max-len-a 1.3 --max-len-b 5 --max-tokens 4000 --generation-vocab target \
      --remove-bpe sentencepiece --required-batch-size-multiple 1 --num-workers 0
    run -o score/$1-$2.tokens translations score/$1-$2.txt
    detokenised $2 score/$1-$2.tokens score/$1-$2.hyp
    bleu $2 score/$1-$2.hyp score/$1-$2.json
  done
}

if [ $STAGES -eq 5 ]; then
  SETTINGS+=" $(by_contents "$INDUCTION") $(md5sum < "$HERE/oracle.py")"
  stage lexicon "$INIT-$SEED: a lexicon, and how many of its words are right"
  stage word_by_word "$INIT-$SEED: translation word by word, with the lexicon alone"
fi
SETTINGS+=" ${COMMON[*]} $MODEL $SPAN_UPDATES $SPAN_RATE $PAIR_UPDATES $PAIR_RATE"
[ $INIT = random ] || stage table "$INIT-$SEED: the embedding table to start from"
SETTINGS+=" $TOKENS $RATE $WARMUP $UPDATES $DENOISE $WORD_BY_WORD $WITH_LEXICON${TRAINING:+ $(by_contents "$TRAINING")}"
stage translation "$INIT-$SEED: unsupervised translation"
stage score "$INIT-$SEED: fairseq-generate and sacreBLEU"
