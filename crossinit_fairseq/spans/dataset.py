"""Step 2 as a dataset: an item is all that one training step needs."""

import torch.utils.data


class SpanDataset(torch.utils.data.Dataset):
    """A synthetic epoch of `steps` items; item k of epoch e is always the same, wherever and whenever it is drawn.

    sampler: SpanSampler; lay_out: maps SpanDraws to an object with `tensors()` (RankedTable.plan); pairs: draws per
    item; fixed_epoch: draw every epoch as if it were this one (validation), else None.
    """

    def __init__(self, sampler, lay_out, pairs, steps, fixed_epoch=None):
        self.sampler, self.lay_out = sampler, lay_out
        self.pairs, self.steps = pairs, steps
        self.epoch, self.fixed_epoch = 1, fixed_epoch

    def __len__(self):
        return self.steps

    def set_epoch(self, epoch):
        """Draw new spans from now on (fairseq counts epochs from 1)."""
        self.epoch = epoch

    def __getitem__(self, index):
        """Return {"net_input": tensors of a plan, "nsentences": pairs, "ntokens": words whose mean was taken}."""
        epoch = self.epoch if self.fixed_epoch is None else self.fixed_epoch
        draws = self.sampler.draw(self.pairs, epoch, int(index))
        return {
            "net_input": self.lay_out(draws).tensors(),
            "nsentences": len(draws),
            "ntokens": int(2 * (draws.high - draws.low).sum()),
        }

    def collater(self, samples):
        """An item is a whole batch already; an empty list (a process without data) stays empty."""
        return samples[0] if samples else {}
