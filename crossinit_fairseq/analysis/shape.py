"""Whether two tables, or two languages of one, have the same shape: PCA, Procrustes distance and CKA, with controls."""

from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np

from crossinit_fairseq.analysis.controls import VARIANTS, Finding, chance, principal_directions
from crossinit_fairseq.analysis.words import LanguageWords, Space

_SHUFFLES = 20


def project(spaces: List[Space], fit_on: int = 0) -> List[Dict[str, np.ndarray]]:
    """The words of several tables on two axes: the first two principal components of the table number `fit_on`.

    Tables of one dimension share the projection, and its mean; one of another dimension is projected by its own.
    Returns for each table {language: float64 [N, 2]}.
    """
    projected = []
    for space in spaces:
        base = spaces[fit_on] if spaces[fit_on].dimension == space.dimension else space
        stacked = base.stacked()
        mean = stacked.mean(0)
        axes = principal_directions(stacked - mean)[:2]
        projected.append({language: (own - mean) @ axes.T for language, own in space.vectors.items()})
    return projected


def explained(space: Space) -> float:
    """The share of the variance of all words that the first two principal components hold, 0 to 1."""
    stacked = space.stacked()
    variances = np.linalg.eigvalsh(np.cov(stacked.T))[::-1]
    return float(variances[:2].sum() / variances.sum()) if variances.sum() > 0 else 1.0


def procrustes_distance(left: np.ndarray, right: np.ndarray) -> float:
    """How far two sets of points are apart once moved, scaled and rotated onto each other: 0 (equal) to 1.

    left: float [n, d]; right: float [n, e]; the dimensions may differ. It is 1 minus the squared sum of the singular
    values of left' right, both centred and of norm 1, as in scipy.spatial.procrustes.
    """
    left, right = _standard(left), _standard(right)
    return float(1 - min(1.0, np.linalg.svd(left.T @ right, compute_uv=False).sum()) ** 2)


def _lengths(left: np.ndarray, right: np.ndarray) -> float:
    return float(np.linalg.norm(left.T @ left) * np.linalg.norm(right.T @ right))


def _agreement(left: np.ndarray, right: np.ndarray, lengths: float) -> float:
    """Linear centred kernel alignment (Kornblith et al. 2019): 0 to 1, 1 for a rotation.

    left, right: float [n, d] and [n, e], as _standard returns them; lengths: what _lengths returns, which the order of
    the words does not change.
    """
    return float(np.linalg.norm(left.T @ right) ** 2 / lengths) if lengths else 0.0


def _standard(points: np.ndarray) -> np.ndarray:
    points = points - points.mean(0)
    norm = np.linalg.norm(points)
    # points that are all the same but for rounding have no shape
    return points / norm if norm > 1e-9 * max(1.0, float(np.abs(points).max())) else np.zeros_like(points)


@dataclass(frozen=True)
class ShapeResult:
    """One comparison of shapes. what: in words; findings: of the CKA; procrustes: float, the distance, of the same
    points; count: int, words."""

    what: str
    findings: List[Finding]
    procrustes: float
    count: int


def compare_tables(words: LanguageWords, before: Space, after: Space, seed: int) -> ShapeResult:
    """Whether the words of one language keep their shape from one table to another ("keeps its shape", section 4).

    Control: each word exchanged for one of about its rank (neighbours in groups of 100 are shuffled), 20 times: two
    tables that only agree on which words are frequent agree as much then.
    """
    language = words.language
    findings = []
    for variant, change in VARIANTS.items():
        left, right = change(before).vectors[language], change(after).vectors[language]
        findings.append(_finding(variant, left, right, seed))
    distance = procrustes_distance(before.vectors[language], after.vectors[language])
    return ShapeResult(f"{language}: {before.name} to {after.name}", findings, distance, len(words))


def compare_languages(space: Space, pairs: List[Tuple[int, int]], languages: Tuple[str, str], seed: int) -> ShapeResult:
    """Whether translations form the same shape in two languages. pairs: positions of words and translations."""
    pairs = sorted(pairs)  # so that neighbours are of like rank
    one, two = ([pair[side] for pair in pairs] for side in range(2))
    findings = []
    for variant, change in VARIANTS.items():
        changed = change(space)
        left, right = changed.vectors[languages[0]][one], changed.vectors[languages[1]][two]
        findings.append(_finding(variant, left, right, seed))
    distance = procrustes_distance(space.vectors[languages[0]][one], space.vectors[languages[1]][two])
    return ShapeResult(f"{space.name}: {languages[0]} to {languages[1]}", findings, distance, len(pairs))


def _finding(variant: str, left: np.ndarray, right: np.ndarray, seed: int) -> Finding:
    rng = np.random.default_rng(seed)
    left, right = _standard(left), _standard(right)
    lengths = _lengths(left, right)  # the same in whatever order
    shuffled = []
    for _ in range(_SHUFFLES):
        order = np.concatenate([at + rng.permutation(min(100, len(right) - at)) for at in range(0, len(right), 100)])
        shuffled.append(_agreement(left, right[order], lengths))
    return Finding(
        variant, _agreement(left, right, lengths), [chance("words of about the same rank", np.array(shuffled))]
    )
