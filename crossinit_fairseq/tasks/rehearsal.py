"""What a program of fairseq does before its first batch, as far as that takes seconds, for crossinit-doctor.

Nothing is written and nothing trained. What this package refuses ends the rehearsal with the sentence and the exit
status that would end the run, and so does a model, an optimizer or a schedule that cannot be made. Any other exception
is raised: the run may end by it too, or the rehearsal alone, and the doctor says that the rest was not looked at.
"""

import contextlib
import os
import tempfile
from typing import Any, Iterator

import torch
from fairseq import tasks
from fairseq.optim import OPTIMIZER_REGISTRY, build_optimizer
from fairseq.optim.lr_scheduler import build_lr_scheduler

from crossinit_fairseq.checkpoint_files import (
    FEW_BYTES,
    load_checkpoint_file,
    read_header,
)
from crossinit_fairseq.checkpoint_origin import sentence_of_another_optimizer, sentence_of_misfit
from crossinit_fairseq.data.datasets.workers import check_temporary_folder
from crossinit_fairseq.data.earlier_run import starting_checkpoint
from crossinit_fairseq.data.folder import check_languages
from crossinit_fairseq.errors import InputError, first_line, one_sentence
from crossinit_fairseq.tasks.base import CrossInitTask


def rehearse(program: str, cfg: Any) -> None:
    """Rehearse a command for a task of this package; of any other the place where its workers meet is looked at.

    program: such as fairseq-train; cfg: fairseq's configuration of the command. Ends with SystemExit where the program
    would, and raises what else fairseq or torch may raise.
    """
    if cfg.dataset.num_workers and program != "fairseq-interactive":
        with one_sentence():
            check_temporary_folder(tempfile.gettempdir())
    if not str(cfg.task._name).startswith("crossinit_"):
        return
    task = tasks.setup_task(cfg.task)
    if program == "fairseq-train":
        _train(task, cfg)
    elif program in ("fairseq-generate", "fairseq-interactive"):
        _translate(task, program, cfg)
    elif program == "fairseq-validate":
        for split in cfg.dataset.valid_subset.split(","):
            task.load_dataset(split, combine=False, epoch=1)


def rehearse_preprocessing(options: Any) -> None:
    """End with SystemExit where fairseq-preprocess is told of files that are not there: it would end in a traceback.

    options: as its parser has them.
    """
    languages = [options.source_lang] + ([] if options.only_source else [options.target_lang])
    named = [("--srcdict", options.srcdict), ("--tgtdict", options.tgtdict)]
    for name in ("trainpref", "validpref", "testpref"):
        for prefix in filter(None, (getattr(options, name) or "").split(",")):
            named += [(f"--{name}", f"{prefix}.{language}" if language else prefix) for language in languages]
    with one_sentence():
        for name, path in named:
            if path and not os.path.isfile(path):
                raise InputError(f"{name}: there is no file {path}")


def _train(task: CrossInitTask, cfg: Any) -> None:
    model = _build(task, cfg)
    _check_optimizer(cfg)
    task.rehearse_reading()
    criterion = type(task.build_criterion(cfg.criterion)).__name__
    with one_sentence():
        _check_start(cfg, model, criterion)
    # getattr, as omegaconf 2.0 has no `get` of a key that is not there
    if getattr(cfg.task, "source_lang", None) and getattr(cfg.task, "target_lang", None):  # it asks for aligned text
        task.load_dataset(cfg.dataset.train_subset, combine=False, epoch=1)
    if not cfg.dataset.disable_validation and task.validates_on_text:
        for split in cfg.dataset.valid_subset.split(","):
            task.load_dataset(split, combine=False, epoch=1)
    with one_sentence():
        task.best_metric.check()


def _build(task: CrossInitTask, cfg: Any) -> torch.nn.Module:
    with contextlib.suppress(Exception), _no_memory():  # --start-as-copier looks at values
        return task.build_to_rehearse(cfg.model)
    with _said_of(f"the model of --arch {cfg.model.arch}"):
        return task.build_to_rehearse(cfg.model)


@contextlib.contextmanager
def _said_of(what: str) -> Iterator[None]:
    """Within it nothing but what is asked for can fail; where it does, training would, with a traceback."""
    try:
        yield
    except Exception as error:
        with one_sentence():
            raise InputError(f"{what} cannot be made: {first_line(error)}") from None


