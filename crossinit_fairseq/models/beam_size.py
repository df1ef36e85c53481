"""Undo what a beam leaves behind in a model."""


def forget_beam_size(model):
    """Make a model compute again as it did before fairseq's SequenceGenerator used it with a beam over 1.

    BART's cross-attention keeps the beam size (all versions): later forward passes, and later generation with a beam of
    1, crash or attend to the wrong sentences when the batch is a multiple of it.
    """
    if hasattr(model, "set_beam_size"):
        model.set_beam_size(1)
        # it also replaced this method by one that reorders nothing
        model.encoder.__dict__.pop("reorder_encoder_out", None)
