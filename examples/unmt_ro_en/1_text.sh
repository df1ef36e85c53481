#!/usr/bin/env bash
# Step 1: monolingual text of both languages, and the aligned test set, into text/.
source "$(dirname "${BASH_SOURCE[0]}")/experiment.sh" "$@"

if [ "$SOURCE" = web ]; then
  python "$ROOT/scripts/web/web_text.py" --recipe ro-en --size "$WEB_SIZE" --out text --yes >&3 2>&3
else
  python "$ROOT/scripts/unmt/local_text.py" --folder "$TEXT" --langs en,ro --test newstest2016.en-ro --dev newsdev2016.en-ro --out text
fi
