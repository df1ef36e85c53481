"""What a word is in raw text, and which spellings of it are one word."""

import re
import unicodedata
from dataclasses import dataclass
from typing import List, Optional, Protocol, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language, own_letters, spaceless_language

# a longer word is an address, a table or noise
MAX_CHARACTERS = 100
# the apostrophe ends an elided article (l'homme) and is no part of a word
_ELIDING = frozenset(["ca", "fr", "it", "oc"])
# written in Hebrew letters, where a quotation mark inside a word is the sign of an abbreviation
_HEBREW = frozenset(["he", "yi", "lad"])
_GERESH = {"'": "\u05f3", '"': "\u05f4"}
_BETWEEN_HEBREW = re.compile("(?<=[\u0590-\u05ff])['\"](?=[\u05d0-\u05ea])")
# what does not change a word: soft hyphen, tatweel, marks of direction, word joiner, byte order mark, variant of a
# glyph
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u0640\u061c\u07fa\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0100-\U000e01ef]"
)
# one glyph of two letters, letters as they look at their place in a word, letters as wide as a Chinese one: PDF files
# and old encodings are full of them. Without the punctuation among them, and what stands for a space and a mark
_FORMS = re.compile(
    "[\u0132\u0133\u013f\u0140\u0587\ufb00-\ufb06\ufb13-\ufb17\ufb20-\ufb28\ufb4f\ufb50-\ufbb1\ufbd3-\ufc5d\ufc64-\ufd3d\ufd50-\ufdf9"
    "\ufe80-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f]+"
)
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'", "\uff07": "'"})
# the letters o' and g' of Uzbek, whose sign people write in many ways
_UZBEK = str.maketrans({"\u2018": "'", "\u02bb": "'"})
_TURKISH = str.maketrans({"I": "\u0131", "\u0130": "i"})


class Segmenter(Protocol):
    """Cuts runs of letters of a language without spaces into words; see `ranks/text/segmenters.py`."""

    def segment(self, runs: List[str]) -> Tuple[List[str], List[int]]:
        """runs: list of str. Returns (list of str pieces, list of int, the run of each piece)."""


class Uncut:
    """The Segmenter of words that are cut already."""

    def segment(self, runs: List[str]) -> Tuple[List[str], List[int]]:
        """Each run is a word."""
        return runs, list(range(len(runs)))


@dataclass(frozen=True)
class TextWords:
    """What a word is in the raw text of one language (paper section 2.1 leaves it open).

    A word is a run of letters, combining marks and digits (Unicode categories L, M, N), as in binarised data, that
    starts with a letter or digit. As in Unicode's UAX 29 it may hold the zero-width joiners that Indic and Persian
    spelling needs, and an apostrophe, middle dot, geresh or gershayim between letters, unless the language elides
    with the apostrophe (l'homme: two words). Words are compared in NFC, without soft hyphens, tatweel and other
    characters that are not seen, with a straight apostrophe, in Hebrew with geresh and gershayim for the quotation
    marks inside a word, and with the language's own letters where another's are common (see `own_letters`).

    language: its code; lowercase: fold the case, by Turkish rules for tr and az;
    segmenter: cuts the runs of languages without spaces, see `ranks/text/segmenters.py`.
    """

    language: str
    lowercase: bool = False
    segmenter: Optional[Segmenter] = None

    def __post_init__(self) -> None:
        spaceless = spaceless_language(self.language)
        if spaceless and self.segmenter is None:
            raise InputError(
                f"{spaceless} has no spaces between words: count it with a segmenter (extra `segment`) or by sub-tokens"
            )

    @classmethod
    def of_cut_words(cls, language: str, lowercase: bool = False) -> "TextWords":
        """The rules of spelling alone, for words that need no segmenter because they are cut already."""
        return cls(language, lowercase, Uncut())

    @property
    def elides(self) -> bool:
        """Whether an apostrophe ends a word of this language, as in l'homme, rather than standing inside one."""
        return base_language(self.language) in _ELIDING

    @property
    def pattern(self) -> str:
        """The words of normalised text, as a pattern that Rust's `regex` and Python's `regex` both understand."""
        inside = "\u00b7\u05f3\u05f4" + ("" if self.elides else "'")
        return (
            r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*"
            r"(?:[" + inside + r"][\p{L}\p{N}][\p{L}\p{M}\p{N}]*|[\u200c\u200d]+[\p{L}\p{M}\p{N}]+)*"
        )

    def normalise(self, text: str) -> str:
        """One spelling for every word of a text; white space stays, so lines may be normalised together."""
        base = base_language(self.language)
        text = _FORMS.sub(lambda run: unicodedata.normalize("NFKC", run.group()), text)
        text = _INVISIBLE.sub("", text).translate(_APOSTROPHES)
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        if base in _HEBREW:
            text = _BETWEEN_HEBREW.sub(lambda mark: _GERESH[mark.group()], text)
        if base == "uz":
            text = text.translate(_UZBEK)
        return own_letters(text, base)

    @property
    def ascii_inside(self) -> str:
        """The ASCII characters beside letters and digits that may stand inside a word before it is normalised."""
        return "'\"" if base_language(self.language) in _HEBREW else "'"

    def spell(self, word: str) -> str:
        """The spelling under which a word is counted: normalised, and its case folded where that is asked for."""
        word = self.normalise(word)
        return self.lower(word) if self.lowercase else word

    def lower(self, text: str) -> str:
        """Fold the case of words that are separated by white space."""
        if base_language(self.language) in ("tr", "az"):
            text = text.translate(_TURKISH)
        # lower-casing can make a pair that NFC composes, such as j with caron
        return unicodedata.normalize("NFC", text.lower())


def is_spaceless(language: str) -> bool:
    """Whether the script puts no spaces between words (zh, yue, ja, th, km, lo, my)."""
    return spaceless_language(language) is not None
