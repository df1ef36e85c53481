"""How alike two words are spelt: for cognates, names and numbers, across scripts too."""

import unicodedata
from typing import List, Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import letters_by_script

_FLOOR = 0.2  # what is less alike says nothing, and would fill the matrix
_BLOCK = 2000


def spelling_similarity(left: Sequence[str], right: Sequence[str], floor: float = _FLOOR) -> sparse.csr_matrix:
    """The cosine of two words' character n-grams (2 to 4 letters, with the ends of the word, weighted by tf-idf).

    Diacritics and case are folded; where the languages are written in different scripts, both are romanised first.
    Returns csr float32 [N, M] of the cosines of at least `floor`.
    Raises InputError when the library that romanises is missing.
    """
    left, right = comparable_spellings(left, right)
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32)
    grams.fit(list(left) + list(right))
    ours, theirs = grams.transform(left), grams.transform(right).T.tocsr()
    blocks = []
    for begin in range(0, len(left), _BLOCK):
        block = (ours[begin : begin + _BLOCK] @ theirs).tocsr()
        block.data[block.data < floor] = 0
        block.eliminate_zeros()
        blocks.append(block)
    return sparse.vstack(blocks).tocsr()


def comparable_spellings(left: Sequence[str], right: Sequence[str]) -> List[List[str]]:
    """Both lists of words in one script, without diacritics: romanised where their scripts differ."""
    romanise = scripts_differ(left, right)
    return [[_romanised(word) if romanise else _folded(word) for word in words] for words in (left, right)]


def scripts_differ(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether the letters of two lists of words, the most frequent ones first, are mostly of different scripts."""
    most = [letters_by_script(words).most_common(1) for words in (left, right)]
    return all(most) and most[0][0][0] != most[1][0][0]


def _folded(word: str) -> str:
    """Without marks that combine with a letter (vowel signs, which have a place of their own, stay)."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)) or word


def _romanised(word: str) -> str:
    try:
        from anyascii import anyascii
    except ImportError:
        raise InputError(
            "words of different scripts are compared by a library: pip install 'crossinit_fairseq[lexicon]'"
        ) from None
    return anyascii(word).lower() or word
