"""Which of fairseq's architectures a task can train: many encoder-decoders read speech, or want more inputs."""

import inspect
from typing import Any, List

import torch
from fairseq.models import ARCH_MODEL_REGISTRY
from fairseq.models.transformer import TransformerModelBase
from fairseq.models.transformer_from_pretrained_xlm import TransformerFromPretrainedXLMModel

from crossinit_fairseq.errors import InputError, first_line

# of which others are variants; what messages name
_USUAL = ("transformer", "bart_base", "mbart_base", "xlm_translation")


_OF_SPEECH = tuple(
    f"fairseq.models.{name}" for name in ("speech", "text_to_speech", "wav2vec", "hubert", "multires_hubert")
)


def architecture_name(cfg: Any) -> str:
    """The name of the architecture in a model's configuration."""
    return str(getattr(cfg, "arch", None) or getattr(cfg, "_name", None))


def is_transformer(name: str) -> bool:
    """Whether an architecture is a Transformer that writes from left to right, by fairseq's decoder or one of ours."""
    model = ARCH_MODEL_REGISTRY.get(name)
    if model is None or not issubclass(model, TransformerModelBase):
        return False
    inputs = inspect.signature(model.forward).parameters
    of_a_task = issubclass(model, TransformerFromPretrainedXLMModel)  # it asks for a dictionary of its own
    return "features_only" in inputs and "tgt_tokens" not in inputs and not of_a_task


def is_of_speech(name: str) -> bool:
    """Whether an architecture of fairseq's reads or writes speech."""
    model = ARCH_MODEL_REGISTRY.get(name)
    return model is not None and model.__module__.startswith(_OF_SPEECH)


def usual_transformers() -> str:
    """What to give instead, in words."""
    return "--arch " + ", ".join(_USUAL[:-1]) + f" or {_USUAL[-1]}"


def check_reads_text(model: torch.nn.Module, name: str, task: str, eos: int) -> None:
    """Raise InputError where an encoder-decoder does not do what every update will ask: read a source and a target, of
    tokens.

    model: as built, on the CPU; name: of its architecture; eos: the token that they are made of here.
    Raises ValueError for a model whose parameters have no memory.
    """
    if any(parameter.is_meta for parameter in model.parameters()):
        raise ValueError("a model without values computes nothing")
    tokens = torch.full((1, 4), eos)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            found: List[Any] = list(model(tokens, torch.tensor([4]), tokens))
        shape = tuple(found[0].shape[:2])
        why = "" if shape == (1, 4) else f"it returns {list(shape)} for [1, 4] tokens"
    except Exception as error:  # whatever it is, training ends by it
        why = first_line(error)
    finally:
        model.train(was_training)
    if why:
        raise InputError(f"--task {task} cannot train --arch {name} ({why}): give {usual_transformers()}")
