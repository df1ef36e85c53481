"""A table of embeddings together with the symbols its rows stand for."""

from typing import Sequence

import torch

from crossinit_fairseq.errors import InputError


class EmbeddingTable:
    """symbols: list of str [V], distinct; values: float tensor [V, d], of any float dtype, finite, on the CPU.

    source: the file it came from, for messages. Raises InputError when one of these does not hold.
    """

    def __init__(self, symbols: Sequence[str], values: torch.Tensor, source: str):
        self.symbols, self.values, self.source = list(symbols), values, source
        if values.dim() != 2 or not values.is_floating_point():
            raise InputError(
                f"{source} holds no table of embeddings but a tensor of shape {list(values.shape)} and type "
                f"{name_of(values.dtype)}"
            )
        if len(self.symbols) != len(values):
            raise InputError(f"{source} has {len(values)} rows but {len(self.symbols)} symbols")
        self.rows = {symbol: row for row, symbol in enumerate(self.symbols)}
        if len(self.rows) != len(self.symbols):
            twice = next(symbol for row, symbol in enumerate(self.symbols) if self.rows[symbol] != row)
            raise InputError(f"{source} has the symbol {twice!r} twice")
        broken = (~torch.isfinite(values)).any(1).nonzero()
        if len(broken):
            raise InputError(
                f"{source}: the row of {self.symbols[int(broken[0])]!r} is not finite: the table is broken (training "
                "diverged?)"
            )

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def dimension(self) -> int:
        """d, the length of a row."""
        return self.values.size(1)


def replace_rows(
    target: torch.Tensor, source: torch.Tensor, target_rows: Sequence[int], source_rows: Sequence[int]
) -> int:
    """In place, target[target_rows] = source[source_rows].

    target: float tensor [V, d]; source: float tensor [W, d]; target_rows, source_rows: lists of int [n].
    Returns how many of the n rows could not be kept exactly because target's dtype is narrower: int.
    Raises InputError when a value does not fit in target's dtype at all.
    """
    wanted = source[torch.tensor(source_rows, dtype=torch.long)]
    stored = wanted.to(target.dtype)
    if not torch.isfinite(stored).all():
        raise InputError(f"the new embeddings hold values too large for {name_of(target.dtype)}")
    with torch.no_grad():
        target[torch.tensor(target_rows, dtype=torch.long)] = stored
    return int((stored.double() != wanted.double()).any(1).sum())


def name_of(dtype: torch.dtype) -> str:
    """float16 for torch.float16."""
    return str(dtype).replace("torch.", "")
