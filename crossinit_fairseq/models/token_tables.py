"""The token embedding tables of a fairseq model: finding them, and holding them still for the first updates."""

from contextlib import contextmanager
from typing import Dict, Iterator, List

import torch.nn as nn
from fairseq.data import Dictionary
from fairseq.optim import FairseqOptimizer

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.bare_model import unwrap


def find_token_tables(model: nn.Module, dictionary: Dictionary) -> Dict[str, nn.Parameter]:
    """Return {name: parameter, float [V, d]} of the distinct tables that embed the dictionary's tokens.

    These are the embeddings that fairseq's models call `embed_tokens`, else every embedding with one row per symbol. A
    table that encoder, decoder and output share is returned once, under its first name.
    Raises InputError when there is none, or when one has another number of rows than the dictionary has symbols.
    """
    embeddings = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Embedding)]
    named = [(name, module) for name, module in embeddings if name.split(".")[-1] == "embed_tokens"]
    size = len(dictionary)
    found = named or [(name, module) for name, module in embeddings if module.num_embeddings == size]
    if not found:
        raise InputError(
            f"the architecture ({type(model).__name__}) has no token embedding: CrossInit needs a model with an "
            "`embed_tokens` table, such as --arch mbart_base, transformer, roberta or masked_lm"
        )
    tables: Dict[str, nn.Parameter] = {}
    seen = set()
    for name, module in found:
        if module.num_embeddings != size:
            raise InputError(
                f"{name}.weight has {module.num_embeddings} rows but the dictionary has {size} symbols: the "
                "architecture adds symbols of its own (put them at the end of dict.txt before binarising)"
            )
        if id(module.weight) not in seen:
            seen.add(id(module.weight))
            tables[f"{name}.weight"] = module.weight
    return tables


class FrozenTable:
    """Holds a model's token tables still, bit by bit, for the first `updates` updates (-1: for all).

    A frozen table has no gradient, so that no optimizer of fairseq's changes it, neither by momentum nor by weight
    decay, and gradient clipping does not count it. When it is let go, the optimizer begins with it as with any new
    parameter. (With --fp16 or --bf16 a gradient of 0 stands in for none: momentum from an earlier run that was not
    frozen would still move the table.)
    """

    def __init__(self, updates: int, dictionary: Dictionary):
        self.updates, self.dictionary = updates, dictionary

    def is_frozen(self, update: int) -> bool:
        """Whether the table is held still in an update (the first one is 0)."""
        return self.updates < 0 or update < self.updates

    @contextmanager
    def backward(self, model: nn.Module, update: int) -> Iterator[None]:
        """Within this context, forward and backward passes leave no gradient with the tables."""
        if not self.is_frozen(update):
            yield
            return
        tables = self._tables(model)
        # without wrapper the gradient need not be computed; torch's data-parallel wrapper waits for those it knows of
        is_wrapped = unwrap(model) is not model
        for table in tables:
            table.requires_grad_(is_wrapped)
        try:
            yield
        finally:
            for table in tables:
                table.requires_grad_(True)
                table.grad = None

    def before_step(self, model: nn.Module, optimizer: FairseqOptimizer, update: int) -> None:
        """Call it between the exchange of gradients, which fills in missing ones with 0, and the optimizer's step.

        Ends the program with one sentence for weight decay under --fp16 or --bf16, whose optimizer sees all parameters
        as one long vector.
        """
        if not self.is_frozen(update):
            return
        if hasattr(optimizer, "fp32_params") and any(
            group.get("weight_decay") for group in optimizer.optimizer.param_groups
        ):
            with one_sentence():
                raise InputError(
                    "--freeze-table-updates with --fp16 or --bf16 needs --weight-decay 0, or --memory-efficient-fp16: "
                    "their optimizer would let the table decay"
                )
        for table in self._tables(model):
            table.grad = None

    def _tables(self, model: nn.Module) -> List[nn.Parameter]:
        return list(find_token_tables(unwrap(model), self.dictionary).values())
