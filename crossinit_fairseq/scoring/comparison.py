"""Scores of several systems on one test set, and whether they differ: sacreBLEU's paired bootstrap (Koehn 2004)."""

import os
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterable, Iterator, List, Sequence, Tuple

from sacrebleu.significance import PairedTest

from crossinit_fairseq.scoring.metrics import Metric
from crossinit_fairseq.scoring.normalisation import MissingExtra

Score = Dict[str, Any]
Prepared = List[Tuple[str, Sequence[str]]]


def compare(
    systems: Dict[str, List[str]],
    reference: List[str],
    metrics: Sequence[Metric],
    samples: int = 1000,
    seed: int = 12345,
    demand: bool = False,
    progress: Callable[[Iterable[Metric]], Iterable[Metric]] = list,
) -> Tuple[Dict[str, Dict[str, Score]], Dict[str, str]]:
    """Score every system by every metric.

    systems: {name: list of str}, the first the baseline; reference: list of str; metrics: list of Metric; samples: of
    the paired bootstrap, 0 for none; seed: 0 or more; demand: raise MissingExtra where a library is missing (default:
    leave the metric out); progress: wraps the list of metrics.

    Returns ({name: {key: score}}, {key: why it was left out}). A score is a dict of `score` and `signature`; with a
    bootstrap also `mean` and `ci` (half of the 95 % interval); for all but the baseline `p_value` of the difference
    from it, 1 where there is none.
    """
    scores: Dict[str, Dict[str, Score]] = {name: {} for name in systems}
    left_out: Dict[str, str] = {}
    for metric in progress(metrics):
        try:
            prepare, said = metric.prepare()
        except MissingExtra as error:
            if demand:
                raise
            left_out[metric.key] = str(error)
            continue
        prepared: Prepared = [(name, prepare(lines)) for name, lines in systems.items()]
        scorer, wanted = metric.scorer(), prepare(reference)
        if samples:
            found = _bootstrap(scorer, prepared, wanted, samples, seed)
        else:
            found = _scores_alone(scorer, prepared, wanted)
        for name, score in zip(systems, found):
            score["signature"] += said
            scores[name][metric.key] = score
    return scores, left_out


def _scores_alone(scorer: Any, prepared: Prepared, reference: List[str]) -> Iterator[Score]:
    for _, lines in prepared:
        score = scorer.corpus_score(lines, [reference]).score
        yield {"score": score, "signature": str(scorer.get_signature())}


def _bootstrap(scorer: Any, prepared: Prepared, reference: List[str], samples: int, seed: int) -> Iterator[Score]:
    # one metric at a time: sacreBLEU keeps results by the metric's name, and several of ours are called BLEU
    with _sacrebleu_seed(seed):
        signatures, found = PairedTest(prepared, {"": scorer}, [reference], test_type="bs", n_samples=samples)()
    ((name, signature),) = signatures.items()
    results: Any = found[name]
    for result in results:
        score = {"score": result.score, "signature": str(signature), "mean": result.mean, "ci": result.ci}
        if result.p_value is not None:
            # sacreBLEU counts the samples that are strictly further apart, so that of equal systems p is the smallest
            score["p_value"] = 1.0 if result.score == results[0].score else result.p_value
        yield {key: value if key == "signature" else float(value) for key, value in score.items()}


@contextmanager
def _sacrebleu_seed(seed: int) -> Iterator[None]:
    """sacreBLEU reads its seed from the environment only."""
    before = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = before
