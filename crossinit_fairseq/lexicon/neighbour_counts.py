"""Sums over pairs of neighbouring words, the counting inside `cooccurrence.py`: integers, so that no order matters."""

from dataclasses import dataclass
from typing import List, NamedTuple, Tuple

import numpy as np
from scipy import sparse

# 1/distance as an integer: a multiple of 1 to 16, so that it is exact for every distance of the usual windows
DISTANCE_UNIT = 720720
PLACE_UNIT = 1 << 20  # a relative place of 1 as an integer
_BLOCK = 1 << 16  # words at a time: what is made of them stays in the processor's cache
_DENSE = 16_000_000  # cells of the dense part: 128 MB
_PENDING = 1 << 22  # keys that are collected before they are sorted and added up: 32 MB


class Sentences(NamedTuple):
    """Running words. ids: int32 [T], N for a word outside the vocabulary; lengths: int64 [S], the words of each
    sentence, at least 1, T in sum."""

    ids: np.ndarray
    lengths: np.ndarray


@dataclass
class NeighbourSums:
    """What is counted of some text, over a vocabulary of N words.

    window: csr int64 [N, N], the cell (i, j) with i <= j sums DISTANCE_UNIT / distance over the pairs of i and j in
    either order; left: csr int64 [N, N], the cell (i, j) counts how often j stands immediately before i;
    counts: int64 [N]; places: int64 [N], sum of PLACE_UNIT * relative place in the sentence. The matrices have sorted
    indices.
    """

    window: sparse.csr_matrix
    left: sparse.csr_matrix
    counts: np.ndarray
    places: np.ndarray

    def __add__(self, other: "NeighbourSums") -> "NeighbourSums":
        return NeighbourSums(
            self.window + other.window, self.left + other.left, self.counts + other.counts, self.places + other.places
        )


