"""Step 2 as a dataset: an item is all that one training step needs."""

from typing import Any, Callable, Dict, List, Optional, Tuple

import torch.utils.data


class DrawDataset(torch.utils.data.Dataset):
    """A synthetic epoch of `steps` items; item k of epoch e is always the same, wherever and whenever it is drawn.

    kinds: {"spans": (SpanSampler, RankedTable.plan), "pairs": (PairSampler, PairedWords.plan)}, one of them or both;
    the second of each maps the draws of the first to a plan, an object with `tensors()` and `words()`; count: draws per
    item and kind; fixed_epoch: draw every epoch as if it were this one (validation), else None.
    """

    def __init__(
        self, kinds: Dict[str, Tuple[Any, Callable]], count: int, steps: int, fixed_epoch: Optional[int] = None
    ):
        self.kinds = kinds
        self.count, self.steps = count, steps
        self.epoch, self.fixed_epoch = 1, fixed_epoch

    def __len__(self) -> int:
        return self.steps

    def set_epoch(self, epoch: int) -> None:
        """Draw anew from now on (fairseq counts epochs from 1)."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> Dict[str, Any]:
        """Return {"net_input": {kind: tensors of its plan}, "nsentences": draws of the first kind,
        "draws": {kind: number}, "ntokens": words whose mean was taken}."""
        epoch = self.epoch if self.fixed_epoch is None else self.fixed_epoch
        inputs, numbers, words = {}, {}, 0
        for kind, (sampler, lay_out) in self.kinds.items():
            draws = sampler.draw(self.count, epoch, int(index))
            plan = lay_out(draws)
            inputs[kind], numbers[kind] = plan.tensors(), len(draws)
            words += plan.words()
        return {
            "net_input": inputs,
            "nsentences": next(iter(numbers.values())),
            "draws": numbers,
            "ntokens": words,
        }

    def collater(self, samples: List[Dict[str, Any]]) -> Dict[str, Any]:
        """An item is a whole batch already; an empty list (a process without data) stays empty."""
        return samples[0] if samples else {}
