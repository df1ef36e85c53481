"""Report on prepared text: what was read, kept and dropped, and how the sub-tokens serve each language.

    python report.py --langs en,ro --clean clean --pieces pieces --out .

Reads clean/LANG.json of clean.py, pieces/dict.txt of vocabulary.py and the text that encode.py cut (pieces/valid.LANG
and pieces/K/train.LANG). Writes report.txt, two tables, and report.json, the same figures unrounded with the counts
and examples of each file. A word is what stands between spaces; characters are counted without spaces, as
SentencePiece sees them.

Two languages share a sub-token if it belongs to the common ones of both: the most frequent ones that make up 99 % of a
language's text. A few foreign names do not make a sub-token a shared one.
"""

import glob
import json
import os
from collections import Counter
from itertools import combinations

from programs import InputError, language_list, parser, run
from reasons import REASONS
from stage_files import batches, open_lines
from tqdm import tqdm

from crossinit_fairseq.cli.columns import format_columns
from crossinit_fairseq.complete_files import complete_file

_BATCH = 10000  # lines
_COVERAGE = 0.99
_SPACE = "\u2581"


def main(command=None):
    arguments = parser(__doc__)
    arguments.add_argument("--langs", required=True, type=language_list, help="such as en,ro")
    arguments.add_argument("--clean", required=True, metavar="DIR", help="holds LANG.json")
    arguments.add_argument("--pieces", required=True, metavar="DIR", help="holds dict.txt, valid.LANG, K/train.LANG")
    arguments.add_argument("--out", required=True, metavar="DIR")
    options = arguments.parse_args(command)
    known = read_symbols(os.path.join(options.pieces, "dict.txt"), options.langs)
    cleaning = {language: _read_counts(options.clean, language) for language in options.langs}
    usage = {language: Usage(known, _encoded(options.pieces, language)) for language in options.langs}
    report = {
        "vocabulary": len(known),
        "coverage": _COVERAGE,
        "languages": {
            language: {"cleaning": cleaning[language], "sub_tokens": usage[language].as_dict()}
            for language in options.langs
        },
        "shared": [shared(pair, usage) for pair in combinations(options.langs, 2)],
    }
    os.makedirs(options.out, exist_ok=True)
    text = format_report(report)
    for name, content in (("report.json", json.dumps(report, ensure_ascii=False, indent=1)), ("report.txt", text)):
        with complete_file(os.path.join(options.out, name)) as path:
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(content + "\n")
    print(text)


def read_symbols(path, languages):
    """The set of sub-tokens in a dict.txt, without the language tokens and <mask>."""
    if not os.path.isfile(path):
        raise InputError("{} does not exist: make it with vocabulary.py".format(path))
    with open_lines(path) as stream:
        symbols = {line.rstrip("\n").rsplit(" ", 1)[0] for line in stream}
    return symbols - {"[{}]".format(language) for language in languages} - {"<mask>"}


def _read_counts(folder, language):
    path = os.path.join(folder, language + ".json")
    if not os.path.isfile(path):
        raise InputError("{} does not exist: make it with clean.py".format(path))
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except ValueError:
        raise InputError("{} is no JSON: make it again with clean.py".format(path)) from None


def _encoded(folder, language):
    """The files that hold a language's text in pieces."""
    shards = glob.glob(os.path.join(glob.escape(folder), "[0-9]*", "train." + language))
    if not shards:
        raise InputError("{}/0/train.{} does not exist: make it with encode.py".format(folder, language))
    valid = os.path.join(folder, "valid." + language)
    return sorted(shards) + [valid] * os.path.exists(valid)


