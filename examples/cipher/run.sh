#!/usr/bin/env bash
# Does it learn to translate without parallel text? English against a cipher of itself, from four initialisations.
usage() {
  cat <<'EOT'
To begin, in minutes, to see that it works:
  bash examples/cipher/run.sh --preset smoke
usage: bash examples/cipher/run.sh [options]

Every English word is replaced by a made-up one: that is the other language. One half of the sentences is given in
English, the other half enciphered, and translation is learnt from them, by denoising and back-translation, with the
same budget from four embedding tables: random; aligned by CrossInit; a control that knows word ranks but was not
trained; an oracle that knows the cipher. Held-out sentences score it.

  --preset smoke|default  smoke: 300 words, fewer updates, one seed: minutes (default: default)
  --inits LIST            of random, crossinit, rank, oracle (default: all of them), and FILE.vec or FILE.safetensors: embeddings of
                          any program as word2vec text, or a table of crossinit-export, of 64 dimensions, which keep their scale
  --seeds LIST            numbers, such as 1,2,3 (default: 1,2,3; smoke: 1): of the model, its table, the order of the text
  --text FILE             English text of your own, one sentence a line, UTF-8; sentences of 3 to 15 of the most frequent
                          words are used, and several thousand of them are needed (default: of a toy grammar)
  --vocabulary N          how many words are the most frequent ones (default: 1000; smoke: 300)
  --jobs N                runs side by side, each on one core (default: 2, or 1 where there is but one core)
  --out DIR               where everything goes; a second run with the same DIR goes on where the first ended
                          (default: examples/cipher/out)

VENV=DIR in the environment: a Python environment that has everything, instead of .venv, which is made if need be.
It ends with a table of BLEU in both directions, and DIR/summary.json. Exit status 0 means that every run ended.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/cipher
PRESET=default INITS=random,crossinit,rank,oracle SEEDS= TEXT= VOCABULARY= OUT=$HERE/out
JOBS=$(($(nproc) > 1 ? 2 : 1))
OPTIONS="preset inits seeds text vocabulary jobs out"
source "$ROOT/scripts/options.sh"
source "$ROOT/scripts/starts.sh"
read_options "$@"
case $PRESET in
  smoke)   UPDATES=600  VOCABULARY=${VOCABULARY:-300}  SEEDS=${SEEDS:-1} ;;
  default) UPDATES=1000 VOCABULARY=${VOCABULARY:-1000} SEEDS=${SEEDS:-1,2,3} ;;
  *) wrong "--preset is smoke or default, not $PRESET" ;;
esac
read_starts "$INITS" "random|crossinit|rank|oracle"
for init in "${STARTS[@]}"; do check_width --inits "$init" $PRESET 64; done
check_seeds "$SEEDS"
[[ $VOCABULARY =~ ^[1-9][0-9]*$ ]] || wrong "--vocabulary is a number, not $VOCABULARY"
[[ $JOBS =~ ^[1-9][0-9]*$ ]] || wrong "--jobs is a number, not $JOBS"
[ -z "$TEXT" ] || [ -f "$TEXT" ] || wrong "--text: there is no file $TEXT"
TEXT=${TEXT:+$(realpath "$TEXT")}
mkdir -p "$OUT"
OUT=$(realpath "$OUT")

if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh"
  VENV=$ROOT/.venv
fi
export OMP_NUM_THREADS=1 PATH=$VENV/bin:$PATH
check_tables "${STARTS[@]}"
STAGES=2
SETTINGS="${TEXT:+text} $(contents "${TEXT:-$HERE/grammar.py}" "$HERE/text.py") $VOCABULARY"
source "$ROOT/scripts/stages.sh"

text() {
  run python "$HERE/text.py" ${TEXT:+--text "$TEXT"} --vocabulary $VOCABULARY --out text >&3
  run python "$HERE/baselines.py" --text text --out text/baselines.json
}

data() {
  for lang in en xx; do
    run fairseq-preprocess --only-source --srcdict text/dict.txt --destdir data/$lang \
      --trainpref text/train.$lang --validpref text/valid.$lang
  done
  run cp text/dict.txt data/
  run fairseq-preprocess --source-lang en --target-lang xx --srcdict text/dict.txt --tgtdict text/dict.txt \
    --destdir data --validpref text/dev --testpref text/test
}

stage text "English, a cipher of it, and what can be scored without learning"
stage data "fairseq-preprocess"

# each run has stages of its own; interrupted or failed ones go on when the same command is run again
ended=0
for seed in ${SEEDS//,/ }; do
  for init in "${STARTS[@]}"; do
    printf '%s\0' "$seed $init"
  done
done | xargs -0 -P "$JOBS" -I{} bash "$HERE/one_run.sh" {} $UPDATES "$OUT" || ended=$?
[ $ended -eq 0 ] || fail "a run failed, see above; the finished ones are kept, run the same command again to go on"
python "$HERE/summary.py" --out "$OUT" --inits "$NAMES" --seeds "$SEEDS" --preset "$PRESET"
