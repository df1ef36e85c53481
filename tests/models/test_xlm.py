"""crossinit_fairseq/models/xlm.py, and checkpoint_fit.py beside it"""

import argparse

import pytest
import torch
from fairseq.models import ARCH_CONFIG_REGISTRY, ARCH_MODEL_REGISTRY

from crossinit_fairseq.models.token_tables import find_token_tables
from crossinit_fairseq.models.xlm import XLMModel
from tests.helpers import dictionary_of, tiny_model
from tests.models import plain_transformer
from tests.models.refusal import check_refused

LANGUAGES = ("en", "de", "hi")
DICTIONARY = dictionary_of("abcdefgh", LANGUAGES)  # 4 + 8 + 3 + 1 symbols
PAD = 1
ROWS = [[0, 4, 5, 6, 2, 12], [0, 7, 2, 13], [0, 8, 8, 9, 10, 11, 2, 14], [0, 2, 12]]
LAYERS, HEADS = 2, 2


def model_of(seed=0, dictionary=DICTIONARY, **options):
    """In double precision, but for gelu, which fairseq rounds to single; each parameter is large enough to show."""
    torch.manual_seed(seed)
    model = tiny_model(
        dictionary, "xlm", **dict(dict(encoder_layers=LAYERS, encoder_ffn_embed_dim=20), **options)
    ).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
    return model


def batch(rows=ROWS, width=None):
    width = width or max(len(row) for row in rows)
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows])


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_equations(seed):
    model, languages = model_of(seed), [0, 1, 2, 1]
    state = model.state_dict()
    logits, _ = model(batch(), torch.tensor(languages))
    features, _ = model(batch(), torch.tensor(languages), features_only=True)
    for k, (row, language) in enumerate(zip(ROWS, languages)):
        expected = plain_transformer.xlm(torch.tensor(row), language, state, LAYERS, HEADS)
        assert torch.allclose(features[k, : len(row)], expected[0], rtol=0, atol=1e-5)
        assert torch.allclose(logits[k, : len(row)], expected[1], rtol=0, atol=1e-5)


def test_only_the_masked_places_are_predicted():
    model, languages = model_of(), torch.tensor([0, 1, 2, 1])
    masked = torch.rand(batch().shape, generator=torch.Generator().manual_seed(1)) < 0.4
    everywhere, there = model(batch(), languages)[0], model(batch(), languages, masked_tokens=masked)[0]
    assert masked.sum() > 5 and there.shape == (masked.sum(), len(DICTIONARY))
    assert torch.allclose(there, everywhere[masked], rtol=0, atol=1e-5)


def test_the_language_matters():
    model = model_of()
    outputs = [model(batch(), torch.full((4,), language))[0] for language in range(3)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (outputs[one] - outputs[other]).abs().amax(2)[batch() != PAD].min() > 1e-3


def test_languages_by_token_are_those_by_sentence_and_none_at_padding():
    model, languages = model_of(), torch.tensor([0, 1, 2, 1])
    by_token = languages[:, None].repeat(1, batch().size(1))
    by_token[batch() == PAD] = 2
    real = batch() != PAD
    assert torch.equal(model(batch(), by_token)[0][real], model(batch(), languages)[0][real])
    by_token[0, 2] = 1
    assert not torch.allclose(model(batch(), by_token)[0][0, :6], model(batch(), languages)[0][0, :6])


def test_padding_matters_to_nothing_and_learns_nothing():
    model, languages = model_of(), torch.tensor([0, 1, 2, 1])
    narrow, wide = model(batch(), languages)[0], model(batch(width=12), languages)[0]
    for k, row in enumerate(ROWS):
        assert torch.allclose(narrow[k, : len(row)], wide[k, : len(row)], rtol=0, atol=1e-5)
    # the third language is that of padding alone
    by_token = torch.where(batch() == PAD, torch.tensor(2), torch.tensor([[0], [1], [0], [1]]))
    model(batch(), by_token, masked_tokens=batch() != PAD)[0].pow(2).sum().backward()
    assert model.encoder.sentence_encoder.segment_embeddings.weight.grad.abs().sum(1).gt(0).tolist() == [
        True,
        True,
        False,
    ]
    assert all(parameter.grad is not None for parameter in model.parameters()), "nothing is there in vain"


def test_the_output_is_the_token_table():
    model = model_of()
    assert list(find_token_tables(model, DICTIONARY)) == ["encoder.sentence_encoder.embed_tokens.weight"]
    big = [name for name, parameter in model.named_parameters() if len(DICTIONARY) in parameter.shape]
    assert big == ["encoder.output_bias", "encoder.sentence_encoder.embed_tokens.weight"]


def test_begins_as_the_published_models_do():
    torch.manual_seed(0)
    model = tiny_model(DICTIONARY, "xlm", encoder_embed_dim=64, encoder_ffn_embed_dim=128)
    for name, parameter in model.named_parameters():
        if "layer_norm" in name:
            assert parameter.eq(1 if name.endswith("weight") else 0).all(), name
        elif parameter.dim() == 1:
            assert not parameter.any(), name
        elif "out_proj" not in name:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.15), name
    assert not model.encoder.sentence_encoder.embed_tokens.weight[PAD].any()


