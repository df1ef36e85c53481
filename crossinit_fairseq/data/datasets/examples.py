"""A dataset of inputs that are encoded already, each with a target: what fine-tuning trains on."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
import torch
from fairseq.data import FairseqDataset

from crossinit_fairseq.data.dictionary import PAD
from crossinit_fairseq.data.sentences import pad_rows


class Example(NamedTuple):
    """One input, or several that belong together and never come into different batches.

    number: its identity; tokens: int64 [T] each; languages: int64 [T] each, or None; targets: whole numbers of each.
    """

    number: int
    tokens: List[np.ndarray]
    languages: Optional[List[np.ndarray]]
    targets: List[Sequence[int]]


class Examples(FairseqDataset):
    """Examples in the order given. GroupedBatches cuts them into batches of like lengths."""

    def __init__(self, examples: Sequence[Example]):
        super().__init__()
        self.examples = examples
        # what an example fills of a batch; padding within it included
        self.sizes = np.array([len(e.tokens) * max(map(len, e.tokens)) for e in examples], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]

    def num_tokens(self, index: int) -> int:
        """Tokens of an example, with the padding between its inputs."""
        return int(self.sizes[index])

    def size(self, index: int) -> int:
        """The same as num_tokens: fairseq asks for both."""
        return int(self.sizes[index])

    def collater(self, samples: Sequence[Example]) -> Dict[str, Any]:
        """A batch: net_input.{src_tokens, language_ids: int64 [B, T], src_lengths: int64 [B]}, target: int64 [B, n].

        "id": int64 [B], the number of each input's example. language_ids is absent where the examples have none.
        """
        if not samples:
            return {}
        tokens = [one for sample in samples for one in sample.tokens]
        lengths = torch.tensor([len(one) for one in tokens])
        net_input = {"src_tokens": pad_rows(tokens, PAD), "src_lengths": lengths}
        if samples[0].languages is not None:
            net_input["language_ids"] = pad_rows([one for sample in samples for one in sample.languages or []], 0)
        return {
            "id": torch.tensor([sample.number for sample in samples for _ in sample.tokens]),
            "nsentences": len(tokens),
            "ntokens": int(lengths.sum()),
            "net_input": net_input,
            "target": torch.tensor([list(target) for sample in samples for target in sample.targets]),
        }
