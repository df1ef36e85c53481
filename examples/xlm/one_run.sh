#!/usr/bin/env bash
# One run of the example, for run.sh: bash one_run.sh "SEED INIT" PRESET LANGS TASKS DIR
# INIT is random, crossinit, lexicon or a file of embeddings. DIR holds text/ and data/; everything else goes to
# DIR/runs/INIT-SEED.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/xlm
read -r SEED INIT <<< "$1"
PRESET=$2 LANGS=$3 TASKS=$4 TEXT=$5/text DATA=$5/data
source "$ROOT/scripts/starts.sh"
VECTORS=
! is_file "$INIT" || VECTORS=$INIT
INIT=$(start_name "$INIT")
OUT=$5/runs/$INIT-$SEED
source "$HERE/settings.sh"
mkdir -p "$OUT"
STAGES=1
[ $INIT = random ] || STAGES=2
for task in retrieval xnli qa; do
  [[ $TASKS != *$task* ]] || STAGES=$((STAGES + 1))
done
# a run begins anew when the data did
SETTINGS="$INIT $SEED $LANGS $(cat "$5/stages/data.done")${VECTORS:+ $(md5sum < "$VECTORS")}"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT.
MODEL+=" --max-positions $POSITIONS"
COMMON=(--user-dir "$ROOT/crossinit_fairseq" --seed $SEED --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval 10 --optimizer adam)

table() {
  if [ -n "$VECTORS" ]; then
    table_of table "$VECTORS" "$DATA" "${COMMON[@]}" $MODEL --langs $LANGS --span $SPAN --max-rank 10000
    return
  fi
  if [ $INIT = crossinit ]; then
    train "$INIT-$SEED table" $SPAN_UPDATES "$DATA" "${COMMON[@]}" $MODEL --task crossinit_pretrain --criterion crossinit \
      --langs $LANGS --span $SPAN --max-rank 10000 --batch-size 64 --updates-per-epoch 50 --rescale --clip-norm 1.0 \
      --lr $SPAN_RATE --save-dir table
    return
  fi
  local lexicons=
  for lang in ${LANGS//,/ }; do
    [ $lang != en ] || continue
    [ -f table/en-$lang.tsv ] || run crossinit-lexicon induce "$DATA" --langs en,$lang --all --workers 1 --seed $SEED \
      -o table/en-$lang.tsv
    run crossinit-lexicon show table/en-$lang.tsv --pairs 20
    lexicons+=,en-$lang=table/en-$lang.tsv
  done
  train "$INIT-$SEED table" $PAIR_UPDATES "$DATA" "${COMMON[@]}" $MODEL --task crossinit_pretrain --criterion crossinit \
    --langs $LANGS --lexicon ${lexicons#,} --batch-size 512 --updates-per-epoch 100 --rescale --clip-norm 1.0 \
    --lr $PAIR_RATE --save-dir table
}

mlm() {
  local start=
  [ ! -d table ] || start="--finetune-from-model table/checkpoint_last.pt"
  train "$INIT-$SEED mlm" $UPDATES "$DATA" "${COMMON[@]}" $MODEL --task crossinit_mlm --criterion masked_lm --langs $LANGS \
    --tokens-per-sample $POSITIONS --multilang-sampling-alpha 0.5 --max-tokens $TOKENS --clip-norm 1.0 --lr $RATE \
    --lr-scheduler fixed --warmup-updates $((UPDATES / 10)) --save-dir mlm $start
}

retrieval() {
  local options=()
  for lang in ${LANGS//,/ }; do
    [ ! -e "$TEXT/aligned.$lang" ] || options+=(--sentences $lang="$TEXT/aligned.$lang")
    [ ! -e "$TEXT/words.en-$lang.txt" ] || options+=(--words en-$lang="$TEXT/words.en-$lang.txt")
  done
  run crossinit-retrieve "$DATA" --path mlm/checkpoint_last.pt "${options[@]}" --json retrieval/scores.json
}

# fine-tuning on English, the checkpoint by English alone, then every language: fine_tune TASK CRITERION METRIC FILES END OPTIONS
fine_tune() {
  run fairseq-train "$DATA" "${COMMON[@]}" $MODEL --task crossinit_$1 --criterion $2 $6 --clip-norm 1.0 \
    --finetune-from-model mlm/checkpoint_last.pt --train-files en="$TEXT/$4.train.en.$5" --valid-files en="$TEXT/$4.dev.en.$5" \
    --best-checkpoint-metric $3 --maximize-best-checkpoint-metric --log-format simple --save-dir $1
  local texts=()
  for lang in ${LANGS//,/ }; do
    [ ! -e "$TEXT/$4.test.$lang.$5" ] || texts+=(--text $lang="$TEXT/$4.test.$lang.$5")
  done
  run crossinit-predict "$DATA" --path $1/checkpoint_best.pt "${texts[@]}" --out $1/test
}

SETTINGS+=" ${COMMON[*]} $MODEL $SPAN $SPAN_UPDATES $SPAN_RATE $PAIR_UPDATES $PAIR_RATE"
[ $INIT = random ] || stage table "$INIT-$SEED: the embedding table to start from"
SETTINGS+=" $TOKENS $UPDATES $RATE"
stage mlm "$INIT-$SEED: masked-LM pre-training"
rm -f "$OUT/stages/run.done"
# what follows depends on the pre-training alone: another list of --tasks repeats nothing
CHAIN=$STAGES_CHAIN
[[ $TASKS != *retrieval* ]] || stage retrieval "$INIT-$SEED: are translations near to each other"
STAGES_CHAIN=$CHAIN
[[ $TASKS != *xnli* ]] || stage xnli "$INIT-$SEED: XNLI, fine-tuned on English" \
  fine_tune xnli sentence_prediction accuracy nli tsv "$XNLI"
STAGES_CHAIN=$CHAIN
[[ $TASKS != *qa* ]] || stage qa "$INIT-$SEED: question answering, fine-tuned on English" \
  fine_tune qa span_prediction f1 qa json "$QA"
keep "$OUT/stages/run.done" "$SEED $INIT $TASKS"
