"""What fairseq's architectures and tasks expect of each other."""

import inspect

from fairseq.models import ARCH_MODEL_REGISTRY, FairseqEncoderDecoderModel
from fairseq.tasks import FairseqTask

from crossinit_fairseq.errors import InputError


def build_for(task, name, cfg, from_checkpoint):
    """Build a model as fairseq does, and let it know its task's name.

    BART asks `args.task` when it loads a checkpoint. fairseq-train hands every option to the model; fairseq-hydra-train
    hands it only the model's own, and the question fails ("invalid argument task"), all versions.
    """
    # some builds of fairseq take the configuration alone
    takes = len(inspect.signature(FairseqTask.build_model).parameters) - 1
    model = FairseqTask.build_model(task, *(cfg, from_checkpoint)[:takes])
    if getattr(model, "args", None) is not None and not hasattr(model.args, "task"):
        model.args.task = name
    return model


def check_translates(cfg):
    """Raise InputError unless the architecture has an encoder and a decoder."""
    name = getattr(cfg, "arch", None) or getattr(cfg, "_name", None)
    model = ARCH_MODEL_REGISTRY.get(name)
    if model is not None and not issubclass(model, FairseqEncoderDecoderModel):
        raise InputError(
            "--task crossinit_unmt needs an encoder-decoder architecture such as mbart_base or transformer, not {}".format(
                name
            )
        )
