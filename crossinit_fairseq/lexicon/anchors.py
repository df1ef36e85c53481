"""Where the search for pairs begins: words spelt alike, pairs that are given, or ranks alone."""

from typing import Dict, List, Sequence, Tuple

import numpy as np

from crossinit_fairseq.lexicon.cooccurrence import CoOccurrence
from crossinit_fairseq.lexicon.similarity import Priors, csls, nearest
from crossinit_fairseq.lexicon.spelling import comparable_spellings, scripts_differ
from crossinit_fairseq.lexicon.word_vectors import normalise

MIN_COUNT = 5  # a rarer word's company says little
FARTHEST = 1.5  # words spelt alike whose frequencies differ by more than e ** 1.5 are rarely translations

# pairs as (int [P] of left words, int [P] of right words)
Pairs = Tuple[np.ndarray, np.ndarray]


def log_frequencies(cooccurrence: CoOccurrence) -> np.ndarray:
    """float64 [N]: the logarithm of each word's share of the text."""
    return np.log(cooccurrence.counts / float(cooccurrence.total))


def words_spelt_alike(left: CoOccurrence, right: CoOccurrence, min_count: int = MIN_COUNT) -> Pairs:
    """Words of one spelling, or of one when romanised where scripts differ, frequent enough and of like frequency.

    Where several words of a language are spelt alike once romanised, the most frequent one counts.
    """
    differ = scripts_differ(left.words, right.words)
    # diacritics tell words apart that are no translations: they are not folded where the script is one
    spellings = comparable_spellings(left.words, right.words) if differ else [left.words, right.words]
    places: Dict[str, int] = {}
    for place, word in enumerate(spellings[1]):
        places.setdefault(word, place)
    ours, theirs = log_frequencies(left), log_frequencies(right)
    seen, found = set(), []
    for place, word in enumerate(spellings[0]):
        other = places.get(word)
        if other is None or word in seen:
            continue
        seen.add(word)
        if min(left.counts[place], right.counts[other]) >= min_count and abs(ours[place] - theirs[other]) < FARTHEST:
            found.append((place, other))
    return as_pairs(found)


def given_pairs(left: CoOccurrence, right: CoOccurrence, seeds: Sequence[Tuple[str, str]]) -> Pairs:
    """The seeds whose words both stand in the vocabulary; each left word once."""
    ours = {word: place for place, word in enumerate(left.words)}
    theirs = {word: place for place, word in enumerate(right.words)}
    found: Dict[int, int] = {}
    for source, target in seeds:
        if source in ours and target in theirs:
            found.setdefault(ours[source], theirs[target])
    return as_pairs(sorted(found.items()))


def as_pairs(places: List[Tuple[int, int]]) -> Pairs:
    """(left, right) places as two int64 arrays."""
    array = np.array(places, dtype=np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def rank_profiles(cooccurrence: CoOccurrence, count: int, bands: int = 12) -> np.ndarray:
    """What can be compared between two languages with no pair of words known: the ranks of a word's neighbours.

    For each of the `count` most frequent words: the share of its left, its right and its window neighbours in each band
    of ranks (bands grow by a constant factor; the first ones, of less than a rank, are one), and its place in the
    sentence. Returns float32 [count, D] of unit length, each column centred before; D is at most 3 * bands + 1.
    """
    edges = np.unique(np.geomspace(1, count + 1, bands + 1).astype(np.int64) - 1)
    parts = []
    for matrix in (cooccurrence.left, cooccurrence.right, cooccurrence.window):
        rows = matrix[:count, :count].tocsc()
        shares = np.stack(
            [np.asarray(rows[:, low:high].sum(1)).ravel() for low, high in zip(edges[:-1], edges[1:])], axis=1
        ).astype(np.float64)
        shares = np.sqrt((shares + 0.1) / (shares + 0.1).sum(1, keepdims=True))  # as far apart as Hellinger's distance
        parts.append((shares - shares.mean(0)) / np.maximum(shares.std(0), 1e-9))
    place = cooccurrence.place[:count, None]
    parts.append((place - place.mean()) / max(float(place.std()), 1e-9) * 2)
    return normalise(np.concatenate(parts, axis=1).astype(np.float32))


def pairs_by_rank_profile(left: CoOccurrence, right: CoOccurrence, priors: Priors, count: int) -> Pairs:
    """Mutual nearest neighbours of rank profiles, for the `count` most frequent words: a noisy start, where there is
    none."""
    profiles = [rank_profiles(side, count) for side in (left, right)]
    best = nearest(priors.first(count).add_to(csls(profiles[0] @ profiles[1].T)))
    return np.flatnonzero(best.mutual), best.forward[best.mutual]
