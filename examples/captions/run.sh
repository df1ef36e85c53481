#!/usr/bin/env bash
# Unsupervised translation of image captions, by the protocol of Lample et al. (ICLR 2018), from four starts.
usage() {
  cat <<'EOT'
To begin, in minutes, to see that it works:
  bash examples/captions/run.sh --preset smoke
usage: bash examples/captions/run.sh [options]

One half of the captions is given in the first language, the other half in the second; translation is learnt from them by
denoising and back-translation, from embedding tables that are random; aligned by CrossInit; aligned to a lexicon that is
induced from these two halves by rank and context; aligned to an oracle's lexicon, taken from the aligned text. Aligned
captions that no training sees score it, beside copying and beside translating word by word.

  --langs A,B                  two languages; Multi30k has en, fr, de and cs (default: en,fr)
  --preset smoke|default|long  smoke: a small model, minutes, to see that it works; default: 30 minutes a run; long: 2 hours
                               (default: default)
  --inits LIST                 of random, crossinit, lexicon, oracle (default: all of them), and FILE.vec or FILE.safetensors:
                               embeddings of any program as word2vec text, or a table of crossinit-export, as wide as
                               the model
  --seeds LIST                 numbers, such as 1,2,3 (default: 1,2,3; smoke: 1): of the lexicon, the table and the training
  --text DIR                   holds train.LANG, val.LANG and maybe test.LANG of both languages, aligned; without a test it
                               is val from line 301 on (default: Multi30k is downloaded, 1.3 MB for two languages)
  --vocabulary N               symbols of the SentencePiece model (default: 10000; smoke: 6000)
  --induction OPTIONS          further options of crossinit-lexicon induce, in quotes, such as "--rank-weight 0"
  --updates N                  updates of translation (default: 2400; smoke: 240; long: 12000)
  --training OPTIONS           further options of crossinit_unmt, in quotes, such as "--lexicon-noise 0.3"
  --jobs N                     runs side by side, each on one core (default: 2, or 1 where there is but one core)
  --out DIR                    where everything goes; a second run with the same DIR goes on where the first ended
                               (default: examples/captions/out)

VENV=DIR in the environment: a Python environment that has everything, instead of .venv, which is made if need be.
It ends with a table of BLEU in both directions, and DIR/summary.json. Exit status 0 means that every run ended.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/captions
LANGS=en,fr PRESET=default INITS=random,crossinit,lexicon,oracle SEEDS= TEXT= VOCABULARY= INDUCTION=
UPDATES= TRAINING= OUT=$HERE/out
JOBS=$(($(nproc) > 1 ? 2 : 1))
OPTIONS="langs preset inits seeds text vocabulary induction updates training jobs out"
source "$ROOT/scripts/options.sh"
source "$ROOT/scripts/starts.sh"
read_options "$@"
[[ $LANGS =~ ^[^,]+,[^,]+$ && ${LANGS%,*} != "${LANGS#*,}" ]] || wrong "--langs is two languages, such as en,fr, not $LANGS"
check_language --langs "${LANGS%,*}"
check_language --langs "${LANGS#*,}"
[[ $PRESET =~ ^(smoke|default|long)$ ]] || wrong "--preset is smoke, default or long, not $PRESET"
read_starts "$INITS" "random|crossinit|lexicon|oracle"
[ "$PRESET" = smoke ] && SEEDS=${SEEDS:-1}
SEEDS=${SEEDS:-1,2,3}
[[ ,$INITS, == *,lexicon,* ]] || refuse induction "without lexicon among --inits"
check_seeds "$SEEDS"
[[ $VOCABULARY =~ ^([1-9][0-9]*)?$ ]] || wrong "--vocabulary is a number, not $VOCABULARY"
[[ $UPDATES =~ ^([1-9][0-9]*)?$ ]] || wrong "--updates is a number, not $UPDATES"
[[ $JOBS =~ ^[1-9][0-9]*$ ]] || wrong "--jobs is a number, not $JOBS"
check_training "$TRAINING"
INDUCTION=$(full_paths "$INDUCTION") TRAINING=$(full_paths "$TRAINING")
source "$HERE/settings.sh"
for init in "${STARTS[@]}"; do check_width --inits "$init" $PRESET $WIDTH; done
[ -z "$TEXT" ] || [ -d "$TEXT" ] || wrong "--text: there is no folder $TEXT"
for file in {train,val}.{${LANGS%,*},${LANGS#*,}}; do
  [ -z "$TEXT" ] || [ -f "$TEXT/$file" ] || wrong "--text: $TEXT has no $file"
done
TEXT=${TEXT:+$(realpath "$TEXT")}
mkdir -p "$OUT"
OUT=$(realpath "$OUT")
A=${LANGS%,*} B=${LANGS#*,}

if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh"
  VENV=$ROOT/.venv
fi
export OMP_NUM_THREADS=1 PATH=$VENV/bin:$PATH
check_tables "${STARTS[@]}"
try_training "$TRAINING" "$NAMES"
try_induction "$INDUCTION"
STAGES=4
SETTINGS="$LANGS $VOCABULARY ${TEXT:+text} $(contents "$HERE/text.py" ${TEXT:+"$TEXT"/*.$A "$TEXT"/*.$B})"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT.
text() {
  [ -n "$TEXT" ] || run python "$HERE/multi30k.py" --langs $LANGS --out multi30k 2>&3
  run python "$HERE/text.py" --text "${TEXT:-multi30k}" --langs $LANGS --out text >&3
}

pieces() {
  run python "$ROOT/examples/quickstart/pieces.py" --langs $LANGS --text text --vocabulary $VOCABULARY --out pieces
}

data() {
  for lang in $A $B; do
    run fairseq-preprocess --only-source --srcdict pieces/dict.txt --destdir data/$lang \
      --trainpref pieces/train.$lang --validpref pieces/valid.$lang
  done
  run cp pieces/dict.txt data/
  run fairseq-preprocess --source-lang $A --target-lang $B --srcdict pieces/dict.txt --tgtdict pieces/dict.txt \
    --destdir data --validpref pieces/dev --testpref pieces/test
}

copying() {
  # what leaving the text as it is would score
  run -o copying/$A-$B.json sacrebleu text/reference.$B -i text/reference.$A -m bleu chrf -lc --format json -w 2
  run -o copying/$B-$A.json sacrebleu text/reference.$A -i text/reference.$B -m bleu chrf -lc --format json -w 2
}

stage text "captions, one half in each language"
stage pieces "SentencePiece, one vocabulary for both"
stage data "fairseq-preprocess"
stage copying "the score of copying the source"

# each run has stages of its own; interrupted or failed ones go on when the same command is run again
ended=0
for seed in ${SEEDS//,/ }; do
  for init in "${STARTS[@]}"; do
    printf '%s\0' "$seed $init"
  done
done | xargs -0 -P "$JOBS" -I{} bash "$HERE/one_run.sh" {} $PRESET $A $B "$OUT" "$INDUCTION" "$UPDATES" "$TRAINING" || ended=$?
[ $ended -eq 0 ] || fail "a run failed, see above; the finished ones are kept, run the same command again to go on"
python "$HERE/summary.py" --out "$OUT" --langs $LANGS --inits "$NAMES" --seeds "$SEEDS" --preset "$PRESET"
