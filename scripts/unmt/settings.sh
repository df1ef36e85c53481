# Options and settings of the translation recipes; sourced by examples/unmt_*/run.sh, which says what the experiment is about.
# Leaves the shell in $OUT, the folder of the run, with the environment active.
usage() {
  cat <<EOT
To begin, in minutes, on text of your own:
  bash ${EXAMPLE#"$ROOT"/}/run.sh --preset smoke --text DIR
usage: bash ${EXAMPLE#"$ROOT"/}/run.sh --text DIR | --source web [options]

$TITLE
Steps: text, prepare, ranks, lexicon (with --init lexicon), crossinit (not with --init random), mbart, translation, score. A
finished step is not run again while its settings stay the same. logs/commands.sh in the folder of the run holds every command.

  --preset smoke|tiny|base|paper   smoke: a minute or two once all of the text is cleaned, to see that every step works;
                                   tiny: 2 cores, under an hour a run;
                                   base: one GPU, a day; paper: the paper's setting, several GPUs (default: tiny)
  --text DIR                       your text: mono/NAME.LANG.txt (also .gz, .bz2, .xz, .zst; LANG: ${LANGS//,/, }) and aligned
                                   test/$TEST_NAME.LANG and, if at hand, test/$DEV_NAME.LANG
                                   (default: \$CROSSINIT_TEXT in the environment)
  --source web|local               web: download text and test sets; $WEB_BASE;
                                   with --preset paper $WEB_PAPER; local: take --text
  --init crossinit|lexicon|random|FILE
                                   lexicon: align the embeddings to word pairs found in the text by rank and context, and begin
                                   translation word by word with them; random: align nothing (default: crossinit)
                                   FILE.vec, FILE.safetensors: embeddings of any program as word2vec text, or a table of
                                   crossinit-export, as wide as the model
  --seeds FILE                     with --init lexicon: word pairs known to be right, \`${PAIR/ /-WORD }-WORD\` a line
  --prepared DIR                   take text, prepared data and ranks from the run in DIR, to compare --init on the same
  --pieces FILE                    use this SentencePiece model instead of training one
  --seed N                         of everything random (default: 1)
  --step STEP                      do this step alone, whatever was done before
  --out DIR                        the folder of the run; the same command again goes on where it ended
                                   (default: ${EXAMPLE#"$ROOT"/}/out)

In the environment: GPUS=N says how many GPUs there are (default: all that nvidia-smi lists), LAUNCH is a command that starts
fairseq-train (default in a Slurm job of several tasks: srun), VENV=DIR is a Python environment that has everything, instead of
.venv, which is made if need be.
EOT
}
PRESET=tiny INIT=crossinit SEEDS= SOURCE= TEXT=${CROSSINIT_TEXT:-} PREPARED= PIECES= SEED=1 STEP= OUT=$EXAMPLE/out
OPTIONS="preset init seeds source text prepared pieces seed step out"
source "$ROOT/scripts/options.sh"
source "$ROOT/scripts/starts.sh"
read_options "$@"
[[ $PRESET =~ ^(smoke|tiny|base|paper)$ ]] || wrong "--preset is smoke, tiny, base or paper, not $PRESET"
check_start --init "$INIT" "crossinit|lexicon|random"
VECTORS=
! is_file "$INIT" || VECTORS=$(realpath "$INIT")
INIT=$(start_name "$INIT")
[[ $STEP =~ ^(|text|prepare|ranks|lexicon|crossinit|mbart|translation|score)$ ]] || wrong "--step is none of the steps: $STEP"
[ -z "$SEEDS" ] || [ "$INIT" = lexicon ] || wrong "--seeds belongs to --init lexicon, not to --init $INIT"
[ -z "$SEEDS" ] || [ -f "$SEEDS" ] || wrong "--seeds: there is no file $SEEDS"
[ -z "$SEEDS" ] || SEEDS=$(realpath "$SEEDS")
[[ $SOURCE =~ ^(|local|web)$ ]] || wrong "--source is local or web, not $SOURCE"
[ "$SOURCE" != web ] || refuse text "with --source web"
[[ $SEED =~ ^[0-9]+$ ]] || wrong "--seed is a number, not $SEED"
[ -z "$PIECES" ] || [ -f "$PIECES" ] || wrong "--pieces: there is no file $PIECES"
[ -z "$PIECES" ] || PIECES=$(realpath "$PIECES")
[ -z "$PREPARED" ] || [ -d "$PREPARED/prepare/data" ] || wrong "--prepared: $PREPARED holds no prepared data (prepare/data)"
[ -z "$PREPARED" ] || PREPARED=$(realpath "$PREPARED")
GPUS=${GPUS:-$(nvidia-smi -L 2>/dev/null | grep -c '^GPU' || true)}
[[ $GPUS =~ ^(0|[1-9][0-9]*)$ ]] || wrong "GPUS says how many GPUs there are, in digits, not $GPUS"
[[ ${SLURM_NTASKS:-1} =~ ^[1-9][0-9]*$ ]] || wrong "SLURM_NTASKS is the number of tasks of a job, not $SLURM_NTASKS"
HALF=
[ "$GPUS" -eq 0 ] || HALF=--fp16
source "$ROOT/scripts/unmt/presets/$PRESET.sh"
# an architecture that has its width by its name is compared when its table is made
[ -z "$VECTORS" ] || check_width --init "$VECTORS" $PRESET $(sed -n 's/.*--encoder-embed-dim \([0-9]*\).*/\1/p' <<< $MODEL)
if [ -z "$PREPARED" ] && [ "$SOURCE" != web ]; then
  if [ -z "$TEXT" ]; then
    echo "$(basename "$0"): there is no text yet; give one of these, and see --help:
  --text DIR     your own: DIR/mono/NAME.{$LANGS}.txt and DIR/test/$TEST_NAME.{${PAIR/ /,}}; a few MB a language do
  --source web   downloads $WEB_BASE; with --preset paper $WEB_PAPER" >&2
    exit 2
  fi
  [ -d "$TEXT" ] || wrong "--text: there is no folder $TEXT"
  SOURCE=local TEXT=$(realpath "$TEXT")
fi
mkdir -p "$OUT" || exit 1
OUT=$(realpath "$OUT")

if [ -z "${VENV:-}" ]; then
  bash "$ROOT/scripts/setup.sh" >&2
  VENV=$ROOT/.venv
fi
PATH=$VENV/bin:$PATH
export PYTHONUNBUFFERED=1
# two threads save a third of the time on idle cores, and double it on busy ones
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
check_tables ${VECTORS:+"$VECTORS"}
# in a Slurm job of several tasks srun starts every process; fairseq finds the others once it has a port and their number
DISTRIBUTED=
LAUNCH=${LAUNCH:-}
if [ "${SLURM_NTASKS:-1}" -gt 1 ]; then
  LAUNCH=${LAUNCH:-srun --kill-on-bad-exit=1}
  DISTRIBUTED="--distributed-world-size $SLURM_NTASKS --distributed-port ${PORT:-29500}"
fi

# What every fairseq-train has in common. A data buffer would end fairseq with an abort after training; other multiples than 1
# drop sentences.
COMMON=(--user-dir "$ROOT/crossinit_fairseq" --seed $SEED --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints
  --required-batch-size-multiple 1 --log-interval $LOG_INTERVAL $DISTRIBUTED)
START=
[ "$INIT" = random ] || START="--finetune-from-model crossinit/checkpoint_last.pt"
# the folders of binarised text, one a shard
DATA=$(seq -s: -f 'prepare/data/%g' 0 $((SHARDS - 1)))
case $INIT in lexicon) STAGES=8 ;; random) STAGES=6 ;; *) STAGES=7 ;; esac
[ -z "$PREPARED" ] || STAGES=$((STAGES - 3))
[ "$PRETRAIN" -gt 0 ] || STAGES=$((STAGES - 1))

cd "$OUT"
source "$ROOT/scripts/stages.sh"
