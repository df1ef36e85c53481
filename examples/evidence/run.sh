#!/usr/bin/env bash
# Embedding tables from several starts, each looked at beside its controls: what RESULTS.md shows of tables.
usage() {
  cat <<'EOT'
To begin, with one seed, in some minutes:
  bash examples/evidence/run.sh --seeds 1
usage: bash examples/evidence/run.sh [options]

Makes embedding tables from the same text and the same random start: by CrossInit's spans in several settings, by a lexicon
that is induced from the text, by the same lexicon without what it knows of translation, by an oracle's. crossinit-analyze
looks at all of them: which words of one language are found from the other, beside controls. No translation is trained;
some minutes of one core a seed.

  --langs A,B       two languages; Multi30k has en, fr, de and cs (default: en,fr)
  --text DIR        holds train.LANG, val.LANG and maybe test.LANG of both languages, aligned, as for examples/captions
                    (default: Multi30k is downloaded, 1.3 MB for two languages)
  --run DIR         instead of --text: a folder that examples/captions/run.sh, examples/quickstart/run.sh or a recipe of
                    examples/unmt_* wrote; its text, pieces and binarised text are used, and nothing there is changed
  --induction OPTIONS
                    further options of crossinit-lexicon induce, in quotes, such as "--seeds pairs.txt"; pairs that
                    are given are judged like all others
  --tables LIST     of random, spans-flat, spans-stop, spans, spans-within, lexicon, lexicon-then-spans, lexicon-and-spans,
                    lexicon-exchanged, words-within, oracle (default: all; RESULTS.md says what they are)
  --seeds LIST      numbers, such as 1,2,3 (default: 1,2,3): of the lexicon, the random start and the draws
  --span N          width of the short spans (default: 30)
  --wide N          width of the paper's spans (default: 3000)
  --stops LIST      numbers of --stop-directions (default: 64,32,16,8,4)
  --words N         words of each language that are looked at, the most frequent ones (default: 3000)
  --analogy LANG=A,B,C,D
                    A - B + C = D, four words of a language; twice, for two languages (default: none)
  --cldr yes|no     statements on countries, of Unicode's CLDR (default: no)
  --out DIR         where everything goes; a second run with the same DIR goes on where the first ended
                    (default: examples/evidence/out)

VENV=DIR in the environment: a Python environment that has everything, instead of .venv, which is made if need be.
It ends with tables in Markdown, DIR/summary.json, and DIR/look-SEED/report.html of each seed.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/evidence
LANGS=en,fr TEXT= RUN= INDUCTION= SEEDS=1,2,3 TABLES= SPAN=30 WIDE=3000 STOPS=64,32,16,8,4 WORDS=3000 CLDR=no OUT=$HERE/out
ANALOGY=()
OPTIONS="langs text run induction tables seeds span wide stops words analogy cldr out"
source "$ROOT/scripts/options.sh"
read_options "$@"
[[ $LANGS =~ ^[^,]+,[^,]+$ && ${LANGS%,*} != "${LANGS#*,}" ]] || wrong "--langs is two languages, such as en,fr, not $LANGS"
A=${LANGS%,*} B=${LANGS#*,}
check_language --langs $A
check_language --langs $B
check_seeds "$SEEDS"
[[ $STOPS =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || wrong "--stops takes numbers from 1 on and commas, not $STOPS"
STOPS=$(tr , '\n' <<< "$STOPS" | sort -nru | paste -sd,) # one run is stopped at each in turn
for option in span wide words; do
  declare -n number=${option^^}
  [[ $number =~ ^[1-9][0-9]*$ ]] || wrong "--$option is a number, not $number"
done
ALL=random,spans-flat,spans-stop,spans,spans-within,lexicon,lexicon-then-spans,lexicon-and-spans,lexicon-exchanged,words-within,oracle
TABLES=${TABLES:-$ALL}
for name in ${TABLES//,/ }; do [[ ,$ALL, == *,$name,* ]] || wrong "--tables: there is no $name"; done
[[ ,$TABLES, =~ ,(spans|spans-within|lexicon-then-spans|lexicon-and-spans), ]] || refuse span "without short spans among --tables"
[[ ,$TABLES, =~ ,(spans-flat|spans-stop), ]] || refuse wide "without spans-flat or spans-stop among --tables"
[[ ,$TABLES, == *,spans-stop,* ]] || refuse stops "without spans-stop among --tables"
[[ $CLDR =~ ^(yes|no)$ ]] || wrong "--cldr is yes or no, not $CLDR"
for analogy in "${ANALOGY[@]}"; do
  [[ ${analogy%%=*} =~ ^($A|$B)$ && $analogy == *=*,*,*,* ]] || wrong "--analogy takes LANG=A,B,C,D of $A or $B, not $analogy"
done
[ -z "$TEXT" ] || [ -z "$RUN" ] || wrong "--text and --run are two ways to give the text: give one of them"
[ -z "$TEXT" ] || [ -d "$TEXT" ] || wrong "--text: there is no folder $TEXT"
for file in {train,val}.{${LANGS%,*},${LANGS#*,}}; do
  [ -z "$TEXT" ] || [ -f "$TEXT/$file" ] || wrong "--text: $TEXT has no $file"
done
# the recipes of examples/unmt_* have their text, pieces and binarised text in folders of other names
MONO=text PIECES=pieces DATA=data
[ -z "$RUN" ] || [ ! -d "$RUN/prepare" ] || MONO=prepare/clean PIECES=prepare/pieces DATA=prepare/data/0
if [ -n "$RUN" ]; then
  held_out=$MONO/test
  [ ! -f "$RUN/$MONO/aligned.$B" ] || held_out=$MONO/aligned
  for name in $DATA/{$A,$B}/train.bin $PIECES/spm.model $held_out.{$A,$B}; do
    [ -f "$RUN/$name" ] ||
      wrong "--run: $RUN holds no $name; run.sh of examples/captions, quickstart or unmt_* makes it, for $A and $B"
  done
fi
[[ $TABLES == *lexicon* || $TABLES == *words-within* ]] || refuse induction "without a lexicon among --tables"
INDUCTION=$(full_paths "$INDUCTION")
TEXT=${TEXT:+$(realpath "$TEXT")} RUN=${RUN:+$(realpath "$RUN")}
mkdir -p "$OUT"
OUT=$(realpath "$OUT")

if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh"
  VENV=$ROOT/.venv
fi
export OMP_NUM_THREADS=1 PATH=$VENV/bin:$PATH
try_induction "$INDUCTION"
seeds=(${SEEDS//,/ })
STAGES=$((2 + 3 * ${#seeds[@]}))
SETTINGS="$LANGS ${TEXT:+text} ${RUN:+run}"
if [ -n "$RUN" ]; then
  SETTINGS+=" $(contents "$RUN/$DATA"/{$A,$B}/train.bin "$RUN/$PIECES/spm.model" "$RUN/$MONO"/{$A.txt,$B.txt,*.$A,*.$B})"
else
  SETTINGS+=" $(contents ${TEXT:+"$TEXT"/*.$A "$TEXT"/*.$B})"
fi
source "$ROOT/scripts/stages.sh"

# Every stage below runs in $OUT.
text() {
  if [ -n "$RUN" ]; then
    run mkdir -p text/text text/pieces text/data
    for lang in $A $B; do
      [ $MONO = text ] || run cp "$RUN/$MONO/$lang.txt" text/text/mono.$lang
      for name in mono aligned dev test; do
        [ ! -f "$RUN/$MONO/$name.$lang" ] || run cp "$RUN/$MONO/$name.$lang" text/text/
      done
      run cp -r "$RUN/$DATA/$lang" text/data/
    done
    run cp "$RUN/$PIECES/spm.model" text/pieces/
    run cp "$RUN/$DATA/dict.txt" text/data/
    return
  fi
  [ -n "$TEXT" ] || run python "$ROOT/examples/captions/multi30k.py" --langs $LANGS --out text/multi30k 2>&3
  run python "$ROOT/examples/captions/text.py" --text "${TEXT:-text/multi30k}" --langs $LANGS --out text/text >&3
  run python "$ROOT/examples/quickstart/pieces.py" --langs $LANGS --text text/text --vocabulary 10000 --out text/pieces
  for lang in $A $B; do
    run fairseq-preprocess --only-source --srcdict text/pieces/dict.txt --destdir text/data/$lang \
      --trainpref text/pieces/train.$lang --validpref text/pieces/valid.$lang
  done
  run cp text/pieces/dict.txt text/data/
}

words() {
  for lang in $A $B; do
    run crossinit-ranks count --lang $lang --workers 1 text/text/mono.$lang -o words/$lang.tsv
    # captions have all of their training text aligned; elsewhere there are the held-out sentences
    if [ -f text/text/aligned.$lang ]; then
      run cp text/text/aligned.$lang words/
    else
      run -o words/aligned.$lang cat $(for name in dev test; do [ ! -f text/text/$name.$lang ] || echo text/text/$name.$lang; done)
    fi
  done
  run python "$HERE/dictionary.py" --langs $LANGS --aligned words/aligned --out words >&3
  run python "$ROOT/examples/captions/oracle.py" --langs $LANGS --aligned words/aligned -o words/oracle.tsv
}

lexicon() {
  run crossinit-lexicon induce text/data --langs $LANGS --all --workers 1 --seed $1 $INDUCTION -o lexicon-$1/lexicon.tsv
}

tables() {
  run python "$HERE/tables.py" --data text/data --langs $LANGS --lexicon lexicon-$1/lexicon.tsv --oracle words/oracle.tsv \
    --span $SPAN --wide $WIDE --stops $STOPS --tables $TABLES --seed $1 --out tables-$1 >&3
}

look() {
  found=()
  for name in ${TABLES//,/ }; do
    [ $name != spans-stop ] || name=$(printf 'spans-stop-%s ' ${STOPS//,/ })
    # a run may end before it has fallen into so few directions
    for one in $name; do [ ! -f tables-$1/$one.safetensors ] || found+=($one=tables-$1/$one.safetensors); done
  done
  further=()
  [ ${#ANALOGY[@]} -eq 0 ] || further=(${ANALOGY[@]/#/--analogy=})
  [ $CLDR = no ] || further+=(--cldr)
  run crossinit-analyze ${found[@]} --sentencepiece-model text/pieces/spm.model --ranks $A=words/$A.tsv --ranks $B=words/$B.tsv \
    --max-rank $WORDS --translations $A-$B=words/$A-$B.txt --translations $B-$A=words/$B-$A.txt "${further[@]}" \
    --seed $1 --out look-$1
}

stage text "text, pieces and data"
stage words "words by rank, dictionaries of the aligned text, an oracle's lexicon"
BEFORE=$STAGES_CHAIN PREPARED=$SETTINGS
for seed in "${seeds[@]}"; do
  # no seed rests on the one before
  STAGES_CHAIN=$BEFORE SETTINGS=$PREPARED
  SETTINGS+=${INDUCTION:+" $(by_contents "$INDUCTION")"}
  stage lexicon-$seed "seed $seed: a lexicon from the text${INDUCTION:+, with $INDUCTION}" lexicon $seed
  SETTINGS+=" $TABLES $SPAN $WIDE $STOPS $(md5sum < "$HERE/tables.py")"
  stage tables-$seed "seed $seed: the tables" tables $seed
  SETTINGS+=" $WORDS $CLDR ${ANALOGY[*]-}"
  stage look-$seed "seed $seed: crossinit-analyze" look $seed
done
python "$HERE/results.py" --out "$OUT" --langs $LANGS --seeds $SEEDS
