#!/usr/bin/env bash
# Run the tests: bash scripts/test.sh [--official] [pytest options, such as -k spans or -x]
# --official: on the official fairseq 0.12.2 with Python 3.10 and torch 1.13.1 (.venv-official, several GB); CONTRIBUTING.md says
# what that leaves out. The last line counts what passed, failed and was skipped; the reasons stand above it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=.venv
if [ "${1:-}" = --official ]; then
  shift
  venv=.venv-official
  bash scripts/setup.sh --official
else
  bash scripts/setup.sh
fi
# one thread for each of the parallel test processes
export OMP_NUM_THREADS=1
# without the line above: nproc counts OMP_NUM_THREADS
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
"$venv/bin/python" -m pytest -n "$(env -u OMP_NUM_THREADS nproc)" --junitxml "$report" "$@" || status=$?
"$venv/bin/python" - "$report" <<'PY'
import collections, sys, xml.etree.ElementTree as tree
try:
    suites = tree.parse(sys.argv[1]).getroot().iter("testsuite")
except tree.ParseError:
    sys.exit()  # --help, or a wrong option: no test was run
count = collections.Counter()
for suite in suites:
    count.update({key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")})
failed = count["failures"] + count["errors"]
print(f"tests: {count['tests'] - failed - count['skipped']} passed, {failed} failed, {count['skipped']} skipped")
PY
exit "$status"
