"""The model itself: without the wrappers of data-parallel training, and without what a beam leaves behind in it."""

import torch.nn as nn

from crossinit_fairseq.errors import InputError, one_sentence


def unwrap(model: nn.Module) -> nn.Module:
    """The model inside all wrappers: fairseq puts a wrapper into a wrapper, each with the inner one as `module`.

    Ends the program with one sentence for a model whose weights are spread over the processes.
    """
    while hasattr(model, "module"):
        if type(model).__name__ == "FullyShardedDataParallel":  # fairseq's, around fairscale's
            with one_sentence():
                raise InputError(
                    "--ddp-backend fully_sharded leaves each process a part of the weights, and this task needs all of "
                    "them in one: use pytorch_ddp or legacy_ddp"
                )
        model = model.module
    return model


def forget_beam_size(model: nn.Module) -> None:
    """Make a model compute again as it did before fairseq's SequenceGenerator used it with a beam over 1.

    BART's cross-attention keeps the beam size (in all versions of fairseq). Later forward passes, and later generation
    with a beam of 1, then crash, or attend to the wrong sentences when the batch size is a multiple of the beam.
    """
    if hasattr(model, "set_beam_size"):
        model.set_beam_size(1)
        # set_beam_size also replaces this method by one that reorders nothing
        model.encoder.__dict__.pop("reorder_encoder_out", None)
