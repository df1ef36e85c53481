"""Nepali and its neighbours as FLoRes prepares them: normalised and tokenised by the Indic NLP library.

FLoRes v1 (Guzman et al. 2019) reports BLEU of so tokenised text for translation out of English: its README, and
scripts/indic_norm_tok.py in github.com/facebookresearch/flores.
"""

from crossinit_fairseq.scoring.extras import missing_extra

# those that mBART's paper names for this tokeniser (Liu et al. 2020, appendix); FLoRes v1 has Nepali and Sinhala
LANGUAGES = ("gu", "hi", "ne", "si")


def indic_steps(language):
    """(a function that normalises and tokenises a line, a str that names its library). language: one of LANGUAGES.

    Raises InputError where the library is not installed.
    """
    try:
        from importlib.metadata import version

        from indicnlp.normalize.indic_normalize import IndicNormalizerFactory
        from indicnlp.tokenize.indic_tokenize import trivial_tokenize
    except ImportError:
        raise missing_extra("indic-nlp-library", "the tokenised BLEU of FLoRes") from None

    normalizer = IndicNormalizerFactory().get_normalizer(language, remove_nuktas=False)

    def prepare(line):
        return " ".join(trivial_tokenize(normalizer.normalize(line), language))

    return prepare, "indic-nlp-library:" + version("indic-nlp-library")
