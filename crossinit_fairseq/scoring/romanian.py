"""Romanian text as papers prepare it before they count n-grams.

The steps are those of WMT16 (Sennrich et al. 2016, github.com/rsennrich/wmt16-scripts) and of the Moses scripts, in the
order in which the scores of mBART were reproduced: github.com/facebookresearch/fairseq/issues/1758.
"""

import re
import unicodedata

from crossinit_fairseq.languages import comma_below
from crossinit_fairseq.scoring.extras import missing_extra

_NO_DIACRITICS = str.maketrans("\u0218\u0219\u021a\u021b\u0102\u0103\u00c2\u00e2\u00ce\u00ee", "SsTtAaAaIi")


def without_diacritics(line):
    """The five Romanian letters lose their marks, as in remove-diacritics.py of WMT16; other letters keep theirs."""
    return comma_below(line).translate(_NO_DIACRITICS)


def moses_steps():
    """(a function that prepares a line, a str that names its library).

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

    def prepare(line):
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
