"""Which parameter of XLM becomes which of an encoder and a decoder."""

import re

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.parameter_fit import COPIES

_XLM = "encoder.sentence_encoder."
_BOTH = ("encoder.", "decoder.")
# what an XLM lacks: the decoder's attention to the encoder, fairseq's version numbers, and copies that loading fills
_ATTENTION_TO_ENCODER = re.compile(r"\.encoder_attn(_layer_norm)?\.")
_WITHOUT_COUNTERPART = re.compile("|".join([_ATTENTION_TO_ENCODER.pattern, r"coder\.version$", COPIES.pattern]))
_NAMES = {
    "embed_tokens.weight": [
        "encoder.embed_tokens.weight",
        "decoder.embed_tokens.weight",
        "decoder.output_projection.weight",
    ],
    "segment_embeddings.weight": [side + "embed_positions.languages.weight" for side in _BOTH],
}


def is_xlm(state):
    """Whether a state dict is of a model with fairseq's sentence encoder: XLM, or roberta and the like."""
    return any(name.startswith(_XLM) for name in state)


def state_for_translation(xlm, own):
    """The state dict of a translation model that starts from XLM.

    xlm: {name: tensor} of an XLMModel; own: {name: tensor} of the freshly initialised XLMTranslationModel.
    Returns (the state dict, the number of XLM's tensors in it); what XLM lacks is from `own`.
    Raises InputError when XLM has a tensor that there is no place for.
    """
    made = {name: value for name, value in own.items() if _WITHOUT_COUNTERPART.search(name)}
    for name, value in xlm.items():
        for counterpart in _counterparts(name):
            made[counterpart] = value
    return made, len(xlm)


def count_left(own):
    """How many tensors of a translation model no XLM has."""
    return sum(bool(_ATTENTION_TO_ENCODER.search(name)) for name in own)


def _counterparts(name):
    if name == "encoder.output_bias":
        return ["decoder.output_projection.bias"]
    inner = name[len(_XLM) :] if name.startswith(_XLM) else ""
    if inner in _NAMES:
        return _NAMES[inner]
    if inner == "embed_positions.weight" or re.match(r"layers\.\d+\.", inner):
        return [side + inner for side in _BOTH]
    if inner.startswith("emb_layer_norm."):
        return [side + inner.replace("emb_layer_norm", "layernorm_embedding") for side in _BOTH]
    raise InputError(
        "the checkpoint's {} has no place in --arch xlm_translation, which starts from the xlm architectures of "
        "crossinit_fairseq (xlm_tiny_3, xlm_mlm_xnli15_1024)".format(name)
    )
