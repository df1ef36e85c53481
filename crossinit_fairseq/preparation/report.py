"""What became of the text: what was read, kept and dropped, and how the sub-tokens serve each language.

A word is what stands between spaces; characters are counted without spaces, as SentencePiece sees them. Two languages
share a sub-token if it belongs to the common ones of both: the most frequent ones that make up 99 % of a language's
text. A few foreign names do not make a sub-token a shared one.
"""

import glob
import json
import os
from collections import Counter
from itertools import combinations
from typing import Any, Collection, Dict, List, Sequence, Set, Tuple

from tqdm import tqdm

from crossinit_fairseq.data.dictionary import WORD_START, read_symbols, special_rows
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.stage_files import CLEAN, ENCODE, VOCABULARY, batches, lines_of

_BATCH = 10000  # lines
_COVERAGE = 0.99
_CLEANING_NUMBERS = ("lines_read", "words_read", "lines", "words")


def make_report(languages: Sequence[str], clean: str, pieces: str) -> Dict[str, Any]:
    """What CLEAN/LANG.json and the text in PIECES (dict.txt, valid.LANG, K/train.LANG) tell, for JSON.

    Raises InputError for a step that was not run.
    """
    known = text_symbols(os.path.join(pieces, "dict.txt"))
    cleaning = {language: _read_counts(clean, language) for language in languages}
    usage = {language: Usage(known, _encoded(pieces, language)) for language in languages}
    return {
        "vocabulary": len(known),
        "coverage": _COVERAGE,
        "languages": {
            language: {"cleaning": cleaning[language], "sub_tokens": usage[language].as_dict()}
            for language in languages
        },
        "shared": [shared(pair, usage) for pair in combinations(languages, 2)],
    }


def text_symbols(path: str) -> Set[str]:
    """The sub-tokens in a dict.txt, without the control symbols. Raises InputError when there is no such file."""
    if not os.path.isfile(path):
        raise InputError(f"{path} does not exist: make it with {VOCABULARY}")
    symbols = read_symbols(path)
    special = set(special_rows(symbols))
    return {symbol for row, symbol in enumerate(symbols) if row not in special}


def _read_counts(folder: str, language: str) -> Dict[str, Any]:
    path = os.path.join(folder, language + ".json")
    if not os.path.isfile(path):
        raise InputError(f"{path} does not exist: make it with {CLEAN}")
    try:
        with open(path, encoding="utf-8") as stream:
            counts = json.load(stream)
        numbers = [counts[key] for key in _CLEANING_NUMBERS] + list(counts["dropped"].values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        numbers = [None]
    if not all(isinstance(number, int) for number in numbers):
        raise InputError(f"{path} holds no counts of {CLEAN}: make it again")
    return counts


def _encoded(folder: str, language: str) -> List[str]:
    """The files that hold a language's text in pieces."""
    shards = glob.glob(os.path.join(glob.escape(folder), "[0-9]*", "train." + language))
    if not shards:
        raise InputError(f"{folder}/0/train.{language} does not exist: make it with {ENCODE}")
    valid = os.path.join(folder, "valid." + language)
    return sorted(shards) + [valid] * os.path.exists(valid)


class Usage:
    """How often a language's text uses each sub-token of a set `known`; paths: its text in pieces."""

    def __init__(self, known: Collection[str], paths: Sequence[str]):
        self.counts: "Counter[str]" = Counter()
        self.unknown = 0
        self.words = self.characters = self.lines = 0
        with tqdm(total=sum(map(os.path.getsize, paths)), unit="B", unit_scale=True, disable=None) as bar:
            for path in paths:
                for lines in batches(lines_of(path), _BATCH):
                    self._add(lines, known)
                    bar.update(sum(len(line.encode("utf-8")) + 1 for line in lines))
        self.tokens = sum(self.counts.values()) + self.unknown
        self.common = self._common()

    def _add(self, lines: Sequence[str], known: Collection[str]) -> None:
        self.lines += len(lines)
        for piece, number in Counter(piece for line in lines for piece in line.split(" ")).items():
            self.words += number * piece.startswith(WORD_START)
            self.characters += number * len(piece.replace(WORD_START, ""))
            if piece in known:
                self.counts[piece] += number
            else:
                self.unknown += number

    def _common(self) -> Set[str]:
        """The fewest sub-tokens that make up _COVERAGE of the known text; equal counts in the order of code points."""
        common: Set[str] = set()
        left = _COVERAGE * sum(self.counts.values())
        for piece, number in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            if left <= 0:
                break
            common.add(piece)
            left -= number
        return common

    def share_in(self, pieces: Collection[str]) -> float:
        """The share of the text that a set of sub-tokens makes up."""
        return sum(number for piece, number in self.counts.items() if piece in pieces) / max(1, self.tokens)

    def as_dict(self) -> Dict[str, Any]:
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


def shared(pair: Tuple[str, str], usage: Dict[str, Usage]) -> Dict[str, Any]:
    """What two languages share, for JSON: their common sub-tokens, and the share of each one's text they make up."""
    both = usage[pair[0]].common & usage[pair[1]].common
    return {"pair": list(pair), "common": len(both), "text": {name: usage[name].share_in(both) for name in pair}}
