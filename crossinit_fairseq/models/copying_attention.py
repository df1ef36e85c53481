"""Start an untrained translation model as one that copies: its attention looks straight across, word by word.

With a table in which translations lie side by side, a model that copies translates word by word before its first
update. To learn even that much from back-translations takes an untrained model hundreds of updates.
"""

from typing import List, Tuple

import torch
from fairseq.modules import MultiheadAttention, SinusoidalPositionalEmbedding

from crossinit_fairseq.errors import InputError

_SPEEDS = 8  # sinusoids that a position is known by
_SLOWEST = 0.1  # radians a position: slower sinusoids hardly tell neighbouring positions apart
_MARGIN = 1.5  # score of the same position above that of its neighbours
_VALUE = 2.5  # of the word copied, beside the word before it and the position
_OTHERS = 0.2  # what is left of all other sub-layers at the start
_RANDOM = 0.1  # what is left of the random start in the matrices set here


def start_as_copier(model: torch.nn.Module) -> None:
    """Set the weights of a freshly built encoder-decoder so that it repeats its source.

    Position t of the translation is made of position t of the source. In the last decoder layer, queries and keys of
    the attention to the encoder see eight sinusoids of the position, of speeds w, in every head, and the slowest
    cosine, which is 1 everywhere: a score is sum_w (cos w(t - s) - cos w), times what makes it 1.5 at s = t; it is 0
    at a neighbour. Without the second term, a word of a smaller norm, whose position normalisation makes larger,
    would draw attention away. Values pass through. All other sub-layers add a fifth of what they would, so that the
    sum that runs past them still holds word and position; random parts of the matrices stay, at a tenth.

    In the dimensions of these sinusoids the token table is set to 0, or the word before, which the decoder reads,
    would match itself in the source. Aligning the table (InfoNCE) keeps the zeros: where all are 0, the gradient of a
    cosine is.

    model: of fairseq, float32, with one token table [V, d] and sinusoidal positions [T, d].
    Raises InputError for any other.
    """
    decoder = getattr(model, "decoder", None)
    layers = getattr(decoder, "layers", None)
    attention = getattr(layers[-1], "encoder_attn", None) if layers is not None and len(layers) else None
    if not isinstance(attention, MultiheadAttention) or not attention.qkv_same_dim:
        raise InputError(
            "--start-as-copier needs an encoder and a decoder of like width with attention between them, as in "
            f"--arch transformer, not a {type(model).__name__}"
        )
    for side in (model.encoder, decoder):
        if not isinstance(side.embed_positions, SinusoidalPositionalEmbedding):
            raise InputError(
                "--start-as-copier finds a position by its sinusoids: it needs --arch transformer with sinusoidal "
                "positions, not learnt ones or none"
            )
    if decoder.embed_tokens.weight is not model.encoder.embed_tokens.weight:
        raise InputError("--start-as-copier needs one table for source and target: add --share-all-embeddings")
    finders = _position_finders(attention.embed_dim, attention.num_heads)
    queries, keys = (part.to(attention.q_proj.weight) for part in finders)
    identity = torch.eye(attention.embed_dim).to(queries)
    positions = queries.bool().any(0)
    with torch.no_grad():
        for side in (model.encoder, decoder):
            for name, parameter in side.named_parameters():
                if name.endswith(("fc2.weight", "out_proj.weight", "fc2.bias", "out_proj.bias")):
                    parameter.mul_(_OTHERS)
                    parameter[positions] = 0
        for projection, start, left in (
            (attention.q_proj, queries, _RANDOM),
            (attention.k_proj, keys, _RANDOM),
            (attention.v_proj, identity * _VALUE, _RANDOM),
            (attention.out_proj, identity, _RANDOM / _OTHERS),  # it is among those scaled above
        ):
            projection.weight.mul_(left).add_(start)
            if projection.bias is not None:
                projection.bias.zero_()
        model.encoder.embed_tokens.weight[:, positions] = 0


def _position_finders(width: int, heads: int) -> Tuple[torch.Tensor, torch.Tensor]:
    """The parts of query and key projections that see positions, float [d, d] each: d / h rows for each head.

    Of the d dimensions the first half are sines and the second cosines, fastest first, as fairseq's
    SinusoidalPositionalEmbedding lays them out. Layer normalisation is taken to divide by the root of 1.5: a word has
    variance 1 in each dimension, a position 1/2.
    """
    half, head_width = width // 2, width // heads
    speeds = 10000.0 ** -(torch.arange(half, dtype=torch.float64) / max(half - 1, 1))
    chosen = _spread(int((speeds >= _SLOWEST).sum()), min(_SPEEDS, max((head_width - 1) // 2, 1)))
    neighbours = float(torch.cos(speeds[chosen]).sum())
    scale = _MARGIN * 1.5 * head_width**0.5 / (len(chosen) - neighbours)
    rows = [(dimension, 1.0) for index in chosen for dimension in (index, half + index)]
    rows = (rows + [(width - 1, -neighbours)])[:head_width]
    queries, keys = torch.zeros(width, width), torch.zeros(width, width)
    for head in range(heads):
        for row, (dimension, weight) in enumerate(rows, head * head_width):
            queries[row, dimension] = (abs(weight) * scale) ** 0.5
            queries[row, half - 1] = -queries[row, dimension]
            keys[row] = queries[row] * (1 if weight > 0 else -1)
    return queries, keys


def _spread(count: int, wanted: int) -> List[int]:
    """At most `wanted` of the numbers 0 to count - 1, evenly spread, 0 among them."""
    wanted = min(count, wanted)
    return [number * count // wanted for number in range(wanted)]
