"""Reach a model through the wrappers of data-parallel training."""


def unwrap(model):
    """The model itself; fairseq puts a wrapper into a wrapper, each with the inner one as `module`."""
    while hasattr(model, "module"):
        model = model.module
    return model
