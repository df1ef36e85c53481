"""Reach a model through the wrappers of data-parallel training."""


def unwrap(model):
    """The model itself; fairseq puts a wrapper into a wrapper, each with the inner one as `module`.

    Raises SystemExit for a model whose weights are spread over the processes.
    """
    while hasattr(model, "module"):
        if type(model).__name__ == "FullyShardedDataParallel":  # fairseq's, around fairscale's
            raise SystemExit(
                "crossinit_fairseq: error: --ddp-backend fully_sharded leaves each process a part of the weights, and this "
                "task needs all of them in one: use pytorch_ddp or legacy_ddp"
            )
        model = model.module
    return model
