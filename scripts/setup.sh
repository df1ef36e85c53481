#!/usr/bin/env bash
# Make the environment that everything else here runs in: .venv, or .venv-official with --official.
# Does nothing when it is there and complete. On a machine without a GPU,
#   TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu bash scripts/setup.sh
# saves several GB. PYTHON=/path/to/python chooses the Python (default: python3.11; --official: python3.10).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "setup: $*" >&2; exit 1; }

if [ "${1:-}" = --official ]; then
  venv=.venv-official wanted=3.10
  torch=torch==1.13.1
  # newer pips refuse the metadata of omegaconf 2.0
  tools=('pip<24.1' 'setuptools<70' wheel)
  libraries=(fairseq==0.12.2 numpy==1.23.5 hydra-core==1.0.7 omegaconf==2.0.6)
  extras=test,text,lexicon,recipes
elif [ -z "${1:-}" ]; then
  venv=.venv wanted=3.11
  torch=torch==2.13.0
  tools=('setuptools<82' wheel)
  libraries=(ve-fairseq==0.12.3 'numpy<2')
  extras=test,text,lexicon,segment,wordfreq,distributed,export,plot,analysis,recipes,slurm
  # the only prebuilt one is for Linux x86_64; elsewhere this compiles for some minutes
  [ "$(uname -sm)" = "Linux x86_64" ] || libraries=(fairseq-fixed==0.12.3.1 'numpy<2' cython)
else
  die "unknown option $1; the only one is --official"
fi

recipe="$(cat scripts/setup.sh setup.py)"
# -I: what is installed, not what lies in this folder
if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.complete" 2>/dev/null)" = "$recipe" ] &&
   [ "$("$venv/bin/python" -I -c 'import crossinit_fairseq as c; print(c.__path__[0])' 2>/dev/null)" = "$PWD/crossinit_fairseq" ]; then
  exit 0
fi

find_python() {
  for candidate in "${PYTHON:-}" "python$wanted" python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$wanted".*/bin/python; do
    if [ -n "$candidate" ] && "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$wanted')" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  packages="python$wanted python$wanted-venv python$wanted-dev"
  die "Python $wanted not found; install it (Debian/Ubuntu: apt install $packages) or set PYTHON=/path/to/python$wanted"
}
python=$(find_python)
command -v cc >/dev/null || die "no C compiler (cc) found; install one (Debian/Ubuntu: apt install build-essential)"

quiet=-q
[ -t 1 ] && quiet=
step() { echo "setup: $*"; }
step "1/4 $venv with $("$python" -V)"
rm -f "$venv/.complete"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" ||
  die "python -m venv failed; on Debian/Ubuntu: apt install python$wanted-venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pip install $quiet "${tools[@]}"
step "2/4 $torch"
pip install $quiet ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "$torch"
step "3/4 ${libraries[*]}"
if [[ "${libraries[0]}" == fairseq-fixed* ]]; then
  pip install $quiet "${libraries[@]:1}"
  pip install $quiet --no-build-isolation "${libraries[0]}"
fi
pip install $quiet "$torch" "${libraries[@]}"
step "4/4 crossinit_fairseq and its test tools"
pip install $quiet --no-build-isolation "$torch" "${libraries[@]}" -e ".[$extras]"
"$venv/bin/python" -c 'import crossinit_fairseq, fairseq.tasks' || die "the installed fairseq does not import; see above"
printf '%s\n' "$recipe" > "$venv/.complete"
step "done"
