"""The options of crossinit-prepare, and what its help says."""

import argparse
from typing import Any, Callable, List, Mapping

from crossinit_fairseq.cli.command import at_least, positive
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.cores import usable_cores
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import check_code, language_list

_ABOUT = """\
From raw text to what fairseq-preprocess takes, one step after the other; the recipes in examples/unmt_* call them so.

  crossinit-prepare download --recipe ro-en --out text                      get text from the web, or lay out
  crossinit-prepare local FOLDER --langs en,ro --test NAME --out text       your own
  crossinit-prepare clean 'text/mono/ro/*' --lang ro -o clean/ro.txt        normalise and filter a language
  crossinit-prepare normalise text/test.ro --lang ro -o clean/test.ro       the same normalising, line by line
  crossinit-prepare vocabulary --langs en,ro --text clean --size 8000 --out pieces
                                                                            SentencePiece and dict.txt
  crossinit-prepare encode --langs en,ro --text clean --model pieces/spm.model --out pieces
                                                                            cut text into pieces
  crossinit-prepare report --langs en,ro --clean clean --pieces pieces --out .
                                                                            what was read, dropped and is shared

Text never has to fit in memory; the same text, options and seed give the same files, with any number of workers."""

_CLEAN = """\
Reads text of one sentence a line: UTF-8, plain, .gz, .xz, .zst or .bz2. Each line is normalised (see `normalise`), then
dropped for the first of these reasons that holds:

  empty; damaged characters; markup (tags, wiki brackets); no letters; few letters (under half of what is no space);
  too few or too many words or characters; overlong word; another script; another language (py3langid, lines of 20
  letters or more); in the test sets (--keep-out); repeated; over --max-lines

Lines count as equal, among themselves and with lines of --keep-out, if they have the same letters and digits: case,
punctuation and spaces do not matter. A line that is nearly, but not quite, a line of the test sets is not found.
A dump or a page that is no text yet is refused, and the message says what to do first.

example:
  crossinit-prepare clean 'text/mono/ro/*' --lang ro --keep-out text/test.ro text/test.en -o clean/ro.txt

It needs as much room on disk again, beside the output, until it is done."""

_NORMALISE = """\
One line out for each line in. Character entities as what they stand for, Unicode's form NFC without control characters,
Moses' punctuation, Romanian comma below for cedilla, Devanagari as indic-nlp-library has it (but a colon stays one),
single spaces. For the source sides of dev and test sets; leave references as they are.

examples:
  crossinit-prepare normalise text/test.ro --lang ro -o clean/test.ro
  zcat test.ro.gz | crossinit-prepare normalise --lang ro > test.ro"""

_VOCABULARY = """\
Reads TEXT/LANG.txt. Writes OUT/spm.model, OUT/spm.vocab and OUT/dict.txt: the pieces, then a token [LANG] for each
language in the order given, then <mask>. With these at the end no later stage of fairseq adds a symbol, and the
embedding table keeps its size and the order of its rows from the first stage to the last.

The model sees lines drawn at random from each language, in proportion to (its share of all lines) ** ALPHA, as many as
--sentences and the smallest language allow without using a line twice.

examples:
  crossinit-prepare vocabulary --langs en,ro --text clean --size 8000 --out pieces
  crossinit-prepare vocabulary --langs en,ro --model sentence.bpe.model --out pieces     a ready one, such as XLM-R's"""

_ENCODE = """\
Reads TEXT/LANG.txt, which is in random order, and TEXT/dev.LANG and TEXT/test.LANG where there are such. Writes

  OUT/valid.LANG        the first --valid lines, at most a tenth of the text: to validate on, not to train on
  OUT/K/train.LANG      all other lines in turns, K = 0 ... SHARDS - 1
  OUT/dev.LANG, OUT/test.LANG

A shard is what one fairseq-preprocess run holds and one epoch of `fairseq-train data/0:data/1:...` reads: take as many
as it needs for one to fit in memory. The text itself never has to."""

