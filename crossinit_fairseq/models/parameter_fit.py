"""Refuse, in words, a checkpoint of another architecture or of other sizes."""

import re

from crossinit_fairseq.errors import InputError

# the official fairseq 0.12.2 makes these copies in encoder layers and fills them at every loading
COPIES = re.compile(r"\.(in_proj|out_proj|fc1|fc2)_(weight|bias)$")


def check_parameters_fit(model, state, architecture):
    """Raise InputError when a state dict lacks a parameter of the model, has it in another shape, or has more than those.

    fairseq's trainer hides the cause behind "please ensure that the architectures match" (all versions).
    state: {name: tensor}. The token tables' rows are not compared: see checkpoint_fit for a better sentence.
    """
    for name, parameter in model.named_parameters():
        if COPIES.search(name):
            continue
        if name not in state:
            raise InputError(
                "the checkpoint holds no {}: it is of another architecture than --arch {}, or of fewer layers".format(
                    name, architecture
                )
            )
        if state[name].shape[1:] != parameter.shape[1:] or not (
            is_by_symbol(name) or state[name].shape == parameter.shape
        ):
            raise InputError(
                "{} is {} in the checkpoint and {} in the model: give --arch {} the sizes that the checkpoint was trained with "
                "(--encoder-layers, --encoder-embed-dim, --encoder-ffn-embed-dim, --encoder-attention-heads, "
                "--max-positions), and the same dictionary".format(
                    name, list(state[name].shape), list(parameter.shape), architecture
                )
            )
    own = model.state_dict()
    for name in state:
        if name not in own and not COPIES.search(name):
            raise InputError(
                "the checkpoint's {} has no place in --arch {}: it is of another architecture, or of more layers "
                "(--encoder-layers)".format(name, architecture)
            )


def is_by_symbol(name):
    """Whether a parameter has one row for each symbol of the dictionary."""
    return name.endswith(("embed_tokens.weight", "output_projection.weight", "output_projection.bias", "output_bias"))
