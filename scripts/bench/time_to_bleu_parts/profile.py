"""Where the seconds of a run's training go: a short stretch of it, from its last checkpoint on, with timers."""

import argparse
import contextlib
import logging
import os
import tempfile
import time
import warnings
from pathlib import Path
from unittest import mock

from fairseq import checkpoint_utils, tasks, utils
from fairseq.logging import metrics
from fairseq.trainer import Trainer
from omegaconf import OmegaConf

ROOT = Path(__file__).resolve().parents[3]
STAGES = ("reading", "noise", "generation", "forward", "backward", "optimizer", "other")


class Stopwatch:
    """Seconds of CPU by stage; what a stage calls that is timed by itself is not counted twice."""

    def __init__(self, clock=time.process_time):
        self.clock, self.seconds, self._running, self._since = clock, {}, [], 0.0

    def _note(self):
        now = self.clock()
        if self._running:
            stage = self._running[-1]
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now

    @contextlib.contextmanager
    def stage(self, name):
        """Count what is done within it as of a stage."""
        self._note()
        self._running.append(name)
        try:
            yield
        finally:
            self._note()
            self._running.pop()

    def around(self, name, function):
        """The function, counted as of a stage."""

        def timed(*args, **kwargs):
            with self.stage(name):
                return function(*args, **kwargs)

        return timed


def profile_run(folder, data, updates):
    """Train on for some updates, validate and save once. Returns {"update": {stage: seconds}, "validation": seconds,
    "saving": seconds, "updates": how many}, of CPU time, each of one update, one validation, one saving.

    folder: of examples/captions, OUT/runs/INIT-SEED; data: OUT/data.
    """
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    utils.import_user_module(argparse.Namespace(user_dir=str(ROOT / "crossinit_fairseq")))
    before = os.getcwd()
    os.chdir(str(folder))  # its lexicon has a relative path
    try:
        trainer = _trainer(str(Path("translation", "checkpoint_last.pt")), str(data))
        return _measure(trainer, updates)
    finally:
        os.chdir(before)
        logging.disable(logging.NOTSET)


def _trainer(path, data):
    """fairseq's Trainer as it was when the checkpoint was saved."""
    cfg = checkpoint_utils.load_checkpoint_to_cpu(path)["cfg"]
    OmegaConf.set_struct(cfg, False)
    cfg.task.data, cfg.common.user_dir = data, str(ROOT / "crossinit_fairseq")
    cfg.checkpoint.finetune_from_model = cfg.task.finetune_from_model = None
    task = tasks.setup_task(cfg.task, from_checkpoint=True)
    model, criterion = task.build_model(cfg.model, from_checkpoint=True), task.build_criterion(cfg.criterion)
    task.load_dataset("train", epoch=1)
    task.load_dataset("valid")
    trainer = Trainer(cfg, task, model, criterion)
    trainer.load_checkpoint(path)
    return trainer


def _measure(trainer, updates):
    iterator = trainer.get_train_iterator(epoch=1, load_dataset=False)
    batches = iterator.next_epoch_itr(shuffle=True)
    watch = Stopwatch()
    with _timers(trainer, watch):
        next(batches)  # the first warms up
        watch.seconds.clear()
        for _ in range(updates):
            with watch.stage("reading"):
                batch = next(batches)
            with watch.stage("other"), metrics.aggregate("train"):
                trainer.train_step([batch])
    found = {stage: watch.seconds.get(stage, 0.0) / updates for stage in STAGES}
    watch = Stopwatch()
    with watch.stage("validation"), metrics.aggregate(new_root=True):
        for batch in trainer.get_valid_iterator("valid").next_epoch_itr(shuffle=False, set_dataset_epoch=False):
            trainer.valid_step(batch)
    trainer.consolidate_optimizer()
    with tempfile.TemporaryDirectory() as empty, watch.stage("saving"):
        trainer.save_checkpoint(os.path.join(empty, "checkpoint.pt"), {"train_iterator": iterator.state_dict()})
    return {"update": found, "updates": updates, **watch.seconds}


@contextlib.contextmanager
def _timers(trainer, watch):
    from crossinit_fairseq.data.datasets import monolingual_updates
    from crossinit_fairseq.unmt import training_step
    from crossinit_fairseq.unmt.back_translation import BackTranslation

    dataset = trainer.task.datasets["train"]
    places = [
        ("noise", monolingual_updates, "add_noise"),
        ("generation", BackTranslation, "samples"),
        ("generation", BackTranslation, "ahead"),
        ("forward", training_step, "compute_loss"),
        ("backward", type(trainer.optimizer), "backward"),
        ("optimizer", type(trainer.task), "optimizer_step"),
        ("optimizer", Trainer, "clip_grad_norm"),
        ("optimizer", Trainer, "zero_grad"),
    ]
    if dataset.lexicon_noise is not None:
        places.append(("noise", dataset, "lexicon_noise"))
    with contextlib.ExitStack() as stack:
        for stage, owner, name in places:
            stack.enter_context(mock.patch.object(owner, name, watch.around(stage, getattr(owner, name))))
        yield
