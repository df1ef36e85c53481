"""The vocabulary of a language: what back-translation may generate while it is held back from copying its source."""

from typing import Dict, Mapping

import numpy as np

from crossinit_fairseq.ranks import BinarisedText

_CHUNK = 1 << 24  # tokens counted at a time
_SHARE = 0.1


def count_tokens(text: BinarisedText, size: int) -> np.ndarray:
    """How often a text holds each of `size` tokens. Returns int64 [size]."""
    counts = np.zeros(size, dtype=np.int64)
    for begin in range(0, len(text.tokens), _CHUNK):
        counts += np.bincount(text.tokens[begin : begin + _CHUNK], minlength=size)
    return counts


def vocabularies(counts: Mapping[str, np.ndarray], share: float = _SHARE) -> Dict[str, np.ndarray]:
    """The tokens that are at least `share` times as frequent in a language's text as in any other's.

    That a token was seen at all says little: names and quotations bring most tokens into any text. Liu et al. (2020,
    mBART, section 5.1) restrict the first 1,000 updates to tokens of a minimum frequency for the same purpose.
    counts: {language: int64 [V]}, each with at least one token. Returns {language: bool [V]}.
    """
    frequencies = {language: count / count.sum() for language, count in counts.items()}
    highest = np.max(list(frequencies.values()), axis=0)
    return {language: (own > 0) & (own >= share * highest) for language, own in frequencies.items()}
