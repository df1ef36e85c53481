"""How the words of a table are spread: directions, isotropy, mean cosines, and norms by rank."""

from dataclasses import dataclass
from typing import List, Mapping, Optional, Tuple

import numpy as np

from crossinit_fairseq.analysis.words import LanguageWords, Space
from crossinit_fairseq.lexicon.similarity import units

NORM_BANDS = (1, 101, 1001, 5001)  # where each begins; the last has no end


@dataclass(frozen=True)
class Spread:
    """What a table looks like before any word is compared with its translation.

    directions: 1 / mean squared cosine of two different words (d at most for random vectors, 1 where one direction is
    left), as `alignment.collapse` measures it; isotropy: 0 to 1 (Mu and Viswanath 2018, Eq. 7), 1 where no direction is
    preferred; within, across: mean cosine of two words of one language, of two languages (None of one language alone);
    norms: (language, first rank, last or None, mean norm).
    """

    table: str
    directions: float
    isotropy: float
    within: float
    across: Optional[float]
    norms: List[Tuple[str, int, Optional[int], float]]


def measure_spread(words: Mapping[str, LanguageWords], space: Space) -> Spread:
    """The Spread of all words of a space; needs no pair of words to be formed."""
    normed = {language: units(vectors) for language, vectors in space.vectors.items()}
    stacked = np.concatenate(list(normed.values()))
    count = len(stacked)
    # the sum of all squared cosines is that of the product of the coordinates; a word with itself is left out
    squared = float(((stacked.T @ stacked) ** 2).sum() - (np.linalg.norm(stacked, axis=1) ** 4).sum())
    pairs = count * (count - 1)
    sums = {language: vectors.sum(0) for language, vectors in normed.items()}
    own = sum(float(total @ total) - float((normed[language] ** 2).sum()) for language, total in sums.items())
    own_pairs = sum(len(vectors) * (len(vectors) - 1) for vectors in normed.values())
    both = sum(sums.values())
    other = float(both @ both) - sum(float(total @ total) for total in sums.values())
    other_pairs = count**2 - sum(len(vectors) ** 2 for vectors in normed.values())
    norms = []
    for language, vectors in space.vectors.items():
        lengths = np.linalg.norm(vectors, axis=1)
        for first, following in zip(NORM_BANDS, NORM_BANDS[1:] + (None,)):
            inside = (words[language].ranks >= first) & (words[language].ranks < (following or np.inf))
            if inside.any():
                norms.append((language, first, following - 1 if following else None, float(lengths[inside].mean())))
    return Spread(
        table=space.name,
        directions=pairs / squared if squared > 0 else float(space.dimension),
        isotropy=isotropy(space.stacked()),
        within=own / own_pairs if own_pairs else 1.0,
        across=other / other_pairs if other_pairs else None,
        norms=norms,
    )


def isotropy(vectors: np.ndarray) -> float:
    """min Z(c) / max Z(c) over the principal directions c, Z(c) = sum of exp(c . w) (Mu and Viswanath 2018, Eq. 7).

    vectors: float [n, d], scaled to a mean norm of 1, so that tables of any scale can be compared. Returns 0 to 1.
    """
    norm = np.linalg.norm(vectors, axis=1).mean()
    vectors = vectors / norm if norm > 0 else vectors
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    sums = np.concatenate([np.exp(vectors @ directions).sum(0), np.exp(-vectors @ directions).sum(0)])
    return float(sums.min() / sums.max())
