"""What the characters of a line are: the same line in one form, and the form in which two lines count as equal."""

import re
import sys
import unicodedata

try:
    from indicnlp.normalize.indic_normalize import IndicNormalizerFactory
    from sacremoses.normalize import MosesPunctNormalizer
except ImportError as error:
    sys.exit("error: preparing text needs {}: pip install 'crossinit_fairseq[recipes]'".format(error.name))

from crossinit_fairseq.languages import comma_below  # noqa: E402

_DEVANAGARI = ("ne", "hi", "mr", "sa", "kok")
# rules of these in sacremoses look across white space, and so must not see the next line
_LINE_BY_LINE = ("de", "es", "fr", "cs", "cz")
_VISARGA_AFTER_DIGIT = re.compile("([\u0966-\u096f])\u0903")
_SPACES, _LINE_ENDS = re.compile(r"[^\S\n]+"), re.compile(r" ?\n ?")


def base_language(code):
    """ro of ro, ro_RO and ro-RO."""
    return re.split("[-_]", code)[0].lower()


class _Kept(dict):
    """A table for str.translate: control and format characters and unassigned ones go, separators become a space."""

    def __missing__(self, code):
        category = unicodedata.category(chr(code))
        if chr(code) in "\n\u00a0\ufffd":
            kept = code  # a no-break space says something about French quotes and units: sacremoses reads it
        elif category[0] == "Z" or chr(code) in "\t\v\f\r\x1c\x1d\x1e\x1f\x85":
            kept = " "
        else:
            kept = None if category[0] == "C" and chr(code) not in "\u200c\u200d" else code
        self[code] = kept
        return kept


class _Compared(dict):
    """A table for str.translate that keeps letters, the marks of their vowels and accents, and digits."""

    def __missing__(self, code):
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else None
        return self[code]


_KEPT, _COMPARED = _Kept(), _Compared()


def comparable(line):
    """The form in which lines are compared: case folded, letters (with their marks) and digits only."""
    return line.casefold().translate(_COMPARED)


class LineNormaliser:
    """Writes the text of one language in one way.

    Unicode's form NFC without control characters; punctuation as sacremoses' port of Moses' normalize-punctuation has
    it (quotes, dashes, spaces around brackets; numbers as they are); Romanian s and t with comma below instead of
    cedilla; Devanagari as indic-nlp-library has it (nukta, danda, no joiners), but no visarga for the colon in 10:30;
    single spaces.
    """

    def __init__(self, language):
        language = base_language(language)
        self._punctuation = MosesPunctNormalizer(lang=language, norm_numbers=False)
        self._by_line = language in _LINE_BY_LINE
        self._romanian, self._indic = language == "ro", None
        if language in _DEVANAGARI:
            self._indic = IndicNormalizerFactory().get_normalizer(language)

    def __call__(self, text):
        """Text of any number of lines, apart at newlines -> as many lines."""
        text = unicodedata.normalize("NFC", text).translate(_KEPT)
        if self._by_line:
            text = "\n".join(map(self._punctuation.normalize, text.split("\n")))
        else:
            # sacremoses strips what it returns; the lines around are not to be lost
            text = self._punctuation.normalize("a\n" + text + "\na")[2:-2]
        if self._romanian:
            text = comma_below(text)
        if self._indic is not None:
            text = _VISARGA_AFTER_DIGIT.sub(r"\1:", self._indic.normalize(text))
        return _LINE_ENDS.sub("\n", _SPACES.sub(" ", text)).strip(" ")
