#!/usr/bin/env bash
# Everything that wants a GPU, in a quarter of an hour, on a machine that may have no network.
usage() {
  cat <<'EOT'
usage: bash scripts/bench/gpu.sh [options]

Each part writes its JSON into --out as soon as it has it, the most valuable first. A part has a limit of its own: what takes
longer, or fails, is ended and said, and the next one begins.

  tests     the tests marked gpu: fused paths against references, in single and half precision; no host synchronisation
  step      CrossInit's step at V = 95,000, d = 1,024 (goal: 3 ms)
  bt        back-translation against fairseq's at mbart_base, 4,096 sub-tokens, in half precision
  lexicon   inducing a lexicon of 50,000 words a side, on the GPU and on the CPU
  captions  unsupervised translation of captions, 6 + 6 layers of 512, until the time is up; BLEU on dev as it goes, and
            on test at the end

  --out DIR        where everything goes (default: gpu-out)
  --parts LIST     of the parts (default: tests,step,bt,lexicon,captions)
  --ahead LIST     of the part bt: --bt-ahead (default: 1,4,16)
  --minutes N      for all of them together (default: 15); captions takes what the others leave
  --captions DIR   the --out of examples/captions/run.sh with --inits lexicon: its data and lexicon, made before on a CPU
                   (default: the part captions is left out, which is said)
  --updates N      of the part captions: the learning rate falls to 0 until then (default: 1200)
  --wheels DIR     first put the wheels in DIR beside this machine's own packages, into OUT/site, without network
  --collect DIR    only put these wheels into DIR, on a machine with network: for Linux x86_64 and --python; torch is taken
                   to be there
  --without LIST   of --collect: packages that the machine with the GPU has as well, such as pyarrow,lxml; SciPy and
                   scikit-learn of theirs may be too new for the numpy that fairseq needs
  --python X.Y     of the machine with the GPU (default: 3.12)
  --size full|dry  dry: sizes that measure nothing, on a CPU too, to see that the script is ready (default: full)

Exit status 0 means that every part that was asked for ended.
EOT
}
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OUT=gpu-out PARTS=tests,step,bt,lexicon,captions MINUTES=15 AHEAD=1,4,16 CAPTIONS= UPDATES=1200
WHEELS= COLLECT= WITHOUT= PYTHON=3.12 SIZE=full
OPTIONS="out parts ahead minutes captions updates wheels collect without python size"
source "$ROOT/scripts/options.sh"
read_options "$@"
for part in ${PARTS//,/ }; do
  [[ $part =~ ^(tests|step|bt|lexicon|captions)$ ]] || wrong "--parts names tests, step, bt, lexicon and captions, not $part"
done
[[ $PARTS =~ [a-z] ]] || wrong "--parts names nothing"
[[ $MINUTES =~ ^[1-9][0-9]*$ ]] || wrong "--minutes is a number, not $MINUTES"
[[ $AHEAD =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || wrong "--ahead takes numbers and commas, not $AHEAD"
[[ $UPDATES =~ ^[1-9][0-9]*$ ]] || wrong "--updates is a number, not $UPDATES"
[[ $PYTHON =~ ^3\.[0-9]+$ ]] || wrong "--python is such as 3.12, not $PYTHON"
[[ $SIZE =~ ^(full|dry)$ ]] || wrong "--size is full or dry, not $SIZE"
[ -z "$CAPTIONS" ] || [ -s "$CAPTIONS/data/dict.txt" ] || wrong "--captions: $CAPTIONS holds no data/dict.txt"
[ -z "$WHEELS" ] || [ -d "$WHEELS" ] || wrong "--wheels: there is no folder $WHEELS"

# what a machine lacks that has Python and torch; the packages that these need come along
NEEDED=(ve-fairseq==0.12.3 'numpy<2' hydra-core sentencepiece 'sacrebleu>=2' wrapt 'langcodes>=3.4' tqdm regex scipy scikit-learn
  anyascii sacremoses 'polars>=1' 'pyarrow<26' zstandard pytest hypothesis tensorboardX)
if [ -n "$COLLECT" ]; then
  mkdir -p "$COLLECT"
  # a pure package of hydra's that has no wheel
  python3 -m pip wheel -q --no-deps --wheel-dir "$COLLECT" antlr4-python3-runtime==4.9.3
  wheels() {
    python3 -m pip download -q --dest "$COLLECT" --find-links "$COLLECT" --only-binary :all: \
      --python-version "$PYTHON" --implementation cp \
      --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 "$@"
  }
  wheels "${NEEDED[@]:1}" cffi cython bitarray
  # torch is there already: the package that names it is taken alone
  wheels --no-deps "${NEEDED[0]}"
  for name in ${WITHOUT//,/ }; do
    # wheels have _ for -
    find "$COLLECT" -iname "${name//-/_}-*.whl" -delete
  done
  echo "$(ls "$COLLECT" | wc -l) wheels in $COLLECT, $(du -sh "$COLLECT" | cut -f1)"
  exit
fi

[ $SIZE = dry ] || python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null ||
  wrong "torch sees no GPU here; --size dry tries the script on a CPU"
mkdir -p "$OUT"
OUT=$(realpath "$OUT")
[ -z "$CAPTIONS" ] || CAPTIONS=$(realpath "$CAPTIONS")
END=$(($(date +%s) + 60 * MINUTES))
PY=$(command -v python3)
export PYTHONPATH=$ROOT PYTHONUNBUFFERED=1
failed=

say() { echo "gpu: $* ($(((END - $(date +%s)) / 60)) minutes left)"; }

if [ -n "$WHEELS" ]; then
  say "an environment of $(ls "$WHEELS" | wc -l) wheels"
  # no environment of its own: the machine's torch may stand in one already, which another would not see
  python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target "$OUT/site" "$WHEELS"/*.whl
  export PYTHONPATH=$OUT/site:$ROOT
fi
# what every figure is of
"$PY" - > "$OUT/machine.json" <<'END_OF_PYTHON'
import json, platform, numpy, torch
cuda = torch.cuda.is_available()
print(json.dumps({"gpu": torch.cuda.get_device_name() if cuda else None, "torch": torch.__version__, "cuda": torch.version.cuda,
                  "python": platform.python_version(), "numpy": numpy.__version__, "cpus": __import__("os").cpu_count()}))
END_OF_PYTHON

# part NAME SECONDS COMMAND...: its output in NAME.log; never past the end of all
part() {
  local name=$1 limit=$2 left=$((END - $(date +%s))) begin=$(date +%s) status=0
  shift 2
  [ "$limit" -le "$left" ] || limit=$left
  if [ "$limit" -lt 5 ]; then
    say "$name: no time left for it"
    failed+=" $name"
    return
  fi
  say "$name, at most $limit s"
  timeout --kill-after 10 "$limit" "$@" > "$OUT/$name.log" 2>&1 || status=$?
  case $status in
    0) say "$name: $(($(date +%s) - begin)) s" ;;
    124 | 137) say "$name: ended by its limit of $limit s; what it wrote until then is kept"
      [ "$name" = captions ] || failed+=" $name" ;;
    *) say "$name: failed, the end of $OUT/$name.log:"; tail -n 5 "$OUT/$name.log" | cut -c1-300; failed+=" $name" ;;
  esac
}

wanted() { [[ ",$PARTS," == *",$1,"* ]]; }

cd "$ROOT"
if wanted tests; then
  part tests 240 "$PY" -m pytest -q -p no:cacheprovider -m gpu tests/gpu tests/generation --junitxml "$OUT/tests.xml"
fi
if wanted step; then
  small="--repeats 50"
  [ $SIZE = full ] || small="--vocabulary 500 --dim 16 --words 600 --pairs 8 --span 50 --max-rank 400 --repeats 2"
  part step 120 "$PY" scripts/bench/crossinit_step.py $small --json "$OUT/step.json"
fi
if wanted bt; then
  for ahead in ${AHEAD//,/ }; do
    if [ $SIZE = dry ]; then
      small="--size tiny --max-tokens 30 --median-length 10 --sentences 40 --repeats 1 --dropout 0"
    else
      # half precision, as one trains there; groups of 16 updates are many already
      small="--size mbart_base --max-tokens 4096 --median-length 40 --sentences 8000 --fp16"
      small+=" --repeats $((6 / ahead > 1 ? 6 / ahead : 1))"
    fi
    part bt-ahead-$ahead 120 "$PY" scripts/bench/backtranslation.py $small --bt-ahead $ahead --json "$OUT/bt-ahead-$ahead.json"
  done
fi
if wanted lexicon; then
  small="--device cuda"
  [ $SIZE = full ] || small="--device cpu:0 --words 40000 --size 400"
  part lexicon 300 "$PY" scripts/bench/lexicon.py $small --json "$OUT/lexicon.json"
fi
if wanted captions; then
  if [ -n "$CAPTIONS" ]; then
    # BLEU stands in the log, at every validation
    left=$((END - $(date +%s)))
    part captions $left bash scripts/bench/gpu_captions.sh "$PY" "$CAPTIONS" "$OUT/captions" $SIZE $left $UPDATES
    grep -o '| valid | {.*}' "$OUT/captions.log" | cut -d' ' -f4- > "$OUT/captions.jsonl" || true
    say "captions: $(wc -l < "$OUT/captions.jsonl") validations"
    for score in "$OUT"/captions/*-*.json; do
      [ ! -s "$score" ] || cp "$score" "$OUT/captions-$(basename "$score")"
    done
  else
    say "captions: left out, it needs --captions"
  fi
fi
[ -z "$failed" ] || { echo "gpu: not ended:$failed" >&2; exit 1; }
say "done: $(ls "$OUT" | grep -c json) files of figures in $OUT"
