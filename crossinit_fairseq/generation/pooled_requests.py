"""Batches that are translated together, sorted anew so that they fill the device."""

from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from crossinit_fairseq.data.sentences import cut_batches
from crossinit_fairseq.generation.search import TranslationRequest

# Sub-tokens of a batch, padding counted. On a CPU larger ones are hardly faster; on a GPU what a decoder of 12 layers
# and d = 1,024 keeps of a batch takes some 4 GB.
_TOKENS = {"cpu": 4096}
_TOKENS_ELSEWHERE = 16384


def tokens_at_once(device: torch.device) -> int:
    """How many sub-tokens of a language are translated at once on a device."""
    return _TOKENS.get(device.type, _TOKENS_ELSEWHERE)


class PooledRequests:
    """The sentences of several requests, in requests of sentences of like lengths: those of one language to be written,
    with and without a restriction apart.

    requests: at least one; pad: row of padding; max_tokens: of a new request, padding counted (a request that was
    larger sets the measure).
    """

    def __init__(self, requests: Sequence[TranslationRequest], pad: int, max_tokens: int):
        self.pad = pad
        self.sizes = [len(request.source) for request in requests]
        max_tokens = max([max_tokens] + [request.source.numel() for request in requests])
        starts = np.cumsum([0] + self.sizes)
        kinds: Dict[Tuple[str, bool], List[int]] = {}
        for number, request in enumerate(requests):
            kinds.setdefault((request.language, request.allowed is None), []).append(number)
        by_kind = []
        for numbers in kinds.values():
            rows = np.concatenate([np.arange(starts[n], starts[n + 1]) for n in numbers])
            by_kind.append(self._cut([requests[n] for n in numbers], rows, max_tokens))
        # the n-th of all kinds go together: [(request, int64 numbers of its sentences among all), ...]
        self.portions = [
            [of_kind[place] for of_kind in by_kind if place < len(of_kind)] for place in range(max(map(len, by_kind)))
        ]

    def _cut(
        self, requests: List[TranslationRequest], rows: np.ndarray, max_tokens: int
    ) -> List[Tuple[TranslationRequest, np.ndarray]]:
        first, longest = requests[0], max(request.source.size(1) for request in requests)
        source = torch.cat([_widened(request.source, longest, self.pad) for request in requests])
        lengths = source.ne(self.pad).sum(1).cpu().numpy()
        order = np.argsort(lengths, kind="stable")
        seed = [first.seed] if isinstance(first.seed, int) else list(first.seed)
        cut = []
        for number, part in enumerate(cut_batches(order, lengths[order], max_tokens, None)):
            sentences = source[torch.from_numpy(part).to(source.device), : int(lengths[part].max())]
            request = TranslationRequest(sentences, first.language, first.allowed, (*seed, number))
            cut.append((request, rows[part]))
        return cut

    def unpool(self, written: Sequence[Sequence[Tensor]]) -> List[Tensor]:
        """The translations of the requests that were given, on the CPU: int64 [B, T] each, rows of ``x </s>`` and
        padding.

        written: for each portion the translations of its requests.
        """
        longest = max(translation.size(1) for part in written for translation in part)
        found = torch.full((sum(self.sizes), longest), self.pad, dtype=torch.long)
        for portion, part in zip(self.portions, written):
            for (_, rows), translation in zip(portion, part):
                found[torch.from_numpy(rows), : translation.size(1)] = translation.cpu()
        return [part[:, : int(part.ne(self.pad).sum(1).max())] for part in found.split(self.sizes)]


def _widened(source: Tensor, width: int, pad: int) -> Tensor:
    return torch.nn.functional.pad(source, (0, width - source.size(1)), value=pad)
