#!/usr/bin/env bash
# What the lexicon owes to the rank prior, to spelling, to equal strings and to given pairs: lexicons alone, no training.
usage() {
  cat <<'EOT'
usage: bash examples/captions/ablations.sh [options]

Induces the lexicon again, each time without one of the things it rests on, and says how many of its words are right, and
what translating word by word with it scores. First run examples/captions/run.sh with the same --out: its text is used.

  --langs A,B      two languages (default: en,fr)
  --variants LIST  of full, no-rank, no-spelling, no-backoff, no-transport, neither, no-strings, seeds-N (default:
                   all, with seeds-25, seeds-50, seeds-100)
                     no-rank      --rank-weight 0
                     no-spelling  --spelling-weight 0
                     no-backoff   --backoff 0
                     no-transport --transport 0: a word takes its best partner, whatever others take
                     neither      --rank-weight 0 --transport 0: the counts of the words say nothing
                     no-strings   the second language enciphered word by word, so that nothing is spelt alike; like seeds-N
                                  without back-off, which goes by spelling: no-backoff stands beside them
                     seeds-N      the same, and N pairs given: of the aligned text's dictionary, the most frequent mutual ones
  --seeds LIST     numbers, such as 1,2,3: of the induction (default: 1,2,3)
  --jobs N         inductions side by side, each on one core (default: 2, or 1 where there is but one core)
  --out DIR        of run.sh; results go to DIR/ablations, and finished ones are kept (default: examples/captions/out)

It ends with a table, and DIR/ablations/summary.json.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/examples/captions
LANGS=en,fr VARIANTS=full,no-rank,no-spelling,no-backoff,no-transport,neither,no-strings,seeds-25,seeds-50,seeds-100 SEEDS=1,2,3 OUT=$HERE/out
JOBS=$(($(nproc) > 1 ? 2 : 1))
OPTIONS="langs variants seeds jobs out"
source "$ROOT/scripts/options.sh"
read_options "$@"
[[ $LANGS =~ ^[A-Za-z_]+,[A-Za-z_]+$ ]] || wrong "--langs is two languages, such as en,fr, not $LANGS"
for variant in ${VARIANTS//,/ }; do
  [[ $variant =~ ^(full|no-rank|no-spelling|no-backoff|no-transport|neither|no-strings|seeds-[1-9][0-9]*)$ ]] || wrong "--variants: there is no $variant"
done
check_seeds "$SEEDS"
[[ $JOBS =~ ^[1-9][0-9]*$ ]] || wrong "--jobs is a number, not $JOBS"
A=${LANGS%,*} B=${LANGS#*,}
[ -f "$OUT/text/aligned.$B" ] || wrong "--out: $OUT holds no text in $B; run examples/captions/run.sh --langs $LANGS with it first"
TEXT=$(realpath "$OUT/text")
export OMP_NUM_THREADS=1 PATH=${VENV:-$ROOT/.venv}/bin:$PATH
mkdir -p "$OUT/ablations/oracle"
cd "$OUT/ablations"

# the dictionary that the given pairs come from, and the second language enciphered
[ -f oracle/lexicon.tsv ] || python "$HERE/oracle.py" --langs $LANGS --aligned "$TEXT/aligned" -o oracle/lexicon.tsv
[ -f oracle/enciphered.$B ] ||
  python "$HERE/cipher.py" text --lang $B --cipher oracle/cipher.tsv < "$TEXT/mono.$B" > oracle/enciphered.$B
for variant in ${VARIANTS//,/ }; do
  number=${variant#seeds-}
  [ $number = $variant ] ||
    python "$HERE/given.py" --lexicon oracle/lexicon.tsv --pairs $number --cipher oracle/cipher.tsv > oracle/$variant.txt
done

one() {
  read -r variant seed <<< "$1"
  out=$variant-$seed
  mkdir -p $out
  from=(--text "$A=$TEXT/mono.$A" --text "$B=$TEXT/mono.$B")
  hidden=(--text "$A=$TEXT/mono.$A" --text "$B=oracle/enciphered.$B" --spelling-weight 0 --backoff 0)
  case $variant in
    full)        options=("${from[@]}") ;;
    no-rank)     options=("${from[@]}" --rank-weight 0) ;;
    no-spelling) options=("${from[@]}" --spelling-weight 0) ;;
    no-backoff)  options=("${from[@]}" --backoff 0) ;;
    no-transport) options=("${from[@]}" --transport 0) ;;
    neither)     options=("${from[@]}" --rank-weight 0 --transport 0) ;;
    no-strings)  options=("${hidden[@]}") ;;
    seeds-*)     options=("${hidden[@]}" --seeds oracle/$variant.txt) ;;
  esac
  # one that was made with other options, or by another default, is made anew
  made="${options[*]} $(crossinit-lexicon induce --help | md5sum)"
  [ "$(cat $out/done 2>/dev/null)" != "$made" ] || return 0
  crossinit-lexicon induce "${options[@]}" --all --workers 1 --seed $seed -o $out/lexicon.tsv 2> $out/induce.log
  case $variant in
    no-strings|seeds-*)
      mv $out/lexicon.tsv $out/enciphered.tsv
      python "$HERE/cipher.py" lexicon --langs $A,$B --cipher oracle/cipher.tsv $out/enciphered.tsv $out/lexicon.tsv ;;
  esac
  crossinit-lexicon evaluate $out/lexicon.tsv --aligned $A="$TEXT/aligned.$A" --aligned $B="$TEXT/aligned.$B" \
    --json $out/evaluation.json > $out/evaluation.txt
  for pair in "$A $B" "$B $A"; do
    set -- $pair
    crossinit-lexicon translate $out/lexicon.tsv --from $1 --to $2 < "$TEXT/test.$1" |
      sacremoses -l $2 -j 1 -q detokenize > $out/$1-$2.hyp
    sacrebleu "$TEXT/reference.$2" -i $out/$1-$2.hyp -m bleu chrf -lc --format json -w 2 > $out/$1-$2.json
  done
  echo "$made" > $out/done
  echo "      $out: done"
}
export -f one
export A B TEXT HERE

for seed in ${SEEDS//,/ }; do
  for variant in ${VARIANTS//,/ }; do
    printf '%s\0' "$variant $seed"
  done
done | xargs -0 -P "$JOBS" -I{} bash -euo pipefail -c 'one "$1"' one {} || {
  echo "ablations.sh: an induction failed, see above and induce.log in its folder; run the same command again to go on" >&2
  exit 1
}
python "$HERE/ablations.py" --out . --langs $LANGS --variants "$VARIANTS" --seeds "$SEEDS"
