"""crossinit-lexicon: find which words translate each other, look at them, judge them, and translate with them."""

import argparse
import glob
import os
import sys
from typing import TYPE_CHECKING, Callable, Dict, Iterator, List, Optional, Set, Tuple

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.cli.lexicon_induction import add_settings, find_pairs
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import check_new_file, write_json
from crossinit_fairseq.errors import InputError

if TYPE_CHECKING:  # --help need not wait for numpy
    from crossinit_fairseq.lexicon.lexicon_file import Lexicon

_ABOUT = """\
Translation pairs of words from text of two languages alone: no parallel text, no dictionary. Words that translate each
other have like ranks (Zipf) and stand in like company.

  crossinit-lexicon induce --text en=en.txt --text ro=ro.txt -o en-ro.tsv    find the pairs
  crossinit-lexicon show en-ro.tsv                                           look at them
  crossinit-lexicon evaluate en-ro.tsv --dict en-ro.txt                      judge them by a dictionary
  crossinit-lexicon translate en-ro.tsv --from en --to ro < text.en          translate word by word
  crossinit-lexicon compose ne-hi.tsv hi-en.tsv -o ne-en.tsv                 join two by their common language

A lexicon is a text file to open and edit: lines `# key: value`, then `word<TAB>word`, score and counts after it. One
written by hand begins with `# languages: en ro`, and `# lowercase: yes` where its words are in lower case."""

_FEW_KNOWN = 0.1  # share of the words of a text that a lexicon knows; with fewer something is wrong, most likely
_FEW_OF_DICTIONARY = 0.02  # share of the words of a dictionary that a lexicon has: likewise

_INDUCE = """\
examples:
  crossinit-lexicon induce --text en='news.en.*.zst' --text ro=law.ro.xz --text ro=news.ro.gz -o en-ro.tsv
  crossinit-lexicon induce data-bin --langs en,ro -o en-ro.tsv          text that fairseq-preprocess binarised
  crossinit-lexicon induce --text en=en.txt --text ne=ne.txt --seeds en-ne.txt -o en-ne.tsv
  crossinit-lexicon induce --text en=en.txt --text ro=ro.txt --all -o all.tsv

Fifty pairs of words that you are sure of (--seeds, a line `word word` each, in the order of the languages) are worth
much, most of all where few words are spelt alike in the two languages.

The search is run several times from different starts. Where these do not agree, the lexicon is written all the same,
with the warning that it is not to be trusted. Look at it: `crossinit-lexicon show`."""

_SHOW = """\
examples:
  crossinit-lexicon show en-ro.tsv
  crossinit-lexicon show en-ro.tsv --pairs 200 --ranks

The pairs of the most frequent words come first. The score is what a pair was chosen by; higher is surer: of a lexicon
that was induced with --transport, the default, it is the share of the first word that goes to the second, 0 to 1
(of a pair found backward only, of the second that goes to the first); a pair that was given has 1."""

_EVALUATE = """\
examples:
  crossinit-lexicon evaluate en-ro.tsv --dict en-ro.5000-6500.txt --reverse
  crossinit-lexicon evaluate en-ro.tsv --dict en-ro.txt --dict ro=ro-en.txt --json en-ro.json
  crossinit-lexicon evaluate en-fr.tsv --aligned en=train.en --aligned fr=train.fr

A dictionary is in MUSE's format: two words a line; a word may stand in several lines, and each of these translations
is right. Where a domain has none, --aligned takes one from text whose lines translate each other: words are linked one
to one in each pair of lines (competitive linking), and a translation is right when the association of the two words is
at least half of the best that either has. Neither is ever used to make a lexicon.

P@1: the share of words whose best translation is right; P@5: one of the best five, for a lexicon made with --all.
Precision is of the words that the dictionary has; coverage says how many of the dictionary's words that is.
By running words, each word counts as often as it stands in the text. Ranks are those in the lexicon."""

