# What this experiment is about; every step begins with it.
set -euo pipefail
EXAMPLE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$EXAMPLE/../.." && pwd)
TITLE="Unsupervised translation between Romanian and English, scored on newstest2016 (Table 7 of the paper)."
LANGS=en,ro
PAIR="en ro"
TEST_NAME=newstest2016.en-ro
DEV_NAME=newsdev2016.en-ro
source "$ROOT/scripts/unmt/settings.sh" "$@"
