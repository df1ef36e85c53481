"""Seeing to it that validation logs what is to tell the best checkpoint, before a run spends hours until then."""

import logging
from typing import Any, Dict

from fairseq import checkpoint_utils

from crossinit_fairseq.best_metric import sentence_of_missing, which_way
from crossinit_fairseq.errors import InputError

logger = logging.getLogger(__name__)


class BestMetric:
    """Looks after --best-checkpoint-metric in the training of one task.

    fairseq takes it out of what validation has logged, for each split, and ends in a KeyError where it is not there; of
    the first split it is compared, before any task is asked, with the best of the validations before.
    task: a CrossInitTask.
    """

    def __init__(self, task: Any):
        self.task = task
        self._validated = 0  # of the splits of the validation that is going on
        self._best: Any = None  # of the validations before it

    def check(self) -> None:
        """Raise InputError when validation on the first split, the one that counts, will not log the metric, or when
        the task lets it choose no checkpoint. Warns when the worst checkpoint would be kept as the best. The text to
        validate on is loaded."""
        options = self.task.options
        if "checkpoint" not in options or options.dataset.disable_validation:
            return
        metric = options.checkpoint.best_checkpoint_metric
        logged = self.task.validation_metrics(options.dataset.valid_subset.split(",")[0])
        if logged is not None and metric not in logged:
            raise InputError(sentence_of_missing(metric, logged))
        self.task.check_metric(metric)
        way = which_way(metric, options.checkpoint.maximize_best_checkpoint_metric)
        if way:
            logger.warning(str(way))

    def begin_validation(self) -> None:
        """The next split is the first one. Until it has been validated fairseq knows no best value to compare with."""
        self._validated = 0
        self._best = vars(checkpoint_utils.save_checkpoint).pop("best", self._best)

    def after_split(self, stats: Dict[str, Any]) -> None:
        """Where a split has not logged the metric, let it be without a value: fairseq then goes on, and saves what it
        would save without validation. stats: what was logged, by name."""
        self._validated += 1
        options = self.task.options
        if "checkpoint" not in options:
            return
        metric, maximize = options.checkpoint.best_checkpoint_metric, options.checkpoint.maximize_best_checkpoint_metric
        before, self._best = self._best, None
        if before is not None:
            checkpoint_utils.save_checkpoint.best = before
            if metric in stats:
                stats[f"best_{metric}"] = (max if maximize else min)(before, stats[metric])
        if metric in stats:
            return
        if self._validated == 1 and before is not None:
            logger.warning(
                f"--best-checkpoint-metric {metric}: this validation has not logged it, as it had nothing to measure "
                f"it on; the run goes on, and what it saves now is not called the best, which stays {before}"
            )
        elif self._validated == 1:
            logger.warning(
                f"{sentence_of_missing(metric, stats)}. The run goes on and saves checkpoints, but none as the best, "
                "and --patience does not end it"
            )
        stats[metric] = None
