#!/usr/bin/env bash
# The paper's Table 3: XNLI by XLM-tiny-3 of English, German and Hindi, from a random table and from CrossInit, 3 seeds.
usage() {
  cat <<'EOT'
To begin, in two minutes, to see that it works:
  bash examples/fast_xnli/run.sh --preset smoke --seeds 1 --text DIR
usage: bash examples/fast_xnli/run.sh --text DIR | --source web [options]

The paper's Table 3: XLM-tiny-3 of English, German and Hindi, pre-trained from a random table and from CrossInit, fine-tuned on
English XNLI and read in all three languages. Steps, text and presets are those of examples/xlm/run.sh.

  --text DIR      text to pre-train on and labelled text, as examples/xlm/run.sh takes it
  --source NAME   web: download Wikipedia, MultiNLI and XNLI, as examples/xlm/run.sh does; local: take --text
  --preset NAME   smoke, tiny, base, or paper: section 3.6's 200,000 updates of batch 128 at 1e-4 (default: tiny)
  --inits LIST    of random, crossinit, lexicon, FILE.vec and FILE.safetensors (default: random,crossinit)
  --seeds LIST    numbers (default: 1,2,3)
  --jobs N        runs side by side (default: 1)
  --out DIR       where everything goes; a second run with the same DIR goes on where the first ended
                  (default: examples/fast_xnli/out)
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PRESET=tiny INITS=random,crossinit SEEDS=1,2,3 SOURCE= TEXT= JOBS=1 OUT=$ROOT/examples/fast_xnli/out
OPTIONS="text source preset inits seeds jobs out"
source "$ROOT/scripts/options.sh"
read_options "$@"
[[ $SOURCE =~ ^(|local|web)$ ]] || wrong "--source is local or web, not $SOURCE"
[ "$SOURCE" != web ] || refuse text "with --source web"
TEXTS=(--text "$TEXT")
[ "$SOURCE" != web ] || TEXTS=(--source web)
ARCH="--arch xlm_tiny_3 --batch-size 128" exec bash "$ROOT/examples/xlm/run.sh" "${TEXTS[@]}" --langs en,de,hi \
  --inits "$INITS" --tasks retrieval,xnli --preset "$PRESET" --seeds "$SEEDS" --jobs "$JOBS" --out "$OUT"
