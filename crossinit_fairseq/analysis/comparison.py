"""Whether one start is better than another: scores of several seeds, two tests, and what they allow to conclude."""

import itertools
import statistics
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from sacrebleu.metrics import BLEU

from crossinit_fairseq.errors import InputError

SAMPLES = 1000  # of the bootstrap
_LEVEL = 0.05
_MOST_SIGNS = 16  # seeds whose signs are all tried; of more, a sample of as many is drawn


@dataclass(frozen=True)
class Scored:
    """What one run answered to one test, counted item by item.

    metric: "BLEU", or the name of a mean in percent, such as accuracy; counts: of BLEU int64 [sentences, 10], lengths
    of hypothesis and reference, right n-grams of 1 to 4 words, all of them; of a mean float64 [items, 2], the points of
    an item (0 to 1), and 1; score: of the whole; signature: sacreBLEU's, empty for a mean; reference: the lines that
    tell whether runs share a test set.
    """

    counts: np.ndarray
    score: float
    signature: str
    reference: Tuple[str, ...]
    smoothing: str = "exp"
    metric: str = "BLEU"

    def of(self, sums: np.ndarray) -> float:
        """The score of summed counts, of the form of a row of counts."""
        return bleu_of(sums, self.smoothing) if self.metric == "BLEU" else 100 * float(sums[0] / sums[1])


def count_matches(hypotheses: Sequence[str], reference: Sequence[str], scorer: BLEU, name: str) -> Scored:
    """Count what BLEU needs of every sentence. name: of the run, for the message.

    Raises InputError when there are not as many hypotheses as references.
    """
    if len(hypotheses) != len(reference) or not reference:
        raise InputError(f"{name} has {len(hypotheses):,} translations of {len(reference):,} sentences of the test")
    rows = []
    for one, other in zip(hypotheses, reference):
        found = scorer.corpus_score([one], [[other]])
        rows.append([found.sys_len, found.ref_len, *found.counts, *found.totals])
    counts = np.array(rows, dtype=np.int64)
    whole = scorer.corpus_score(list(hypotheses), [list(reference)])
    return Scored(counts, whole.score, str(scorer.get_signature()), tuple(reference), scorer.smooth_method)


def count_points(points: Sequence[float], metric: str, reference: Sequence[str], name: str) -> Scored:
    """A mean in percent. points: of each item, 0 to 1; metric: its name; reference: a text for each item; name: of the
    run, for the message.

    Raises InputError when there are not as many points as items.
    """
    if len(points) != len(reference) or not reference:
        raise InputError(f"{name} has {len(points):,} answers to {len(reference):,} items of the test")
    counts = np.stack([np.array(points, dtype=np.float64), np.ones(len(points))], axis=1)
    return Scored(counts, 100 * float(counts[:, 0].mean()), "", tuple(reference), metric=metric)


def bleu_of(sums: np.ndarray, smoothing: str = "exp") -> float:
    """BLEU of summed counts, int [10]."""
    numbers = [int(number) for number in sums]
    return BLEU.compute_bleu(
        correct=numbers[2:6], total=numbers[6:], sys_len=numbers[0], ref_len=numbers[1], smooth_method=smoothing
    ).score


@dataclass(frozen=True)
class Bootstrap:
    """Koehn's paired bootstrap (2004) over the sentences of the test: low, high: the middle 95 % of the differences;
    p_value: two-sided, that there is none."""

    low: float
    high: float
    p_value: float


def paired_bootstrap(
    baseline: Sequence[Scored], system: Sequence[Scored], samples: int = 1000, seed: int = 1
) -> Bootstrap:
    """Resample the sentences of the test, the same ones for both starts, and take the mean difference over seeds.

    baseline, system: a Scored for each seed, in the same order. Runs that share a test set share the sample too: the
    sentences are drawn, not the seeds. This test says nothing of what another seed would change; see `seed_test`.
    """
    rng = np.random.default_rng(seed)
    differences = []
    for _ in range(samples):
        drawn: Dict[Tuple[str, ...], np.ndarray] = {}
        each = []
        for one, other in zip(baseline, system):
            count = len(one.counts)
            if one.reference not in drawn:
                drawn[one.reference] = np.bincount(rng.integers(0, count, count), minlength=count)
            weights = drawn[one.reference]
            each.append(other.of(weights @ other.counts) - one.of(weights @ one.counts))
        differences.append(float(np.mean(each)))
    values = np.array(differences)
    beyond = min(int((values <= 0).sum()), int((values >= 0).sum()))
    p_value = min(1.0, 2 * (beyond + 1) / (samples + 1))
    low, high = np.quantile(values, [0.025, 0.975])
    return Bootstrap(float(low), float(high), p_value)


