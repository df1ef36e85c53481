"""What `crossinit-lexicon induce` does: count both texts, find the pairs, say how sure they are."""

import argparse
import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Tuple

from crossinit_fairseq.cli.command import at_least
from crossinit_fairseq.cores import usable_cores
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import same_language, unlike_script
from crossinit_fairseq.lexicon.induction_settings import InductionSettings
from crossinit_fairseq.lexicon.lexicon_file import Lexicon, read_word_pairs, running_words_key

if TYPE_CHECKING:  # --help need not wait for numpy
    from crossinit_fairseq.lexicon.cooccurrence import CoOccurrence

_EXAMPLE = "give --text en=FILE --text ro=FILE, or DATA-BIN --langs en,ro"


def add_settings(parser: argparse.ArgumentParser) -> None:
    """An option for each field of InductionSettings, with its help text, and the window that words are counted in."""
    group = parser.add_argument_group("how the pairs are found")
    group.add_argument(
        "--window", type=at_least(1), default=15, metavar="N", help="neighbours counted on either side (default: 15)"
    )
    for field in dataclasses.fields(InductionSettings):
        of_type: Any = field.type
        shown: Dict[str, Any] = {
            "default": field.default,
            "help": field.metadata["help"].replace("%", "%%") + " (default: %(default)s)",
        }
        if field.metadata.get("choices"):
            shown["choices"] = field.metadata["choices"]
        else:
            shown["metavar"] = {int: "N", float: "X"}.get(of_type, "TEXT")
        group.add_argument("--" + field.name.replace("_", "-"), type=of_type, **shown)


def settings_of(options: argparse.Namespace) -> InductionSettings:
    """What the options of `add_settings` say. Raises InputError for a number out of its range."""
    settings = InductionSettings(
        **{field.name: getattr(options, field.name) for field in dataclasses.fields(InductionSettings)}
    )
    settings.check()
    return settings


def find_pairs(options: argparse.Namespace) -> Lexicon:
    """Count, find and report on stderr; returns the lexicon to write, its header filled.

    Raises InputError for text, languages or seeds that cannot be used.
    """
    from crossinit_fairseq.lexicon.induction import induce

    settings = settings_of(options)
    languages, count = _binarised(options) if options.data else _texts(options)
    seeds = read_word_pairs(options.seeds) if options.seeds else None
    left, right = (count(language) for language in languages)
    if left.words == right.words and left.counts.tolist() == right.counts.tolist():
        raise InputError(
            f"the texts of {left.language} and {right.language} have the same words, each as often: it is one text "
            "twice"
        )
    for side in (left, right):
        other = unlike_script(side.language, side.words)
        if other:
            print(
                f"crossinit-lexicon: most letters of {side.language} are {other}: are the two texts swapped?",
                file=sys.stderr,
            )
    if seeds is not None:
        seeds = _known_seeds(seeds, left, right, options)
    induction = induce(left, right, settings, seeds=seeds)
    for sentence in induction.report:
        print(sentence, file=sys.stderr)
    if induction.trusted is False:
        print(
            "this lexicon is not to be trusted: from different starts the search finds different pairs (agreement "
            f"{induction.agreement:.0%}): look at it with `crossinit-lexicon show`, give --seeds, or more text",
            file=sys.stderr,
        )
    found = induction.lexicon
    header = {
        "text": "binarised" if options.data else "text",
        "lowercase": "no" if options.keep_case else "yes",
        **{running_words_key(side.language): str(side.total) for side in (left, right)},
        "window": str(options.window),
        **({"seeds": f"{len(seeds)} pairs of {os.path.basename(options.seeds)}"} if seeds else {}),
        "trusted": {True: "yes", False: "no", None: "unknown"}[induction.trusted],
        **({} if induction.agreement is None else {"agreement": f"{induction.agreement:.4f}"}),
    }
    pairs = found.pairs if options.all else found.mutual()
    if not pairs:
        raise InputError("no two words are each other's best translation: give more text, or --seeds")
    return Lexicon(found.source, found.target, pairs, {**found.settings, **header})


