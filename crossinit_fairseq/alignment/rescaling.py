"""Bring an aligned table back to the scale it was initialised at.

Norms grow several-fold while Eq. 1 falls. A table that enters pre-training at several times its scale makes the first
softmax of a tied output layer far too sure of itself.
"""

from typing import List, Sequence

import numpy as np
import torch

from crossinit_fairseq.ranks import RankedWords

_KEY = "crossinit_table"


class Rescaling:
    """Remembers the scale of freshly initialised tables; the scale is the root mean square of the rows that words use.

    Rows of no word (special symbols, punctuation) got no gradient: they still have their initial scale, and keep it.
    tables: float [V, d] each, as initialised; words: RankedWords per language.
    """

    def __init__(self, tables: Sequence[torch.Tensor], words: Sequence[RankedWords]):
        self.rows = torch.from_numpy(np.unique(np.concatenate([ranked.tokens for ranked in words])).astype(np.int64))
        self.scales = [self._scale(table) for table in tables]

    @torch.no_grad()
    def _scale(self, table: torch.Tensor) -> float:
        return table[self.rows.to(table.device)].double().pow(2).mean().sqrt().item()

    @torch.no_grad()
    def __call__(self, tables: Sequence[torch.Tensor]) -> List[torch.Tensor]:
        """Return copies of the tables at their initial scales, float [V, d] each."""
        copies = []
        for table, scale in zip(tables, self.scales):
            copy, rows = table.detach().clone(), self.rows.to(table.device)
            copy[rows] *= scale / self._scale(table)
            copies.append(copy)
        return copies


def keep_as_trained(optimizer: torch.optim.Optimizer, tables: Sequence[torch.Tensor]) -> None:
    """Put the tables as trained into the optimizer's state, so that they are saved with it, at no cost in memory.

    The checkpoint's model holds the rescaled tables, which later stages start from; with the state of a
    torch.optim.Optimizer it also holds these, so that an interrupted run goes on to the last bit as if it had not been.
    Call it after the optimizer's first step: Adam initialises only a state that is empty.
    """
    for table in tables:
        optimizer.state[table][_KEY] = table.data


@torch.no_grad()
def restore_as_trained(optimizer: torch.optim.Optimizer, tables: Sequence[torch.Tensor]) -> None:
    """After a resume: put back what keep_as_trained saved. Does nothing otherwise."""
    for table in tables:
        kept = optimizer.state.get(table, {}).get(_KEY)
        if kept is not None and kept.data_ptr() != table.data_ptr():
            table.copy_(kept)
            optimizer.state[table][_KEY] = table.data
