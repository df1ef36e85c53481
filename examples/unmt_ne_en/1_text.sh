#!/usr/bin/env bash
# Step 1: monolingual Nepali, Hindi and English text, and the aligned test set, into text/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

if [ "$SOURCE" = web ]; then
  crossinit-prepare download --recipe ne-en --size "$WEB_SIZE" --out text --yes >&3 2>&3
else
  crossinit-prepare local "$TEXT" --langs ne,hi,en --test flores.devtest.ne-en --dev flores.dev.ne-en --out text
fi
