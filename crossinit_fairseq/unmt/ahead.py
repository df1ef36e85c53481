"""Back-translation ahead of training: translations that are kept until their update comes."""

from typing import Any, Dict, NamedTuple, Optional

import torch
from torch import Tensor, distributed

from crossinit_fairseq.data.datasets.update_groups import UpdateGroups


class Written(NamedTuple):
    """A batch's translation, int64 [B, T] rows of ``x </s>`` and padding, and the seconds that it took."""

    translation: Tensor
    seconds: float


class TranslationsAhead:
    """Translations of sentences that training has yet to come to.

    The model that wrote them is gone by then, so they are part of a checkpoint. A process keeps those of all processes,
    since only the first one saves: {item: {slot: {"source", "translation": int32 [B, T], "seconds"}}}, on the CPU.
    """

    def __init__(self):
        self.groups: Optional[UpdateGroups] = None
        self.update_freq = 1
        self._kept: Dict[int, Dict[int, Dict[str, Any]]] = {}

    def begin_epoch(self, groups: UpdateGroups, update_freq: int) -> None:
        """Say which items are translated together, and how many of them an update of one process has."""
        self.groups, self.update_freq, self._kept = groups, update_freq, {}

    def replace(self, found: Dict[int, Dict[int, Any]], exchanged: bool) -> None:
        """Keep the translations of a group in the place of all earlier ones.

        found: {item: {slot: (source, Written)}} of this process; source: int64 [B, S], what was translated; exchanged:
        whether all processes are here, to tell each other theirs.
        """
        own = {item: {slot: _compact(*pair) for slot, pair in slots.items()} for item, slots in found.items()}
        parts = [own]
        if exchanged and distributed.is_initialized() and distributed.get_world_size() > 1:
            parts = [{} for _ in range(distributed.get_world_size())]
            distributed.all_gather_object(parts, own)
        self._kept = {item: slots for part in parts for item, slots in part.items()}

    def take(self, item: int, slot: int, source: Tensor) -> Optional[Written]:
        """The translation of a batch, on its device; None if there is none, or if it is of other sentences.

        source: int64 [B, S], what is to be translated.
        """
        kept = self._kept.get(item, {}).get(slot)
        if kept is None or not torch.equal(kept["source"], source.to("cpu", torch.int32)):
            return None
        return Written(kept["translation"].to(source.device, torch.long), kept["seconds"])

    def forget(self, item: int) -> None:
        """Drop what belongs to an item that training is through with, and to earlier ones, of all processes."""
        processes = self.groups.processes if self.groups else 1
        self._kept = {key: value for key, value in self._kept.items() if key // processes > item // processes}

    def state_dict(self) -> Dict[int, Any]:
        """What is kept, for a checkpoint."""
        return self._kept

    def load_state_dict(self, state: Dict[int, Any]) -> None:
        """Take over what a checkpoint has."""
        self._kept = dict(state)


def _compact(source: Tensor, written: Written) -> Dict[str, Any]:
    source, translation = (tokens.to("cpu", torch.int32) for tokens in (source, written.translation))
    # a part of a larger tensor would be saved with all of it
    return {"source": source.clone(), "translation": translation.clone(), "seconds": float(written.seconds)}