_REPORT = """\
Reads CLEAN/LANG.json of `clean`, PIECES/dict.txt of `vocabulary` and the text that `encode` cut. Writes OUT/report.txt,
two tables, and OUT/report.json, the same figures unrounded with the counts and examples of each file. A word is what
stands between spaces. Two languages share a sub-token if it is among those that make up 99 % of the text of either."""

_DOWNLOAD = """\
Writes OUT/mono/LANG/*.txt.gz (one sentence a line), OUT/dev.LANG and OUT/test.LANG (aligned), and OUT/sources.json
(where each file came from, its size and SHA-256). Run it again after an interruption: it goes on where it stopped.
`paper` is all the paper names (Wikipedia and CC-100); `base` is a few GB for one GPU.

examples:
  crossinit-prepare download --recipe ro-en --list            what would be fetched, with licence and size; offline
  crossinit-prepare download --recipe ro-en --out text        sizes, a question, then the download"""

_LOCAL = """\
FOLDER/mono/NAME.LANG.txt (also .gz, .bz2, .xz, .zst) is monolingual text, one sentence a line. Every NAME is used, but
a NAME `for-ne` (text chosen to go with Nepali) only where Nepali is among --langs, and then it is all there is of its
language. FOLDER/test/TEST.LANG and FOLDER/test/DEV.LANG are aligned, for the languages that the name TEST ends with.
Monolingual text is linked to OUT/mono/LANG/, aligned text is copied to OUT/test.LANG and OUT/dev.LANG."""

_DEFAULT = "(default: %(default)s)"


def build_parser(functions: Mapping[str, Callable[[argparse.Namespace], None]]) -> argparse.ArgumentParser:
    """The parser of the command line. functions: what runs each command; its options come to it as they were read, with
    the command's own parser as `usage`."""
    whole = CommandParser(prog="crossinit-prepare", description=_ABOUT)
    commands = whole.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    commands.required = True
    for name, (summary, text, add_options) in _COMMANDS.items():
        added = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.\n\n{text}",
        )
        add_options(added)
        added.set_defaults(run=functions[name], usage=added)
    return whole


def _code(text: str) -> str:
    """argparse type: a language code."""
    return _typed(check_code, text)


def _codes(text: str) -> List[str]:
    """argparse type: language codes between commas."""
    return _typed(language_list, text)


