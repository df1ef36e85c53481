"""crossinit_fairseq/models/copying_attention.py"""

import math

import pytest
import torch
from fairseq.modules import SinusoidalPositionalEmbedding

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.copying_attention import _position_finders, start_as_copier
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
    options = (
        dict(sides, share_all_embeddings=True, **options)
        if "share_all_embeddings" not in options
        else dict(sides, **options)
    )
    return tiny_model(DICTIONARY, "transformer", positions=128, **options)


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
    assert before < 0.05 and repeated(model) > 0.7


def test_where_translations_lie_side_by_side_it_translates():
    model = model_of()
    start_as_copier(model)
    table = model.encoder.embed_tokens.weight.data
    half = len(WORDS) // 2
    first = DICTIONARY.index(WORDS[0])
    # word150 + k is the translation of word k
    table[first + half : first + 2 * half] = table[first : first + half]
    source = torch.arange(first, first + 10).unsqueeze(0)
    previous = torch.cat([torch.tensor([[DICTIONARY.eos()]]), source[:, :-1] + half], 1)
    with torch.no_grad():
        scores, _ = model(source, torch.tensor([10]), previous)
    assert scores[..., first + half : first + 2 * half].argmax(-1).tolist() == [list(range(10))]


@pytest.mark.parametrize("width, heads, finds", [(16, 2, 2), (64, 4, 7), (128, 4, 8), (512, 8, 8)])
def test_a_score_tells_positions_apart(width, heads, finds):
    """By hand for d = 16: half of it, 8, are sines, of speeds 10000^(-i/7) = 1, 0.268, 0.072, ...: two are above 0.1. A
    score is (cos(t - s) - cos 1 + cos 0.268(t - s) - cos 0.268) * 1.5 / (2 - cos 1 - cos 0.268) = 3.04 * (...): 1.5
    where t = s, 0 at a neighbour, whatever the words' norms."""
    queries, keys = _position_finders(width, heads)
    positions = SinusoidalPositionalEmbedding.get_embedding(20, width)
    head = width // heads
    # layer normalisation: less the mean of the dimensions, over the root of 1.5
    seen = (positions + 7.0) / 1.5**0.5
    scores = (seen @ queries[:head].t()) @ (seen @ keys[:head].t()).t() / head**0.5
    speeds = [10000 ** (-i / (width // 2 - 1)) for i in range(width // 2)]
    fast = [speed for speed in speeds if speed >= 0.1]
    chosen = [fast[number * len(fast) // finds] for number in range(finds)]
    least = sum(1 - math.cos(speed) for speed in chosen)
    expected = [
        [1.5 * sum(math.cos(w * (t - s)) - math.cos(w) for w in chosen) / least for s in range(20)] for t in range(20)
    ]
    # the slowest sine and cosine are not quite 0 and 1
    assert torch.allclose(scores, torch.tensor(expected), atol=0.05, rtol=0.02)
    assert torch.allclose(scores.diagonal(), torch.tensor(1.5), atol=0.05)
    assert torch.allclose(scores.diagonal(1), torch.tensor(0.0), atol=0.05)
    for other in range(1, heads):
        part = slice(other * head, (other + 1) * head)
        assert torch.equal(queries[part], queries[:head]) and torch.equal(keys[part], keys[:head])


def test_aligning_the_table_keeps_the_position_dimensions_free():
    model = model_of()
    start_as_copier(model)
    table = model.encoder.embed_tokens.weight
    zero = (table == 0).all(0)
    assert 0 < int(zero.sum()) < 20
    lefts, rights = table[10:30], table[40:60]
    similarity = torch.nn.functional.cosine_similarity(lefts.unsqueeze(1), rights.unsqueeze(0), dim=-1)
    torch.nn.functional.cross_entropy(similarity / 0.1, torch.arange(20)).backward()
    assert (table.grad[:, zero] == 0).all() and (table.grad[10:30][:, ~zero] != 0).all()


@pytest.mark.parametrize(
    "model, named",
    [
        (lambda: tiny_model(DICTIONARY, "roberta"), "RobertaModel"),
        (lambda: tiny_model(DICTIONARY, "bart"), "sinusoidal positions"),
        (lambda: model_of(decoder_learned_pos=True), "sinusoidal positions"),
        (lambda: model_of(no_token_positional_embeddings=True), "sinusoidal positions"),
        (lambda: model_of(share_all_embeddings=False), "--share-all-embeddings"),
    ],
)
def test_other_models_are_refused(model, named):
    with pytest.raises(InputError, match=named):
        start_as_copier(model())
