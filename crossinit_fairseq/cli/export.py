"""crossinit-export: take token embeddings out of a fairseq checkpoint, or put others in."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, Optional

from crossinit_fairseq.cli import command
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import check_new_file, check_new_folder
from crossinit_fairseq.data.dictionary import MASK, SPECIAL, WORD_START, read_symbols
from crossinit_fairseq.errors import InputError, printable

if TYPE_CHECKING:  # --help need not wait for torch
    from crossinit_fairseq.export import HuggingFaceModel

_ABOUT = """\
Take the token embeddings out of a fairseq checkpoint, as a file or into a Hugging Face model; or put a table of
embeddings into a checkpoint. Rows are matched by their symbols, never by their numbers."""

_EXAMPLES = """\
examples:
  crossinit-export checkpoint_last.pt --dict data-bin/dict.txt --to table.safetensors     every bit, any float type
  crossinit-export checkpoint_last.pt --dict data-bin/dict.txt --to table.vec             word2vec text, gensim reads it
  crossinit-export checkpoint_last.pt --dict data-bin/dict.txt --table decoder.embed_tokens.weight --to decoder.vec
  crossinit-export checkpoint_last.pt --dict data-bin/dict.txt --hugging-face my-mbart -o my-mbart-crossinit
  crossinit-export --from table.vec --into checkpoint_last.pt --dict data-bin/dict.txt -o new.pt
  crossinit-export --from my-mbart --into checkpoint_last.pt --dict data-bin/dict.txt -o new.pt
  crossinit-export --check table.vec                                                      can it be a start?

