#!/usr/bin/env bash
# XLM, pre-trained from several starts, fine-tuned on English and read in every language: XNLI and question answering.
usage() {
  cat <<'EOT'
usage: bash examples/xlm/run.sh --text DIR [options]

  bash examples/xlm/run.sh --preset smoke --text DIR         two minutes, to see that it works

  --text DIR                   mono.LANG, nli.train.en.tsv and the other files that `python examples/xlm/text.py --help`
                               lists, of one's own; or a folder of samples in the layout named there
  --langs LIST                 English first (default: en,de,hi)
  --preset NAME                smoke, tiny, base or paper; see examples/xlm/settings.sh (default: tiny)
  --init LIST                  of random, crossinit, lexicon (default: random,crossinit)
  --seeds LIST                 numbers, such as 1,2,3 (default: 1)
  --tasks LIST                 of retrieval, xnli, qa (default: retrieval,xnli,qa)
  --out DIR                    where everything goes; a second run with the same DIR goes on where the first ended
                               (default: examples/xlm/out)

VENV=DIR in the environment: a Python environment that has everything, instead of .venv, which is made if need be.
It ends with tables, and DIR/scores.txt. Exit status 0 means that every run ended.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/xlm
LANGS=en,de,hi PRESET=tiny INIT=random,crossinit SEEDS=1 TASKS=retrieval,xnli,qa TEXT= OUT=$HERE/out
OPTIONS="text langs preset init seeds tasks out"
source "$ROOT/scripts/options.sh"
read_options "$@"
[[ $LANGS =~ ^en(,[A-Za-z_]+)+$ ]] || wrong "--langs is en and others, such as en,de,hi, not $LANGS"
[[ $PRESET =~ ^(smoke|tiny|base|paper)$ ]] || wrong "--preset is smoke, tiny, base or paper, not $PRESET"
[[ $SEEDS =~ ^[0-9]+(,[0-9]+)*$ ]] || wrong "--seeds takes numbers and commas, not $SEEDS"
for init in ${INIT//,/ }; do
  [[ $init =~ ^(random|crossinit|lexicon)$ ]] || wrong "--init names random, crossinit and lexicon, not $init"
done
for task in ${TASKS//,/ }; do
  [[ $task =~ ^(retrieval|xnli|qa)$ ]] || wrong "--tasks names retrieval, xnli and qa, not $task"
done
[ -n "$TEXT" ] || wrong "--text is needed: the text to pre-train on, and the labelled text"
[ -d "$TEXT" ] || wrong "--text: there is no folder $TEXT"
source "$HERE/settings.sh"
TEXT=$(realpath "$TEXT")
mkdir -p "$OUT"
OUT=$(realpath "$OUT")
if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh"
  VENV=$ROOT/.venv
fi
export OMP_NUM_THREADS=1 PATH=$VENV/bin:$PATH
STAGES=3
SETTINGS="$LANGS $TEXT $LINES $PAIRS $VOCABULARY"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT.
text() { run python "$HERE/text.py" --data "$TEXT" --langs $LANGS --lines $LINES --pairs $PAIRS --out text; }

pieces() {
  run python "$ROOT/examples/quickstart/pieces.py" --langs $LANGS --text text --vocabulary $VOCABULARY --out pieces
}

data() {
  for lang in ${LANGS//,/ }; do
    run fairseq-preprocess --only-source --srcdict pieces/dict.txt --destdir data/$lang \
      --trainpref pieces/train.$lang --validpref pieces/valid.$lang
  done
  run cp pieces/dict.txt pieces/spm.model data/
}

stage text "text and labelled text"
stage pieces "SentencePiece, one vocabulary for all"
stage data "fairseq-preprocess"

# each run has stages of its own; interrupted or failed ones go on when the same command is run again
for seed in ${SEEDS//,/ }; do
  for init in ${INIT//,/ }; do
    bash "$HERE/one_run.sh" $init $seed $PRESET $LANGS $TASKS "$OUT"
  done
done

# a system is an initialisation, over its seeds
systems() {
  for init in ${INIT//,/ }; do
    local folders=
    for seed in ${SEEDS//,/ }; do folders+=,$OUT/runs/$init-$seed/$1; done
    echo "$init=${folders#,}"
  done
}
references() { for lang in ${LANGS//,/ }; do echo "--reference=$lang=$OUT/text/$1.test.$lang.$2"; done; }

{
  if [[ $TASKS == *retrieval* ]]; then
    python "$HERE/retrieval_table.py" "$OUT" $INIT $SEEDS
  fi
  if [[ $TASKS == *xnli* ]]; then
    echo "XNLI"
    python -m crossinit_fairseq.cli.score --task xnli $(references nli tsv) --train en="$OUT/text/nli.train.en.tsv" \
      --json "$OUT/xnli.json" $(systems xnli_test)
  fi
  if [[ $TASKS == *qa* ]]; then
    echo "Question answering"
    python -m crossinit_fairseq.cli.score --task mlqa $(references qa json) --rules ${RULES:-squad} \
      --json "$OUT/qa.json" $(systems qa_test)
  fi
} | tee "$OUT/scores.txt"
