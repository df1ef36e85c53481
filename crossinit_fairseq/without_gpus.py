"""Training where torch sees no GPU: which precisions it has there, and how several processes begin.

The shims, for all versions, are of one kind with those of compat.py; tests/test_without_gpus.py fails when one is idle.
"""

import logging
import os
from typing import Any, Container, Mapping, Optional

import torch
import torch.nn.functional as F
from omegaconf import open_dict

from crossinit_fairseq.errors import InputError, one_sentence

logger = logging.getLogger(__name__)

_TORCHRUN = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK")
_SLURM = ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST")


def why_not_this_precision(options: Container[str], gpu: bool) -> str:
    """Why a training with these options, by their names without dashes, would fail, and what to do; "" if it would not.

    gpu: whether there is one. Without one `--fp16` alone fails, as it copies the weights in single precision to a GPU;
    the other precisions work where torch computes in half precision on CPUs (from about 2.2).
    """
    if "fp16" in options and "amp" in options:
        return "--fp16 and --amp exclude each other: leave one of them out"
    if gpu:
        return ""
    for name in ("memory-efficient-fp16", "fp16"):
        if name in options:
            copies = name == "fp16" and "fp16-no-flatten-grads" not in options
            if not copies and _computes_in_half():
                return ""
            return (
                f"--{name} needs a GPU, and torch sees none here: leave it out, or give --bf16, in which CPUs train too"
            )
    return ""


def _computes_in_half() -> bool:
    """Whether torch has on CPUs, in half precision, what a Transformer asks for."""
    row = torch.zeros(1, 1, dtype=torch.half)
    try:
        F.softmax(F.layer_norm(F.linear(row, row), (1,)), dim=-1)
    except RuntimeError:  # "LayerNormKernelImpl" not implemented for 'Half'
        return False
    return True


def check_precision(common: Any) -> None:
    """Raise InputError for a precision that training does not have here. common: fairseq's options of that name."""
    names = ("fp16", "memory_efficient_fp16", "fp16_no_flatten_grads", "amp")
    given = {name.replace("_", "-") for name in names if getattr(common, name, False)}
    why = why_not_this_precision(given, torch.cuda.is_available())
    if why:
        raise InputError(why)


def why_not_these_processes(world_size: int, init_method: Optional[str], no_spawn: bool) -> str:
    """Why fairseq does not begin these processes without a GPU, and what does; "" if it begins them, or there is one.

    The arguments are of --distributed-world-size, --distributed-init-method and --distributed-no-spawn.
    """
    if init_method:
        if no_spawn:
            return ""
        return (
            "--distributed-init-method alone starts one process for each GPU, and torch sees none here, so that "
            "nothing would be trained: add --distributed-no-spawn, and --distributed-rank 0, 1, ... to the processes"
        )
    if world_size > 1 and not processes_of_torchrun(os.environ) and not any(name in os.environ for name in _SLURM):
        return (
            f"--distributed-world-size {world_size} starts one process for each GPU, and torch sees none here: for "
            f"{world_size} processes on CPUs, `torchrun --nproc_per_node {world_size} --no_python fairseq-train ...` "
            "without that option"
        )
    return ""


def processes_of_torchrun(environment: Mapping[str, str]) -> int:
    """How many processes torchrun has started, of which this is one; 0 without it."""
    if not all(name in environment for name in _TORCHRUN):
        return 0
    return int(environment["WORLD_SIZE"])


def let_processes_train_on_cpus() -> None:
    """Without a GPU several processes end under torchrun in a ZeroDivisionError, by `--distributed-world-size` alone in
    an AssertionError, and by `--distributed-init-method` alone with exit status 0, having trained nothing; and what
    fairseq exchanges gradients by, unless it is told otherwise, is for GPUs.
    """
    import fairseq.distributed.utils

    stock = fairseq.distributed.utils.call_main
    if hasattr(stock, "stock"):
        return

    def call_main(cfg: Any, main: Any, **kwargs: Any) -> None:
        if not torch.cuda.is_available() and hasattr(cfg, "distributed_training"):
            with one_sentence(), open_dict(cfg):
                _begin_on_cpus(cfg.distributed_training)
        stock(cfg, main, **kwargs)

    call_main.stock = stock
    fairseq.distributed.utils.call_main = call_main


def _begin_on_cpus(training: Any) -> None:
    """Fill in fairseq's options of several processes. Raises InputError where it would begin none."""
    why = why_not_these_processes(
        training.distributed_world_size, training.distributed_init_method, training.distributed_no_spawn
    )
    if why:
        raise InputError(why)
    started = processes_of_torchrun(os.environ)
    if started > 1 and not training.distributed_init_method:
        training.distributed_init_method = "env://"
        training.distributed_world_size, training.distributed_rank = started, int(os.environ["RANK"])
        training.distributed_no_spawn, training.device_id = True, 0
    if training.distributed_world_size > 1:
        for name, of_gpus, ours in (
            ("distributed_backend", ("nccl",), "gloo"),
            ("ddp_backend", ("pytorch_ddp", "c10d"), "legacy_ddp"),
        ):
            if str(training[name]) in of_gpus:
                training[name] = ours


class _TorchWithoutGpu:
    """torch as fairseq's trainer sees it: the tensor that it makes of a number stays where it is."""

    class _Stays(torch.Tensor):
        def cuda(self, *unused: Any, **unused_too: Any) -> torch.Tensor:
            """Itself."""
            return self.as_subclass(torch.Tensor)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def tensor(self, *args: Any, **options: Any) -> torch.Tensor:
        """torch's own."""
        return torch.tensor(*args, **options).as_subclass(self._Stays)


def let_gradients_overflow_on_cpus() -> None:
    """In half precision a gradient that overflows is left out, and the loss scaled less. Without a GPU the trainer ends
    at the first one: for a norm of 0 it asks for a tensor on a GPU."""
    import fairseq.trainer

    if not torch.cuda.is_available() and fairseq.trainer.torch is torch:
        fairseq.trainer.torch = _TorchWithoutGpu()


def apply() -> None:
    """Apply the shims. Safe to call twice."""
    let_processes_train_on_cpus()
    let_gradients_overflow_on_cpus()
