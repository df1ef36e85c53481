# Options of a recipe; sourced. Every option has a value, which goes into the variable of its name: --jobs 2 sets JOBS. A
# variable that is an array takes the values of all uses of its option; any other option with two values is refused.
#
#   usage                   a function that prints the help
#   OPTIONS="jobs out"      the names of the options; their variables hold the defaults
#   read_options "$@"       set them; exit status 2 for anything else
#   wrong MESSAGE           say what is wrong with an option, and end
#   refuse NAME WHY         end where --NAME was given: it would have no effect, such as "without --text"
#   contents FILE ...       a word that tells whether these files hold what they held, for the settings of stages: of a file
#                           that was copied, or checked out anew, the time is another and the contents are not; of a folder, all
#                           files in it by their names there. Of a file that was moved the path is another, so no path is a setting
#   check_seeds LIST        end where --seeds is no list of numbers between commas, or has one twice
#   check_training OPTIONS, try_training OPTIONS STARTS, try_induction OPTIONS   further options that are handed on: end where
#                           the recipe sets them itself; with the environment, where a program would not take them
#   check_language OPTION CODE   it becomes the name of files and folders: end where it cannot be a language code

wrong() { echo "$(basename "$0"): $*; see --help" >&2; exit 2; }

# a file that is not there counts as one that holds nothing
contents() {
  local name
  for name in "$@"; do
    if [ -d "$name" ]; then
      (cd "$name" && find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r md5sum --)
    else
      md5sum < "$name" | cut -d' ' -f1
    fi 2>/dev/null || true
  done | md5sum | cut -d' ' -f1
}

# each_file COMMAND OPTIONS: options of a program as a recipe hands them on, with what the command prints in place of each file
each_file() {
  local word known=()
  for word in $2; do
    if [ -f "$word" ]; then
      known+=("$($1 "$word")")
    elif [[ $word == --*=* && -f ${word#*=} ]]; then
      known+=("${word%%=*}=$($1 "${word#*=}")")
    else
      known+=("$word")
    fi
  done
  echo "${known[*]}"
}

# for settings a file counts by its contents; stages run in folders of their own, and get its full path
by_contents() { each_file contents "$1"; }
full_paths() { each_file realpath "$1"; }

# further options of crossinit_unmt: those that a recipe sets itself are refused
check_training() {
  local word
  for word in $1; do
    case ${word%%=*} in
      --max-update|--save-dir|--restore-file|--finetune-from-model|--task|--arch|-a|--criterion|--langs|--user-dir|--seed|--lexicon|--source-lang|-s|--target-lang|-t)
        wrong "--training: ${word%%=*} is set by the recipe" ;;
    esac
  done
}

# with the environment: the others are looked at before the first stage, not in the one that trains; STARTS between commas
try_training() { [ -z "$1" ] || python "$ROOT/scripts/further_options.py" --training "$2" $1 || exit 2; }

# the same of further options of crossinit-lexicon induce, --induction
try_induction() { [ -z "$1" ] || python "$ROOT/scripts/further_options.py" --induction $1 || exit 2; }

check_seeds() {
  [[ $1 =~ ^[0-9]+(,[0-9]+)*$ ]] || wrong "--seeds takes numbers and commas, not $1"
  local twice
  twice=$(tr , '\n' <<< "$1" | sort | uniq -d | head -n 1)
  [ -z "$twice" ] || wrong "--seeds has $twice twice: two runs would be one"
}

check_language() {
  [[ $2 =~ ^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$ ]] ||
    wrong "$1: $2 is no language code, such as en, ro_RO or zh_Hans"
}

declare -A GIVEN=()

refuse() { [ -z "${GIVEN[$1]+given}" ] || wrong "--$1 has no effect $2: leave it out"; }

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in -h|--help) usage; exit 0 ;; esac
    [[ $1 =~ ^--[a-z]+$ && " $OPTIONS " == *" ${1#--} "* ]] || wrong "unknown option $1"
    [ $# -ge 2 ] || wrong "$1 needs a value"
    local name=${1#--}
    local -n variable=${name^^}
    case $(declare -p "${name^^}") in
      "declare -a"*) variable+=("$2") ;;
      *)
        [ "${GIVEN[$name]-$2}" = "$2" ] || wrong "$1 is given twice, ${GIVEN[$name]} and $2: give it once"
        variable=$2 ;;
    esac
    GIVEN[$name]=$2
    shift 2
  done
}
