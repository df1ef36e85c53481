"""Numbers that are no numbers: training ends at them with one sentence, in every process, before anything is learnt."""

import logging
from typing import Any, Callable, List, Optional

import torch
from fairseq.logging import metrics
from fairseq.nan_detector import NanDetector
from torch import distributed, nn

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.export.tables import LARGEST_SQUARE

logger = logging.getLogger(__name__)

_EXPLODED = 1000.0  # times the usual norm of the gradient
_UPDATES_BETWEEN_LOOKS = 10  # to look at the norm is to wait for a GPU


def check_parameters(model: nn.Module) -> None:
    """Raise InputError when a parameter of the model that training starts from is not finite, or so large that the
    squares of a row are not, and when an embedding table is nothing but zeros."""
    for name, parameter in model.named_parameters():
        broken = int((~torch.isfinite(parameter.detach())).sum())
        if broken:
            raise InputError(
                f"{name} of the model that training starts from holds {broken:,} values that are not finite: the "
                "checkpoint is of a run that diverged; start from an earlier one"
            )
        if not parameter.numel():
            continue
        low, high = (float(value) for value in torch.aminmax(parameter.detach()))
        largest = max(-low, high)
        if parameter.size(-1) * largest**2 > LARGEST_SQUARE:
            raise InputError(
                f"{name} of the model that training starts from holds values of up to {largest:.3g}, whose squares are "
                "no numbers: start from another checkpoint, or from another table"
            )
        if largest == 0 and name.endswith("embed_tokens.weight"):
            raise InputError(
                f"{name} of the model that training starts from holds nothing but zeros: start from another "
                "checkpoint, or from another table"
            )


class FiniteWatch:
    """Sees to it that a loss or a gradient that is not finite ends training, and warns when the gradient explodes.

    One process ends at once. Of several, one alone must not: the others would wait for its gradients, and end with a
    connection that was lost. So it takes part in the exchange, after which no process has a gradient that is finite;
    fairseq's trainer then repeats the step, with its NaN detector in the model, and there all end together, each with
    the reason.
    """

    def __init__(self) -> None:
        self.update = -1
        self.reason: Optional[str] = None
        self._usual: Optional[float] = None  # norm of the gradient, an exponential mean

    def begin(self, model: nn.Module, update: int) -> None:
        """To be called when a training step begins. update: how many were done before.

        Ends the program with one sentence when fairseq repeats a step whose gradient was not finite.
        """
        if _is_repeated(model):
            with one_sentence():
                raise InputError(_of_all_processes(self.reason or self._gradient()))
        if update != self.update:
            self.update, self.reason = update, None

    def _gradient(self) -> str:
        return (
            f"the gradient is not finite in update {self.update + 1:,}, though the loss is: nothing was learnt from "
            "it; lower the learning rate, or clip the gradient (--clip-norm)"
        )

    def loss(self, loss: torch.Tensor, batch: Callable[[], str], ends: bool = True) -> None:
        """To be called with each loss. Ends the program, if it is the only process, when the loss is not finite.

        batch: says in words which batch it is of; ends: off where fairseq leaves out the update and goes on, as it does
        with --fp16 until it has done so many times.
        """
        if bool(torch.isfinite(loss)):
            return
        self.reason = self.reason or (
            f"the loss is {float(loss)} in update {self.update + 1:,}, {batch()}: nothing was learnt from them; lower "
            "the learning rate, or look at these sentences"
        )
        if ends and not _several_processes():
            with one_sentence():
                raise InputError(self.reason)

    def looks(self) -> bool:
        """Whether numbers on the GPU are looked at in this update: in one of ten, since the program waits for each."""
        return self.update % _UPDATES_BETWEEN_LOOKS == 0

    def norm(self) -> None:
        """To be called when fairseq has logged the norm of the gradient. Warns when it is far above what is usual."""
        if not self.looks():
            return
        meters = [aggregator["gnorm"] for aggregator in metrics.get_active_aggregators() if "gnorm" in aggregator]
        if not meters:
            return
        norm = float(meters[-1].val)
        if self._usual is not None and norm > _EXPLODED * self._usual:
            self.warn(
                f"the norm of the gradient is {norm:.3g}, where {self._usual:.3g} is usual: training diverges; lower "
                "the learning rate, or clip the gradient (--clip-norm)"
            )
        self._usual = norm if self._usual is None else 0.9 * self._usual + 0.1 * norm

    def warn(self, text: str) -> None:
        """Log a warning that names the update, in one process of all."""
        if not (_several_processes() and distributed.get_rank()):
            logger.warning(f"update {self.update + 1:,}: {text}")


def _is_repeated(model: nn.Module) -> bool:
    """Whether fairseq's NaN detector is in the model, as it is when the trainer repeats a step."""
    return any(
        isinstance(getattr(hook, "__self__", None), NanDetector)
        for module in model.modules()
        for hook in module._forward_hooks.values()
    )


def _several_processes() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def _of_all_processes(reason: str) -> str:
    """The reason of the first process whose loss was not finite, else of the first one; the same in all."""
    if not _several_processes():
        return reason
    reasons: List[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(reasons, reason)
    own = [number for number, text in enumerate(reasons) if text.startswith("the loss is")] or [0]
    return f"in process {own[0]} of {len(reasons)} (numbered from 0), {reasons[own[0]]}"
