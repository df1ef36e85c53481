#!/usr/bin/env bash
# The paper's Table 3: XNLI by XLM-tiny-3 of English, German and Hindi, from a random table and from CrossInit, 3 seeds.
usage() {
  cat <<'EOT'
usage: bash examples/fast_xnli/run.sh --text DIR [--preset smoke|tiny|base|paper] [--seeds 1,2,3] [--out DIR]

  bash examples/fast_xnli/run.sh --preset smoke --seeds 1 --text DIR    a minute, to see that it works

The text and the options are those of examples/xlm/run.sh, whose steps these are; `paper` takes the paper's settings for
XLM-tiny-3 (section 3.6: 200,000 updates of batch 128 at 1e-4).
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PRESET=tiny SEEDS=1,2,3 TEXT= OUT=$ROOT/examples/fast_xnli/out
OPTIONS="text preset seeds out"
source "$ROOT/scripts/options.sh"
read_options "$@"
[ -n "$TEXT" ] || wrong "--text is needed: the text to pre-train on, and the labelled text"
ARCH="--arch xlm_tiny_3 --batch-size 128" exec bash "$ROOT/examples/xlm/run.sh" --text "$TEXT" --langs en,de,hi \
  --init random,crossinit --tasks retrieval,xnli --preset "$PRESET" --seeds "$SEEDS" --out "$OUT"
