"""What the layers of an encoder make of an input: for looking into a model, with or without a head."""

from typing import List, Optional

import torch
from fairseq.models import BaseFairseqModel, FairseqEncoderDecoderModel

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.fine_tuned import FineTunedModel, takes_languages


def layer_states(
    model: BaseFairseqModel,
    src_tokens: torch.Tensor,
    src_lengths: torch.Tensor,
    language_ids: Optional[torch.Tensor] = None,
) -> List[torch.Tensor]:
    """The states of all layers, those of the embeddings first: float [B, T, d] each.

    src_tokens, language_ids: int64 [B, T]; src_lengths: int64 [B]. Raises InputError for a model without such layers.
    """
    body = model.body if isinstance(model, FineTunedModel) else model
    if isinstance(body, FairseqEncoderDecoderModel):
        states = body.encoder(src_tokens, src_lengths, return_all_hiddens=True)["encoder_states"]
    elif hasattr(body, "register_classification_head"):  # roberta
        states = body(src_tokens, features_only=True, return_all_hiddens=True)[1]["inner_states"]
    elif hasattr(getattr(body, "encoder", None), "sentence_encoder"):
        segments = language_ids if takes_languages(body) else None
        states, _ = body.encoder.sentence_encoder(src_tokens, segment_labels=segments, last_state_only=False)
    else:
        raise InputError(f"the architecture ({type(body).__name__}) has no encoder whose layers could be read")
    return [state.transpose(0, 1) for state in states]


def mean_states(states: List[torch.Tensor], begin: int, lengths: torch.Tensor) -> torch.Tensor:
    """The mean over the text of each input, for all layers: float32 [layers, B, d].

    states: float [B, T, d] each; begin: the place of the first token of the text; lengths: int64 [B], of the texts in
    tokens, 1 or more.
    """
    place = torch.arange(states[0].size(1), device=states[0].device)
    inside = (place >= begin).unsqueeze(0) & (place.unsqueeze(0) < begin + lengths.unsqueeze(1))
    weights = inside.float() / lengths.unsqueeze(1)
    return torch.stack([torch.einsum("bt,btd->bd", weights, state.float()) for state in states])
