# All steps as stages (scripts/stages.sh); sourced by run.sh after settings.sh. $OUT/stages says what is done.
# the steps run in $OUT, so they are given the options with whole paths
STEP_OPTIONS=(--preset $PRESET --init $INIT --source $SOURCE --seed "$SEED" --out "$OUT")
[ "$SOURCE" = web ] || [ -n "$PREPARED" ] || STEP_OPTIONS+=(--text "$TEXT")
[ -z "$PREPARED" ] || STEP_OPTIONS+=(--prepared "$PREPARED")
[ -z "$PIECES" ] || STEP_OPTIONS+=(--pieces "$PIECES")
[ -z "$SEEDS" ] || STEP_OPTIONS+=(--seeds "$SEEDS")
case $INIT in lexicon) STAGES=8 ;; crossinit) STAGES=7 ;; random) STAGES=6 ;; esac
[ -z "$PREPARED" ] || STAGES=$((STAGES - 3))

text() { bash "$EXAMPLE/1_text.sh" "${STEP_OPTIONS[@]}"; }
prepare() { bash "$EXAMPLE/2_prepare.sh" "${STEP_OPTIONS[@]}"; }
ranks() { bash "$EXAMPLE/3_ranks.sh" "${STEP_OPTIONS[@]}"; }
lexicon() { bash "$EXAMPLE/3_lexicon.sh" "${STEP_OPTIONS[@]}"; }
crossinit() { bash "$EXAMPLE/4_crossinit.sh" "${STEP_OPTIONS[@]}"; }
mbart() { bash "$EXAMPLE/5_mbart.sh" "${STEP_OPTIONS[@]}"; }
translation() { bash "$EXAMPLE/6_translation.sh" "${STEP_OPTIONS[@]}"; }
score() { bash "$EXAMPLE/7_score.sh" "${STEP_OPTIONS[@]}"; }

SETTINGS=
# step NAME TITLE SETTINGS: a stage that also depends on its own file and on SETTINGS
step() {
  SETTINGS+=" $3 $(cat "$EXAMPLE"/[0-9]_"$1".sh)"
  stage "$1" "$2"
}
source "$ROOT/scripts/stages.sh"

if [ -n "$PREPARED" ]; then
  for name in text prepare ranks; do
    [ -e "$name" ] || ln -s "$PREPARED/$name" "$name"
    [ "$(realpath "$name")" = "$(realpath "$PREPARED/$name")" ] || fail "$OUT/$name is another run's; give another --out"
  done
  SETTINGS="$PREPARED $(cat "$PREPARED/stages/ranks.done")"
else
  step text "monolingual text and the test set" "$SOURCE ${WEB_SIZE:-} $TEXT"
  step prepare "cleaning, SentencePiece, binarising" "$SEED $LINES $VALID $SHARDS $VOCABULARY $PIECES"
  step ranks "word ranks" ""
fi
[ "$INIT" != lexicon ] ||
  step lexicon "word pairs found by rank and context" "$SEED $LEXICON_OPTIONS $(cat ${SEEDS:+"$SEEDS"} < /dev/null)"
case $INIT in
  crossinit) step crossinit "CrossInit: the embeddings aligned by rank" "$SEED $SHARDS $MODEL $ALIGN $ALIGN_OPTIONS" ;;
  lexicon) step crossinit "the embeddings aligned by these pairs" "$SEED $SHARDS $MODEL $ALIGN $ALIGN_OPTIONS" ;;
esac
step mbart "mBART pre-training from $INIT embeddings" "$START $SEED $SHARDS $MODEL $PRETRAIN $PRETRAIN_OPTIONS"
step translation "unsupervised translation" "$TRANSLATE $TRANSLATION_OPTIONS"
step score "$TEST_NAME, translated and scored" "$GENERATION_OPTIONS"
python "$ROOT/scripts/unmt/summary.py" --out "$OUT" --pair "${PAIR// /-}" --init "$INIT" --preset "$PRESET" --seed "$SEED"