--hugging-face takes a local folder of an mBART, XLM or XLM-R model (config.json, model.safetensors or
pytorch_model.bin, and the tokenizer's files) and writes a new one, in which the rows of all tokens that the dictionary
has too are replaced, and the output layer's with them where it is tied; all else stays. Nothing is downloaded.
  mBART, XLM-R   pieces, <s>, <pad>, </s>, <unk>, <mask> as they are; mBART's en_XX is [en_XX], else [en]
  XLM            the</w> is `the` of subword-nmt (th is `th@@`) or \u2581the of SentencePiece; <special1> is <mask>
Values go as they are. fairseq's mBART multiplies embeddings by the root of their dimension, as an mBART folder with
scale_embedding: true does; XLM and XLM-R of Hugging Face never do. Where transformers then stops at torchaudio, which
fairseq installs and a CPU build of torch cannot load: pip uninstall torchaudio.

--from reads .safetensors written by this command, .vec of any program, or such a model folder. Words are written as
the dictionary writes them: \u2581the, not the, where its pieces are SentencePiece's. Symbols of the dictionary that it
lacks keep their rows. Start the next stage by --finetune-from-model NEW.pt: the state of the
optimizer is left out, it belongs to the old table.

The dictionary is the one that the checkpoint was trained with; it has as many symbols as the table has rows, four of
them fairseq's own and not in the file. In python, `safetensors.safe_open` gives the tensor `embeddings` and, in
metadata()["symbols"], the list of its symbols as JSON. A checkpoint that would run code
when it is loaded is refused; CROSSINIT_TRUST_CHECKPOINTS=1 in the environment loads it all the same."""

_SUFFIXES = (".safetensors", ".vec")


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""

    def work() -> None:
        parser = _parser()
        options = parser.parse_args(arguments)
        _choose(parser, options)(options)

    return command.run("crossinit-export", work)


def _parser() -> CommandParser:
    parser = CommandParser(prog="crossinit-export", description=_ABOUT, epilog=_EXAMPLES)
    parser.add_argument("checkpoint", nargs="?", metavar="CHECKPOINT", help="the fairseq checkpoint to export from")
    parser.add_argument("--dict", metavar="DICT.txt", help="the dictionary the checkpoint was trained with")
    parser.add_argument("--to", metavar="FILE", help="write the table: FILE.safetensors or FILE.vec (word2vec text)")
    parser.add_argument(
        "--hugging-face", metavar="FOLDER", help="write a copy of this model with the embeddings, to -o"
    )
    parser.add_argument(
        "--from", dest="source", metavar="FILE", help="FILE.safetensors, FILE.vec or a model folder ..."
    )
    parser.add_argument("--into", metavar="CHECKPOINT", help="... to put into this fairseq checkpoint, to -o")
    parser.add_argument("--check", metavar="FILE", help="only read such a FILE, and say what --from would refuse")
    parser.add_argument("-o", "--output", metavar="NEW", help="new folder of --hugging-face, new checkpoint of --into")
    parser.add_argument("--table", metavar="NAME", help="which table, where encoder and decoder do not share one")
    return parser


def _choose(parser: CommandParser, options: argparse.Namespace) -> Callable[[argparse.Namespace], None]:
    """The function that does what was asked for; exits with 2 when that is not one thing, completely said."""
    if options.check:
        parser.refuse([name for name in parser.given if name != "--check"], "with --check")
        if options.checkpoint:
            parser.error("--check goes alone, without a CHECKPOINT")
        if not options.check.endswith(_SUFFIXES):
            parser.error(f"--check takes a file {' or '.join(_SUFFIXES)}: {options.check}")
        return _check
    if not options.dict:
        parser.error("the following arguments are required: --dict")
    if options.source or options.into:
        if not (options.source and options.into and options.output):
            parser.error("an import takes all of --from FILE --into CHECKPOINT -o NEW.pt")
        if options.checkpoint or options.to or options.hugging_face:
            parser.error("--from and --into go with neither another CHECKPOINT nor --to nor --hugging-face")
        if not options.source.endswith(_SUFFIXES) and not os.path.isdir(options.source):
            parser.error(f"--from takes a file {' or '.join(_SUFFIXES)}, or a model folder: {options.source}")
        return _import
    if not options.checkpoint:
        parser.error("give a CHECKPOINT to export from, or --from FILE --into CHECKPOINT")
    if bool(options.to) == bool(options.hugging_face):
        parser.error("give one of --to FILE and --hugging-face FOLDER")
    if options.hugging_face:
        if not options.output:
            parser.error("--hugging-face needs -o NEW, the folder to write")
        return _export_hugging_face
    if options.output:
        parser.error("-o is for --hugging-face and --into; --to names its file itself")
    if not options.to.endswith(_SUFFIXES):
        parser.error(f"--to takes a name that ends in {' or '.join(_SUFFIXES)}: {options.to}")
    return _export_file


def _check(options: argparse.Namespace) -> None:
    from crossinit_fairseq.export.tables import name_of

    table = command.read_table(options.check)
    _say(f"{options.check}: {len(table):,} rows of {table.dimension} {name_of(table.values.dtype)}")


def _export_file(options: argparse.Namespace) -> None:
    from crossinit_fairseq.export import Checkpoint
    from crossinit_fairseq.export.tables import name_of

    check_new_file(options.to, [options.checkpoint, options.dict])
    table = Checkpoint(options.checkpoint).table(read_symbols(options.dict), options.table)
    if options.to.endswith(".vec"):
        from crossinit_fairseq.export.word2vec import write_word2vec as write
    else:
        from crossinit_fairseq.export.safetensors_file import write_safetensors as write
    write(table, options.to)
    _say(f"{options.to}: {len(table):,} rows of {table.dimension} {name_of(table.values.dtype)}")


def _export_hugging_face(options: argparse.Namespace) -> None:
    from crossinit_fairseq.export import Checkpoint

    check_new_folder(options.output)
    table = Checkpoint(options.checkpoint).table(read_symbols(options.dict), options.table)
    model = _model(options.hugging_face)
    ids, rows = model.counterparts(table.symbols)
    rounded = model.replace(ids, table.values, rows)
    model.save(options.output)
    _say(f"{options.output}: {len(ids):,} of the {len(model.embeddings):,} rows of {model} replaced")
    name_of_id = {number: token for token, number in model.tokens.items()}
    kept = sorted(set(range(len(model.embeddings))) - set(ids))
    _say_rows("rows have no counterpart in the dictionary and keep their values", kept, name_of_id)
    unused = sorted(set(range(len(table))) - set(rows))
    _say_rows("symbols of the dictionary have no counterpart in the model", unused, dict(enumerate(table.symbols)))
    _say_rounded(rounded, model.embeddings.dtype)
    if model.tied_output is False:
        _say("  the output layer is not tied to the input embeddings and stays as it was")


def _import(options: argparse.Namespace) -> None:
    from crossinit_fairseq.export import Checkpoint
    from crossinit_fairseq.export.tables import doubts_of_start

    check_new_file(options.output, [options.into, options.dict, options.source])
    symbols = read_symbols(options.dict)
    checkpoint = Checkpoint(options.into)
    old = checkpoint.table(symbols, options.table)
    hint = ""
    if os.path.isdir(options.source):
        model = _model(options.source)
        values, names = model.embeddings.detach(), {number: token for token, number in model.tokens.items()}
        source_rows, rows = model.counterparts(symbols)
        tokens = [names.get(number, f"row {number}") for number in range(len(values))]
        for doubt in doubts_of_start(tokens, values, options.source):
            _say(f"warning: {doubt}")
    else:
        new = command.read_table(options.source)
        values, names = new.values, dict(enumerate(new.symbols))
        hint = _without_mark(new.symbols, old.rows)
        rows = [row for symbol, row in old.rows.items() if symbol in new.rows]
        source_rows = [new.rows[symbols[row]] for row in rows]
        if not any(symbols[row] not in SPECIAL and symbols[row] != MASK for row in rows):
            raise InputError(
                f"{options.source} and {options.dict} have nothing but special symbols in common"
                + (f"; {hint}" if hint else ": is it the right dictionary?")
            )
    rounded = checkpoint.replace(rows, values, source_rows, options.table)
    checkpoint.save(options.output)
    tables = ", ".join(checkpoint.names(options.table))
    _say(f"{options.output}: {len(rows):,} of {len(symbols):,} rows replaced in {tables}; no optimizer state")
    kept = sorted(set(range(len(symbols))) - set(rows))
    _say_rows(f"symbols are not in {options.source} and keep their rows", kept, dict(enumerate(symbols)))
    unused = sorted(set(range(len(values))) - set(source_rows))
    _say_rows(f"rows of {options.source} are of no symbol in the dictionary", unused, names)
    if hint:
        _say(f"  {hint}")
    _say_rounded(rounded, old.values.dtype)


def _without_mark(names: Iterable[str], rows: Mapping[str, int]) -> str:
    """What to say of whole words, as word2vec and fastText write them, where a dictionary has SentencePiece's pieces.

    names: of the rows of a file; rows: {symbol: row} of the dictionary. Returns "" for any other names.
    """
    if any(name.startswith(WORD_START) for name in names):
        return ""
    words = [name for name in names if WORD_START + name in rows]
    if not words:
        return ""
    first = printable(words[0])
    where = f"{len(words):,} words of the file stand in the dictionary with {WORD_START} before them"
    return f"{where}: write {WORD_START}{first} for {first}"


def _model(folder: str) -> "HuggingFaceModel":
    # before the library is first imported, which reads it: a folder is all there is to read
    os.environ["HF_HUB_OFFLINE"] = "1"
    from crossinit_fairseq.export.hugging_face import HuggingFaceModel

    return HuggingFaceModel(folder)


def _say_rows(what: str, rows: List[int], names: Dict[int, str]) -> None:
    """Say of how many rows this is true, and name the first of them."""
    if rows:
        first = " ".join(printable(names.get(row, f"row {row}")) for row in rows[:5])
        _say(f"  {len(rows):,} {what}: {first}{' ...' if len(rows) > 5 else ''}")


def _say_rounded(rounded: int, dtype: Any) -> None:
    if rounded:
        from crossinit_fairseq.export.tables import name_of

        _say(f"  {rounded:,} rows were rounded to {name_of(dtype)}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
