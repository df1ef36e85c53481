# Stages of an experiment; sourced by the recipes. Each stage is a shell function that writes into $OUT/NAME.
# A finished stage is not run again while its function and its settings stay the same; when one runs again, so do all
# after it, and what it wrote before is moved to $OUT/replaced/NAME. An interrupted stage goes on from what it saved. A
# failed one ends the recipe with its log. Ctrl-C ends it at the latest when the running command ends, also where that command
# takes no notice. One recipe at a time writes to $OUT: it locks the folder until it and all programs that it started have ended.
#
#   OUT=...                 the folder of the run
#   SETTINGS="..."          what the stages depend on besides their own text
#   stage NAME TITLE [FUNCTION ARGUMENT ...]
#                           run a function, the one called NAME if none is given, with its output in $OUT/logs/NAME.log
#   train NAME UPDATES ...  inside a stage: fairseq-train with a line of progress
#   run COMMAND ...         inside a stage: the command, noted in $OUT/logs/commands.sh (commands.sh)
#   translations FILE       what fairseq-generate wrote into FILE, a line each, in the order of the text

# how the temporary names of crossinit_fairseq/complete_files.py end
PART=$(printf '[0-9a-f]%.0s' {1..16}).part

translations() { grep ^D- "$1" | LC_ALL=C sort -n -k 1.3 | cut -f 3-; }

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

# "; there is no space left ..." if so
no_space() {
  [ "$(df -Pk "$OUT" 2>/dev/null | awk 'NR == 2 {print $4}')" -ge 51200 ] 2>/dev/null ||
    echo "; there is no space left in $OUT: make room, or move it to a larger disk"
}

# a line in a file of this runner, complete or not at all; nobody can guess the name that it has before
keep() {
  local new=$1.new.$RANDOM$RANDOM$RANDOM
  if ! { (set -C && printf '%s\n' "$2" > "$new") && mv "$new" "$1"; } 2>/dev/null; then
    rm -f "$new"
    fail "$1 cannot be written$(no_space); finished stages are kept, run the same command again to go on"
  fi
}

# the programs that this shell starts inherit descriptor 9, and hold the lock as long as they run
lock() {
  [ "${RUN_LOCK:-}" != "$OUT" ] || return 0
  mkdir -p "$OUT" || fail "$OUT cannot be made$(no_space)"
  if ! command -v flock > /dev/null; then
    echo "$(basename "$0"): there is no program flock here: see to it that no other run writes to $OUT" >&2
    return 0
  fi
  { exec 9>> "$OUT/.lock"; } 2>/dev/null || fail "$OUT cannot be written to$(no_space)"
  flock -n 9 || fail "another run writes to $OUT ($(head -n 1 "$OUT/.lock")): wait until it has ended, or give another --out"
  { echo "process $$ on $(uname -n) since $(date '+%Y-%m-%d %H:%M')" > "$OUT/.lock"; } 2>/dev/null || true
  export RUN_LOCK=$OUT
}

# the minutes of all attempts of a stage: minutes STATE BEGIN, in seconds
minutes() { awk -v a="$(cat "$1.minutes" 2>/dev/null || echo 0)" -v s=$(($(date +%s) - $2)) 'BEGIN {printf "%.2f", a + s / 60}'; }

# $RUNNING: state and begin of the stage that is running, if one is. A recipe that a recipe started leaves the words to it.
RUNNING=()
OUTER=${RUN_LOCK:-}
interrupted() {
  trap - INT
  [ ${#RUNNING[@]} -eq 0 ] || (keep "${RUNNING[0]}.minutes" "$(minutes "${RUNNING[@]}")") 2>/dev/null || true
  [ -n "$OUTER" ] || echo "$(basename "$0"): interrupted; finished stages are kept, run the same command again to go on" >&2
  kill -INT $$
}
trap interrupted INT

lock
mkdir -p "$OUT/logs" "$OUT/stages"
export PYTHONUNBUFFERED=1
STAGES_CHAIN=""
STAGES_COUNT=0

stage() {
  local name=$1 title=$2 state=$OUT/stages/$1 key begin minutes changed=
  shift 2
  [ $# -gt 0 ] || set -- "$name"
  STAGES_COUNT=$((STAGES_COUNT + 1))
  # a stage's key covers the stages before it
  key=$(printf '%s\n%s\n%s\n' "$STAGES_CHAIN" "$SETTINGS" "$(declare -f "$1")${*:2}" | md5sum | cut -d' ' -f1)
  STAGES_CHAIN=$key
  if [ "$(cat "$state.done" 2>/dev/null)" = "$key" ]; then
    echo "[$STAGES_COUNT/$STAGES] $title: done before"
    return
  fi
  # what was written by hand has no key, and stays
  if [ -f "$state.key" ] && [ "$(cat "$state.key")" != "$key" ]; then
    # days of work may be in there
    rm -rf "${OUT:?}/replaced/$name"
    mkdir -p "$OUT/replaced"
    [ ! -e "$OUT/$name" ] || mv "$OUT/$name" "$OUT/replaced/$name"
    rm -f "$state.minutes"
    changed="; its settings changed, what it wrote before is now in replaced/$name"
  fi
  rm -f "$state.done"
  keep "$state.key" "$key"
  mkdir -p "$OUT/$name"
  # what an interrupted attempt had not finished writing
  find "$OUT/$name" -depth -name "*.$PART" -exec rm -rf {} +
  echo "[$STAGES_COUNT/$STAGES] $title$changed"
  note_stage "$name: $title" 2>/dev/null || fail "$OUT/logs/commands.sh cannot be written$(no_space)"
  begin=$(date +%s)
  # a subshell with its own -e: one failing command ends the stage
  RUNNING=("$state" "$begin")
  set +e
  (trap 'exit 130' INT; set -e; cd "$OUT"; "$@") 3>&1 > "$OUT/logs/$name.log" 2>&1
  local status=$?
  set -e
  RUNNING=()
  minutes=$(minutes "$state" "$begin")
  if [ $status -ne 0 ]; then
    (keep "$state.minutes" "$minutes") 2>/dev/null || true
    [ ! -s "$OUT/logs/$name.log" ] || echo "--- the end of $OUT/logs/$name.log:" >&2
    { grep -v '^  warnings.warn\|Warning:' "$OUT/logs/$name.log" || true; } | cut -c1-600 | tail -n 8 >&2
    local full=$(no_space)
    [ -z "$full" ] || echo "--- ${full#; }" >&2
    echo "--- stage '$name' failed (exit status $status); finished stages are kept, run the same command again to go on" >&2
    exit 1
  fi
  keep "$state.minutes" "$minutes"
  keep "$state.done" "$key"
}

source "$ROOT/scripts/commands.sh"
source "$ROOT/scripts/train.sh"
