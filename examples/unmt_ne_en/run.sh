#!/usr/bin/env bash
# All steps, one after the other; --help lists the options. A finished step is not run again while its settings stay the same.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"
source "$ROOT/scripts/unmt/steps.sh"
