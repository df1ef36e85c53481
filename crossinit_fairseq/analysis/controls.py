"""What a figure of a table is compared with: tables that know nothing, or ranks alone, and a table with less in it."""

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional

import numpy as np

from crossinit_fairseq.analysis.words import LanguageWords, Space, TableWords

_EQUAL = 1e-6  # figures of float32 tables that are nearer than this are the same
AS_IT_IS, NO_MEAN, NO_DIRECTIONS = "as it is", "without the mean vector", "without the first two directions"
RANDOM_TABLE, RANK_ONLY_TABLE = "random table", "rank-only table"


@dataclass(frozen=True)
class Control:
    """What a control gives in a figure's place.

    name: what it is; value: its figure; limit: what it may still reach by chance, which the figure has to exceed.
    """

    name: str
    value: float
    limit: float


@dataclass(frozen=True)
class Finding:
    """A figure beside its controls. variant: AS_IT_IS, or what was taken out of the table; higher is better."""

    variant: str
    value: float
    controls: List[Control] = field(default_factory=list)

    @property
    def reached_by(self) -> List[Control]:
        """The controls that the figure does not exceed."""
        return [control for control in self.controls if not self.value > control.limit + _EQUAL]


def verdict(findings: List[Finding]) -> str:
    """In words, whether a figure is evidence: every variant of the table has to exceed every control of its own."""
    for finding in findings:
        if finding.reached_by:
            names = ", ".join(f"{control.name} ({control.limit:.3g})" for control in finding.reached_by)
            where = "" if finding.variant == AS_IT_IS else f" {finding.variant}"
            return f"no evidence{where}: reached by {names}"
    return "evidence: above every control"


def is_evidence(findings: List[Finding]) -> bool:
    """Whether no control reaches the figure in any variant."""
    return not any(finding.reached_by for finding in findings)


def without_mean(space: Space) -> Space:
    """The space with the mean vector of all words of all languages taken out."""
    mean = space.stacked().mean(0)
    return space.changed(lambda vectors: vectors - mean)


def without_directions(space: Space, count: int = 2) -> Space:
    """The space without its mean and its first `count` directions (Mu and Viswanath 2018, all-but-the-top)."""
    space = without_mean(space)
    directions = principal_directions(space.stacked())[: min(count, space.dimension)]
    return space.changed(lambda vectors: vectors - (vectors @ directions.T) @ directions)


def principal_directions(vectors: np.ndarray) -> np.ndarray:
    """The principal directions of centred vectors, float64 [N, d]: [d, d], the first one first, of unit length."""
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    return directions.T[::-1]


VARIANTS: Mapping[str, Callable[[Space], Space]] = {
    AS_IT_IS: lambda space: space,
    NO_MEAN: without_mean,
    NO_DIRECTIONS: without_directions,
}


def random_space(words: TableWords, seed: int) -> Space:
    """The words in a table whose rows are drawn anew, normal with standard deviation d ** -0.5: a random start.

    Words that share sub-tokens share them here too.
    """
    shape = tuple(words.table.values.shape)
    values = np.random.default_rng(seed).standard_normal(shape) / np.sqrt(shape[1])
    return words.space(RANDOM_TABLE, values)


def rank_only_space(words: Mapping[str, LanguageWords], dimension: int, seed: int) -> Space:
    """Vectors that know a word's rank and nothing else, and were not trained.

    Random Fourier features (Rahimi and Recht 2007) of the logarithm of the rank, the same ones for every language, at
    lengths from 0.02 (ranks 1,000 and 1,020) to 5 (ranks 1 and 150): words resemble each other as their ranks do, near
    or far. Returns a Space of unit vectors, float64 [N, dimension] of each language.
    """
    rng = np.random.default_rng(seed)
    frequencies = rng.standard_normal(dimension) / np.exp(rng.uniform(np.log(0.02), np.log(5), dimension))
    phases = rng.uniform(0, 2 * np.pi, dimension)
    vectors: Dict[str, np.ndarray] = {}
    for language, own in words.items():
        features = np.cos(np.log(own.ranks)[:, None] * frequencies + phases)
        vectors[language] = features / np.linalg.norm(features, axis=1, keepdims=True)
    return Space(RANK_ONLY_TABLE, vectors)


def untrained_cosine(space: Space, value: float, count: int = 1) -> Control:
    """The Control of a mean cosine that an untrained table gives.

    value: the mean; count: of how many independent cosines. The cosine of two random vectors has the standard deviation
    d ** -0.5, so one in twenty of the means of a random table exceeds 1.645 / (d * count) ** 0.5, which its limit is
    never below.
    """
    random = space.name == RANDOM_TABLE
    return Control(space.name, value, max(value, 1.645 / np.sqrt(space.dimension * count)) if random else value)


def chance(name: str, values: np.ndarray, limit: Optional[float] = None) -> Control:
    """A Control of figures that chance gives, float [n]: their mean, and as its limit what one in twenty exceeds."""
    return Control(name, float(np.mean(values)), float(np.quantile(values, 0.95)) if limit is None else limit)
