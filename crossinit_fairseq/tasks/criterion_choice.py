"""The criterion that a task is given: those that read what it does not give are refused before training, and so are
options of fairseq's that ask for more than a task has, which end in a traceback, some at the first validation.
"""

import contextlib
from typing import Any, Iterator

from fairseq.criterions import CRITERION_REGISTRY

from crossinit_fairseq.errors import InputError, first_line

_OF_ONE_TASK = {
    "crossinit": "crossinit_pretrain",
    "span_prediction": "crossinit_qa",
    "sentence_prediction": "crossinit_xnli",
    "masked_lm": "crossinit_mlm",
}
_USUAL = "--criterion label_smoothed_cross_entropy or cross_entropy"
_HEAD = "sentence_classification_head"  # fairseq's default
# of sentence_prediction: for two labels, or for numbers
_OF_OTHER_LABELS = ("regression_target", "report_mcc", "report_acc_and_f1", "report_pearson_and_spearman")


def check_criterion(cfg: Any, task: str, needed: str, model: Any = None) -> None:
    """Raise InputError for a criterion, or an option of it, that does not go with a task.

    cfg: the criterion's options, as fairseq has them; task: its name; needed: the one that it trains with, "" for any
    that an encoder-decoder has; model: the options of the model, None where they are not known.
    """
    name = _name(cfg)
    if needed and name != needed:
        raise InputError(f"--task {task} trains with --criterion {needed}, not with {name}")
    if not needed and name in _OF_ONE_TASK:
        raise InputError(f"--criterion {name} is of --task {_OF_ONE_TASK[name]}: give --task {task} {_USUAL}")
    stock = CRITERION_REGISTRY.get(name)
    if not needed and stock is not None and stock.__module__.startswith("fairseq."):
        if not any(part in name for part in ("cross_entropy", "adaptive_loss")) or "ctc" in name:
            raise InputError(f"--criterion {name} does not go with --task {task}: give {_USUAL}")
    cutoff = getattr(model, "adaptive_softmax_cutoff", None)
    if not needed and model is not None and bool(cutoff) != (name == "adaptive_loss"):
        given, lacks = (
            (f"--criterion {name}", "without") if not cutoff else ("--adaptive-softmax-cutoff", "with another")
        )
        other = "--adaptive-softmax-cutoff" if not cutoff else "criterion than adaptive_loss"
        raise InputError(
            f"{given} cannot train {lacks} {other}: leave it out, with {_USUAL}, or give --criterion adaptive_loss "
            "--adaptive-softmax-cutoff 10000,20000 --ddp-backend legacy_ddp"
        )
    if name == "sentence_prediction":
        for option in _OF_OTHER_LABELS:
            if getattr(cfg, option, False):
                raise InputError(
                    f"--{option.replace('_', '-')} does not go with --task {task}, whose labels are three words: leave "
                    "it out; accuracy is logged, and crossinit-score scores predictions by language"
                )
        head = getattr(cfg, "classification_head_name", None) or _HEAD
        if head != _HEAD:
            raise InputError(f"--classification-head-name {head}: --task {task} has one head, {_HEAD}: leave it out")
    smoothing = getattr(cfg, "label_smoothing", None)
    if isinstance(smoothing, (int, float)) and not 0 <= smoothing < 1:
        raise InputError(f"--label-smoothing is {smoothing:g}; it is a share, from 0 to below 1")


@contextlib.contextmanager
def made(cfg: Any) -> Iterator[None]:
    """Within it a criterion is made; where that fails, for want of a library or of another option, raise InputError.
    cfg: its options."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"--criterion {_name(cfg)} cannot be made: {first_line(error)}") from None


def _name(cfg: Any) -> str:
    return str(getattr(cfg, "_name", None) or getattr(cfg, "criterion", None))
