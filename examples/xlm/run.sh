#!/usr/bin/env bash
# XLM, pre-trained from several starts, fine-tuned on English and read in every language: XNLI and question answering.
usage() {
  cat <<'EOT'
To begin, in two minutes, to see that it works:
  bash examples/xlm/run.sh --preset smoke --text DIR
usage: bash examples/xlm/run.sh --text DIR | --source web [options]

XLM is pre-trained from embedding tables that are random; aligned by CrossInit; aligned to lexicons that are induced from the
same text by rank and context; or taken from a file. Then, without training: is the nearest sentence, the nearest word of the
other language the translation? And fine-tuned on English alone: natural language inference (XNLI) and question answering
(MLQA, XQuAD), read in every language. Scores stand beside baselines that need no model.

  --text DIR                   your text to pre-train on, mono.LANG, and the labelled text, nli.train.en.tsv and so on: all names
                               are told by python examples/xlm/text.py --help; or a folder of samples in the layout told there
  --source local|web           web: download Wikipedia (the first file of each language with presets smoke and tiny, four with base,
                               all with paper), MultiNLI, XNLI, SQuAD, MLQA and MUSE's dictionaries; local: take --text
  --langs LIST                 English first (default: en,de,hi; paper: the 15 of XNLI). Question answering is read in those that
                               have a qa.test.LANG.json: MLQA has seven
  --preset NAME                smoke: minutes, to see that it works; tiny: 2 cores, under 30 minutes a run; base: one GPU, a day;
                               paper: XLM-15 as published, several GPUs (default: tiny); examples/xlm/settings.sh has them
  --inits LIST                 of random, crossinit, lexicon, and FILE.vec or FILE.safetensors: embeddings of any program
                               as word2vec text, or a table of crossinit-export, as wide as the model, whose rows are
                               found by the symbols of data/dict.txt (default: random,crossinit,lexicon; smoke:
                               random,crossinit)
  --init NAME                  one start alone; the same as --inits NAME
  --seeds LIST                 numbers, such as 1,2,3 (default: 1): of the table, the lexicon and all training
  --tasks LIST                 of retrieval, xnli, qa (default: retrieval,xnli,qa)
  --jobs N                     runs side by side, each on one core (default: 1)
  --out DIR                    where everything goes; a second run with the same DIR goes on where the first ended
                               (default: examples/xlm/out)

VENV=DIR in the environment: a Python environment that has everything, instead of .venv, which is made if need be. ARCH="--arch
NAME ...": the architecture of the preset paper, with its options. RULES=mlqa: score answers by MLQA's rules, which know seven
languages, in the place of SQuAD's; RULES=squad: the other way round with --source web and with preset paper, whose default is
mlqa. It ends with tables, DIR/scores.txt and DIR/summary.json. Exit status 0 means that every run ended.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/xlm
LANGS= PRESET=tiny INITS= INIT= SEEDS=1 TASKS=retrieval,xnli,qa SOURCE= TEXT= JOBS=1 OUT=$HERE/out RULES=${RULES:-}
OPTIONS="text source langs preset inits init seeds tasks jobs out"
source "$ROOT/scripts/options.sh"
source "$ROOT/scripts/starts.sh"
read_options "$@"
[[ $PRESET =~ ^(smoke|tiny|base|paper)$ ]] || wrong "--preset is smoke, tiny, base or paper, not $PRESET"
[ "$PRESET" != paper ] || LANGS=${LANGS:-en,fr,es,de,el,bg,ru,tr,ar,vi,th,zh,hi,sw,ur}
LANGS=${LANGS:-en,de,hi}
[[ $LANGS == en,?* ]] || wrong "--langs is en and others, such as en,de,hi, not $LANGS"
for lang in ${LANGS//,/ }; do check_language --langs "$lang"; done
[ -z "$(tr , '\n' <<< "$LANGS" | sort | uniq -d)" ] || wrong "--langs names a language twice: $LANGS"
[ -z "$INIT" ] || [ -z "$INITS" ] || wrong "--init and --inits say the same: give one of them"
INITS=${INITS:-$INIT}
[ "$PRESET" != smoke ] || INITS=${INITS:-random,crossinit}
INITS=${INITS:-random,crossinit,lexicon}
read_starts "$INITS" "random|crossinit|lexicon"
check_seeds "$SEEDS"
[[ $TASKS =~ ^(retrieval|xnli|qa)(,(retrieval|xnli|qa))*$ ]] || wrong "--tasks names retrieval, xnli and qa, not $TASKS"
[[ $JOBS =~ ^[1-9][0-9]*$ ]] || wrong "--jobs is a number, not $JOBS"
[[ $SOURCE =~ ^(|local|web)$ ]] || wrong "--source is local or web, not $SOURCE"
[ "$SOURCE" != web ] || refuse text "with --source web"
[ "$SOURCE" != web ] && [ "$PRESET" != paper ] || RULES=${RULES:-mlqa}
RULES=${RULES:-squad}
[[ $RULES =~ ^(squad|mlqa)$ ]] || wrong "RULES is squad or mlqa, not $RULES"
source "$HERE/settings.sh"
# before the hours of other starts; an architecture that has its width by its name is compared when its table is made
WIDTH=$(sed -n 's/.*--encoder-embed-dim \([0-9]*\).*/\1/p' <<< "$MODEL")
for init in "${STARTS[@]}"; do check_width --inits "$init" $PRESET $WIDTH; done
[ "$SOURCE" = web ] || [ -n "$TEXT" ] ||
  wrong "--text is needed: a folder with the text to pre-train on and the labelled text; or --source web"
[ "$SOURCE" = web ] || [ -d "$TEXT" ] || wrong "--text: there is no folder $TEXT"
needs() {  # TASK NAME ENDING LANGUAGE ...: whether an own folder has the labelled text of a task
  local task=$1 start=$2 end=$3 name
  shift 3
  [[ $TASKS == *$task* && -e $TEXT/mono.en ]] || return 0
  for name in train.en dev.en $(printf 'test.%s ' "$@"); do
    [ -f "$TEXT/$start.$name.$end" ] || wrong "--text: $TEXT has no $start.$name.$end, which the task $task needs"
  done
}
needs xnli nli tsv ${LANGS//,/ }
needs qa qa json en
for lang in ${LANGS//,/ }; do
  [[ $RULES = mlqa && $TASKS == *qa* && -e $TEXT/qa.test.$lang.json && ! ${lang%%[-_]*} =~ ^(ar|de|en|es|hi|vi|zh)$ ]] || continue
  wrong "RULES=mlqa knows ar, de, en, es, hi, vi and zh, and $TEXT has qa.test.$lang.json: give RULES=squad"
done
if [[ $TASKS == *retrieval* && -e $TEXT/mono.en ]]; then
  [ -n "$(find "$TEXT" -maxdepth 1 -name "aligned.*" -o -maxdepth 1 -name "words.en-*.txt" | head -n 1)" ] ||
    wrong "--text: $TEXT has neither aligned.LANG nor words.en-LANG.txt, which the task retrieval needs: leave it out of --tasks"
fi
mkdir -p "$OUT"
OUT=$(realpath "$OUT")
[ "$SOURCE" = web ] || TEXT=$(realpath "$TEXT")

if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh"
  VENV=$ROOT/.venv
fi
export OMP_NUM_THREADS=1 PATH=$VENV/bin:$PATH
check_tables "${STARTS[@]}"
if [ "$SOURCE" = web ]; then
  TEXT=$OUT/web
  case $PRESET in paper) FILES=0 ;; base) FILES=4 ;; *) FILES=1 ;; esac
  python "$HERE/web.py" --langs $LANGS --files $FILES --lines $LINES --out "$TEXT"
fi
STAGES=3
# of the folder of downloads what was made of them
[ "$SOURCE" = web ] && files=("$TEXT"/*.*) || files=("$TEXT")
SETTINGS="$LANGS $LINES $PAIRS $VOCABULARY $(contents "$HERE/text.py" "${files[@]}")"
# links to text that was moved are made anew
[ -z "$(find "$OUT/text" -xtype l 2>/dev/null | head -n 1)" ] || rm -f "$OUT/stages/text.done"
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT.
text() {
  run python "$HERE/text.py" --data "$TEXT" --langs $LANGS --lines $LINES --pairs $PAIRS --out text >&3
}

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
ended=0
for seed in ${SEEDS//,/ }; do
  for init in "${STARTS[@]}"; do
    printf '%s\0' "$seed $init"
  done
done | xargs -0 -P "$JOBS" -I{} bash "$HERE/one_run.sh" {} $PRESET $LANGS $TASKS "$OUT" || ended=$?
[ $ended -eq 0 ] || fail "a run failed, see above; the finished ones are kept, run the same command again to go on"
python "$HERE/summary.py" --out "$OUT" --langs $LANGS --inits $NAMES --seeds $SEEDS --tasks $TASKS --preset $PRESET \
  --rules $RULES | tee "$OUT/scores.txt"
