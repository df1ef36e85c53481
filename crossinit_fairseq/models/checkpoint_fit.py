"""Refuse, in one sentence, a checkpoint of another dictionary, of another architecture or of other sizes.

fairseq's trainer hides the cause behind "please ensure that the architectures match" (in all versions).
"""

import re
from typing import Any, Dict

import torch
import torch.nn as nn
from fairseq.data import Dictionary

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.token_tables import find_token_tables

# the official fairseq 0.12.2 makes these copies in encoder layers and fills them at every loading
COPIES = re.compile(r"\.(in_proj|out_proj|fc1|fc2)_(weight|bias)$")
# parameters with one row for each symbol of the dictionary
_BY_SYMBOL = ("embed_tokens.weight", "output_projection.weight", "output_projection.bias", "output_bias")


def check_dictionary_fits(model: nn.Module, dictionary: Dictionary, folder: str) -> None:
    """From now on, loading a checkpoint into the model ends with one sentence when it is of a dictionary of another
    size.

    folder: the data folder that the dictionary is of, for the message.
    """
    tables = find_token_tables(model, dictionary)

    def compare(state: Dict[str, torch.Tensor], prefix: str, *unused: Any) -> None:
        for name in tables:
            rows = state[prefix + name].size(0) if prefix + name in state else len(dictionary)
            if rows != len(dictionary):
                with one_sentence():
                    raise InputError(
                        f"the checkpoint's {name} has {rows} rows but {folder}/dict.txt has {len(dictionary)} symbols: "
                        "it was trained with another dictionary; all stages must share one"
                    )

    model._register_load_state_dict_pre_hook(compare)


def check_parameters_fit(model: nn.Module, state: Dict[str, torch.Tensor], architecture: str) -> None:
    """Raise InputError when a state dict lacks a parameter of the model, has it in another shape, or has more than
    those.

    The numbers of rows that the dictionary gives are not compared: check_dictionary_fits has a better sentence for
    them.
    """
    for name, parameter in model.named_parameters():
        if COPIES.search(name):
            continue
        if name not in state:
            raise InputError(
                f"the checkpoint holds no {name}: it is of another architecture than --arch {architecture}, or of "
                "fewer layers"
            )
        shape, wanted = state[name].shape, parameter.shape
        if shape[1:] != wanted[1:] or not (name.endswith(_BY_SYMBOL) or shape == wanted):
            raise InputError(
                f"{name} is {list(shape)} in the checkpoint and {list(wanted)} in the model: give --arch "
                f"{architecture} the sizes that the checkpoint was trained with (--encoder-layers, "
                "--encoder-embed-dim, --encoder-ffn-embed-dim, --encoder-attention-heads, --max-positions), and the "
                "same dictionary"
            )
    own = model.state_dict()
    for name in state:
        if name not in own and not COPIES.search(name):
            raise InputError(
                f"the checkpoint's {name} has no place in --arch {architecture}: it is of another architecture, or of "
                "more layers (--encoder-layers)"
            )
