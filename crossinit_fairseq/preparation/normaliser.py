"""What the characters of a line are: the same line in one form, and the form in which two lines count as equal."""

import unicodedata
from typing import BinaryIO, Dict, List, Union

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language, own_letters
from crossinit_fairseq.markup import unescape
from crossinit_fairseq.text_files import decode

# rules of sacremoses take time by the square of a line's length, as in a line of nothing but dots; longer lines are
# normalised in pieces
LONGEST = 4000
_DEVANAGARI = ("ne", "hi", "mr", "sa", "kok")
# rules of these in sacremoses look across white space, and so must not see the next line
_LINE_BY_LINE = ("de", "es", "fr", "cs", "cz")
_PRIVATE = "\ue000"  # stands for a colon; _KEPT has removed all characters for private use before
Character = Union[int, str, None]  # what str.translate writes for a character: nothing for None


class _Kept(Dict[int, Character]):
    """A table for str.translate: control and format characters and unassigned ones go, separators become a space."""

    def __missing__(self, code: int) -> Character:
        kept: Character
        category = unicodedata.category(chr(code))
        if chr(code) in "\n\u00a0\ufffd":
            kept = code  # a no-break space says something about French quotes and units: sacremoses reads it
        elif category[0] == "Z" or chr(code) in "\t\v\f\r\x1c\x1d\x1e\x1f\x85":
            kept = " "
        else:
            kept = None if category[0] == "C" and chr(code) not in "\u200c\u200d" else code
        self[code] = kept
        return kept


class _Compared(Dict[int, Character]):
    """A table for str.translate that keeps letters, the marks of their vowels and accents, and digits."""

    def __missing__(self, code: int) -> Character:
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else None
        return self[code]


_KEPT, _COMPARED = _Kept(), _Compared()


def comparable(line: str) -> str:
    """The form in which lines are compared: case folded, letters (with their marks) and digits only."""
    return line.casefold().translate(_COMPARED)


class LineNormaliser:
    """Writes the text of one language in one way.

    Character entities as what they stand for (`&quot;` a quote); Unicode's form NFC without control characters;
    punctuation as sacremoses' port of Moses' normalize-punctuation has it (quotes, dashes, spaces around brackets;
    numbers as they are); Romanian s and t with comma below instead of cedilla, Persian
    and Urdu yeh and kaf instead of the Arabic ones; Devanagari as indic-nlp-library has it
    (nukta, danda, no joiners), but a colon stays a colon and becomes no visarga; single spaces.
    """

    def __init__(self, language: str):
        """Raises InputError for what is no language code, and where a library is not installed."""
        try:
            from sacremoses.normalize import MosesPunctNormalizer

            language = base_language(language)
            self._indic = None
            if language in _DEVANAGARI:
                from indicnlp.normalize.indic_normalize import IndicNormalizerFactory

                self._indic = IndicNormalizerFactory().get_normalizer(language)
        except ImportError as error:
            raise InputError(f"preparing text needs {error.name}: pip install 'crossinit_fairseq[recipes]'") from None
        self._punctuation = MosesPunctNormalizer(lang=language, norm_numbers=False)
        self._by_line = language in _LINE_BY_LINE
        self._language = language

    def __call__(self, text: str) -> str:
        """Text of any number of lines, apart at newlines -> as many lines."""
        if len(text) <= LONGEST:
            return self._normalise(text)
        lines: List[str] = []
        short: List[str] = []
        for line in text.split("\n"):
            if len(line) <= LONGEST:
                short.append(line)
                continue
            if short:
                lines.append(self._normalise("\n".join(short)))
                short = []
            lines.append(" ".join(filter(None, map(self._normalise, pieces_of(line)))))
        if short:
            lines.append(self._normalise("\n".join(short)))
        return "\n".join(lines)

    def _normalise(self, text: str) -> str:
        text = unicodedata.normalize("NFC", unescape(text)).translate(_KEPT)
        if self._by_line:
            text = "\n".join(map(self._punctuation.normalize, text.split("\n")))
        else:
            # sacremoses strips what it returns; the lines around are not to be lost
            text = self._punctuation.normalize("a\n" + text + "\na")[2:-2]
        text = own_letters(text, self._language)
        if self._indic is not None:
            # the library takes every colon after a Devanagari letter for a visarga, a letter that looks like one
            text = self._indic.normalize(text.replace(":", _PRIVATE)).replace(_PRIVATE, ":")
        return "\n".join(" ".join(line.split()) for line in text.split("\n"))


def pieces_of(line: str, longest: int = LONGEST) -> List[str]:
    """The line in pieces of up to `longest` characters, cut at spaces where there are any."""
    pieces = []
    while len(line) > longest:
        cut = line.rfind(" ", 1, longest + 1)
        cut = longest if cut < 0 else cut
        pieces.append(line[:cut])
        line = line[cut:]
    return pieces + [line]


def normalise_stream(normaliser: LineNormaliser, source: BinaryIO, target: BinaryIO) -> int:
    """Write each line of UTF-8 `source` normalised to `target`, one for each. Returns their number.

    Raises InputError for a line that is not UTF-8, with its number from 1.
    """
    name = getattr(source, "name", None)
    name = name if isinstance(name, str) and name != "<stdin>" else "standard input"
    number = 0
    for number, data in enumerate(source, 1):
        line = decode(data, name, number).rstrip("\r\n")
        target.write(normaliser(line).encode("utf-8") + b"\n")
    return number