_COMPOSE = """\
examples:
  crossinit-lexicon compose ne-hi.tsv hi-en.tsv -o ne-en.tsv
  crossinit-lexicon induce --text ne=ne.txt --text en=en.txt --seeds ne-en.tsv -o better.ne-en.tsv

A bridge for a pair of languages that have little in common: Nepali and Hindi share script and words, Hindi has more
text than Nepali. A pair is kept where each word leads to the other through the language between."""

_TRANSLATE = """\
examples:
  crossinit-lexicon translate en-ro.tsv --from en --to ro < test.en > word_by_word.ro
  crossinit-score --pair en-ro --reference test.ro word_by_word.ro copying=test.en

This is the baseline that every unsupervised system should beat. Words without a translation stay as they are."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""

    def work() -> None:
        options = _parser().parse_args(arguments)
        options.run(options)

    return command.run("crossinit-lexicon", work)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="crossinit-lexicon", description=_ABOUT)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    commands.required = True

    def add_command(
        name: str, run: Callable[[argparse.Namespace], None], summary: str, description: str, epilog: str
    ) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=summary, description=description, epilog=epilog)
        subparser.set_defaults(run=run, usage=subparser)
        return subparser

    induce = add_command("induce", _induce, "find the pairs", "Find which words translate each other.", _INDUCE)
    _add_induce_options(induce)

    show = add_command("show", _show, "look at the pairs", "Show the pairs of a lexicon side by side.", _SHOW)
    show.add_argument("lexicon", metavar="LEX.tsv")
    show.add_argument("--pairs", type=positive, default=30, metavar="N", help="pairs to list (default: 30)")
    show.add_argument("--ranks", action="store_true", help="show also each word's place by count in the lexicon")

    evaluate = add_command("evaluate", _evaluate, "judge the pairs", "Judge a lexicon by a dictionary.", _EVALUATE)
    evaluate.add_argument("lexicon", metavar="LEX.tsv")
    by = evaluate.add_mutually_exclusive_group(required=True)
    by.add_argument(
        "--dict",
        dest="dictionaries",
        action="append",
        metavar="[LANG=]FILE",
        help="a dictionary; LANG is the language of its first word (default: the lexicon's first); twice for both",
    )
    by.add_argument(
        "--aligned",
        action="append",
        metavar="LANG=FILE",
        help="text whose lines translate each other; twice, once for each language",
    )
    evaluate.add_argument("--reverse", action="store_true", help="judge also the other direction by the same --dict")
    evaluate.add_argument("--json", metavar="FILE", help="write the figures to this file too")

    bridge = add_command(
        "compose", _compose, "join two lexicons", "Join two lexicons by their common language.", _COMPOSE
    )
    bridge.add_argument("left", metavar="LEX.tsv", help="lexicon of the first language and the one between")
    bridge.add_argument("right", metavar="LEX.tsv", help="lexicon of the one between and the last language")
    bridge.add_argument("-o", "--output", required=True, metavar="LEX.tsv", help="the lexicon to write")
    bridge.add_argument("--all", action="store_true", help="write also pairs that hold in one direction only")

    translate = add_command(
        "translate", _translate, "translate word by word", "Translate standard input word by word.", _TRANSLATE
    )
    translate.add_argument("lexicon", metavar="LEX.tsv")
    translate.add_argument("--from", dest="source", required=True, metavar="LANG", help="language of the text")
    translate.add_argument("--to", dest="target", required=True, metavar="LANG", help="language to translate it into")
    return parser


def _add_induce_options(parser: argparse.ArgumentParser) -> None:
    """The options of `induce`: where the text is, how words are counted, and how the pairs are found."""
    parser.add_argument("data", nargs="?", metavar="DATA-BIN", help="folder of binarised text: LANG/train and dict.txt")
    parser.add_argument("--langs", metavar="LANG,LANG", help="the two languages of DATA-BIN")
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="LANG=FILE",
        help="UTF-8 text of a language, plain, .gz, .bz2, .xz or .zst; a glob; again for more files",
    )
    parser.add_argument("--seeds", metavar="FILE", help="pairs of words known to be right, `word word` a line")
    parser.add_argument("-o", "--output", metavar="LEX.tsv", help="the lexicon to write (default: standard output)")
    parser.add_argument(
        "--all", action="store_true", help="write each word's best translation, not only pairs that are mutual"
    )
    case = parser.add_mutually_exclusive_group()
    case.add_argument("--keep-case", action="store_true", help="count The and the as two words")
    case.add_argument("--lowercase", action="store_true", help="count them as one word (the default)")
    parser.add_argument("--workers", type=positive, metavar="N", help="that count (default: all cores)")
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="count --text on the Dask cluster of this scheduler, or `local`"
    )
    add_settings(parser)


def _induce(options: argparse.Namespace) -> None:
    if options.output:
        texts = [one.partition("=")[2] for one in options.text]
        for folder in options.data.split(os.pathsep) if options.data else []:
            texts += [os.path.join(folder, "*"), os.path.join(folder, "*", "*")]
        read = [name for text in texts for name in glob.glob(text) or [text]]
        check_new_file(options.output, read + ([options.seeds] if options.seeds else []))
    lexicon = find_pairs(options)
    if options.output:
        lexicon.save(options.output)
    else:
        sys.stdout.writelines(lexicon.lines())
    print(
        f"{options.output or 'standard output'}: {len(lexicon):,} pairs of words of {lexicon.source} and "
        f"{lexicon.target}",
        file=sys.stderr,
    )


def _show(options: argparse.Namespace) -> None:
    from crossinit_fairseq.cli.lexicon_table import format_pairs
    from crossinit_fairseq.lexicon.lexicon_file import Lexicon

    print(format_pairs(Lexicon.load(options.lexicon), options.pairs, options.ranks))


def _evaluate(options: argparse.Namespace) -> None:
    from crossinit_fairseq.cli.lexicon_table import format_evaluation
    from crossinit_fairseq.lexicon.evaluation import evaluate
    from crossinit_fairseq.lexicon.lexicon_file import Lexicon

    if options.reverse and (options.aligned or len(options.dictionaries) > 1):
        options.usage.error("--reverse takes one --dict: --aligned judges both directions, as two dictionaries do")
    lexicon = Lexicon.load(options.lexicon)
    given = (options.dictionaries or []) + (options.aligned or [])
    if options.json:
        # with and without what may be the language of [LANG=]FILE
        check_new_file(options.json, [options.lexicon] + given + [one.partition("=")[2] for one in given])
    results = []
    for direction, dictionary, name in _dictionaries(options, lexicon):
        results.append(evaluate(direction, dictionary))
        print(format_evaluation(results[-1], name), end="\n\n")
        if results[-1].coverage < _FEW_OF_DICTIONARY:
            print(
                f"crossinit-lexicon: hardly a word of {name} is in {options.lexicon}: are its words of "
                f"{direction.source} first, then of {direction.target}?",
                file=sys.stderr,
            )
    if options.json:
        forward = [one.mutual.by_running_words for one in results if one.source == lexicon.source]
        figures = {
            "lexicon": options.lexicon,
            "languages": [lexicon.source, lexicon.target],
            "pairs": len(lexicon),
            "mutual_pairs": len(lexicon.mutual()),
            "token_precision": forward[0] if forward else None,
            "directions": {f"{one.source}-{one.target}": one.as_dict() for one in results},
        }
        write_json(options.json, figures)


def _dictionaries(
    options: argparse.Namespace, lexicon: "Lexicon"
) -> Iterator[Tuple["Lexicon", Dict[str, Set[str]], str]]:
    """Yield (lexicon in one direction, {word: its translations}, what to call it) of each direction to be judged."""
    from crossinit_fairseq.lexicon.evaluation import fold_dictionary
    from crossinit_fairseq.lexicon.lexicon_file import read_word_pairs

    languages = (lexicon.source, lexicon.target)
    if options.aligned:
        from crossinit_fairseq.lexicon.dictionary_from_aligned import dictionary_from_aligned
        from crossinit_fairseq.text_files import read_lines

        files = _by_language(options.aligned, languages, "--aligned")
        if set(files) != set(languages) or len(options.aligned) != 2:
            raise InputError(f"--aligned takes a file of {languages[0]} and one of {languages[1]}: LANG=FILE twice")
        lines = [read_lines(files[language][0]) for language in languages]
        both = dictionary_from_aligned(lines[0], lines[1], languages, lexicon.lowercase)
        yield lexicon, both[0], f"{len(lines[0]):,} aligned sentences"
        yield lexicon.reversed(), both[1], f"{len(lines[0]):,} aligned sentences"
        return
    given = [one if _names_language(one, languages) else f"{lexicon.source}={one}" for one in options.dictionaries]
    files = _by_language(given, languages, "--dict")
    if any(len(paths) > 1 for paths in files.values()):
        raise InputError(f"--dict takes one dictionary a direction: {languages[0]}=FILE and {languages[1]}=FILE")
    for language in sorted(files, key=languages.index):
        path = files[language][0]
        pairs = read_word_pairs(path)
        turned = [(target, source) for source, target in pairs]
        directions = [(lexicon, pairs), (lexicon.reversed(), turned)]
        if language == lexicon.target:
            directions = [(lexicon.reversed(), pairs), (lexicon, turned)]
        for direction, right in directions if options.reverse else directions[:1]:
            yield direction, fold_dictionary(right, direction), path


def _by_language(given: List[str], languages: Tuple[str, str], option: str) -> Dict[str, List[str]]:
    """{language: list of paths} of LANG=FILE. Raises InputError for anything else, and for other languages."""
    files: Dict[str, List[str]] = {}
    for one in given:
        code, equals, path = one.partition("=")
        language = _among(code, languages)
        if not equals or not path or not language:
            raise InputError(f"{option} takes LANG=FILE with LANG {languages[0]} or {languages[1]}, not {one!r}")
        files.setdefault(language, []).append(path)
    return files


def _names_language(one: str, languages: Tuple[str, str]) -> bool:
    """Whether [LANG=]FILE begins with a language, one of these or, where there is no such file, any other."""
    from crossinit_fairseq.languages import is_known

    code, equals, _ = one.partition("=")
    return bool(_among(code, languages)) or (bool(equals) and is_known(code) and not os.path.exists(one))


def _among(code: str, languages: Tuple[str, str]) -> Optional[str]:
    """Which of two languages a code is of; None for another one."""
    from crossinit_fairseq.languages import is_code, same_language

    return next((language for language in languages if is_code(code) and same_language(code, language)), None)


def _compose(options: argparse.Namespace) -> None:
    from crossinit_fairseq.lexicon.bridge import compose
    from crossinit_fairseq.lexicon.lexicon_file import Lexicon

    check_new_file(options.output, [options.left, options.right])
    composed = compose(Lexicon.load(options.left), Lexicon.load(options.right))
    pairs = composed.pairs if options.all else composed.mutual()
    if not pairs:
        raise InputError(
            f"no two words of {options.left} and {options.right} lead to each other; --all has one-way pairs"
        )
    Lexicon(composed.source, composed.target, pairs, composed.settings).save(options.output)
    print(f"{options.output}: {len(pairs):,} pairs", file=sys.stderr)


def _translate(options: argparse.Namespace) -> None:
    from crossinit_fairseq.lexicon.lexicon_file import Lexicon
    from crossinit_fairseq.lexicon.word_by_word import WordByWord
    from crossinit_fairseq.ranks.text.counting import text_words
    from crossinit_fairseq.text_files import decode

    lexicon = Lexicon.load(options.lexicon, (options.source, options.target))
    translator = WordByWord(lexicon, text_words(lexicon.source, lexicon.lowercase).segmenter)
    for number, line in enumerate(sys.stdin.buffer, 1):
        sys.stdout.write(translator.translate_line(decode(line, "standard input", number)))
    if translator.known < _FEW_KNOWN * translator.words_read:
        print(
            f"crossinit-lexicon: {translator.known:,} of {translator.words_read:,} words had a translation: is the "
            f"text {lexicon.source}? does {options.lexicon} have the words of {lexicon.source} first? If they are in "
            "lower case, does it say `# lowercase: yes`?",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
