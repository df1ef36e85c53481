"""A run that has ended by itself, and whose command is given again: by a cluster that queues its jobs anew, by a script
that is repeated, by someone who is not sure that it had ended.

fairseq looks at `--max-update` after an update only, so each such start trains one update more, by a schedule that has
ended, and saves it over the last checkpoint: what was reported is no longer what is there. The count of validations
that brought nothing (`--patience`) is in no checkpoint: every start counts from 0, and a run that is stopped more often
than that never ends. Of `--max-epoch` fairseq takes notice before.
"""

import logging
import sys
from typing import Any, Dict, Iterator, Optional

from omegaconf import open_dict

logger = logging.getLogger(__name__)

_NO_EPOCH = -1  # 0 would stand for any number of them
_KEY = "validations_without_gain"  # in a checkpoint's extra_state, where there is --patience
_STOPPED = "stopped_at"  # the same, where --stop-directions ends the run: at how many directions, after which update


def end_finished_runs() -> None:
    """Let a run that has ended by `--max-update`, `--patience` or `--stop-directions` end at once when it is started
    again, and `--patience` go on counting, in all versions of fairseq.

    Another number in the command than the one that ended the run goes on as ever, and so does `--reset-optimizer` or
    another run's model (`--finetune-from-model`), which count from 0. `--reset-meters` forgets validations, but no
    updates.
    """
    import fairseq.trainer

    trainer = fairseq.trainer.Trainer
    load, state = trainer.load_checkpoint, trainer.state_dict
    if getattr(load, "ends_finished_runs", False):
        return

    def load_checkpoint(self: Any, *args: Any, reset_meters: bool = False, **kwargs: Any) -> Any:
        extra_state = load(self, *args, reset_meters=reset_meters, **kwargs)
        goes_on = extra_state is not None and self.get_num_updates() > 0
        saved = extra_state if goes_on and not reset_meters else {}
        _count_from(**saved.get(_KEY, {}))
        if goes_on:
            _end_or_go_on(self, saved)
        return extra_state

    def state_dict(self: Any) -> Dict[str, Any]:
        whole = state(self)
        if self.cfg.checkpoint.patience > 0:
            whole["extra_state"][_KEY] = _counted()
        if getattr(self.task, "stopped_at", None):
            whole["extra_state"][_STOPPED] = self.task.stopped_at
        return whole

    # what other wrappers ask each other by
    vars(load_checkpoint).update(vars(load), ends_finished_runs=True)
    trainer.load_checkpoint, trainer.state_dict = load_checkpoint, state_dict


def _end_or_go_on(trainer: Any, saved: Dict[str, Any]) -> None:
    """Set the trainer's configuration, which fairseq looks at next, so that a run that has ended trains nothing."""
    made, stopped = trainer.get_num_updates(), saved.get(_STOPPED)
    reason = _reason_to_end(trainer.cfg, made, saved)
    with open_dict(trainer.cfg):
        if reason:
            logger.warning(f"this run has ended: {reason}; nothing is trained, and nothing is saved")
            trainer.cfg.optimization.max_epoch = _NO_EPOCH
        elif stopped and stopped["directions"] <= _fewest(trainer.cfg):
            # it was stopped itself before its last update
            trainer.task.stopped_at, trainer.cfg.optimization.max_update = stopped, made


def _reason_to_end(cfg: Any, made: int, saved: Dict[str, Any]) -> Optional[str]:
    """Why a run that has made so many updates is not to go on; None where it is."""
    limit, patience = cfg.optimization.max_update, cfg.checkpoint.patience
    if 0 < limit <= made:
        return f"it has made {made:,} updates, and --max-update is {limit:,}"
    in_vain = saved.get(_KEY, {}).get("num_runs", 0)
    if 0 < patience <= in_vain:
        return f"its last {in_vain} validations brought nothing, and --patience is {patience}"
    stopped = saved.get(_STOPPED)
    if stopped and stopped["directions"] <= _fewest(cfg) and stopped["updates"] < made:
        return f"words lie along {stopped['directions']:.2f} directions, and --stop-directions is {_fewest(cfg):g}"
    return None


def _fewest(cfg: Any) -> float:
    """--stop-directions; 0 in a task that has no such option."""
    return float(getattr(cfg.task, "stop_directions", 0))


def _functions() -> Iterator[Any]:
    """fairseq's should_stop_early, which keeps the count as attributes of its own, wherever fairseq-train runs."""
    for name in ("fairseq_cli.train", "__main__"):
        function = getattr(sys.modules.get(name), "should_stop_early", None)
        if function is not None:
            yield function


def _counted() -> Dict[str, Any]:
    for function in _functions():
        if getattr(function, "best", None) is not None:
            return {"best": float(function.best), "num_runs": int(function.num_runs)}
    return {}


def _count_from(best: Optional[float] = None, num_runs: int = 0) -> None:
    """Go on with a count; without one begin anew, as in a second run of the same process."""
    for function in _functions():
        function.best, function.num_runs = best, num_runs
