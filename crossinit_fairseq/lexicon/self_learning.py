"""Self-learning: from the pairs known so far to vectors in one space, from these to better pairs, and so on.

There are two ways to one space. `shared_space` describes a word by its association with the pairs themselves: column k
says how strongly a left word goes with the left word of pair k, or a right word with the right word of pair k (Rapp
1999; Fung and Yee 1998); then the strongest directions of both languages together are taken. `orthogonal_map` turns one
language's own vectors onto the other's (Procrustes), with the stochastic dictionary of Artetxe et al. (2018).
"""

from typing import Callable, List, Sequence, Tuple

import numpy as np
from scipy import sparse

from crossinit_fairseq.lexicon.anchors import Pairs
from crossinit_fairseq.lexicon.similarity import Nearest, Priors, csls, nearest
from crossinit_fairseq.lexicon.word_vectors import normalise, strongest_directions, unit_sparse_rows

_MEMORY = 0.5  # share of the scores of earlier rounds in those of a round: pairs that swing to and fro come to rest
_FIRST_SHARE = 2 / 3  # of the rounds: they find the pairs that the others begin with
# words that take part in them, the most frequent ones: a rare word's company is noise while few are paired
_FIRST_WORDS = 3000
_FEWEST = 400  # words that the mapping begins with, the most frequent ones; they grow to all in half of its rounds
_KEPT = 0.1  # share of the scores that the stochastic dictionary begins with; it doubles until all are kept


def shared_space(
    left: sparse.csr_matrix, right: sparse.csr_matrix, pairs: Pairs, dimensions: int, seed: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Vectors of both languages in one space, that of their association with known pairs.

    left, right: positive PMI of words, csr [N, V] and [M, W]; pairs: (places < V, places < W) of the known pairs.
    Returns (float32 [N, d], float32 [M, d]), see `normalise`; d is at most `dimensions`. A word that stands with no
    word of any pair is a row of zeros.
    """
    ours, theirs = unit_sparse_rows(left[:, pairs[0]]), unit_sparse_rows(right[:, pairs[1]])
    both = strongest_directions(sparse.vstack([ours, theirs]).tocsr(), dimensions, seed, power=1.0)
    return normalise(both[: left.shape[0]]), normalise(both[left.shape[0] :])


def growing_vocabulary(rounds: int, words: int) -> List[int]:
    """How many words, the most frequent ones, take part in each of `rounds` rounds, 1 or more.

    The first two thirds of the rounds have 3,000 at most, the others all `words`: the most frequent words are paired
    first, in a part of the time, and rarer ones are then described by their association with these (a vocabulary that
    grows helps an orthogonal map likewise, Artetxe et al. 2018).
    """
    few = int(rounds * _FIRST_SHARE)
    return [min(_FIRST_WORDS, words)] * few + [words] * (rounds - few)


def learn_by_pairs(
    left: sparse.csr_matrix,
    right: sparse.csr_matrix,
    priors: Priors,
    start: Pairs,
    given: Pairs,
    vocabulary: Sequence[int],
    dimensions: int,
    neighbours: int,
    seed: int,
    advance: Callable[[], None] = lambda: None,
    partners: Callable[[np.ndarray], Nearest] = nearest,
) -> Nearest:
    """Self-learning in the shared space of the pairs known so far.

    left, right: positive PMI of the most frequent words, csr [n, n]; priors: of these words; start: pairs to begin
    with; given: pairs that are right, and stay known in every round that their words take part in; vocabulary: words
    that take part in each round, at most n and none fewer than the one before, see `growing_vocabulary`; dimensions: of
    the space; neighbours: of CSLS; seed: of the decompositions; advance: called after each round; partners: finds the
    best partners by the scores, float [m, m], of the first m words. Returns those of the last round.
    """
    pairs, scores = within(start, vocabulary[0]), np.zeros((0, 0), dtype=np.float32)
    for number, words in enumerate(vocabulary):
        spaces = shared_space(left[:words, :words], right[:words, :words], pairs, dimensions, seed * 1000 + number)
        found = csls(spaces[0] @ spaces[1].T, neighbours)
        before = found[: len(scores), : len(scores)]
        before *= 1 - _MEMORY
        before += _MEMORY * scores
        scores = found
        judged = priors.first(words).add_to(scores.copy())
        best = partners(judged)
        pairs = with_given(best, within(given, words))
        advance()
    return best


def within(pairs: Pairs, words: int) -> Pairs:
    """The pairs whose words are both among the first `words`."""
    kept = (pairs[0] < words) & (pairs[1] < words)
    return pairs[0][kept], pairs[1][kept]


def with_given(best: Nearest, given: Pairs) -> Pairs:
    """The mutual pairs, but the given ones for their words, which may be rarer than those that have a partner."""
    mutual = best.mutual
    mutual[given[0][given[0] < len(mutual)]] = False
    mutual &= ~np.isin(best.forward, given[1])
    left = np.flatnonzero(mutual)
    return np.concatenate([given[0], left]), np.concatenate([given[1], best.forward[left]])


def as_given(best: Nearest, given: Pairs) -> Nearest:
    """The best partners, but for the words of given pairs these, with a score of 1.

    A right word that is given to several left ones has the first of them.
    """
    partners = [part.copy() for part in best]
    for ours, theirs, (partner, score) in ((*given, partners[:2]), (*given[::-1], partners[2:])):
        # the last of an index stays
        partner[ours[::-1]], score[ours] = theirs[::-1], 1
    return Nearest(*partners)


def orthogonal_map(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The rotation that brings the rows of `left` nearest to those of `right`, by least squares (Schönemann 1966).

    left, right: float [P, d]; row k of one belongs to row k of the other. Returns W, float [d, d]: left @ W is near
    right.
    """
    u, _, vt = np.linalg.svd(left.T @ right)
    return u @ vt


def learn_by_mapping(
    left: np.ndarray,
    right: np.ndarray,
    priors: Priors,
    start: Pairs,
    given: Pairs,
    neighbours: int,
    rounds: int,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> Nearest:
    """Self-learning by an orthogonal map, with a stochastic dictionary in both directions (Artetxe et al. 2018).

    left, right: float [n, d], the languages' own vectors; priors: of these n words; start, given: as for
    `learn_by_pairs`. A round keeps a random share of the scores, 0.1 at first and doubling, so that wrong pairs are not
    cast in stone; the vocabulary grows from the most frequent words. Returns the best partners of all n words.
    """
    random = np.random.default_rng(seed)
    pairs, half = start, max(1, rounds // 2)
    for number in range(rounds):
        size = min(len(left), len(right))
        size = min(size, int(_FEWEST + max(0, size - _FEWEST) * min(1.0, number / half)))
        kept = min(1.0, _KEPT * 2 ** int(4 * number / half))
        mapped = left[:size] @ orthogonal_map(left[pairs[0]], right[pairs[1]])
        scores = priors.first(size).add_to(csls(mapped @ right[:size].T, neighbours))
        if kept < 1:
            scores[random.random(scores.shape) >= kept] = -np.inf
        found = nearest(scores)
        places = np.arange(size)
        pairs = (
            np.concatenate([given[0], places, found.backward]),
            np.concatenate([given[1], found.forward, places]),
        )
        advance()
    mapped = left @ orthogonal_map(left[pairs[0]], right[pairs[1]])
    scores = priors.add_to(csls(mapped @ right.T, neighbours))
    return nearest(scores)
