"""crossinit-prepare: from raw text to what fairseq-preprocess takes."""

import argparse
import os
import signal
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.errors import InputError, printable
from crossinit_fairseq.languages import check_code, language_list
from crossinit_fairseq.preparation.ordered_map import cores

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


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""
    options = _parser().parse_args(arguments)
    # a batch system ends a job by SIGTERM: tidy up as after Ctrl-C
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return command.run("crossinit-prepare", lambda: options.run(options))
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


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


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="crossinit-prepare", description=_ABOUT, formatter_class=raw)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    commands.required = True
    default = "(default: %(default)s)"

    def add(name: str, run: Callable[[argparse.Namespace], None], summary: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.\n\n{text}",
            formatter_class=raw,
            allow_abbrev=False,
        )
        added.set_defaults(run=run, usage=added)
        return added

    download = add("download", _download, "get the text of a translation recipe from the web", _DOWNLOAD)
    download.add_argument("--recipe", required=True, choices=["ro-en", "ne-en"], help="ne-en takes Hindi text too")
    download.add_argument("--size", default="base", choices=["base", "paper"], help=f"how much text {default}")
    download.add_argument("--out", default="text", metavar="OUT", help=f"the folder to fill {default}")
    download.add_argument("--list", action="store_true", help="print the sources with licence and size, and stop")
    download.add_argument("--yes", action="store_true", help="start without the question after the size estimate")

    local = add("local", _local, "lay out a folder of your own text for a translation recipe", _LOCAL)
    local.add_argument("folder", metavar="FOLDER")
    local.add_argument("--langs", required=True, type=_codes, help="languages to train on, such as ne,hi,en")
    local.add_argument("--test", required=True, help="name of the aligned test set, such as flores.devtest.ne-en")
    local.add_argument("--dev", help="name of the aligned dev set; its files may be missing")
    local.add_argument("--out", required=True, metavar="OUT")

    clean = add("clean", _clean, "normalise and filter the text of one language, in random order", _CLEAN)
    clean.add_argument("files", nargs="*", metavar="FILE", help="text files or globs in quotes")
    clean.add_argument("--input", nargs="+", default=[], metavar="FILE", help="more of them")
    clean.add_argument("--lang", required=True, type=_code, help="such as ro, ne, en or ro_RO")
    clean.add_argument("-o", "--output", required=True, metavar="TXT", help="the clean text to write")
    clean.add_argument(
        "--counts", metavar="JSON", help="the counts to write (default: beside the output, .json for .txt)"
    )
    clean.add_argument(
        "--keep-out",
        nargs="+",
        default=[],
        metavar="FILE",
        help="dev and test sets, both sides: their lines are dropped",
    )
    clean.add_argument("--max-lines", type=positive, metavar="N", help="keep N lines at random (default: all)")
    clean.add_argument("--min-words", type=positive, default=1, metavar="N", help=default)
    clean.add_argument("--max-words", type=positive, default=175, metavar="N", help=default)
    clean.add_argument("--max-chars", type=positive, default=2000, metavar="N", help=f"characters of a line {default}")
    clean.add_argument("--max-word-chars", type=positive, default=60, metavar="N", help=f"of a word {default}")
    clean.add_argument(
        "--no-language-filter", dest="language_filter", action="store_false", help="keep other languages and scripts"
    )
    clean.add_argument("--workers", type=positive, default=cores(), metavar="N", help="(default: all cores)")
    clean.add_argument("--seed", type=int, default=1, help=f"of the order of the lines {default}")

    normalise = add("normalise", _normalise, "normalise text line by line", _NORMALISE)
    normalise.add_argument("input", nargs="?", default="-", metavar="FILE", help="(default: -, standard input)")
    normalise.add_argument("--lang", required=True, type=_code, help="such as ro, ne, en or ro_RO")
    normalise.add_argument("-o", "--output", metavar="FILE", help="(default: standard output)")

    vocabulary = add("vocabulary", _vocabulary, "make one SentencePiece model and the dictionary", _VOCABULARY)
    vocabulary.add_argument("--langs", required=True, type=_codes, help="such as en,ro")
    vocabulary.add_argument("--out", required=True, metavar="OUT")
    vocabulary.add_argument("--text", metavar="TEXT", help="holds LANG.txt of `clean`")
    vocabulary.add_argument("--size", type=positive, metavar="N", help="pieces, with <unk>, <s> and </s>")
    vocabulary.add_argument(
        "--model", help="a ready SentencePiece model; --text, --size and the rest are not looked at"
    )
    vocabulary.add_argument("--alpha", type=float, default=0.5, help=f"1: as the text is; 0: alike {default}")
    vocabulary.add_argument("--sentences", type=positive, default=2000000, help=f"to train on {default}")
    vocabulary.add_argument("--model-type", choices=("unigram", "bpe"), default="unigram", help=default)
    vocabulary.add_argument("--character-coverage", type=float, default=0.9995, help=default)
    vocabulary.add_argument("--seed", type=int, default=1, help=f"of the drawing {default}")

    encode = add("encode", _encode, "cut clean text into pieces", _ENCODE)
    encode.add_argument("--langs", required=True, type=_codes, help="such as en,ro")
    encode.add_argument("--model", required=True, metavar="MODEL", help="spm.model of `vocabulary`")
    encode.add_argument("--text", required=True, metavar="TEXT", help="holds LANG.txt of `clean`")
    encode.add_argument("--out", required=True, metavar="OUT")
    encode.add_argument("--valid", type=positive, default=1000, metavar="N", help=default)
    encode.add_argument("--shards", type=positive, default=1, metavar="N", help=default)
    encode.add_argument("--workers", type=positive, default=cores(), metavar="N", help="(default: all cores)")

    report = add("report", _report, "report on prepared text", _REPORT)
    report.add_argument("--langs", required=True, type=_codes, help="such as en,ro")
    report.add_argument("--clean", required=True, metavar="CLEAN", help="holds LANG.json")
    report.add_argument("--pieces", required=True, metavar="PIECES", help="holds dict.txt, valid.LANG, K/train.LANG")
    report.add_argument("--out", required=True, metavar="OUT")
    return parser


