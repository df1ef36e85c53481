#!/usr/bin/env bash
# Run the tests: bash scripts/test.sh [--official] [pytest options, such as -k spans or -x]
# --official: on the official fairseq 0.12.2 with Python 3.10 and torch 1.13.1 (.venv-official, several GB).
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
exec "$venv/bin/python" -m pytest -n "$(env -u OMP_NUM_THREADS nproc)" "$@"
