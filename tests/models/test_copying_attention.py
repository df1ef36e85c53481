"""crossinit_fairseq/models/copying_attention.py"""

import math

import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.copying_attention import start_as_copier
from tests.helpers import dictionary_of, tiny_model

WORDS = [f"word{number}" for number in range(300)]
DICTIONARY = dictionary_of(WORDS)


def model_of(width=64, layers=2, heads=4, **options):
    sides = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in dict(
            embed_dim=width, ffn_embed_dim=4 * width, layers=layers, attention_heads=heads, normalize_before=True
        ).items()
    }
    torch.manual_seed(1)
    return tiny_model(DICTIONARY, "transformer", positions=128, share_all_embeddings=True, **dict(sides, **options))


def repeated(model, sentences=20, length=12):
    """The share of words that the likeliest next word repeats, given the words before it."""
    generator = torch.Generator().manual_seed(2)
    first = DICTIONARY.index(WORDS[0])
    source = torch.randint(first, first + len(WORDS), (sentences, length), generator=generator)
    source = torch.cat([source, torch.full((sentences, 1), DICTIONARY.eos())], 1)
    previous = torch.cat([source[:, -1:], source[:, :-1]], 1)
    with torch.no_grad():
        scores, _ = model(source, torch.full((sentences,), length + 1), previous)
    return float((scores.argmax(-1) == source).float().mean())


@pytest.mark.parametrize("width, layers, heads", [(64, 2, 4), (128, 3, 4), (128, 1, 8), (64, 2, 1), (256, 3, 4)])
def test_an_untrained_model_repeats_its_source(width, layers, heads):
    model = model_of(width, layers, heads)
    before = repeated(model)
    start_as_copier(model)
    assert before < 0.05 and repeated(model) > 0.95


def test_where_translations_lie_side_by_side_it_translates():
    model = model_of()
    start_as_copier(model)
    table = model.encoder.embed_tokens.weight.data
    half = len(WORDS) // 2
    first = DICTIONARY.index(WORDS[0])
    # word150 + k is the translation of word k
    table[first + half : first + 2 * half] = table[first : first + half] + 0.02
    source = torch.arange(first, first + 10).unsqueeze(0)
    previous = torch.cat([torch.tensor([[DICTIONARY.eos()]]), source[:, :-1] + half], 1)
    with torch.no_grad():
        scores, _ = model(source, torch.tensor([10]), previous)
    of_the_other_language = scores[..., first + half : first + 2 * half].argmax(-1)
    assert (of_the_other_language == torch.arange(10)).float().mean() > 0.9


def test_a_score_is_the_sum_of_cosines_of_the_distance():
    """By hand for d = 8, one head: half of it, 4, sinusoids could be looked at; speeds 1, 10000^(-1/3) = 0.0464..., of which
    one is above 0.1: scores are 4 cos(t - s) / sqrt(8)."""
    model = model_of(width=8, layers=1, heads=1)
    start_as_copier(model)
    attention = model.decoder.layers[-1].encoder_attn
    with torch.no_grad():
        # without what is left of the random start, a tenth
        picked = [(projection.weight.abs() > 1).nonzero().tolist() for projection in (attention.q_proj, attention.k_proj)]
    # the sine of speed 1 stands first, its cosine after the four sines
    assert picked[0] == picked[1]
    assert {tuple(entry) for entry in picked[0]} >= {(0, 0), (4, 4)}
    positions = torch.arange(6, dtype=torch.float)
    query = torch.zeros(6, 8)
    query[:, 0], query[:, 4] = positions.sin(), positions.cos()
    pick = torch.zeros(8, 8)
    pick[0, 0] = pick[4, 4] = 2.0
    scores = (query @ pick.t()) @ (query @ pick.t()).t() * attention.scaling
    expected = torch.tensor([[4 * math.cos(t - s) / math.sqrt(8) for s in range(6)] for t in range(6)])
    assert torch.allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize(
    "model, named",
    [
        (lambda: tiny_model(DICTIONARY, "roberta"), "RobertaModel"),
        (lambda: tiny_model(DICTIONARY, "bart"), "learnt positions"),
        (lambda: model_of(decoder_learned_pos=True), "learnt positions"),
        (lambda: model_of(no_token_positional_embeddings=True), "learnt positions"),
    ],
)
def test_other_models_are_refused(model, named):
    with pytest.raises(InputError, match=named):
        start_as_copier(model())
