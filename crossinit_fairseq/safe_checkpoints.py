"""Replaces how fairseq saves and loads checkpoints, for all tasks: the official 0.12.2, and ve-fairseq and
fairseq-fixed 0.12.3.

What these do by themselves, and what is done here:
- A save writes one file, then copies it over the others, `checkpoint_last.pt` for one, in place: a kill or a full disk
  leaves that one cut. Here each file is complete under another name, and on the disk, before it gets its own; the
  others are links to it.
- A damaged file ends in a traceback that does not name it. Here it is one sentence, and a `checkpoint_last.pt` that
  cannot be read is passed over, with a warning, for the newest one that can.
- A model that has diverged is saved over one that has not. Here it is one sentence, and nothing is written.
- A missing `--restore-file` is ignored, and training starts from nothing; a missing `--path`, and a file that is no
  checkpoint, end in a traceback. Here each is one sentence.
- Loading runs code that a file may carry (or, with torch 2.6 and later, fails). See checkpoint_files.py.
- A `--save-dir` that cannot be written to, or is a file, ends in a traceback. Here it is one sentence.
- Two runs with one `--save-dir` overwrite each other's checkpoints. Here the first one locks the folder.
- A run that is given the `--save-dir` of an earlier one, of another task or of other languages, goes on from it. Here
  it is refused.

tests/test_safe_checkpoints.py fails when fairseq does one of these by itself.
"""

import copy
import functools
import glob
import logging
import os
import time
from typing import Any, Callable, List, Optional, Sequence, Tuple

import torch
from omegaconf import DictConfig, open_dict

from crossinit_fairseq.checkpoint_files import (
    check_whole,
    load_checkpoint_file,
    newest_whole,
    read_header,
    save_checkpoint_file,
)
from crossinit_fairseq.complete_files import PART, part_name, sync
from crossinit_fairseq.errors import InputError, one_sentence, printable
from crossinit_fairseq.folder_lock import lock_folder

logger = logging.getLogger(__name__)

_LAST = "checkpoint_last.pt"  # what --restore-file means by default
_ATTEMPTS, _PAUSE = 3, 2.5  # of fairseq: file systems of clusters fail now and then; seconds


def apply() -> None:
    """Replace them. Safe to call twice."""
    from fairseq import checkpoint_utils

    if isinstance(checkpoint_utils.torch, _LoadingTorch):
        return
    checkpoint_utils.torch = _LoadingTorch()
    checkpoint_utils.PathManager = _linking(checkpoint_utils.PathManager)
    checkpoint_utils.torch_persistent_save = _saving(checkpoint_utils.torch_persistent_save)
    checkpoint_utils.load_checkpoint = _starting(checkpoint_utils.load_checkpoint)
    checkpoint_utils.load_model_ensemble_and_task = _finding(checkpoint_utils.load_model_ensemble_and_task)
    checkpoint_utils.verify_checkpoint_directory = _verifying(checkpoint_utils.verify_checkpoint_directory)


class _LoadingTorch:
    """torch as fairseq.checkpoint_utils sees it, with a `load` that is load_checkpoint_file."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(file: Any, *args: Any, **kwargs: Any) -> Any:
        """As torch.load, onto the CPU. file: a path, or a file with a name. Ends the program with one sentence."""
        path = file if isinstance(file, str) else file.name
        with one_sentence():
            state = load_checkpoint_file(path)
            if not isinstance(state, dict) or not isinstance(state.get("model"), dict):
                raise InputError(f"{path} is no checkpoint of fairseq: it holds no model")
            if state.get("args") is None and state.get("cfg") is None:
                raise InputError(
                    f"{path} is no checkpoint of fairseq: it does not say how its model was trained (args, cfg)"
                )
        return state


def _finding(stock: Callable) -> Callable:
    @functools.wraps(stock)
    def load_model_ensemble_and_task(filenames: Sequence[str], *args: Any, **options: Any) -> Any:
        """As fairseq's, for generation and the hub. Ends the program with one sentence when a file is missing."""
        from fairseq.file_io import PathManager

        with one_sentence():
            for path in filenames:
                if not (PathManager.path_requires_pathmanager(path) or os.path.isfile(path) or _parts_of(path)):
                    raise InputError(f"{path}: there is no such file; give a checkpoint of fairseq")
        return stock(filenames, *args, **options)

    return load_model_ensemble_and_task