class Usage:
    """How often a language's text uses each sub-token of a set `known`; paths: its text in pieces."""

    def __init__(self, known, paths):
        self.counts, self.unknown = Counter(), 0
        self.words = self.characters = self.lines = 0
        with tqdm(total=sum(map(os.path.getsize, paths)), unit="B", unit_scale=True, disable=None) as bar:
            for path in paths:
                with open_lines(path) as stream:
                    for lines in batches(stream, _BATCH):
                        self._add(lines, known)
                        bar.update(sum(len(line.encode("utf-8")) + 1 for line in lines))
        self.tokens = sum(self.counts.values()) + self.unknown
        self.common = self._common()

    def _add(self, lines, known):
        self.lines += len(lines)
        for piece, number in Counter(piece for line in lines for piece in line.split(" ")).items():
            self.words += number * piece.startswith(_SPACE)
            self.characters += number * len(piece.replace(_SPACE, ""))
            if piece in known:
                self.counts[piece] += number
            else:
                self.unknown += number

    def _common(self):
        """The fewest sub-tokens that make up _COVERAGE of the known text; equal counts in the order of code points."""
        common, left = set(), _COVERAGE * sum(self.counts.values())
        for piece, number in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            if left <= 0:
                break
            common.add(piece)
            left -= number
        return common

    def share_in(self, pieces):
        """The share of the text that a set of sub-tokens makes up."""
        return sum(number for piece, number in self.counts.items() if piece in pieces) / max(1, self.tokens)

    def as_dict(self):
        """For JSON."""
        return {
            "lines": self.lines,
            "words": self.words,
            "sub_tokens": self.tokens,
            "sub_tokens_per_word": self.tokens / max(1, self.words),
            "characters_per_sub_token": self.characters / max(1, self.tokens),
            "unknown_share": self.unknown / max(1, self.tokens),
            "used": len(self.counts),
            "common": len(self.common),
        }


def shared(pair, usage):
    """What two languages share, for JSON: their common sub-tokens, and the share of each one's text they make up."""
    both = usage[pair[0]].common & usage[pair[1]].common
    return {"pair": list(pair), "common": len(both), "text": {name: usage[name].share_in(both) for name in pair}}


def format_report(report):
    """The tables of report.txt."""
    languages = report["languages"]
    cleaning = [languages[name]["cleaning"] for name in languages]
    pieces = [languages[name]["sub_tokens"] for name in languages]
    rows = [[""] + list(languages)]
    for title, key in (("lines read", "lines_read"), ("words read", "words_read")):
        rows.append([title] + ["{:,}".format(counts[key]) for counts in cleaning])
    for reason in REASONS:
        dropped = [counts["dropped"].get(reason, 0) for counts in cleaning]
        if any(dropped):
            rows.append(["dropped: " + reason] + ["{:,}".format(number) for number in dropped])
    for title, key in (("lines kept", "lines"), ("words kept", "words")):
        rows.append([title] + ["{:,}".format(counts[key]) for counts in cleaning])
    for title, key, shape in (
        ("sub-tokens", "sub_tokens", "{:,}"),
        ("sub-tokens per word", "sub_tokens_per_word", "{:.2f}"),
        ("characters per sub-token", "characters_per_sub_token", "{:.2f}"),
        ("unknown sub-tokens", "unknown_share", "{:.3%}"),
        ("different sub-tokens", "used", "{:,}"),
        ("of these for {:.0%} of the text".format(report["coverage"]), "common", "{:,}"),
    ):
        rows.append([title] + [shape.format(counts[key]) for counts in pieces])
    tables = [format_columns(rows)]
    if report["shared"]:
        rows = [["shared", "sub-tokens", "of the text of the first", "of the second"]]
        for pair in report["shared"]:
            shares = ["{:.1%}".format(pair["text"][name]) for name in pair["pair"]]
            rows.append(["-".join(pair["pair"]), "{:,}".format(pair["common"])] + shares)
        tables.append(format_columns(rows))
    tables.append(
        "{:,} sub-tokens in the vocabulary. Shared: among those that make up {:.0%} of each language's text.\n"
        "Examples of dropped lines: report.json".format(report["vocabulary"], report["coverage"])
    )
    return "\n\n".join(tables)


if __name__ == "__main__":
    run(main, "report.py")