def _texts(options: argparse.Namespace) -> Tuple[List[str], Callable[[str], "CoOccurrence"]]:
    """((source, target) language, a function that counts one) of --text."""
    from crossinit_fairseq.lexicon.cooccurrence import count_text_cooccurrence

    if options.langs:
        options.usage.error("--langs names the languages of DATA-BIN; --text names its own")
    files: Dict[str, List[str]] = {}
    for one in options.text:
        language, equals, path = one.partition("=")
        if not equals or not language or not path:
            options.usage.error(f"--text takes LANG=FILE, not {one!r}")
        files.setdefault(language, []).append(path)
    if len(files) != 2 or same_language(*files):
        options.usage.error(f"text of 2 languages is needed, not of {' and '.join(files) or 'none'}: {_EXAMPLE}")
    one, other = files.values()
    if set(one) & set(other):
        raise InputError(f"{sorted(set(one) & set(other))[0]} is given for both languages: give each its own text")

    if options.dask and options.dask != "local":
        options.usage.refuse(["--workers"], "on a cluster, which has its own")

    def count(language: str) -> "CoOccurrence":
        if not options.dask:
            return count_text_cooccurrence(files[language], language, workers=_workers(options), **_how(options))
        from crossinit_fairseq.lexicon.distributed import count_text_cooccurrence_distributed, open_cluster

        with open_cluster(options.dask, _workers(options)) as client:
            return count_text_cooccurrence_distributed(client, files[language], language, **_how(options))

    return list(files), count


def _binarised(options: argparse.Namespace) -> Tuple[List[str], Callable[[str], "CoOccurrence"]]:
    """The same of a data folder."""
    from crossinit_fairseq.data.dictionary import UNK, read_symbols, special_rows
    from crossinit_fairseq.data.text_check import check_dictionaries
    from crossinit_fairseq.lexicon.cooccurrence import count_binarised_cooccurrence
    from crossinit_fairseq.ranks import WordPieces, open_binarised

    if options.text:
        options.usage.error(f"give either DATA-BIN or --text: {_EXAMPLE}")
    if options.dask:
        options.usage.error("--dask is for --text: the text of DATA-BIN is counted on this machine")
    languages = [language.strip() for language in (options.langs or "").split(",") if language.strip()]
    if len(languages) != 2 or same_language(languages[0], languages[1]):
        options.usage.error(
            "--langs takes two languages of DATA-BIN, such as en,ro, not "
            + (repr(options.langs) if options.langs else "none")
        )
    folders = options.data.split(os.pathsep)
    for folder in folders:
        if not os.path.isdir(folder):
            raise InputError(f"{folder} is no folder: give a data folder with dict.txt, or text by --text LANG=FILE")
    symbols = read_symbols(os.path.join(folders[0], "dict.txt"))
    check_dictionaries(folders, languages, symbols)
    pieces = WordPieces(symbols, special=special_rows(symbols, languages), unk=UNK)

    def count(language: str) -> "CoOccurrence":
        texts = [open_binarised(os.path.join(folder, language, "train")) for folder in folders]
        return count_binarised_cooccurrence(
            texts, pieces, symbols, language, workers=_workers(options), **_how(options)
        )

    return languages, count


def _how(options: argparse.Namespace) -> Dict[str, Any]:
    return {"lowercase": not options.keep_case, "size": options.words, "window": options.window}


def _workers(options: argparse.Namespace) -> int:
    return options.workers or usable_cores()


def _known_seeds(
    seeds: List[Tuple[str, str]], left: "CoOccurrence", right: "CoOccurrence", options: argparse.Namespace
) -> List[Tuple[str, str]]:
    """The seeds whose two words both stand in the text, spelt as they are counted."""
    from crossinit_fairseq.ranks import TextWords

    spell = [TextWords.of_cut_words(side.language, not options.keep_case).spell for side in (left, right)]
    seeds = [(spell[0](one), spell[1](other)) for one, other in seeds]
    words = set(left.words), set(right.words)
    known = [(one, other) for one, other in seeds if one in words[0] and other in words[1]]
    turned = sum(one in words[1] and other in words[0] for one, other in seeds)
    if turned > len(known):  # words that both languages have fit either way
        raise InputError(
            f"{turned:,} of {len(seeds):,} pairs of {options.seeds} are in the text the other way round, "
            f"{len(known):,} this way: its columns are {right.language}, {left.language}, turn them"
        )
    if not known:
        raise InputError(f"no pair of {options.seeds} has both of its words in the text: is it of these languages?")
    print(f"{options.seeds}: {len(known):,} of {len(seeds):,} pairs have both words in the text", file=sys.stderr)
    return known
