"""One step of learning from several samples: their gradients add up, and processes exchange them once."""

import contextlib
import math
from collections import defaultdict

import torch
from fairseq.logging import metrics
from fairseq.optim.amp_optimizer import AMPOptimizer

from crossinit_fairseq.translation.output_loss import criterion_of

KINDS = ("dae", "bt")


def learn(model, criterion, optimizer, samples, update):
    """Run forward and backward on each sample. Returns what a task's train_step returns: (loss, sample size, logs).

    The logs have the same keys in the same order whatever the samples, since fairseq sums them over processes by place;
    each key of the criterion's once for all samples and once for each kind (``dae_loss``).

    samples: list, not empty, of (kind, language, weight, sample); a weight of 0 keeps a process in step that has nothing
    to learn from, and counts nothing. Raises FloatingPointError for a loss that is no number, before the backward pass.
    """
    total, size, logs = 0.0, 0, defaultdict(float)
    for number, (kind, language, weight, sample) in enumerate(samples):
        with _exchange_gradients(model, number + 1 == len(samples)):
            # AMP is the one precision that asks this of the task
            with torch.autocast("cuda", enabled=isinstance(optimizer, AMPOptimizer)):
                loss, sample_size, log = criterion_of(model, criterion, sample)
            if not torch.isfinite(loss):
                raise FloatingPointError(_not_finite(loss, kind, language, update, sample))
            loss = loss * weight
            optimizer.backward(loss)
        counts = 1 if weight else 0
        total, size = total + loss.detach(), size + sample_size * counts
        for key, value in log.items():
            logs[key] += value * counts
            for each in KINDS:
                logs["{}_{}".format(each, key)] += value * (counts if each == kind else 0)
    return total, size, dict(logs)


def log_learnt(logging_outputs):
    """Show the losses of denoising and of back-translation in fairseq's meters, in bits. Returns whether these are logs of
    `learn` at all."""
    for kind in KINDS:
        size = sum(log.get(kind + "_sample_size", 0) for log in logging_outputs)
        if size:
            loss = sum(log.get(kind + "_loss", 0) for log in logging_outputs)
            metrics.log_scalar(kind + "_loss", loss / size / math.log(2), size, round=3)
    return any(kind + "_sample_size" in log for log in logging_outputs for kind in KINDS)


def _exchange_gradients(model, last):
    """Torch's data-parallel wrapper exchanges gradients in every backward pass: once, after the last, is enough."""
    if last or not hasattr(model, "no_sync"):
        return contextlib.nullcontext()
    return model.no_sync()


def _not_finite(loss, kind, language, update, sample):
    ids = sample["id"].tolist()
    return (
        "the loss is {} in update {:,}, {} of language {}, sentences {}{} of its training text: nothing was learnt from them; "
        "lower the learning rate, or look at these sentences".format(
            float(loss),
            update + 1,
            {"dae": "denoising", "bt": "back-translation"}[kind],
            language,
            ", ".join(map(str, sorted(ids)[:20])),
            " and {:,} more".format(len(ids) - 20) if len(ids) > 20 else "",
        )
    )