@dataclass(frozen=True)
class SeedTest:
    """p_value: two-sided, of the exchange of signs; least: the smallest that so few seeds can give at all; low, high:
    the 95 % interval of the mean difference by Student's t."""

    p_value: float
    least: float
    low: float
    high: float


def seed_test(differences: Sequence[float], seed: int = 1) -> Optional[SeedTest]:
    """Whether differences between two starts, one for each seed, are more than the chance of the seed; None of one.

    The exact test exchanges the signs: under no difference, each pair of runs could as well be the other way round.
    With 3 seeds the least p-value is 0.25, with 5 it is 0.0625, with 6 0.03125.
    """
    count = len(differences)
    if count < 2:
        return None
    values = np.array(differences, dtype=np.float64)
    if count <= _MOST_SIGNS:
        signs = np.array(list(itertools.product((1, -1), repeat=count)))
    else:
        signs = np.random.default_rng(seed).choice((1, -1), size=(2**_MOST_SIGNS, count))
        signs[0] = 1
    sums = np.abs(signs @ values)
    p_value = float((sums >= abs(values.sum()) - 1e-9).mean())
    from scipy.stats import t

    half = float(t.ppf(0.975, count - 1)) * float(values.std(ddof=1)) / count**0.5
    mean = float(values.mean())
    return SeedTest(p_value, 2 / len(signs), mean - half, mean + half)


@dataclass(frozen=True)
class Difference:
    """One start against the baseline in one direction.

    direction: of translation, or another name of a test; mean: of the differences of the seeds that both have; seeds:
    int; tests as above; seed_test is None of one seed; unit: of the differences, BLEU, or points of a percentage.
    """

    direction: str
    baseline: str
    system: str
    seeds: int
    mean: float
    bootstrap: Bootstrap
    seed_test: Optional[SeedTest]
    unit: str = "BLEU"

    def in_words(self) -> str:
        """What can be concluded, and what not."""
        what = f"{self.direction}: {self.system} is {abs(self.mean):.2f} {self.unit} "
        what += f"{'above' if self.mean >= 0 else 'below'} {self.baseline} on average over {self.seeds} seed"
        what += "s. " if self.seeds > 1 else ". "
        items = "sentences" if self.unit == "BLEU" else "items"
        certain = self.bootstrap.p_value < _LEVEL
        if self.seed_test is None:
            seen = f"Other {items} would hardly change that" if certain else f"Other {items} could change that"
            return f"{what}{seen}; another seed may: one seed allows no conclusion about the start."
        test = self.seed_test
        excludes_zero = test.low > 0 or test.high < 0
        if certain and excludes_zero and test.p_value <= max(_LEVEL, test.least):
            if test.least > _LEVEL:
                return (
                    f"{what}Beyond the chance of the {items}, and of the seed by Student's t; every seed agrees, but "
                    f"{self.seeds} seeds cannot bring the exact test below p = {test.least:.3g}: it is likely, and 6 "
                    "seeds would tell."
                )
            return f"{what}Beyond the chance of the {items} and of the seed: the start makes a difference."
        if certain:
            return f"{what}Beyond the chance of the {items} but not of the seed: nothing is concluded of the start."
        return f"{what}Within the chance of the {items}: no difference is shown."


Scores = Mapping[str, Mapping[int, Mapping[str, Scored]]]  # {init: {seed: {direction: Scored}}}


def compare_starts(scores: Scores, baseline: str, progress: Callable[[str], None] = lambda _: None) -> List[Difference]:
    """Every start against the baseline, in every direction, over the seeds that both have."""
    found = []
    for system, runs in scores.items():
        seeds = [seed for seed in runs if seed in scores[baseline]]
        if system == baseline or not seeds:
            continue
        for direction in runs[seeds[0]]:
            progress(f"{system} against {baseline}, {direction}")
            ours = [runs[seed][direction] for seed in seeds]
            theirs = [scores[baseline][seed][direction] for seed in seeds]
            for seed, one, other in zip(seeds, theirs, ours):
                if one.reference != other.reference:
                    raise InputError(
                        f"{baseline}-{seed} and {system}-{seed} were scored on different test sets in {direction}: "
                        "give another --out, so that both are run on the same text"
                    )
            each = [other.score - one.score for one, other in zip(theirs, ours)]
            mean = statistics.mean(each)
            found.append(
                Difference(
                    direction,
                    baseline,
                    system,
                    len(seeds),
                    mean,
                    paired_bootstrap(theirs, ours, SAMPLES),
                    seed_test(each),
                    "BLEU" if ours[0].metric == "BLEU" else "points",
                )
            )
    return found
