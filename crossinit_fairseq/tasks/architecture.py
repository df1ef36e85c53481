"""What fairseq's architectures expect to find in their configuration."""

from contextlib import ExitStack

from omegaconf import OmegaConf, open_dict


def name_task(cfg, name):
    """Return a model configuration that knows its task's name.

    BART asks `args.task` when it loads a checkpoint. fairseq-train hands every option to the model; fairseq-hydra-train
    hands it only the model's own, and the question fails ("invalid argument task"), all versions.
    """
    with open_dict(cfg) if OmegaConf.is_config(cfg) else ExitStack():
        if getattr(cfg, "task", None) is None:
            cfg.task = name
    return cfg
