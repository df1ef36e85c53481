"""Training where torch sees no GPU: which precisions it has there, and how several processes begin. Needs no fairseq;
what is mended in it for such machines stands in cpu_shims.py.
"""

import importlib.util
import os
from typing import Any, Container, Mapping, Optional

import torch
import torch.nn.functional as F

from crossinit_fairseq.errors import InputError, Refusal

_TORCHRUN = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK")
_SLURM = ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST")


def why_not_this_precision(options: Container[str], gpu: bool) -> Optional[Refusal]:
    """Why a training with these options, by their names without dashes, would fail, and what to do; None if it would
    not.

    gpu: whether there is one. Without one `--fp16` alone fails, as it copies the weights in single precision to a GPU;
    the other precisions work where torch computes in half precision on CPUs (from about 2.2).
    """
    if "fp16" in options and "amp" in options:
        return Refusal("--fp16 and --amp exclude each other", "leave one of them out")
    if all(name in options or f"memory-efficient-{name}" in options for name in ("fp16", "bf16")):
        return Refusal("--fp16 goes with neither --bf16 nor --tpu", "leave one of them out")
    if gpu:
        return None
    for name in ("memory-efficient-fp16", "fp16"):
        if name in options:
            copies = name == "fp16" and "fp16-no-flatten-grads" not in options
            if not copies and _computes_in_half():
                return None
            return Refusal(
                f"--{name} needs a GPU, and torch sees none here",
                "leave it out, or give --bf16, in which CPUs train too",
            )
    return None


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
        raise InputError(str(why))


def why_not_a_tpu(options: Container[str]) -> Optional[Refusal]:
    """Why a run with these options, by their names without dashes, would find no TPU, and what to do; None if it asks
    for none, or if torch's library for them is there. fairseq's --bf16 implies --tpu, and means a GPU without it.
    """
    asked = "tpu" in options and not any(name in options for name in ("bf16", "memory-efficient-bf16"))
    if not asked or importlib.util.find_spec("torch_xla"):
        return None
    return Refusal("--tpu needs torch_xla, which is not installed", "leave it out, to train on GPUs or CPUs")


def check_tpu(common: Any) -> None:
    """Raise InputError where a TPU is asked for in vain. common: fairseq's options of that name."""
    why = why_not_a_tpu({name for name in ("tpu", "bf16") if getattr(common, name, False)})
    if why:
        raise InputError(str(why))


def why_not_these_processes(world_size: int, init_method: Optional[str], no_spawn: bool) -> Optional[Refusal]:
    """Why fairseq does not begin these processes without a GPU, and what does; None if it begins them, or there is one.

    The arguments are of --distributed-world-size, --distributed-init-method and --distributed-no-spawn.
    """
    if init_method:
        if no_spawn:
            return None
        return Refusal(
            "--distributed-init-method alone starts one process for each GPU, and torch sees none here, so that "
            "nothing would be trained",
            "add --distributed-no-spawn, and --distributed-rank 0, 1, ... to the processes",
        )
    if world_size > 1 and not processes_of_torchrun(os.environ) and not any(name in os.environ for name in _SLURM):
        return Refusal(
            f"--distributed-world-size {world_size} starts one process for each GPU, and torch sees none here",
            f"for {world_size} processes on CPUs, `torchrun --nproc_per_node {world_size} --no_python fairseq-train "
            "...` without that option",
        )
    return None


def processes_of_torchrun(environment: Mapping[str, str]) -> int:
    """How many processes torchrun has started, of which this is one; 0 without it."""
    if not all(name in environment for name in _TORCHRUN):
        return 0
    return int(environment["WORLD_SIZE"])
