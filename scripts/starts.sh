# Starts of a recipe that are files of embeddings; sourced after scripts/options.sh. A start is one of the recipe's names, or
# FILE.vec (word2vec text of any program) or FILE.safetensors (of crossinit-export); such a start is called by its name alone.
#
#   is_file START                     whether a start is a file
#   start_name START                  what it is called, in folders and tables
#   check_start OPTION START NAMES    end where it is neither one of NAMES (between |) nor a file whose name can be a folder's
#   read_starts LIST NAMES             of --inits, between commas: into the array STARTS, files by their whole paths, and what
#                                     they are called into NAMES; end at the first that is wrong, or called as another is
#   check_commas OPTION ENTRY ...     end where some of these, which stood between commas, are together the name of a file
#   check_width OPTION START PRESET WIDTH   end where a file has other dimensions than the model; no WIDTH: any will do
#   check_tables START ...            with $OUT and the environment: end where a file's table is none that training could begin with
#   table_of FOLDER FILE DATA OPTIONS      in a stage, into FOLDER/checkpoint_last.pt: the model as fairseq-train initialises it
#                                     with these options, but the rows that the file has for symbols of DATA/dict.txt, as they are

is_file() { [[ $1 == *.vec || $1 == *.safetensors ]]; }

start_name() {
  local name=$1
  ! is_file "$1" || name=$(basename "${1%.*}")
  printf '%s\n' "$name"
}

check_start() {
  if ! is_file "$2"; then
    [[ $2 =~ ^($3)$ ]] || wrong "$1 names $(sed 's/|/, /g' <<< "$3"), FILE.vec and FILE.safetensors, not $2"
    return 0
  fi
  [ -f "$2" ] || wrong "$1: there is no file $2"
  [[ $(start_name "$2") =~ ^[A-Za-z0-9_.-]+$ ]] || wrong "$1: give $2 a name of letters, digits, _, . and - alone"
  [[ ! $(start_name "$2") =~ ^(random|crossinit|lexicon|oracle|rank)$ ]] ||
    wrong "$1: $2 is called as a start of ours is: rename it"
}

read_starts() {
  local at name
  IFS=, read -ra STARTS <<< "$1"
  [[ $1 =~ [^,] ]] || wrong "--inits names nothing"
  check_commas --inits "${STARTS[@]}"
  for at in "${!STARTS[@]}"; do STARTS[at]=$(sed 's/^ *//; s/ *$//' <<< "${STARTS[at]}"); done
  NAMES=
  for at in "${!STARTS[@]}"; do
    check_start --inits "${STARTS[$at]}" "$2"
    name=$(start_name "${STARTS[$at]}")
    [[ ",$NAMES," != *",$name,"* ]] || wrong "--inits: two starts are called $name"
    NAMES+=${NAMES:+,}$name
    ! is_file "${STARTS[$at]}" || STARTS[$at]=$(realpath "${STARTS[$at]}")
  done
}

check_commas() {
  local option=$1 name
  shift
  while [ $# -gt 1 ]; do
    name=$1
    shift
    for entry in "$@"; do
      name+=,$entry
      [ ! -f "$name" ] || wrong "$option: there is a file $name, and commas part the entries of this list: give it a name without them"
    done
  done
}

check_width() {
  is_file "$2" || return 0
  local rows=0 width length
  if [[ $2 == *.vec ]]; then
    IFS=$' \r' read -r rows width _ < <(head -c 100 "$2" | tr -d '\0\357\273\277') || true
    [[ $rows-$width =~ ^[0-9]+-[0-9]+$ ]] || wrong "$1: $2 does not begin with its numbers of rows and dimensions, as word2vec" \
      "text; \`crossinit-export --check $2\` says what it is"
  else
    # eight bytes say how long the JSON is that follows
    length=$(head -c 8 "$2" | od -An -v -tu8 | tr -d ' ')
    [[ $length =~ ^[0-9]{1,9}$ ]] || wrong "$1: $2 is no safetensors file"
    width=$(head -c $((8 + length)) "$2" | tail -c +9 | grep -aoE '"shape": ?\[ ?[0-9]+, ?[0-9]+ ?\]' |
      grep -oE '[0-9]+ ?\]' | tr -d ' ]' | head -n 1) || true
    [[ $width =~ ^[0-9]+$ ]] || wrong "$1: $2 holds no table; crossinit-export ... --to FILE.safetensors writes one"
  fi
  [ "$width" = "${4:-$width}" ] || wrong "$1: $2 has $width dimensions, and the model of preset $3 has $4"
}

check_tables() {
  local file checked
  for file in "$@"; do
    is_file "$file" || continue
    checked=$OUT/stages/$(contents "$file").checked
    [ -e "$checked" ] || { crossinit-export --check "$file" && mkdir -p "$OUT/stages" && : > "$checked"; } || exit 1
  done
}

table_of() {
  local folder=$1 file=$2 data=$3
  shift 3
  run rm -f $folder/checkpoint_last.pt  # of an interrupted attempt: no run could go on from it
  # one update at a learning rate of 0 is the model as initialised
  train "$folder" 1 "$data" "$@" --task crossinit_pretrain --criterion crossinit --batch-size 1 --updates-per-epoch 1 --lr 0 \
    --save-dir $folder
  run mv $folder/checkpoint_last.pt $folder/random.pt
  run crossinit-export --from "$file" --into $folder/random.pt --dict "${data%%:*}/dict.txt" -o $folder/checkpoint_last.pt
}
