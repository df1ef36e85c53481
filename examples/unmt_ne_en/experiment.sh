# What this experiment is about; every step begins with it.
set -euo pipefail
EXAMPLE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$EXAMPLE/../.." && pwd)
TITLE="Unsupervised translation between Nepali and English with Hindi beside, scored on the FLoRes devtest set (Table 7 of the paper)."
LANGS=ne,hi,en
PAIR="ne en"
TEST_NAME=flores.devtest.ne-en
DEV_NAME=flores.dev.ne-en
source "$ROOT/scripts/unmt/settings.sh" "$@"
