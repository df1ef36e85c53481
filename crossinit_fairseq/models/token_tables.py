"""Find the token embedding tables of a fairseq model."""

import torch.nn as nn

from crossinit_fairseq.errors import InputError


def find_token_tables(model, dictionary):
    """Return {name: parameter, float [V, d]} of the distinct tables that embed the dictionary's tokens.

    Looks for what fairseq's models call `embed_tokens`, else for any embedding with one row per symbol. A table that
    encoder, decoder and output share is returned once, under its first name.
    Raises InputError when there is none, or when one has another number of rows than the dictionary has symbols.
    """
    embeddings = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Embedding)]
    named = [(name, module) for name, module in embeddings if name.split(".")[-1] == "embed_tokens"]
    size = len(dictionary)
    found = named or [(name, module) for name, module in embeddings if module.num_embeddings == size]
    if not found:
        raise InputError(
            "the architecture ({}) has no token embedding: CrossInit needs a model with an `embed_tokens` table, "
            "such as --arch mbart_base, transformer, roberta or masked_lm".format(type(model).__name__)
        )
    tables, seen = {}, set()
    for name, module in found:
        if module.num_embeddings != size:
            raise InputError(
                "{}.weight has {} rows but the dictionary has {} symbols: the architecture adds symbols of its own "
                "(put them at the end of dict.txt before binarising)".format(name, module.num_embeddings, size)
            )
        if id(module.weight) not in seen:
            seen.add(id(module.weight))
            tables[name + ".weight"] = module.weight
    return tables
