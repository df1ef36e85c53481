"""A fairseq checkpoint, seen as the token tables in it."""

from typing import Any, Dict, List, Optional, Sequence

import torch

from crossinit_fairseq.checkpoint_files import load_checkpoint_file, save_checkpoint_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.tables import EmbeddingTable, replace_rows


class Checkpoint:
    """Loads a checkpoint of fairseq (of any stage, task and architecture) on the CPU.

    Raises InputError when the file is missing or damaged, is no checkpoint of fairseq with a token table, or would run
    code when it is loaded (see checkpoint_files).
    """

    def __init__(self, path: str):
        self.path = path
        self.state = load_checkpoint_file(path)
        model = self.state.get("model") if isinstance(self.state, dict) else None
        if not isinstance(model, dict):
            raise InputError(f"{path} is no checkpoint of fairseq: it holds no model")
        self.tables = _find_tables(model)
        if not self.tables:
            raise InputError(f"{path} has no token table: no parameter is called `embed_tokens.weight`")

    def names(self, name: Optional[str] = None) -> List[str]:
        """All names under which the model holds one token table: list of str, the first is the table's own.

        name: one of them; may be left out when all token tables of the model are one.
        Raises InputError when there is no such table, or when it is not clear which one is meant.
        """
        if name is None:
            if len(self.tables) > 1:
                choices = " or ".join(names[0] for names in self.tables)
                raise InputError(f"{self.path} has {len(self.tables)} token tables: choose one by --table {choices}")
            return self.tables[0]
        for names in self.tables:
            if name in names:
                return names
        existing = ", ".join(name for names in self.tables for name in names)
        raise InputError(f"{self.path} has no token table {name}; it has {existing}")

    def table(self, symbols: Sequence[str], name: Optional[str] = None) -> EmbeddingTable:
        """The token table with the dictionary's symbols: EmbeddingTable of V rows; its values are the checkpoint's own.

        symbols: list of str [V]; name: see `names`. Raises InputError when the table has another number of rows.
        """
        name = self.names(name)[0]
        values = self.state["model"][name].detach()
        if len(values) != len(symbols):
            raise InputError(
                f"{name} of {self.path} has {len(values)} rows but the dictionary has {len(symbols)} symbols (4 of "
                "them fairseq's own): give the dictionary it was trained with, and append to a copy of it what the "
                "task adds ([en], <mask>, ...)"
            )
        return EmbeddingTable(symbols, values, self.path)

    def replace(
        self, rows: Sequence[int], values: torch.Tensor, value_rows: Sequence[int], name: Optional[str] = None
    ) -> int:
        """Replace rows of one token table, under all of its names, by values[value_rows].

        rows, value_rows: lists of int [n]; values: float tensor [W, d]. The state of the optimizer and moving averages
        of the parameters are left out, since they belong to the old table. Returns how many rows were rounded to the
        table's dtype. Raises InputError when a row has another dimension than the table.
        """
        model = self.state["model"]
        names = self.names(name)
        if values.size(1) != model[names[0]].size(1):
            raise InputError(
                f"{names[0]} of {self.path} has dimension {model[names[0]].size(1)}, the new embeddings have "
                f"{values.size(1)}: give embeddings as wide as the model, or a model of their width"
            )
        rounded = 0
        for each in names:
            rounded = replace_rows(model[each], values, rows, value_rows)
        self.state.pop("last_optimizer_state", None)
        if isinstance(self.state.get("extra_state"), dict):
            for average in ("ema", "ema_fp32_params"):
                self.state["extra_state"].pop(average, None)
        return rounded

    def save(self, path: str) -> None:
        """Write the checkpoint, complete or not at all. Raises InputError when it cannot be written."""
        save_checkpoint_file(self.state, path)


def _find_tables(model: Dict[str, Any]) -> List[List[str]]:
    """Lists of the names of each distinct token table, `*embed_tokens.weight` first.

    Names are of one table when all their values are equal: a checkpoint from a GPU does not say it otherwise.
    """
    tensors = {name: value for name, value in model.items() if torch.is_tensor(value) and value.dim() == 2}
    tables: List[List[str]] = []
    for name in tensors:
        if name.split(".")[-2:] != ["embed_tokens", "weight"]:
            continue
        if not any(name in names for names in tables):
            same = [other for other in tensors if other != name and _same(tensors[name], tensors[other])]
            tables.append([name] + same)
    return tables


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return one.data_ptr() == other.data_ptr() or torch.equal(one, other)
