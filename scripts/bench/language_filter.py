"""What the language filter of `crossinit-prepare clean` drops, of text whose language is known.

    python scripts/bench/language_filter.py ro=newstest2016.ro en=newstest2016.en [LANG=FILE ...] [--json FILE]
    python scripts/bench/language_filter.py ne=flores.ne hi=xnli.hi --no-function-words

FILE: UTF-8 text, one sentence a line, all of it in LANG; plain, .gz, .bz2, .xz or .zst. Printed for each file:

lines    that have no other reason to be dropped, normalised as `clean` does
judged   those of 20 letters or more: a shorter one is dropped for its script alone
language share of the lines that it takes for another language when told the file's own: all of these are mistakes
script   share of the lines that it drops for another script, such as a name in Latin letters alone in Hindi text
as LANG  share of the judged lines that it drops when told that the file is in LANG, which is another language of those
         given: one that stays is a mistake

newstest2016 comes by `sacrebleu -t wmt16 -l ro-en --echo src` (and `ref`); FLoRes' Nepali and English by
`crossinit-prepare download --recipe ne-en`; XNLI's dev set from its authors, a column of a table.
"""

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import checkout  # noqa: F401

from crossinit_fairseq.cli.command import format_columns
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.languages import check_code
from crossinit_fairseq.preparation import identification
from crossinit_fairseq.preparation.line_filter import LineFilter
from crossinit_fairseq.preparation.normaliser import LineNormaliser
from crossinit_fairseq.ranks.text.sources import find_sources, read_blocks

REASONS = ("another language", "another script")
BLOCK = 1 << 20


def main() -> None:
    parser = CommandParser(description=__doc__)
    parser.add_argument("texts", nargs="+", metavar="LANG=FILE", help="text, all of it in LANG")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to this file")
    parser.add_argument(
        "--no-function-words", action="store_true", help="the library alone, without the words that tell ne from hi"
    )
    options = parser.parse_args()
    if options.no_function_words:
        identification.FUNCTION_WORD_WEIGHT = 0.0
    with one_sentence():
        texts = [named(text) for text in options.texts]
        languages = list(dict.fromkeys(language for language, _ in texts))
        filters = {language: LineFilter(language) for language in languages}
        rows = [measure(language, path, filters) for language, path in texts]
    titles = ["text", "lines", "judged", "language", "script"] + [f"as {language}" for language in languages]
    print(format_columns([titles] + [cells(row, languages) for row in rows]))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def named(text: str) -> Tuple[str, str]:
    language, equals, path = text.partition("=")
    if not equals or not path:
        raise InputError(f"give LANG=FILE, such as ro=newstest2016.ro, not {text!r}")
    return check_code(language), path


def measure(language: str, path: str, filters: Dict[str, LineFilter]) -> Dict[str, Any]:
    """Counts of one text: told its own language, and told each of the others."""
    normaliser, others = LineNormaliser(language), LineFilter(language, languages=False)
    row: Dict[str, Any] = {
        "text": path,
        "language": language,
        "lines": 0,
        "judged": 0,
        "dropped": dict.fromkeys(REASONS, 0),
    }
    row["caught"] = {other: 0 for other in filters if other != language}
    for source in find_sources([path]):
        for block in read_blocks(source, BLOCK):
            text = block.data.decode("utf-8-sig").rstrip("\n")
            lines = [line for line in normaliser(text).split("\n") if line]
            lines = [line for line, reason in zip(lines, others(lines)[0]) if reason is None]
            reasons, guesses = filters[language](lines)
            judged = [line for line, guess in zip(lines, guesses) if guess]
            row["lines"] += len(lines)
            row["judged"] += len(judged)
            for reason in REASONS:
                row["dropped"][reason] += reasons.count(reason)
            for other in row["caught"]:
                row["caught"][other] += sum(map(filters[other](judged)[0].count, REASONS))
    if not row["judged"]:
        raise InputError(f"{path} has no line long enough to tell its language")
    return row


def cells(row: Dict[str, Any], languages: List[str]) -> List[str]:
    shares = [f"{row['caught'][other] / row['judged']:.1%}" if other in row["caught"] else "" for other in languages]
    own = [f"{row['dropped'][reason] / row['lines']:.2%}" for reason in REASONS]
    return [f"{row['language']}={row['text']}", f"{row['lines']:,}", f"{row['judged']:,}"] + own + shares


if __name__ == "__main__":
    main()
