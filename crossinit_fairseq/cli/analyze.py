"""crossinit-analyze: what embedding tables show of the words of several languages, each figure beside its controls."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import check_code, language_pair

if TYPE_CHECKING:  # --help need not wait for torch
    from crossinit_fairseq.analysis.analogies import Analogy
    from crossinit_fairseq.analysis.concepts import Concept
    from crossinit_fairseq.analysis.statements import Statements
    from crossinit_fairseq.analysis.training_logs import Curve
    from crossinit_fairseq.analysis.words import Cut
    from crossinit_fairseq.export import EmbeddingTable
    from crossinit_fairseq.ranks import RankTable

_ABOUT = """\
Look at the embedding tables of one or several runs: the paper's figures and tables, each beside the controls that say
whether it shows anything. A figure that random words, a random table or word ranks alone reach too, or that is gone
once the mean vector or the first two directions are taken out, is marked "no evidence"."""

_EXAMPLES = """\
examples:
  crossinit-analyze start=table/checkpoint_last.pt end=translation/checkpoint_last.pt --dict data/dict.txt \\
    --sentencepiece-model pieces/spm.model --ranks en=en.tsv --ranks ro=ro.tsv --translations en-ro=en-ro.txt --out look
  crossinit-analyze table.vec --ranks en=en.tsv --ranks de=de.tsv --concepts en=map-en.tsv --concepts de=map-de.tsv \\
    --analogy en=king,man,woman,queen --analogy de=k\u00f6nig,mann,frau,k\u00f6nigin --cldr --out look

TABLE is a checkpoint of fairseq (with --dict), a .safetensors file of crossinit-export, or a .vec file of any program.
Only words that all tables have are compared. The rank tables are those of `crossinit-ranks count`.

