"""Compatibility shims, all of which are applied here. Each names the versions it is for; tests/test_compat.py fails
when one is idle. Those of saving and loading checkpoints are in safe_checkpoints.py, those for machines without a GPU
in cpu_shims.py, those of text that users give or type in text_shims.py.

fairseq is archived; these faults will not be mended there. Everything else that is fragile in it is replaced by a task
of ours rather than patched.
"""

import argparse
import logging
import re
import sys
import warnings
from typing import IO, Any, Optional, Sequence, Tuple

import torch
from omegaconf import open_dict

from crossinit_fairseq import cpu_shims, safe_checkpoints, text_shims
from crossinit_fairseq.checkpoint_origin import (
    architecture_of,
    sentence_of_another_optimizer,
    sentence_of_misfit,
)
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.without_gpus import check_tpu, why_not_this_precision

# module that a warning is about, and how it begins
_NEWER_NAMES = (
    (r"hydra\.experimental\.initialize", r"hydra\.experimental\.initialize\(\) is no longer experimental"),
    (r"hydra\.experimental\.initialize", r"\s*The version_base parameter is not specified"),
    (r"hydra\.experimental\.compose", r"hydra\.experimental\.compose\(\) is no longer experimental"),
    (r"hydra\.core\.default_element", r"In 'config': Usage of deprecated keyword in package header"),
    (r".*", r"\s*'config' is validated against ConfigStore schema"),  # whatever started the program
    (r"hydra\.compose", r"\s*The strict flag in the compose API is deprecated"),
    (r"fairseq\.tasks\.fairseq_task", r"`torch\.cuda\.amp\.autocast\(args\.\.\.\)` is deprecated"),
    (r"torch\.nn\.functional", r"Support for mismatched key_padding_mask and attn_mask is deprecated"),
)


class _TrustingTorch:
    """torch as one fairseq module sees it, with a `load` that unpickles any object as it did before 2.6.

    torch >= 2.6 made `weights_only=True` the default of `torch.load`. Only the module given a `_TrustingTorch` is
    affected.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(*args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("weights_only", False)
        return torch.load(*args, **kwargs)


def _torch_version() -> Tuple[int, ...]:
    return tuple(map(int, torch.__version__.split(".")[:2]))


def let_processes_exchange_objects() -> None:
    """For torch >= 2.6: the processes of one run send each other numpy numbers and configurations with a checkpoint."""
    if _torch_version() < (2, 6):
        return
    import fairseq.distributed.utils

    if not isinstance(fairseq.distributed.utils.torch, _TrustingTorch):
        fairseq.distributed.utils.torch = _TrustingTorch()


def let_denoising_share_options() -> None:
    """For the official 0.12.2: `--task multilingual_denoising` defines options that every BART architecture has defined
    before it, and argparse refuses (`conflicting option string: --max-source-positions`). The forks made the task's
    options a dataclass, which skips what is there.
    """
    from fairseq.tasks.denoising import DenoisingTask

    if getattr(DenoisingTask, "__dataclass", None) is not None or hasattr(DenoisingTask.add_args, "shares"):
        return
    stock = DenoisingTask.add_args

    def add_args(parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("Denoising")
        group.conflict_handler = "resolve"
        stock(group)

    add_args.shares = True
    DenoisingTask.add_args = staticmethod(add_args)


def list_all_options_in_help() -> None:
    """For all versions: `fairseq-train --help --user-dir ... --task NAME` stops before it has read NAME's options.

    fairseq parses twice, first for the names of task, architecture and criterion, then with their options; `--help`
    ends the first. In a process that was asked for help, finish the parser before the help is printed.
    """
    asked = [argument for argument in sys.argv[1:] if argument in ("-h", "--help")]
    if not asked or not any(argument.split("=")[0] == "--task" for argument in sys.argv):
        return
    print_help = argparse.ArgumentParser.print_help

    def print_all(parser: argparse.ArgumentParser, file: Optional[IO[str]] = None) -> None:
        argparse.ArgumentParser.print_help = print_help
        if "--task" in parser._option_string_actions:
            _add_chosen_options(parser, [argument for argument in sys.argv[1:] if argument not in asked])
        print_help(parser, file)

    argparse.ArgumentParser.print_help = print_all


def _add_chosen_options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Add the options of the architecture, the task, the criterion, ... that the arguments name."""
    from fairseq.dataclass.utils import gen_parser_from_dataclass
    from fairseq.models import ARCH_MODEL_REGISTRY
    from fairseq.registry import REGISTRIES
    from fairseq.tasks import TASK_REGISTRY

    chosen, _ = parser.parse_known_args(arguments)
    if getattr(chosen, "arch", None) in ARCH_MODEL_REGISTRY:
        group = parser.add_argument_group("Options of --arch " + chosen.arch)
        ARCH_MODEL_REGISTRY[chosen.arch].add_args(group)
    TASK_REGISTRY[chosen.task].add_args(parser.add_argument_group("Options of --task " + chosen.task))
    for name, registry in REGISTRIES.items():
        choice = getattr(chosen, name, None)
        if choice is not None:
            cls = registry["registry"][choice]
            group = parser.add_argument_group(f"Options of --{name.replace('_', '-')} {choice}")
            if hasattr(cls, "add_args"):
                cls.add_args(group)
            elif getattr(cls, "__dataclass", None) is not None:
                gen_parser_from_dataclass(group, cls.__dataclass())