def _parts_of(path: str) -> List[str]:
    """The files of a checkpoint that each process has written a part of."""
    begin = glob.escape(path[: -len(".pt")])
    return glob.glob(f"{begin}-shard*.pt") + glob.glob(f"{begin}_part*.pt")


def _linking(stock: type) -> type:
    """fairseq's PathManager with a `copy` that leaves no file cut. stock: its class."""

    class LinkingPathManager(stock):
        @staticmethod
        def copy(source: str, target: str, overwrite: bool = False) -> bool:
            """Let `target` be the same file as `source`, or a copy where the file system knows no links."""
            if stock.path_requires_pathmanager(source) or stock.path_requires_pathmanager(target):
                return stock.copy(source, target, overwrite=overwrite)
            _save_with_retries(lambda: _link(source, target))
            return True

    return LinkingPathManager


def _link(source: str, target: str) -> None:
    part = part_name(target)
    try:
        try:
            os.link(source, part)
        except OSError:  # FAT and some shared file systems
            with open(source, "rb") as read, open(part, "xb") as written:
                while True:
                    block = read.read(1 << 24)
                    if not block:
                        break
                    written.write(block)
            sync(part)
        os.replace(part, target)
        sync(os.path.dirname(os.path.abspath(target)))
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from None
    finally:
        if os.path.lexists(part):
            os.remove(part)


def _verifying(stock: Callable) -> Callable:
    @functools.wraps(stock)
    def verify_checkpoint_directory(save_dir: str) -> None:
        """Raise SystemExit with a sentence when the folder cannot be made or written to. Called before training."""
        with one_sentence():
            try:
                stock(save_dir)
            except OSError as error:
                raise InputError(
                    f"--save-dir {save_dir} cannot be written to: {error.strerror or error}; name another folder"
                ) from None

    return verify_checkpoint_directory


def _saving(stock: Callable) -> Callable:
    @functools.wraps(stock)
    def torch_persistent_save(obj: Any, filename: Any, async_write: bool = False) -> None:
        from fairseq.file_io import PathManager

        with one_sentence():
            _check_finite(obj, filename)
        if async_write or not isinstance(filename, str) or PathManager.path_requires_pathmanager(filename):
            stock(obj, filename, async_write)
        else:
            _save_with_retries(lambda: save_checkpoint_file(obj, filename))

    return torch_persistent_save


def _check_finite(obj: Any, filename: Any) -> None:
    """Raise InputError rather than have a model that has diverged written over one that has not."""
    model = obj.get("model") if isinstance(obj, dict) else None
    for name, value in (model or {}).items():
        if torch.is_tensor(value) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise InputError(
                f"{filename} is not written: {name} holds values that are not finite, training has diverged; the "
                "checkpoints before it are whole: go on from one of them with a lower learning rate, or with "
                "--reset-optimizer"
            )


