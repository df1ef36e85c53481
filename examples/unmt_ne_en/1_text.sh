#!/usr/bin/env bash
# Step 1: monolingual Nepali, Hindi and English text, and the aligned test set, into text/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

if [ "$SOURCE" = web ]; then
  python "$ROOT/scripts/web/web_text.py" --recipe ne-en --size "$WEB_SIZE" --out text --yes >&3 2>&3
else
  python "$ROOT/scripts/unmt/local_text.py" --folder "$TEXT" --langs ne,hi,en --test flores.devtest.ne-en --dev flores.dev.ne-en --out text
fi