class NeighbourCounter:
    """Adds up sentences, and gives their NeighbourSums.

    size: N, words of the vocabulary, the most frequent first; window: words on either side that count as neighbours;
    dense: cells of memory for pairs with one of the most frequent words. Most pairs are such: they are added where they
    belong, in a table; the others are collected as keys, sorted and added up. The result does not depend on `dense`.
    """

    def __init__(self, size: int, window: int, dense: int = _DENSE):
        self.size, self.window = size, window
        self._rows = min(size, dense // max(size, 1))
        self._dense = np.zeros(self._rows * size, dtype=np.int64)
        weights = np.rint(DISTANCE_UNIT / np.arange(1, window + 1)).astype(np.int64)
        self._weights = np.concatenate([[0], weights])
        self._sparse = _PairSums(size, self._weights)
        self._left = _PairSums(size, np.array([0, 1]))
        self._counts = np.zeros(size + 1, dtype=np.int64)
        self._places = np.zeros(size + 1, dtype=np.int64)

    def add(self, sentences: Sentences) -> None:
        """Count Sentences: no pair goes across their ends."""
        ids, lengths = sentences
        if not len(ids):
            return
        ends = np.repeat(np.cumsum(lengths), lengths)
        after = ends - np.arange(1, len(ids) + 1)  # words that follow in the sentence
        self._add_places(ids, after, np.repeat(lengths, lengths))
        after = np.minimum(after, self.window).astype(np.int32)
        # the narrowest type that holds a key: half the bytes are half the time
        ids = ids.astype(np.int32 if (self.size + 1) ** 2 < 2**31 else np.int64)
        for at in range(0, len(ids), _BLOCK):
            self._add_pairs(ids[at : at + _BLOCK + self.window], after[at : at + _BLOCK])

    def _add_places(self, ids: np.ndarray, after: np.ndarray, lengths: np.ndarray) -> None:
        last = lengths - 1
        before = last - after
        # rounded to the nearest integer; a word alone stands in the middle
        place = (2 * PLACE_UNIT * before + last) // np.maximum(2 * last, 1)
        place[last == 0] = PLACE_UNIT // 2
        self._counts += np.bincount(ids, minlength=self.size + 1)
        # sums below 2 ** 53 are exact in float64
        self._places += np.bincount(ids, weights=place, minlength=self.size + 1).astype(np.int64)

    def _add_pairs(self, ids: np.ndarray, after: np.ndarray) -> None:
        """Count the pairs whose first word is one of the first len(after) words; the words after these follow."""
        for distance in range(1, int(after.max()) + 1):
            second = ids[distance : distance + len(after)]
            first = ids[: len(second)]
            keys, high = np.minimum(first, second), np.maximum(first, second)
            counted = high < self.size
            counted &= after[: len(second)] >= distance
            if distance == 1:
                self._left.add((second * self.size + first).compress(counted), 1)
            keys *= self.size
            keys += high
            in_dense = keys < len(self._dense)  # as the lower of the two is below _rows
            in_dense &= counted
            counted ^= in_dense
            # compress() takes half the time of an index
            np.add.at(self._dense, keys.compress(in_dense).astype(np.int64), self._weights[distance])
            self._sparse.add(keys.compress(counted), distance)

    def result(self) -> NeighbourSums:
        """The sums of all that was added."""
        cells = np.flatnonzero(self._dense)
        dense = _matrix(cells, self._dense[cells], self.size)
        return NeighbourSums(
            dense + self._sparse.result(), self._left.result(), self._counts[:-1].copy(), self._places[:-1].copy()
        )


class _PairSums:
    """Sums of weights by cell of an [N, N] matrix, most of which is empty."""

    def __init__(self, size: int, weights: np.ndarray):
        self._size, self._weights = size, weights
        self._bits = int(len(weights) - 1).bit_length()
        self._pending: List[Tuple[np.ndarray, int]] = []
        self._waiting = 0
        self._sums: List[sparse.csr_matrix] = []

    def add(self, cells: np.ndarray, which: int) -> None:
        """Add weights[which] to each of the cells, integer [m], row * N + column."""
        self._pending.append((cells, which))
        self._waiting += len(cells)
        if self._waiting >= _PENDING:
            self._flush()

    def result(self) -> sparse.csr_matrix:
        """csr int64 [N, N] with sorted indices."""
        self._flush()
        while len(self._sums) > 1:
            self._add_last_two()
        return self._sums[0] if self._sums else sparse.csr_matrix((self._size, self._size), dtype=np.int64)

    def _flush(self) -> None:
        if not self._waiting:
            return
        # a cell and the weight added to it are one number, which sorts fast
        keys = np.concatenate([cells for cells, _ in self._pending], dtype=np.int64)
        keys <<= self._bits
        keys |= np.repeat([which for _, which in self._pending], [len(cells) for cells, _ in self._pending])
        keys.sort()
        self._pending, self._waiting = [], 0
        cells = keys >> self._bits
        begins = np.concatenate([[0], 1 + np.flatnonzero(cells[1:] != cells[:-1])])
        keys &= (1 << self._bits) - 1
        sums = np.add.reduceat(self._weights[keys], begins)
        self._sums.append(_matrix(cells[begins], sums, self._size))
        # matrices of like size are added, so that a cell is copied only as often as the text doubles
        while len(self._sums) > 1 and self._sums[-2].nnz < 2 * self._sums[-1].nnz:
            self._add_last_two()

    def _add_last_two(self) -> None:
        last = self._sums.pop()
        self._sums[-1] = self._sums[-1] + last


def _matrix(cells: np.ndarray, sums: np.ndarray, size: int) -> sparse.csr_matrix:
    """csr int64 [N, N] of int64 [m] sums at rising cells, row * N + column."""
    rows, columns = np.divmod(cells, size)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=size))])
    matrix = sparse.csr_matrix((sums, columns.astype(np.int32), indptr.astype(np.int32)), shape=(size, size))
    matrix.has_canonical_format = True
    return matrix