DIR/report.html is one file, to read anywhere; report.md and report.json hold the same, figures/ the pictures."""


_WITH_SYMBOLS = (".vec", ".safetensors")


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""

    def work() -> None:
        parser = _parser()
        options = parser.parse_args(arguments)
        files = command.named_files(options.tables, "table")
        if all(path.endswith(_WITH_SYMBOLS) for path in files.values()):
            parser.refuse(["--dict", "--table"], "without a checkpoint: these files hold one table, with its words")
        _analyze(options, files)

    return command.run("crossinit-analyze", work)


def _parser() -> CommandParser:
    parser = CommandParser(prog="crossinit-analyze", description=_ABOUT, epilog=_EXAMPLES)
    parser.add_argument("tables", nargs="+", metavar="[NAME=]TABLE", help="the tables to compare, the earliest first")
    parser.add_argument("--dict", metavar="DICT.txt", help="the dictionary that the checkpoints were trained with")
    parser.add_argument("--table", metavar="NAME", help="which table, where encoder and decoder do not share one")
    parser.add_argument("--sentencepiece-model", metavar="FILE", help="cuts words into the symbols of the tables")
    parser.add_argument(
        "--ranks", action="append", required=True, metavar="LANG=FILE", help="a rank table; once for each language"
    )
    parser.add_argument(
        "--max-rank", type=positive, default=20000, metavar="N", help="words of each language (default: 20000)"
    )
    parser.add_argument(
        "--translations",
        action="append",
        default=[],
        metavar="LANG-LANG=FILE",
        help="a dictionary in MUSE's format, to find words by",
    )
    parser.add_argument(
        "--concepts",
        action="append",
        default=[],
        metavar="LANG=FILE",
        help="a Concepticon mapping; for two languages at least",
    )
    parser.add_argument(
        "--analogy",
        action="append",
        default=[],
        metavar="LANG=A,B,C,D",
        help="A - B + C = D, such as en=king,man,woman,queen; the same in other languages makes all mixes",
    )
    parser.add_argument("--statements", metavar="DIR", help="statements in mLAMA's format, DIR/LANG/RELATION.jsonl")
    parser.add_argument("--cldr", action="store_true", help="statements on countries, of Unicode's CLDR (Babel)")
    parser.add_argument(
        "--logs",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="logs of fairseq-train --log-format json, to draw their losses",
    )
    parser.add_argument("--seed", type=command.at_least(0), default=1, metavar="N", help="of the controls (default: 1)")
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder to write the report to")
    return parser


class _Measured(NamedTuple):
    """What is to be measured, as the small files say.

    ranks, analogies, concepts: {language: RankTable, Analogy, words of concepts}; dictionaries: (source, target, path,
    pairs of words) each; statements: (Statements, name of their source) each; curves: of training.
    """

    ranks: Dict[str, "RankTable"]
    analogies: Dict[str, "Analogy"]
    concepts: Mapping[str, Mapping["Concept", Sequence[str]]]
    dictionaries: List[Tuple[str, str, str, List[Tuple[str, str]]]]
    statements: List[Tuple["Statements", str]]
    curves: List["Curve"]


def _read_small_files(options: argparse.Namespace) -> _Measured:
    from crossinit_fairseq.analysis.concepts import read_concepts
    from crossinit_fairseq.analysis.statements import cldr_statements, read_mlama
    from crossinit_fairseq.analysis.training_logs import read_curve
    from crossinit_fairseq.lexicon.lexicon_file import read_word_pairs
    from crossinit_fairseq.ranks import RankTable

    tables = _by_language(options.ranks, "--ranks")
    ranks = {language: RankTable.load(path, language) for language, path in tables.items()}
    languages = list(ranks)
    analogies = {
        _of(language, languages, "--analogy"): _analogy(language, text)
        for language, text in _by_language(options.analogy, "--analogy", "LANG=A,B,C,D").items()
    }
    concepts = {
        _of(language, languages, "--concepts"): read_concepts(path)
        for language, path in _by_language(options.concepts, "--concepts").items()
    }
    if len(concepts) == 1:
        raise InputError("--concepts: ranks are compared between languages: give mappings of two at least")
    named = [_dictionary(text, languages) for text in options.translations]
    dictionaries = [(source, target, path, read_word_pairs(path)) for source, target, path in named]
    statements = []
    if (options.statements or options.cldr) and len(languages) < 2:
        raise InputError("--statements and --cldr go between languages: give --ranks of two at least")
    if options.statements:
        statements.append((read_mlama(options.statements, languages), "mLAMA"))
    if options.cldr:
        statements.append((cldr_statements(languages), "CLDR"))
    logs = [read_curve(name, path) for name, path in _by_name(options.logs, "--logs").items()]
    return _Measured(ranks, analogies, concepts, dictionaries, statements, logs)


def _analyze(options: argparse.Namespace, files: Dict[str, str]) -> None:
    from crossinit_fairseq.analysis.concepts import WordRanks
    from crossinit_fairseq.analysis.retrieval import find_translations
    from crossinit_fairseq.analysis.study import Study
    from crossinit_fairseq.analysis.words import in_common, look_up

    if os.path.exists(options.out) and not os.path.isdir(options.out):
        raise InputError(f"--out: {options.out} is a file: name a folder")
    # whatever is wrong with a small file is said before the tables are read
    measured = _read_small_files(options)
    cut = _cut(options.sentencepiece_model) if options.sentencepiece_model else None
    found = []
    for path in files.values():
        table = _read(path, options)
        if options.sentencepiece_model:
            _check_model(options.sentencepiece_model, table, path)
        found.append(look_up(table, measured.ranks, options.max_rank, cut))
    study = Study(list(files), in_common(found), options.seed)
    judged = [
        find_translations(study.words, source, target, pairs, path)
        for source, target, path, pairs in measured.dictionaries
    ]
    study.add_words(found)
    _say("the spread and the shape of the tables")
    study.add_spread()
    study.add_shape()
    if measured.concepts:
        ranks = {language: WordRanks(ranked) for language, ranked in measured.ranks.items()}
        study.add_concepts(ranks, measured.concepts)
    if measured.analogies:
        study.add_analogies(measured.analogies)
    for statements, source in measured.statements:
        _say(f"statements of {source}")
        study.add_statements(statements, source)
    for translations in judged:
        count = f"{len(translations.entries):,} of {translations.total:,} words of the dictionary can be judged"
        _say(f"words found from {translations.source} to {translations.target}; {count}")
        study.add_translations(translations)
    if measured.curves:
        study.add_curves(measured.curves)
    report = study.finish()
    report.write(options.out)
    for gap in study.gaps:
        _say(gap)
    held = sum(claim.is_evidence for claim in study.claims)
    if study.claims:
        print(f"{held:,} of {len(study.claims):,} figures are above every control of theirs")
    print(os.path.join(options.out, "report.html"))


def _read(path: str, options: argparse.Namespace) -> "EmbeddingTable":
    if path.endswith(_WITH_SYMBOLS):
        return command.read_table(path)
    from crossinit_fairseq.data.dictionary import read_symbols
    from crossinit_fairseq.export.checkpoint import Checkpoint

    if not options.dict:
        raise InputError(f"{path}: a checkpoint does not say which word a row is: give its --dict DICT.txt")
    return Checkpoint(path).table(read_symbols(options.dict), options.table)


def _cut(path: str) -> "Cut":
    from crossinit_fairseq.ranks.sentencepiece_model import load_model

    model = load_model(path)
    return lambda word: model.encode(word, out_type=str)


def _check_model(model: str, table: "EmbeddingTable", path: str) -> None:
    from crossinit_fairseq.data.dictionary import SPECIAL
    from crossinit_fairseq.ranks.sentencepiece_model import check_dictionary, load_model

    check_dictionary(
        load_model(model), model, [*SPECIAL, *(symbol for symbol in table.symbols if symbol not in SPECIAL)], path
    )


def _by_name(texts: Sequence[str], option: str, form: str = "NAME=FILE") -> Dict[str, str]:
    named: Dict[str, str] = {}
    for text in texts:
        name, mark, path = text.partition("=")
        if not (name and mark and path):
            raise InputError(f"{option} takes {form}, not {text}")
        if name in named:
            raise InputError(f"{option} names {name} twice")
        named[name] = path
    return named


def _by_language(texts: Sequence[str], option: str, form: str = "LANG=FILE") -> Dict[str, str]:
    return {check_code(language): path for language, path in _by_name(texts, option, form).items()}


def _of(language: str, languages: Sequence[str], option: str) -> str:
    if language not in languages:
        raise InputError(f"{option} {language}: there are no --ranks of {language}")
    return language


def _analogy(language: str, text: str) -> "Analogy":
    from crossinit_fairseq.analysis.analogies import Analogy

    words = [word.strip() for word in text.split(",")]
    if len(words) != 4 or not all(words):
        raise InputError(f"--analogy {language}: {text!r} is not four words, such as king,man,woman,queen")
    return Analogy(*words)


def _dictionary(text: str, languages: Sequence[str]) -> Tuple[str, str, str]:
    pair, mark, path = text.partition("=")
    if not (pair and mark and path):
        raise InputError(f"--translations takes LANG-LANG=FILE, not {text}")
    if len(languages) < 2:
        raise InputError("--translations goes between languages: give --ranks of two at least")
    return (*language_pair(pair, languages), path)


def _say(what: str) -> None:
    print(f"crossinit-analyze: {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
