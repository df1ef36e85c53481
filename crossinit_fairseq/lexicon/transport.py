"""Partners shared out among all words, by optimal transport whose masses are the words' counts.

A word that chooses alone takes the partner with the best score, and so black takes blanc, which is white's: noir,
noire, noirs and noires have a part of black's company each, and blanc has more of it than any of them. Here a word has
a mass, the root of its count, to give or to take: white fills blanc, and what is left for black are the forms of noir.
So the rank prior's thought, that translations are equally frequent, is put to all words of two languages at once.

The plan is Sinkhorn's (Cuturi 2013), unbalanced (Chizat et al. 2018) as one word may stand for none or for several; for
lexicons see the earth mover's distance of Zhang et al. (2017) and the inverted softmax of Smith et al. (2017), which is
half of one of its rounds.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from crossinit_fairseq.lexicon.similarity import BestScores, Nearest

CANDIDATES = 50  # of each word, those with the best scores: by a whole table the plan says the same, within chance
_ROUNDS = 30
_STRICT = 0.9  # 1: masses are kept exactly; 0: not at all
_SMALLEST = -600.0  # exponent: what is less likely counts as that


@dataclass(frozen=True)
class Transport:
    """How partners are shared out.

    left, right: int [N], [M], how often the words of two languages were seen; temperature: > 0, in units of the scores.
    The lower it is the more of a word goes to its best partner, and the more pairs are mutual.
    """

    left: np.ndarray
    right: np.ndarray
    temperature: float

    def partners(self, scores: np.ndarray) -> Nearest:
        """The best partners by a table of scores, float [n, m], of the first words of both languages.

        Only the CANDIDATES best scores of each word count; of more that are equal, any of them.
        """
        best = BestScores(scores.shape[1], CANDIDATES)
        best.add(scores)
        return self.partners_among(best.matrix())

    def partners_among(self, candidates: sparse.csr_matrix) -> Nearest:
        """The best partners by the scores of some pairs, csr [n, m]; every word must be in one.

        Words are the first n and m of the two languages. A partner's score is its share of what the plan gives the
        word, 0 to 1; of equal ones the more frequent is taken.
        """
        plan = self.plan(candidates)
        found = []
        for one in (plan, plan.T.tocsr()):
            partner = np.asarray(one.argmax(1)).ravel()
            most, given = one.max(1).toarray().ravel(), np.asarray(one.sum(1)).ravel()
            found += [partner, (most / np.maximum(given, 1e-300)).astype(np.float32)]
        return Nearest(*found)

    def plan(self, candidates: sparse.csr_matrix) -> sparse.csr_matrix:
        """How much of each left word goes to which right word, csr float64 [n, m], in the places of the candidates."""
        candidates = candidates.tocsr()
        masses = [_masses(side[:size]) for side, size in zip((self.left, self.right), candidates.shape)]
        exponents = (candidates.data.astype(np.float64) - candidates.data.max()) / self.temperature
        kernel = sparse.csr_matrix(
            (np.exp(np.maximum(exponents, _SMALLEST)), candidates.indices, candidates.indptr), shape=candidates.shape
        )
        turned = kernel.T.tocsr()
        ours, theirs = (np.ones(size) for size in candidates.shape)
        for _ in range(_ROUNDS):
            ours = (masses[0] / (kernel @ theirs)) ** _STRICT
            theirs = (masses[1] / (turned @ ours)) ** _STRICT
        return (sparse.diags(ours) @ kernel @ sparse.diags(theirs)).tocsr()


def _masses(counts: np.ndarray) -> np.ndarray:
    """The roots of counts, int [n], as shares of their sum: between counting words once and by their occurrences."""
    roots = np.sqrt(counts.astype(np.float64))
    return roots / roots.sum()