def _save_with_retries(save: Callable[[], None]) -> None:
    """Save, several times if need be. Ends the program with one sentence when that fails."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return save()
        except InputError as error:
            if attempt == _ATTEMPTS:
                with one_sentence():
                    raise InputError(
                        f"{error}; the checkpoints before it are whole: when there is room, give the same command "
                        "again, and it goes on from the newest one"
                    ) from None
            logger.warning(f"{error}; trying again")
            time.sleep(_PAUSE)


def _starting(stock: Callable) -> Callable:
    @functools.wraps(stock)
    def load_checkpoint(cfg: DictConfig, trainer: Any, **options: Any) -> Any:
        """cfg: CheckpointConfig; trainer: fairseq's. As fairseq's, once it is clear what training starts from."""
        reason, instead = None, None
        if trainer.data_parallel_rank == 0:
            try:
                if not cfg.no_save:
                    lock_folder(cfg.save_dir)
                    _remove_parts(cfg.save_dir)
                suffix = trainer.checkpoint_suffix or ""
                instead = _check_start(cfg, suffix)
                _check_same_run(cfg, instead or _last_one(cfg.save_dir, suffix), trainer.task)
            except InputError as error:
                reason = str(error)
        if trainer.data_parallel_world_size > 1:
            # all processes end with the reason, or start from the same file
            from fairseq.distributed import utils

            reason, instead = utils.broadcast_object(
                (reason, instead), src_rank=0, group=trainer.data_parallel_process_group, dist_device=trainer.device
            )
        with one_sentence():
            if reason is not None:
                raise InputError(reason)
        if instead is not None:
            cfg = copy.deepcopy(cfg)
            with open_dict(cfg):
                cfg.restore_file, cfg.finetune_from_model = instead, None
        return stock(cfg, trainer, **options)

    return load_checkpoint


def _check_start(cfg: DictConfig, suffix: str) -> Optional[str]:
    """Whether training can start from what the options say. Returns None, or the `--restore-file` to start from
    instead.

    cfg: CheckpointConfig; suffix: what stands before `.pt` in the names of this process's files.
    Raises InputError when it cannot, or when what it names is missing.
    """
    if cfg.restore_file != _LAST:
        path = cfg.restore_file.replace(".pt", suffix + ".pt")
        _check_loads(path, "--restore-file")
        return None
    last = _last_one(cfg.save_dir, suffix)
    if not os.path.lexists(last):
        if cfg.finetune_from_model is not None:
            _check_loads(cfg.finetune_from_model, "--finetune-from-model")
        return None
    try:
        _check_loads(last, "")
        return None
    except InputError as error:
        found: Optional[Tuple[str, int]] = newest_whole(cfg.save_dir, suffix)
        if found is None:
            raise InputError(
                f"{error}; no other checkpoint there is whole: remove it to start from the beginning"
            ) from None
        path, updates = found
        logger.warning(printable(f"{error}; going on from {path} instead, which was saved after {updates:,} updates"))
        return path.replace(suffix + ".pt", ".pt") if suffix else path


def _last_one(folder: str, suffix: str) -> str:
    return os.path.join(folder, f"checkpoint_last{suffix}.pt")


def _check_same_run(cfg: DictConfig, path: str, task: Any) -> None:
    """Raise InputError when training would go on from a checkpoint that another run has left in its `--save-dir`.

    cfg: CheckpointConfig; path: of the checkpoint, if it exists; task: fairseq's; those of this package tell, see
    CrossInitTask.check_same_run. With `--restore-file` or an option `--reset-...` going on from another run is meant.
    """
    resets = ("reset_optimizer", "reset_dataloader", "reset_meters", "reset_lr_scheduler")
    is_meant = cfg.restore_file != _LAST or any(cfg[name] for name in resets)
    if os.path.isfile(path) and not is_meant and hasattr(task, "check_same_run"):
        task.check_same_run(path, read_header(path))


def _check_loads(path: str, option: str) -> None:
    from fairseq.file_io import PathManager

    if PathManager.path_requires_pathmanager(path):
        return
    if not os.path.isfile(path):
        raise InputError(f"{option} {path}: there is no such file")
    check_whole(path)
    read_header(path)


def _remove_parts(folder: str) -> None:
    """Remove what a killed run had not finished writing; the lock tells that no other run is writing it."""
    for path in glob.glob(os.path.join(glob.escape(folder), f"checkpoint*.pt.*{PART}")):
        os.remove(path)
        logger.warning(f"removed {printable(path)}, which an interrupted run had not finished")