def _typed(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", required=True, choices=["ro-en", "ne-en"], help="ne-en takes Hindi text too")
    parser.add_argument("--size", default="base", choices=["base", "paper"], help=f"how much text {_DEFAULT}")
    parser.add_argument("--out", default="text", metavar="OUT", help=f"the folder to fill {_DEFAULT}")
    parser.add_argument("--list", action="store_true", help="print the sources with licence and size, and stop")
    parser.add_argument("--yes", action="store_true", help="start without the question after the size estimate")


def _add_local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--langs", required=True, type=_codes, help="languages to train on, such as ne,hi,en")
    parser.add_argument("--test", required=True, help="name of the aligned test set, such as flores.devtest.ne-en")
    parser.add_argument("--dev", help="name of the aligned dev set; its files may be missing")
    parser.add_argument("--out", required=True, metavar="OUT")


def _add_clean(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="text files or globs in quotes")
    parser.add_argument("--input", nargs="+", action="extend", default=[], metavar="FILE", help="more of them")
    parser.add_argument("--lang", required=True, type=_code, help="such as ro, ne, en or ro_RO")
    parser.add_argument("-o", "--output", required=True, metavar="TXT", help="the clean text to write")
    parser.add_argument(
        "--counts", metavar="JSON", help="the counts to write (default: beside the output, .json for .txt)"
    )
    parser.add_argument(
        "--keep-out",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="dev and test sets, both sides: their lines are dropped",
    )
    parser.add_argument("--max-lines", type=positive, metavar="N", help="keep N lines at random (default: all)")
    parser.add_argument("--min-words", type=positive, default=1, metavar="N", help=_DEFAULT)
    parser.add_argument("--max-words", type=positive, default=175, metavar="N", help=_DEFAULT)
    parser.add_argument(
        "--max-chars", type=positive, default=2000, metavar="N", help=f"characters of a line {_DEFAULT}"
    )
    parser.add_argument("--max-word-chars", type=positive, default=60, metavar="N", help=f"of a word {_DEFAULT}")
    parser.add_argument(
        "--no-language-filter", dest="language_filter", action="store_false", help="keep other languages and scripts"
    )
    parser.add_argument("--workers", type=positive, default=usable_cores(), metavar="N", help="(default: all cores)")
    parser.add_argument(
        "--seed", type=at_least(0), default=1, metavar="N", help=f"of the order of the lines {_DEFAULT}"
    )


def _add_normalise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", nargs="?", default="-", metavar="FILE", help="(default: -, standard input)")
    parser.add_argument("--lang", required=True, type=_code, help="such as ro, ne, en or ro_RO")
    parser.add_argument("-o", "--output", metavar="FILE", help="(default: standard output)")


def _add_vocabulary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--langs", required=True, type=_codes, help="such as en,ro")
    parser.add_argument("--out", required=True, metavar="OUT")
    parser.add_argument("--text", metavar="TEXT", help="holds LANG.txt of `clean`")
    parser.add_argument("--size", type=positive, metavar="N", help="pieces, with <unk>, <s> and </s>")
    parser.add_argument("--model", help="a ready SentencePiece model, in place of --text, --size and the rest")
    parser.add_argument("--alpha", type=float, default=0.5, help=f"1: as the text is; 0: alike {_DEFAULT}")
    parser.add_argument("--sentences", type=positive, default=2000000, help=f"to train on {_DEFAULT}")
    parser.add_argument("--model-type", choices=("unigram", "bpe"), default="unigram", help=_DEFAULT)
    parser.add_argument("--character-coverage", type=float, default=0.9995, help=_DEFAULT)
    parser.add_argument("--seed", type=at_least(0), default=1, metavar="N", help=f"of the drawing {_DEFAULT}")


def _add_encode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--langs", required=True, type=_codes, help="such as en,ro")
    parser.add_argument("--model", required=True, metavar="MODEL", help="spm.model of `vocabulary`")
    parser.add_argument("--text", required=True, metavar="TEXT", help="holds LANG.txt of `clean`")
    parser.add_argument("--out", required=True, metavar="OUT")
    parser.add_argument("--valid", type=positive, default=1000, metavar="N", help=_DEFAULT)
    parser.add_argument("--shards", type=positive, default=1, metavar="N", help=_DEFAULT)
    parser.add_argument("--workers", type=positive, default=usable_cores(), metavar="N", help="(default: all cores)")


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--langs", required=True, type=_codes, help="such as en,ro")
    parser.add_argument("--clean", required=True, metavar="CLEAN", help="holds LANG.json")
    parser.add_argument("--pieces", required=True, metavar="PIECES", help="holds dict.txt, valid.LANG, K/train.LANG")
    parser.add_argument("--out", required=True, metavar="OUT")


# summary, description, and what adds the options
_COMMANDS = {
    "download": ("get the text of a translation recipe from the web", _DOWNLOAD, _add_download),
    "local": ("lay out a folder of your own text for a translation recipe", _LOCAL, _add_local),
    "clean": ("normalise and filter the text of one language, in random order", _CLEAN, _add_clean),
    "normalise": ("normalise text line by line", _NORMALISE, _add_normalise),
    "vocabulary": ("make one SentencePiece model and the dictionary", _VOCABULARY, _add_vocabulary),
    "encode": ("cut clean text into pieces", _ENCODE, _add_encode),
    "report": ("report on prepared text", _REPORT, _add_report),
}