def _check_optimizer(cfg: Any) -> None:
    """Make the optimizer and the schedule of its rate, of a small parameter in place of the model's."""
    if getattr(cfg.optimizer, "_name", None) is None:
        with one_sentence():
            raise InputError("--optimizer is not given: add it, such as --optimizer adam")
    if cfg.optimizer._name == "composite":  # which asks parameters for its parts
        return
    with _said_of(f"--optimizer {cfg.optimizer._name}"):
        optimizer = build_optimizer(cfg.optimizer, [torch.nn.Parameter(torch.zeros(2, 2))])
    with _said_of(f"--lr-scheduler {cfg.lr_scheduler._name}"):
        build_lr_scheduler(cfg.lr_scheduler, optimizer)


@contextlib.contextmanager
def _no_memory() -> Iterator[None]:
    """Within it parameters have shapes, and neither values nor memory; on torch before 2.0 they have both."""
    if not hasattr(torch.device, "__enter__"):
        yield
        return
    from torch.overrides import TorchFunctionMode

    class StaysThere(TorchFunctionMode):
        """fairseq draws the weights of BART and XLM on the CPU, where nothing without values can go."""

        def __torch_function__(self, function: Any, types: Any, args: Any = (), options: Any = None) -> Any:
            """The tensor itself for its copy on the CPU."""
            return args[0] if function is torch.Tensor.cpu else function(*args, **(options or {}))

    with torch.device("meta"), StaysThere():
        yield


def _check_start(cfg: Any, model: torch.nn.Module, criterion: str) -> None:
    """Raise InputError when the checkpoint that the run would start from does not fit the model, or the optimizer."""
    saving = cfg.checkpoint
    path = starting_checkpoint(saving.save_dir, saving.restore_file, saving.finetune_from_model)
    if not path or os.path.getsize(path) > FEW_BYTES:
        return
    state = load_checkpoint_file(path)
    try:
        model.load_state_dict(state["model"], strict=True, model_cfg=cfg.model)
    except (RuntimeError, KeyError) as error:
        raise InputError(sentence_of_misfit(path, cfg.model.arch, error)) from None
    goes_on = not saving.reset_optimizer and path != saving.finetune_from_model
    history = state.get("optimizer_history")
    if goes_on and history and state.get("last_optimizer_state") is not None:
        pairs = ((history[-1]["criterion_name"], criterion), (history[-1]["optimizer_name"], _optimizer(cfg)))
        for theirs, ours in pairs:
            if theirs != ours:
                raise InputError(sentence_of_another_optimizer(path, theirs, ours))


def _optimizer(cfg: Any) -> str:
    """The class that fairseq's trainer would make."""
    common = cfg.common
    if common.fp16 or common.bf16:
        memory_efficient = common.memory_efficient_fp16 or common.memory_efficient_bf16
        return "MemoryEfficientFP16Optimizer" if memory_efficient else "FP16Optimizer"
    if getattr(common, "amp", False):
        return "AMPOptimizer"
    return OPTIMIZER_REGISTRY[cfg.optimizer._name].__name__


def _translate(task: CrossInitTask, program: str, cfg: Any) -> None:
    if not cfg.common_eval.path:
        with one_sentence():
            raise InputError("--path is not given: name the checkpoint that is to translate")
    task.build_bpe(cfg.bpe)
    wanted = (getattr(cfg.task, "source_lang", None), getattr(cfg.task, "target_lang", None))
    if all(wanted) and str(getattr(cfg.task, "generation_vocab", None)) == "target":
        with one_sentence():
            check_languages(",".join(wanted), task.folders[:1], cfg.task.train_subset)
    if program == "fairseq-interactive":
        with one_sentence():
            if cfg.interactive.input != "-" and not os.path.exists(cfg.interactive.input):
                raise InputError(f"--input {cfg.interactive.input}: there is no such file")
        task.check_languages_of_generation()
    if program == "fairseq-generate":
        task.load_dataset(cfg.dataset.gen_subset)
        task.get_batch_iterator(task.dataset(cfg.dataset.gen_subset), max_tokens=cfg.dataset.max_tokens)
    for path in filter(None, (cfg.common_eval.path or "").split(os.pathsep)):
        with one_sentence():
            header = read_header(path)
        if header.get("cfg"):  # older ones have args instead, which fairseq turns into it when it loads them
            with _no_memory():
                task.build_model(header["cfg"]["model"], from_checkpoint=True)
        task.load_state_dict(header.get("task_state") or {})
