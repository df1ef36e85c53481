"""What is mended in fairseq for training where torch sees no GPU: several processes, gradients that overflow.

For all versions, and of one kind with the shims of compat.py; tests/test_without_gpus.py fails when one is idle.
"""

import os
from typing import Any

import torch
from omegaconf import open_dict

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.without_gpus import processes_of_torchrun, why_not_these_processes


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
        raise InputError(str(why))
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
