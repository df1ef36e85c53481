"""Romanian and Indic text as papers normalise and tokenise it before they count n-grams.

Romanian: the steps of WMT16 (Sennrich et al. 2016, github.com/rsennrich/wmt16-scripts) and of the Moses scripts, in the
order in which the scores of mBART were reproduced: github.com/facebookresearch/fairseq/issues/1758.

Indic languages: as FLoRes v1 (Guzman et al. 2019) prepares them for translation out of English: its README, and
scripts/indic_norm_tok.py in github.com/facebookresearch/flores.
"""

import re
import unicodedata
from typing import Callable, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import comma_below

# those that mBART's paper names for this tokeniser (Liu et al. 2020, appendix); FLoRes v1 has Nepali and Sinhala
INDIC_LANGUAGES = ("gu", "hi", "ne", "si")
# a function that prepares a line, and the name and version of its library
LineStep = Tuple[Callable[[str], str], str]
_NO_DIACRITICS = str.maketrans("\u0218\u0219\u021a\u021b\u0102\u0103\u00c2\u00e2\u00ce\u00ee", "SsTtAaAaIi")


class MissingExtra(InputError):
    """A score cannot be computed because a library is not installed."""


def missing_extra(library: str, purpose: str) -> MissingExtra:
    """The error to raise. library: its name in pip; purpose: what needs it."""
    return MissingExtra(f"{purpose} needs {library}: pip install 'crossinit_fairseq[recipes]'")


def without_diacritics(line: str) -> str:
    """The five Romanian letters lose their marks, as in remove-diacritics.py of WMT16; other letters keep theirs."""
    return comma_below(line).translate(_NO_DIACRITICS)


def moses_steps() -> LineStep:
    """Romanian without diacritics, over the tokens of Moses.

    Moses' replace-unicode-punctuation, normalize-punctuation -l ro and remove-non-printing-char; without_diacritics;
    Moses' tokenizer -no-escape -l ro: by sacremoses, and by hand where it differs. The tokens were compared with those
    of the Perl scripts of 2025: the same in all of newstest2016, in all but 1 of 20,000 lines of mixed text (Chinese).
    Raises MissingExtra.
    """
    try:
        import sacremoses
    except ImportError:
        raise missing_extra("sacremoses", "BLEU of Romanian without diacritics") from None

    normalizer = sacremoses.MosesPunctNormalizer(lang="ro", pre_replace_unicode_punct=True)
    tokenizer = sacremoses.MosesTokenizer(lang="ro")

    def prepare(line: str) -> str:
        line = normalizer.normalize(line)
        # Moses does this for all languages but English and Czech, sacremoses for three; Moses sees the line feed
        for pattern, replacement in normalizer.DE_ES_FR_QUOTATION_FOLLOWED_BY_COMMA:
            line = re.sub(pattern, replacement, line + "\n").strip()
        # sacremoses would delete the characters that do not print, Moses writes a space
        line = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in line)
        line = tokenizer.tokenize(without_diacritics(line), escape=False, return_str=True)
        # sacremoses leaves the last full stop of a line at an abbreviation
        return re.sub(r"([^\s.])\.$", r"\1 .", line)

    return prepare, "sacremoses:" + sacremoses.__version__


def indic_steps(language: str) -> LineStep:
    """Normalised and tokenised by the Indic NLP library. language: one of INDIC_LANGUAGES.

    Raises MissingExtra.
    """
    try:
        from importlib.metadata import version

        from indicnlp.normalize.indic_normalize import IndicNormalizerFactory
        from indicnlp.tokenize.indic_tokenize import trivial_tokenize
    except ImportError:
        raise missing_extra("indic-nlp-library", "the tokenised BLEU of FLoRes") from None

    normalizer = IndicNormalizerFactory().get_normalizer(language, remove_nuktas=False)

    def prepare(line: str) -> str:
        return " ".join(trivial_tokenize(normalizer.normalize(line), language))

    return prepare, "indic-nlp-library:" + version("indic-nlp-library")
