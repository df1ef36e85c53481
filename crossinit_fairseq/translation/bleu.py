"""Corpus BLEU from parts: statistics that can be summed over batches and processes, then scored by sacreBLEU."""

import numpy as np
import sacrebleu
from fairseq.logging import metrics
from sacrebleu.metrics import BLEU

_ORDER = 4
_FIELDS = ["counts{}".format(n) for n in range(_ORDER)] + ["totals{}".format(n) for n in range(_ORDER)] + ["sys", "ref"]


def no_statistics(name):
    """Zero statistics of a score: every process must log the same keys, whatever its batch was of."""
    return {"_{}/{}".format(name, field): 0 for field in _FIELDS}


def bleu_statistics(name, hypotheses, references):
    """Statistics of lists of strings, {"_name/field": int}."""
    score = sacrebleu.corpus_bleu(hypotheses, [references])
    values = list(score.counts) + list(score.totals) + [score.sys_len, score.ref_len]
    return {"_{}/{}".format(name, field): value for field, value in zip(_FIELDS, values)}


def log_bleu(names, mean_name, logging_outputs):
    """Add a batch's statistics to fairseq's meters; they show `name` for each score and their mean.

    names: scores of which the mean is `mean_name`; logging_outputs: of all processes.
    """
    for name in names:
        sums = np.array([int(sum(log.get("_{}/{}".format(name, f), 0) for log in logging_outputs)) for f in _FIELDS])
        if sums[-1]:  # no reference word: no sentence of this direction in the batch
            metrics.log_scalar("_" + name, sums)
            metrics.log_derived(name, lambda meters, name=name: round(_score(meters, name), 2))
            metrics.log_derived(mean_name, lambda meters: _mean(meters, names))


def _score(meters, name):
    sums = [int(n) for n in meters["_" + name].sum]
    score = BLEU.compute_bleu(
        correct=sums[:_ORDER],
        total=sums[_ORDER : 2 * _ORDER],
        sys_len=sums[-2],
        ref_len=sums[-1],
        smooth_method="exp",
    )
    return score.score


def _mean(meters, names):
    return round(float(np.mean([_score(meters, name) for name in names if "_" + name in meters])), 2)
