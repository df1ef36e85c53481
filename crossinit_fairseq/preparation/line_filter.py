"""Which lines stay: the reasons to drop a line, in the order in which they are tried."""

import re
import unicodedata
from typing import Collection, Dict, List, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.languages import base_language, script_of
from crossinit_fairseq.preparation.identification import CANDIDATES, Identifier, weigh_function_words
from crossinit_fairseq.preparation.normaliser import comparable

REASONS_OF_ONE_LINE = (
    "empty",
    "damaged characters",
    "markup",
    "no letters",
    "few letters",
    "too few words",
    "too many words",
    "too many characters",
    "overlong word",
    "another script",
    "another language",
    "in the test sets",
)
REASONS = REASONS_OF_ONE_LINE + ("repeated", "over --max-lines")
OVERLONG = 10  # a line of so many times the characters that a line may have is not even looked at
JUDGED_LETTERS = 20  # shorter lines are names and labels as often as sentences: nothing tells their language
# nats by which another language must be likelier; scripts/bench/language_filter.py says what that drops and catches
MARGIN = 5.0
LETTER_SHARE = 0.5  # of the characters that are no space
SCRIPT_SHARE = 0.5  # of the letters
# double brackets also close the footnotes of statutes, 1[the 2[State]]: only what a wiki writes counts
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<!--|&(?:[a-z]{2,8}|#\d+);|\{\{|\}\}|\[\[[^\W\d]|^[^\[]*\]\]")
_SCRIPTS = (
    (
        re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]"),
        "af bs ca cs cy da de en es et eu fi fr ga gl hr hu id is it la lb lt lv ms mt nb nl nn no pl pt ro sk sl sq "
        "sv sw tl tr vi",
    ),
    (re.compile("[\u0904-\u0939\u0958-\u0961\u0972-\u097f]"), "hi mr ne sa"),
    (re.compile("[\u0400-\u052f]"), "be bg mk ru uk"),
)


class _NeitherMarkNorSpace(Dict[int, Optional[int]]):
    """A table for str.translate that takes spaces and combining marks away."""

    def __missing__(self, code: int) -> Optional[int]:
        self[code] = None if unicodedata.category(chr(code))[0] in "MZ" else code
        return self[code]


_SOLID = _NeitherMarkNorSpace()


class LineFilter:
    """Judges normalised lines of one language.

    language: its code; one with a script that is not the language's usual one (hi_Latn) is filtered by neither language
    nor script; words: (least, most) words of a line; characters, word_characters: most characters of a line and of a
    word; languages: whether to drop other languages and scripts; keep_out: set of `comparable` lines not to be let in.
    """

    def __init__(
        self,
        language: str,
        words: Tuple[int, int] = (1, 175),
        characters: int = 2000,
        word_characters: int = 60,
        languages: bool = True,
        keep_out: Collection[str] = (),
    ):
        self.language = base_language(language)
        if script_of(language):  # romanised Hindi: nothing here knows what its letters are
            languages = False
        self.words, self.characters, self.word_characters = words, characters, word_characters
        self.keep_out = keep_out
        self.script = next((script for script, names in _SCRIPTS if self.language in names.split()), None)
        self.identifier: Optional[Identifier] = None
        if languages:
            identifier = Identifier(CANDIDATES if self.language in CANDIDATES else None)
            if self.language in identifier.languages:  # one that the model does not know cannot be told from others
                self.identifier = identifier
        self.check_script = languages and self.script is not None

    def __call__(self, lines: Sequence[str]) -> Tuple[List[Optional[str]], List[Optional[str]]]:
        """Judge a list of N lines.

        Returns (reasons, guesses): N of REASONS_OF_ONE_LINE, None for a line that stays, and N languages: what a line
        long enough to tell is most likely in, None for others.
        """
        reasons: List[Optional[str]] = []
        solid = []
        for line in lines:
            reason, letters = self._first_reason(line)
            reasons.append(reason)
            solid.append(letters)
        guesses = self._languages(lines, reasons, solid)
        for k, line in enumerate(lines):
            if reasons[k] is None and self.keep_out and comparable(line) in self.keep_out:
                reasons[k] = "in the test sets"
        return reasons, guesses

    def _first_reason(self, line: str) -> Tuple[Optional[str], int]:
        """What is wrong with a line apart from its language, or None; and its number of letters."""
        if not line:
            return "empty", 0
        if len(line) > OVERLONG * self.characters:
            return "too many characters", 0
        if "\ufffd" in line:
            return "damaged characters", 0
        if _MARKUP.search(line):
            return "markup", 0
        solid = line.translate(_SOLID)
        letters = sum(map(str.isalpha, solid))
        if not letters:
            return "no letters", 0
        if letters < LETTER_SHARE * len(solid):
            return "few letters", letters
        words = line.split(" ")
        if not self.words[0] <= len(words) <= self.words[1]:
            return ("too few words" if len(words) < self.words[0] else "too many words"), letters
        if len(line) > self.characters:
            return "too many characters", letters
        if max(map(len, words)) > self.word_characters:
            return "overlong word", letters
        if self.check_script and letters - self._in_script(solid) > SCRIPT_SHARE * letters:
            return "another script", letters
        return None, letters

    def _in_script(self, solid: str) -> int:
        return len(solid) - len(self.script.sub("", solid)) if self.script else len(solid)

    def _languages(
        self, lines: Sequence[str], reasons: List[Optional[str]], letters: Sequence[int]
    ) -> List[Optional[str]]:
        """Fill in the reason "another language"; returns the guesses."""
        guesses: List[Optional[str]] = [None] * len(lines)
        if self.identifier is None:
            return guesses
        rows = [
            k
            for k, reason in enumerate(reasons)
            if letters[k] >= JUDGED_LETTERS and (reason is None or reason == "another script")
        ]
        if not rows:
            return guesses
        scores = self.identifier.scores([lines[k] for k in rows])
        weigh_function_words(scores, self.identifier.languages, [lines[k] for k in rows])
        best = scores.argmax(axis=1)
        own = self.identifier.languages.index(self.language)
        margins = scores[np.arange(len(rows)), best] - scores[:, own]
        for k, guess, margin in zip(rows, best, margins):
            if reasons[k] is None and margin <= MARGIN:
                guesses[k] = self.language
            else:
                guesses[k] = self.identifier.languages[guess]
                reasons[k] = reasons[k] or "another language"
        return guesses