def options_of(architecture, **given):
    args = argparse.Namespace(**given)
    ARCH_CONFIG_REGISTRY[architecture](args)
    assert ARCH_MODEL_REGISTRY[architecture] is XLMModel
    return args


def parameters(vocabulary, languages, options):
    """By hand: tables, the bias of the output, two vectors for each normalisation; a layer's matrices and biases."""
    d, f = options.encoder_embed_dim, options.encoder_ffn_embed_dim
    tables = (vocabulary + languages + options.max_positions + 2) * d + vocabulary + 2 * d
    layer = 4 * (d * d + d) + (d * f + f) + (f * d + d) + 2 * 2 * d
    return tables + options.encoder_layers * layer


@pytest.mark.parametrize("architecture, layers", [("xlm_mlm_xnli15_1024", 12), ("xlm_tiny_3", 6)])
def test_architectures(architecture, layers):
    assert vars(options_of(architecture)) == dict(
        encoder_layers=layers,
        encoder_embed_dim=1024,
        encoder_ffn_embed_dim=4096,
        encoder_attention_heads=8,
        dropout=0.1,
        attention_dropout=0.1,
        max_positions=512,
    )
    assert options_of(architecture, encoder_layers=3, dropout=0.0).encoder_layers == 3


def test_size_of_the_published_model():
    small = options_of("xlm_tiny_3", encoder_embed_dim=8, encoder_ffn_embed_dim=12, encoder_layers=3, max_positions=20)
    model = tiny_model(DICTIONARY, "xlm", **vars(small))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters(16, 3, small)
    # 12 x 12,596,224 in layers, 95,000 x 1,024 tokens, 15 languages; 2 positions are fairseq's padding
    full = parameters(95000, 15, options_of("xlm_mlm_xnli15_1024"))
    assert full == 12 * 12596224 + (95000 + 15 + 514) * 1024 + 95000 + 2048 == 249073432


def test_dropout_of_attention_and_of_the_rest():
    model = tiny_model(DICTIONARY, "xlm", dropout=0.25, attention_dropout=0.5)
    (layer,) = model.encoder.sentence_encoder.layers
    assert layer.dropout_module.p == model.encoder.sentence_encoder.dropout_module.p == 0.25
    assert layer.self_attn.dropout_module.p == 0.5 and layer.activation_dropout_module.p == 0


def test_a_dictionary_without_languages():
    with pytest.raises(SystemExit, match="crossinit_fairseq: error: the dictionary names no language"):
        tiny_model(dictionary_of("abc", ()), "xlm")


@pytest.mark.parametrize(
    "other, sentence",
    [
        (dict(encoder_embed_dim=16), r"embed_tokens.weight is \[16, 16\] in the checkpoint and \[16, 8\] in the model"),
        (dict(encoder_ffn_embed_dim=24), r"fc1.weight is \[24, 8\] in the checkpoint .* --encoder-ffn-embed-dim"),
        (dict(encoder_layers=1), r"holds no encoder.sentence_encoder.layers.1.* or of fewer layers"),
        (dict(encoder_layers=3), r"layers.2.* has no place in --arch .* or of more layers"),
        (
            dict(max_positions=32),
            r"embed_positions.weight is \[34, 8\] in the checkpoint and \[66, 8\] .*--max-positions",
        ),
        (dict(kind="masked_lm"), "holds no encoder.output_bias: it is of another architecture"),
        (dict(kind="bart"), "holds no encoder.output_bias: it is of another architecture"),
    ],
)
def test_a_checkpoint_of_other_sizes_is_refused_in_words(other, sentence):
    check_refused(model_of(), DICTIONARY, sentence, **other)


def test_its_own_checkpoint_loads():
    one, other = model_of(1), model_of(2)
    other.load_state_dict(one.state_dict())
    for name, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