def _download(options: argparse.Namespace) -> None:
    from crossinit_fairseq.cli.prepare_tables import format_sources
    from crossinit_fairseq.preparation.downloads.recipe_text import download, sources_table

    if options.list:
        print(format_sources(sources_table(options.recipe, options.size)))
        return
    try:
        download(options.recipe, options.size, options.out, (lambda: None) if options.yes else _agree)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped: run the same command again, it goes on where it stopped") from None


def _agree() -> None:
    """Ask whether to start. Raises InputError for no."""
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask whether to start: add --yes")
    if input("Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InputError("not started")


def _local(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.local_text import lay_out

    for line in lay_out(options.folder, options.langs, options.test, options.dev, options.out):
        print(printable(line))


def _clean(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.cleaning import CleaningSettings, clean

    if not options.files + options.input:
        options.usage.error("give at least one FILE")
    counts = options.counts or os.path.splitext(options.output)[0] + ".json"
    report = clean(
        options.files + options.input,
        options.output,
        counts,
        CleaningSettings(
            language=options.lang,
            keep_out=options.keep_out,
            max_lines=options.max_lines,
            words=(options.min_words, options.max_words),
            max_chars=options.max_chars,
            max_word_chars=options.max_word_chars,
            language_filter=options.language_filter,
            seed=options.seed,
            workers=options.workers,
        ),
    )
    for remark in report["remarks"]:
        print(printable(remark), file=sys.stderr)
    print(f"{printable(options.output)}: {report['lines']:,} of {report['lines_read']:,} lines")


def _normalise(options: argparse.Namespace) -> None:
    from contextlib import ExitStack

    from crossinit_fairseq.complete_files import check_new_file, complete_file
    from crossinit_fairseq.preparation.normaliser import LineNormaliser, normalise_stream

    normaliser = LineNormaliser(options.lang)
    if options.output:
        check_new_file(options.output, [options.input])
    with ExitStack() as files:
        source = sys.stdin.buffer if options.input == "-" else files.enter_context(open(options.input, "rb"))
        target = sys.stdout.buffer
        if options.output:
            target = files.enter_context(open(files.enter_context(complete_file(options.output)), "wb"))
        normalise_stream(normaliser, source, target)


def _vocabulary(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.stage_files import load_model
    from crossinit_fairseq.preparation.vocabulary import VocabularySettings, train_vocabulary, write_vocabulary

    if not 0 <= options.alpha <= 1:
        options.usage.error(f"--alpha is not between 0 and 1: {options.alpha}")
    if not 0 < options.character_coverage <= 1:
        options.usage.error(f"--character-coverage is not between 0 and 1: {options.character_coverage}")
    if not options.model and not (options.text and options.size):
        options.usage.error("give --text and --size to train a model, or --model with a ready one")
    if options.model:
        model = load_model(options.model)
    else:
        settings: Dict[str, Any] = {
            name: getattr(options, name)
            for name in ("size", "alpha", "sentences", "model_type", "character_coverage", "seed")
        }
        model = train_vocabulary(options.langs, options.text, VocabularySettings(**settings))
    size = write_vocabulary(model, options.langs, options.out)
    print(f"{os.path.join(options.out, 'dict.txt')}: {size:,} symbols")


def _encode(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.encoding import encode

    written = encode(
        options.langs, options.model, options.text, options.out, options.valid, options.shards, options.workers
    )
    for language, (lines, held_out) in written.items():
        print(f"{language}: {lines:,} lines to train on, {held_out:,} held out")


def _report(options: argparse.Namespace) -> None:
    import json

    from crossinit_fairseq.cli.prepare_tables import format_report
    from crossinit_fairseq.complete_files import complete_file
    from crossinit_fairseq.preparation.report import make_report

    report = make_report(options.langs, options.clean, options.pieces)
    os.makedirs(options.out, exist_ok=True)
    text = format_report(report)
    for name, content in (("report.json", json.dumps(report, ensure_ascii=False, indent=1)), ("report.txt", text)):
        with complete_file(os.path.join(options.out, name)) as path, open(path, "w", encoding="utf-8") as stream:
            stream.write(content + "\n")
    print(text)


if __name__ == "__main__":
    sys.exit(main())
