# The steps of the translation recipes; sourced by examples/unmt_*/run.sh after settings.sh. Each runs in $OUT and writes into
# the folder of its name. What a run really called, with all values, stands in $OUT/logs/commands.sh.

# monolingual text of the languages, and the aligned test set
text() {
  if [ "$SOURCE" = web ]; then
    run crossinit-prepare download --recipe $WEB_RECIPE --size $WEB_SIZE --out text --yes >&3 2>&3
  else
    run crossinit-prepare local "$TEXT" --langs $LANGS --test $TEST_NAME --dev $DEV_NAME --out text
  fi
}

# clean the text, keep the test sets out of it, train SentencePiece, binarise
prepare() {
  shopt -s nullglob  # a dev set may be missing
  for lang in ${LANGS//,/ }; do
    [ -f prepare/clean/$lang.txt ] || run crossinit-prepare clean text/mono/$lang/* --lang $lang \
      --keep-out text/test.* text/dev.* ${LINES:+--max-lines $LINES} --seed $SEED -o prepare/clean/$lang.txt
    for set in test dev; do
      [ ! -f text/$set.$lang ] || run crossinit-prepare normalise text/$set.$lang --lang $lang -o prepare/clean/$set.$lang
    done
  done

  local pieces=(--text prepare/clean --size $VOCABULARY --alpha 0.5 --seed $SEED)
  [ -z "$PIECES" ] || pieces=(--model "$PIECES")
  [ -f prepare/pieces/dict.txt ] || run crossinit-prepare vocabulary --langs $LANGS "${pieces[@]}" --out prepare/pieces
  run crossinit-prepare encode --langs $LANGS --text prepare/clean --model prepare/pieces/spm.model --valid $VALID \
    --shards $SHARDS --out prepare/pieces
  run crossinit-prepare report --langs $LANGS --clean prepare/clean --pieces prepare/pieces --out prepare >&3

  for shard in $(seq 0 $((SHARDS - 1))); do
    for lang in ${LANGS//,/ }; do
      run fairseq-preprocess --only-source --srcdict prepare/pieces/dict.txt --destdir prepare/data/$shard/$lang \
        --trainpref prepare/pieces/$shard/train.$lang --validpref prepare/pieces/valid.$lang \
        --workers $(env -u OMP_NUM_THREADS nproc)
    done
    run cp prepare/pieces/dict.txt prepare/data/$shard/
  done
  DEV=
  [ ! -f prepare/pieces/dev.${PAIR% *} ] || DEV="--validpref prepare/pieces/dev"
  run fairseq-preprocess --source-lang ${PAIR% *} --target-lang ${PAIR#* } --srcdict prepare/pieces/dict.txt \
    --tgtdict prepare/pieces/dict.txt --destdir prepare/data/0 --testpref prepare/pieces/test $DEV
}

# the words of each language in order of their counts (Step 1 of CrossInit)
ranks() {
  for lang in ${LANGS//,/ }; do
    run crossinit-ranks count --lang $lang prepare/clean/$lang.txt -o ranks/$lang.tsv
  done
  run crossinit-ranks show $(printf 'ranks/%s.tsv ' ${LANGS//,/ })
}

# lexicon(), of --init lexicon, stands in the recipe itself: which words translate each other, from rank and context in the text

# align the randomly initialised embeddings, by rank (Steps 2 and 3 of CrossInit) or by the lexicon; or take those of a file
crossinit() {
  if [ -n "$VECTORS" ]; then
    table_of crossinit "$VECTORS" $DATA "${COMMON[@]}" $MODEL --langs $LANGS --ranks $(tables ranks ${LANGS//,/ }) \
      --sentencepiece-model prepare/pieces/spm.model --span 30 --max-rank 10000 --optimizer adam
    return
  fi
  BY="--ranks $(tables ranks ${LANGS//,/ }) --sentencepiece-model prepare/pieces/spm.model"
  [ "$INIT" != lexicon ] || BY="--lexicon $(tables lexicon $ALIGNED)"
  train CrossInit $ALIGN $DATA "${COMMON[@]}" $MODEL --task crossinit_pretrain --criterion crossinit --langs $LANGS $BY \
    --rescale $ALIGN_OPTIONS --save-dir crossinit
}

# mBART pre-training from that table (or from a random one)
mbart() {
  [ "$PRETRAIN" -gt 0 ] ||
    fail "--step mbart: preset $PRESET has none with --init $INIT; translation, which denoises too, comes next"
  train mBART $PRETRAIN $DATA "${COMMON[@]}" $MODEL --task crossinit_denoising --criterion cross_entropy --langs $LANGS \
    --add-lang-token --sample-break-mode eos --mask 0.35 --mask-length span-poisson --poisson-lambda 3.5 --replace-length 1 \
    $PRETRAIN_OPTIONS --save-dir mbart $START
}

# unsupervised translation: denoising and on-the-fly back-translation, from mBART, or from the table where that is left out
translation() {
  BEGIN= FROM=mbart/checkpoint_best.pt
  [ "$PRETRAIN" -gt 0 ] || FROM=crossinit/checkpoint_last.pt
  [ "$INIT" != lexicon ] || BEGIN="--lexicon $(tables lexicon $TRANSLATED)"
  train translation $TRANSLATE $DATA "${COMMON[@]}" $MODEL --task crossinit_unmt --langs $LANGS --directions $DIRECTIONS \
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 $BEGIN $TRANSLATION_OPTIONS \
    --best-checkpoint-metric round_trip_bleu --maximize-best-checkpoint-metric \
    --save-dir translation --finetune-from-model $FROM
}

# translate the test set both ways and score it; copying, and translating word by word, beside
score() {
  for pair in "$PAIR" "${PAIR#* } ${PAIR% *}"; do
    set -- $pair
    run -o score/$1-$2.txt fairseq-generate prepare/data/0 --user-dir "$ROOT/crossinit_fairseq" --task crossinit_unmt \
      --langs $LANGS -s $1 -t $2 --path translation/checkpoint_best.pt --truncate-source $GENERATION_OPTIONS \
      --remove-bpe sentencepiece --required-batch-size-multiple 1 --num-workers 0
    WORD_BY_WORD=
    if [ "$INIT" = lexicon ]; then
      run -i prepare/clean/test.$1 -o score/$1-$2.word_by_word \
        crossinit-lexicon translate lexicon/${PAIR/ /-}.tsv --from $1 --to $2
      WORD_BY_WORD=word_by_word=score/$1-$2.word_by_word
    fi
    run crossinit-score --pair $1-$2 --reference text/test.$2 --source text/test.$1 --json score/$1-$2.json \
      $INIT=score/$1-$2.txt $WORD_BY_WORD copying=text/test.$1
  done
  run crossinit-score --table score/${PAIR/ /-}.json score/${PAIR#* }-${PAIR% *}.json >&3
}

# tables FOLDER NAME...: NAME=FOLDER/NAME.tsv of each, between commas
tables() {
  local folder=$1 name list=
  shift
  for name in "$@"; do list+=,$name=$folder/$name.tsv; done
  echo "${list#,}"
}

if [ -n "$STEP" ]; then
  # one step by hand: whatever was done before, with its output here
  mkdir -p "$STEP"
  note_stage "$STEP"
  (set -e; "$STEP") 3>&1
  exit
fi

if [ -n "$PREPARED" ]; then
  for name in text prepare ranks; do
    [ -e "$name" ] || ln -sfn "$PREPARED/$name" "$name"
    [ "$(realpath "$name")" = "$(realpath "$PREPARED/$name")" ] || fail "$OUT/$name is another run's; give another --out"
  done
  SETTINGS=$(cat "$PREPARED/stages/ranks.done")
else
  SETTINGS="$LANGS $SOURCE $WEB_SIZE "
  if [ "$SOURCE" = local ]; then
    SETTINGS+=$(contents "$TEXT/mono" "$TEXT"/test/{$TEST_NAME,$DEV_NAME}.*)
    # links to text that was moved are made anew
    [ -z "$(find text -xtype l 2>/dev/null | head -n 1)" ] || rm -f stages/text.done
  fi
  stage text "monolingual text and the test set"
  SETTINGS+=" $SEED $LINES $VALID $SHARDS $VOCABULARY ${PIECES:+$(contents "$PIECES")}"
  stage prepare "cleaning, SentencePiece, binarising"
  stage ranks "word ranks"
fi
if [ "$INIT" = lexicon ]; then
  SETTINGS+=" $SEED $LEXICON_OPTIONS $(cat ${SEEDS:+"$SEEDS"} < /dev/null)"
  stage lexicon "word pairs found by rank and context"
fi
SETTINGS+=" $SEED $SHARDS $MODEL"
if [ "$INIT" != random ]; then
  SETTINGS+=" $ALIGN $ALIGN_OPTIONS${VECTORS:+ $(md5sum < "$VECTORS")}"
  case $INIT in
    lexicon) BY="the embeddings aligned by these pairs" ;;
    crossinit) BY="CrossInit: the embeddings aligned by rank" ;;
    *) BY="the embeddings of $VECTORS" ;;
  esac
  stage crossinit "$BY"
fi
SETTINGS+=" $START $PRETRAIN $PRETRAIN_OPTIONS"
[ "$PRETRAIN" -eq 0 ] || stage mbart "mBART pre-training from $INIT embeddings"
SETTINGS+=" $TRANSLATE $TRANSLATION_OPTIONS"
stage translation "unsupervised translation"
SETTINGS+=" $GENERATION_OPTIONS"
stage score "$TEST_NAME, translated and scored"
python "$ROOT/scripts/unmt/summary.py" --out "$OUT" --pair "${PAIR/ /-}" --init "$INIT" --preset "$PRESET" --seed "$SEED"
