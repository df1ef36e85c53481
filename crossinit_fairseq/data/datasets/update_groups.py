"""Updates whose sources are translated together: which they are, and an iterator that hands them out in order."""

from dataclasses import dataclass
from typing import Any, Dict

from fairseq.data import iterators


@dataclass(frozen=True)
class UpdateGroups:
    """The items of an epoch in groups; a process trains on the items of a group one after the other. Process r of P
    trains on the items r, r + P, r + 2 P, ...; the last group of the epoch may be smaller.

    processes: P; size: items of one process in a group.
    """

    processes: int
    size: int

    def begins_at(self, item: int) -> bool:
        """Whether an item is its process's first of a group."""
        return item // self.processes % self.size == 0

    def later(self, item: int, count: int) -> range:
        """The items that follow the first one of a group in it, for the same process. count: items of the epoch."""
        end = (item // self.processes // self.size + 1) * self.size * self.processes
        return range(item + self.processes, min(end, count), self.processes)

    def has_later(self, item: int, count: int) -> bool:
        """Whether any process has items to follow in the group that begins at this item of one of them: the same answer
        for all processes."""
        return self.size > 1 and (item // self.processes + 1) * self.processes < count


class OrderedItems(iterators.EpochBatchIterator):
    """An iterator like another of fairseq's, whose items come in their order, and whose state in a checkpoint has what
    was translated ahead.

    iterator: the other, over a dataset with `groups`, such as MonolingualUpdates; ahead: the translations, with
    state_dict and load_state_dict.
    """

    def __init__(self, iterator: iterators.EpochBatchIterator, ahead: Any):
        super().__init__(
            dataset=iterator.dataset,
            collate_fn=iterator.collate_fn,
            batch_sampler=iterator.frozen_batches,
            seed=iterator.seed,
            num_shards=iterator.num_shards,
            shard_id=iterator.shard_id,
            num_workers=iterator.num_workers,
            epoch=iterator.epoch,
            buffer_size=iterator.buffer_size,
            disable_shuffling=True,
            skip_remainder_batch=iterator.skip_remainder_batch,
            reuse_dataloader=False,  # the workers of a reused loader would keep the groups that they began with
        )
        self.ahead = ahead

    def state_dict(self) -> Dict[str, Any]:
        """fairseq's own, and the translations of items that are still to come."""
        return dict(super().state_dict(), ahead=self.ahead.state_dict())

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """As fairseq's. An epoch that was begun in fairseq's shuffled order goes on in it, without groups."""
        if state_dict.get("iterations_in_epoch", 0) and state_dict.get("shuffle", True):
            self.dataset.groups = None
        self.ahead.load_state_dict(state_dict.get("ahead", {}))
        super().load_state_dict(state_dict)
