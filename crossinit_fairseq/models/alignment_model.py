"""The model that the CrossInit stage trains: any fairseq model, seen through its embedding table alone."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

import torch
import torch.nn as nn
from fairseq.data import Dictionary
from fairseq.models import BaseFairseqModel

from crossinit_fairseq.alignment import (
    PairedWords,
    PairPlan,
    PairVectors,
    RandomWords,
    RankedTable,
    Rescaling,
    SpanMeans,
    SpanPlan,
    pair_vectors,
)
from crossinit_fairseq.models.token_tables import find_token_tables
from crossinit_fairseq.ranks import RankedWords


@dataclass(frozen=True)
class TableMeans:
    """The means that one token table gives for a plan of each kind; None for a kind that there is no plan of."""

    spans: Optional[SpanMeans]
    pairs: Optional[PairVectors]


class AlignmentModel(BaseFairseqModel):
    """Wraps a freshly initialised model: forward gives means of words, checkpoints are the wrapped model's own.

    Only the token tables take gradients. All of the work on the tables happens in forward, so that data-parallel
    wrappers, which look for the gradients of what forward used, need nothing special.

    model: a fairseq model; dictionary: its dictionary; words: RankedWords per language, None without spans; max_rank:
    the highest rank of a Positive; rescale: save the tables at their initial scale, see Rescaling; pairs: PairedWords,
    None without a lexicon.
    random_words: the measures are taken of random words of the text where there are spans, else of random words of the
    lexicon.
    """

    def __init__(
        self,
        model: BaseFairseqModel,
        dictionary: Dictionary,
        words: Optional[Sequence[RankedWords]],
        max_rank: int,
        rescale: bool = False,
        pairs: Optional[PairedWords] = None,
    ):
        super().__init__()
        tables = find_token_tables(model, dictionary)
        self.wrapped = model
        self.table_names = list(tables)
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for table in tables.values():
            table.requires_grad_(True)
        self.pairs = pairs
        self.ranked = None if words is None else RankedTable(words, max_rank, len(dictionary))
        if words is None:
            self.random_words = RandomWords(pairs.unrelated_words(), len(dictionary))
        else:
            self.random_words = RandomWords(words, max_rank)
        trained = list(words or []) + ([pairs.all_words()] if pairs is not None else [])
        self.rescaling = Rescaling(self.tables, trained) if rescale else None

    @property
    def tables(self) -> List[nn.Parameter]:
        """The token tables, float [V, d] each."""
        parameters = dict(self.wrapped.named_parameters())
        return [parameters[name] for name in self.table_names]

    def forward(
        self, spans: Optional[Dict[str, torch.Tensor]] = None, pairs: Optional[Dict[str, torch.Tensor]] = None
    ) -> List[TableMeans]:
        """spans: the tensors of a SpanPlan; pairs: of a PairPlan; either may be None. Returns TableMeans per table."""
        return [
            TableMeans(
                None if spans is None else self.ranked(table, SpanPlan(**spans)),
                None if pairs is None else pair_vectors(table, PairPlan(**pairs)),
            )
            for table in self.tables
        ]

    def state_dict(self, *args: Any, **kwargs: Any) -> Dict[str, torch.Tensor]:
        """The state dict of the wrapped model, which every later stage loads as one of its own."""
        state = self.wrapped.state_dict(*args, **kwargs)
        if self.rescaling is not None:
            saved = {id(table): rescaled for table, rescaled in zip(self.tables, self.rescaling(self.tables))}
            # one table may be saved under several names
            for name, parameter in self.wrapped.state_dict(*args, **dict(kwargs, keep_vars=True)).items():
                if id(parameter) in saved:
                    state[name] = saved[id(parameter)]
        return state

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Load into the wrapped model, as its own class does."""
        return self.wrapped.load_state_dict(*args, **kwargs)

    def set_num_updates(self, num_updates: int) -> None:
        """Tell the wrapped model how many updates there have been."""
        self.wrapped.set_num_updates(num_updates)

    def max_positions(self) -> None:
        """None: spans have no positions."""
        return None