def let_gpus_train_in_bfloat16() -> None:
    """For all versions: the command line takes --bf16 for the sign of a TPU. Where there is no library for TPUs the
    trainer ends with a traceback (`'NoneType' object has no attribute 'xla_device'`), and several processes begin not
    at all or each for itself. A GPU or CPU is meant. By --tpu a TPU is; that ends in the same traceback, now in words.
    """
    import fairseq.distributed.utils
    import fairseq.utils

    stock = fairseq.distributed.utils.call_main
    if fairseq.utils.xm is not None or hasattr(stock, "without_tpu"):
        return

    def call_main(cfg: Any, main: Any, **kwargs: Any) -> None:
        if cfg.common.tpu:
            with one_sentence():
                check_tpu(cfg.common)
            with open_dict(cfg):
                cfg.common.tpu = cfg.distributed_training.tpu = False
                if "tpu" in (cfg.optimizer or ()):
                    cfg.optimizer.tpu = False
        stock(cfg, main, **kwargs)

    # what other wrappers ask each other by
    vars(call_main).update(vars(stock), without_tpu=stock)
    fairseq.distributed.utils.call_main = call_main


def say_which_precisions_exclude_each_other() -> None:
    """For all versions: `--fp16` with `--bf16` or `--tpu` ends in a ValueError that speaks of TPUs."""
    import fairseq.options

    stock = fairseq.options.parse_args_and_arch
    if hasattr(stock, "stock"):
        return

    def parse_args_and_arch(*args: Any, **kwargs: Any) -> Any:
        try:
            return stock(*args, **kwargs)
        except ValueError as error:
            if "Cannot combine --fp16" not in str(error):
                raise
        with one_sentence():
            raise InputError(str(why_not_this_precision(("fp16", "bf16"), gpu=True)))

    parse_args_and_arch.stock = stock
    fairseq.options.parse_args_and_arch = parse_args_and_arch


def say_why_a_checkpoint_does_not_fit() -> None:
    """For all versions: the trainer hides the cause behind "please ensure that the architectures match" and a traceback
    when a run starts from a model of another architecture, or of other sizes, and ends in an AssertionError when it
    goes on with another optimizer, criterion or precision.

    What this package refuses by itself at that moment does not know the file, which is named here too.
    """
    import fairseq.trainer

    stock = fairseq.trainer.Trainer.load_checkpoint
    if hasattr(stock, "says_why") or hasattr(stock, "stock"):
        return

    def load_checkpoint(self: Any, filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return stock(self, filename, *args, **kwargs)
        except Exception as error:
            other = re.search(r"^(?:Criterion|Optimizer) does not match.* (\w+) vs (\w+)$", str(error))
            if other:
                said = sentence_of_another_optimizer(filename, *other.groups())
            elif "ensure that the architectures match" in str(error):
                ours = getattr(self.cfg.model, "arch", None) or getattr(self.cfg.model, "_name", None)
                said = sentence_of_misfit(filename, ours or "of this run", error.__context__)
            else:
                raise
        except SystemExit as end:
            begins, said = "crossinit_fairseq: error: ", str(end.code)
            if not said.startswith(begins + "the checkpoint"):
                raise
            theirs = architecture_of(filename)
            said = f"{filename}{f' (--arch {theirs})' if theirs else ''}: {said[len(begins) :]}"
        with one_sentence():
            raise InputError(said)

    load_checkpoint.says_why = stock
    fairseq.trainer.Trainer.load_checkpoint = load_checkpoint


def let_a_new_run_have_its_own_hours() -> None:
    """For all versions: a run that starts from another's model (`--finetune-from-model`) goes on with that one's hours,
    so that with `--stop-time-hours` it ends at its first update.
    """
    import fairseq.trainer

    stock = fairseq.trainer.Trainer.load_checkpoint
    if hasattr(stock, "stock"):
        return

    def load_checkpoint(self: Any, *args: Any, reset_meters: bool = False, **kwargs: Any) -> Any:
        extra_state = stock(self, *args, reset_meters=reset_meters, **kwargs)
        if reset_meters:
            self._previous_training_time = 0
        return extra_state

    load_checkpoint.stock = stock
    fairseq.trainer.Trainer.load_checkpoint = load_checkpoint


def leave_out_newer_names() -> None:
    """For ve-fairseq and fairseq-fixed with hydra 1.3 and torch 2: a log begins with twenty lines in which these two
    tell fairseq that what it calls has a newer name, which no user can change, and but for fairseq-train with what
    hydra says to who debugs. They are shown to whoever asks for warnings, by `python -W` or PYTHONWARNINGS."""
    if not sys.warnoptions:
        logging.getLogger("hydra").setLevel(logging.INFO)
        for module, begins in _NEWER_NAMES:
            warnings.filterwarnings("ignore", begins, Warning, f"({module})$")


def apply() -> None:
    """Apply every shim that this environment needs. Safe to call twice."""
    safe_checkpoints.apply()
    cpu_shims.apply()
    text_shims.apply()
    let_processes_exchange_objects()
    let_denoising_share_options()
    list_all_options_in_help()
    let_gpus_train_in_bfloat16()
    say_which_precisions_exclude_each_other()
    say_why_a_checkpoint_does_not_fit()
    let_a_new_run_have_its_own_hours()
    leave_out_newer_names()
