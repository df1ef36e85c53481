"""A table of embeddings together with the symbols its rows stand for."""

from typing import List, Sequence

import torch

from crossinit_fairseq.data.dictionary import SPECIAL
from crossinit_fairseq.errors import InputError

_TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
LARGEST_SQUARE = torch.finfo(torch.float32).max  # of the norm of what layers get
_OF_HALF = 256.0  # its square is just beyond half precision


class EmbeddingTable:
    """symbols: list of str [V], distinct; values: tensor [V, d] of float16, bfloat16, float32 or float64, finite, V and
    d above 0, on the CPU.

    source: the file it came from, for messages. Raises InputError when one of these does not hold.
    """

    def __init__(self, symbols: Sequence[str], values: torch.Tensor, source: str):
        self.symbols, self.values, self.source = list(symbols), values, source
        if values.dim() != 2 or values.dtype not in _TYPES or not values.numel():
            raise InputError(
                f"{source} holds no table of embeddings but a tensor of shape {list(values.shape)} and type "
                f"{name_of(values.dtype)}: it needs rows of float32, float16 or bfloat16"
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


def doubts_of_start(symbols: Sequence[str], values: torch.Tensor, source: str) -> List[str]:
    """What to warn of before training begins with some rows, as sentences, each with the first word that it is true of.

    symbols: list of str [V]; values: float tensor [V, d]; source: the file they came from. fairseq multiplies rows by
    the root of d, and layers square what they get: a row of norm n is absurd where d * n**2 is no number in single
    precision, and doubtful where n**2 is none in half precision (rows of a new model have a norm of about 1). Raises
    InputError for a row that is absurd or not finite, and where all rows are zero; special symbols may have zeros.
    """
    norms = torch.linalg.vector_norm(values, dim=1, dtype=torch.float64)

    def which(chosen: torch.Tensor) -> str:
        rows = chosen.nonzero().flatten()
        return f"{len(rows):,} of {len(norms):,} rows, that of {symbols[int(rows[0])]!r} first,"

    absurd = ~(values.size(1) * norms**2 <= LARGEST_SQUARE)
    if absurd.any():
        raise InputError(
            f"{source}: {which(absurd)} are so large that their squares are no numbers (its norm is "
            f"{float(norms[absurd][0]):.3g}): no training could begin with them; make the file anew"
        )
    doubts = []
    large = norms > _OF_HALF
    if large.any():
        doubts.append(
            f"{source}: {which(large)} have norms of up to {float(norms.max()):,.0f}, where those of a new model have "
            "about 1: divide all numbers if training diverges"
        )
    words = torch.tensor([symbol not in SPECIAL for symbol in symbols], dtype=torch.bool)
    zero = (norms == 0) & words
    if zero.any():
        if bool(zero[words].all()):
            raise InputError(f"{source} holds nothing but zeros: make the file anew")
        doubts.append(
            f"{source}: {which(zero)} hold nothing but zeros: words that are left out of the file keep the model's rows"
        )
    return doubts


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
