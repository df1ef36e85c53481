#!/usr/bin/env bash
# Step 1: monolingual text of both languages, and the aligned test set, into text/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

if [ "$SOURCE" = web ]; then
  crossinit-prepare download --recipe ro-en --size "$WEB_SIZE" --out text --yes >&3 2>&3
else
  crossinit-prepare local "$TEXT" --langs en,ro --test newstest2016.en-ro --dev newsdev2016.en-ro --out text
fi
