# fairseq-train with a line of progress on file descriptor 3: train NAME UPDATES OPTIONS... ($LAUNCH before it, such as srun).
# commands.sh is sourced before.
train() {
  local name=$1 updates=$2
  shift 2
  set -- ${LAUNCH:-} fairseq-train "$@" --max-update "$updates" --log-format json
  note "$@"
  "$@" 2>&1 | python "$ROOT/scripts/progress.py" "$name" "$updates" 3>&3
}
