# What a recipe runs, written down so that it can be copied; sourced by stages.sh.
#
#   run [-i FILE] [-o FILE] COMMAND...    run it, with FILE as its standard input or output, and note it
#   note [-i FILE] [-o FILE] COMMAND...   only note it
#   note_stage TITLE                      note which stage the following commands belong to, and their folder
#
# $OUT/logs/commands.sh holds every command of a run with all its values, quoted as bash wants it. A function of the
# recipe is noted with its definition.

note_stage() {
  local log=$OUT/logs/commands.sh
  mkdir -p "$OUT/logs"
  [ -s "$log" ] || printf '%s\n' "# The commands of a run, as they ran; each can be copied and changed. Environment:" \
    "export PATH=$(printf %q "${VENV:+$VENV/bin:}")\$PATH OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} PYTHONUNBUFFERED=1" > "$log"
  printf '\n# %s\ncd %q\n' "$1" "$OUT" >> "$log"
}

note() {
  local log=$OUT/logs/commands.sh input= output= line word
  while [[ $1 == -[io] ]]; do
    [ "$1" = -i ] && input=$2 || output=$2
    shift 2
  done
  if [ "$(type -t "$1")" = function ] && ! grep -q "^$1 () *$" "$log" 2>/dev/null; then declare -f "$1" >> "$log"; fi
  line=$1
  shift
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]] || word=$(printf %q "$word")
    # a new line at an option, where the last one is long enough
    if [[ $word == -* ]] && (( ${#line} + ${#word} > 100 )); then
      printf '%s \\\n' "$line" >> "$log"
      line="  $word"
    else
      line+=" $word"
    fi
  done
  [ -z "$input" ] || line+=" < $(printf %q "$input")"
  [ -z "$output" ] || line+=" > $(printf %q "$output")"
  printf '%s\n' "$line" >> "$log"
}

run() {
  note "$@"
  local input=/dev/stdin output=/dev/stdout
  while [[ $1 == -[io] ]]; do
    [ "$1" = -i ] && input=$2 || output=$2
    shift 2
  done
  case $input:$output in
    /dev/stdin:/dev/stdout) "$@" ;;
    /dev/stdin:*) "$@" > "$output" ;;
    *:/dev/stdout) "$@" < "$input" ;;
    *) "$@" < "$input" > "$output" ;;
  esac
}
