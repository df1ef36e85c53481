# Stages of an experiment; sourced by the recipes. Each stage is a shell function that writes into $OUT/NAME.
# A finished stage is not run again while its function and its settings stay the same; when one runs again, so do all
# after it, and what it wrote before is moved to $OUT/replaced/NAME. An interrupted stage goes on from what it saved. A
# failed one ends the recipe with its log.
#
#   OUT=...                 the folder of the run
#   SETTINGS="..."          what the stages depend on besides their own text
#   stage NAME TITLE        run the function NAME, with its output in $OUT/logs/NAME.log
#   train NAME UPDATES ...  inside a stage: fairseq-train with a line of progress
#   run COMMAND ...         inside a stage: the command, noted in $OUT/logs/commands.sh (commands.sh)
#   translations FILE       what fairseq-generate wrote into FILE, a line each, in the order of the text

mkdir -p "$OUT/logs" "$OUT/stages"
export PYTHONUNBUFFERED=1
STAGES_CHAIN=""
STAGES_COUNT=0

translations() { grep ^D- "$1" | LC_ALL=C sort -n -k 1.3 | cut -f 3-; }

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

stage() {
  local name=$1 title=$2 state=$OUT/stages/$1 key begin changed=
  STAGES_COUNT=$((STAGES_COUNT + 1))
  # a stage's key covers the stages before it
  key=$(printf '%s\n%s\n%s\n' "$STAGES_CHAIN" "$SETTINGS" "$(declare -f "$name")" | md5sum | cut -d' ' -f1)
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
  echo "$key" > "$state.key"
  mkdir -p "$OUT/$name"
  echo "[$STAGES_COUNT/$STAGES] $title$changed"
  note_stage "$name: $title"
  begin=$(date +%s)
  # a subshell with its own -e: one failing command ends the stage
  set +e
  (set -e; cd "$OUT"; "$name") 3>&1 > "$OUT/logs/$name.log" 2>&1
  local status=$?
  set -e
  # minutes of all attempts
  awk -v a="$(cat "$state.minutes" 2>/dev/null || echo 0)" -v s=$(($(date +%s) - begin)) 'BEGIN {printf "%.2f\n", a + s / 60}' > "$state.minutes.new"
  mv "$state.minutes.new" "$state.minutes"
  if [ $status -ne 0 ]; then
    [ ! -s "$OUT/logs/$name.log" ] || echo "--- the end of $OUT/logs/$name.log:" >&2
    { grep -v '^  warnings.warn\|Warning:' "$OUT/logs/$name.log" || true; } | cut -c1-600 | tail -n 8 >&2
    if [ "$(df -Pk "$OUT" | awk 'NR == 2 {print $4}')" -lt 51200 ]; then
      echo "--- there is no space left in $OUT: make room, or move it to a larger disk" >&2
    fi
    echo "--- stage '$name' failed (exit status $status); finished stages are kept, run the same command again to go on" >&2
    exit 1
  fi
  echo "$key" > "$state.done"
}

source "$ROOT/scripts/commands.sh"
source "$ROOT/scripts/train.sh"
