"""generation/incremental_decoder.py, growing_decoder.py, search.py, against fairseq's decoder and SequenceGenerator."""

import logging

import pytest
import torch
from fairseq.models.transformer import TransformerDecoder
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.generation import incremental_decoder, search
from crossinit_fairseq.generation.growing_decoder import GrowingDecoder, unsupported
from crossinit_fairseq.generation.incremental_decoder import CachedDecoder, DecoderCache
from tests.generation.models import (
    BOS,
    DICTIONARY,
    EOS,
    PAD,
    SPECIAL_TOKENS,
    check_rows,
    generate_as_fairseq,
    random_model,
    random_source,
    strip,
    translate,
)
from tests.helpers import tiny_model

FLAGS = st.booleans()


@st.composite
def models(draw):
    """Random models in double precision, so that no two ways of rounding disagree on the most probable token."""
    kind = draw(st.sampled_from(["bart", "transformer", "xlm_translation"]))
    dim = draw(st.sampled_from([8, 12]))
    options = {
        "encoder_embed_dim": dim,
        "decoder_embed_dim": dim,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": draw(st.sampled_from([1, 2, 4])),
        "decoder_layers": draw(st.integers(1, 3)),
        "decoder_ffn_embed_dim": draw(st.sampled_from([4, 20])),
    }
    if kind == "xlm_translation":
        options["encoder_attention_heads"] = options["decoder_attention_heads"]
        options["encoder_layers"] = options["decoder_layers"]
        options["encoder_ffn_embed_dim"] = options["decoder_ffn_embed_dim"]
    if kind != "xlm_translation":
        for name in (
            "decoder_normalize_before",
            "encoder_normalize_before",
            "layernorm_embedding",
            "decoder_learned_pos",
        ):
            options[name] = draw(FLAGS)
        options["activation_fn"] = draw(st.sampled_from(["relu", "gelu", "tanh"]))
        options["share_decoder_input_output_embed"] = draw(FLAGS)
        options["no_scale_embedding"] = draw(FLAGS)
        options["no_token_positional_embeddings"] = draw(FLAGS)
    if kind == "transformer" and draw(FLAGS):  # the source's dimension is another, and a projection before the output
        options.update(encoder_embed_dim=10, decoder_output_dim=6, share_decoder_input_output_embed=False)
    return random_model(
        kind, draw(st.integers(0, 999)), draw(st.sampled_from([-1.0, 0.0, 1.0, 3.0])), **options
    ).double()


@given(
    model=models(),
    seed=st.integers(0, 999),
    batch=st.integers(1, 12),
    longest=st.integers(1, 9),
    limit=st.sampled_from([(1.3, 5), (1.3, 5), (0.5, 0), (0, 0), (0, 12), (2.0, 3)]),
    restricted=FLAGS,
)
def test_equals_sequence_generator_at_beam_1(model, seed, batch, longest, limit, restricted):
    source = random_source(seed, batch, longest)
    allowed = None
    if restricted:
        allowed = torch.rand(len(DICTIONARY), generator=torch.Generator().manual_seed(seed)) < 0.5
    assert unsupported(model.decoder) is None
    written = translate(model, source, allowed=allowed, max_len_a=limit[0], max_len_b=limit[1])
    check_rows(written, int(limit[0] * source.size(1) + limit[1]))
    assert strip(written) == generate_as_fairseq(model, source, "ro", *limit, allowed=allowed)


@pytest.mark.parametrize("share", [0.0, 0.2, 2.0])
@pytest.mark.parametrize("interval", [1, 3, 8])
def test_when_ended_sentences_are_dropped_changes_nothing(share, interval, monkeypatch):
    # as on a GPU, where to look is to wait
    monkeypatch.setattr(search, "_SHARE_TO_DROP", share)
    monkeypatch.setattr(search, "_STEPS_BETWEEN_LOOKS", {"cpu": interval})
    dropped, move = [], DecoderCache.move
    monkeypatch.setattr(DecoderCache, "move", lambda self, *args: dropped.append(args[3]) or move(self, *args))
    lengths = set()
    for seed in range(3):
        model, source = random_model("bart", seed, 1.0).double(), random_source(seed, 12, 8)
        written = translate(model, source)
        check_rows(written, int(1.3 * source.size(1) + 5))
        assert strip(written) == generate_as_fairseq(model, source, "ro", 1.3, 5)
        lengths |= {len(row) for row in strip(written)}
    assert len(lengths) > 3
    assert bool(dropped) == (share < 2)


@pytest.mark.parametrize("kind", ["bart", "transformer", "xlm_translation"])
def test_a_step_equals_the_decoder_on_the_whole_prefix(kind):
    model, source = random_model(kind, 1).double(), random_source(1, 5, 7)
    generator = torch.Generator().manual_seed(0)
    prefix = torch.randint(4, 20, (5, 7), generator=generator)
    prefix[:, 0] = SPECIAL_TOKENS.languages["ro"]
    with torch.no_grad():
        encoded = model.encoder(source, source.ne(PAD).sum(1))
        candidates = torch.tensor([2, 5, 7])
        decoders = CachedDecoder(model.decoder, 7), GrowingDecoder(model.decoder, model.encoder)
        steps = [(decoder, decoder.cache(encoded, 7, candidates)) for decoder in decoders]
        rows = torch.arange(5)
        for decoder, cache in steps:
            decoder.read_tokens([cache], [prefix[:, :1]])
        for end in range(2, 8):
            if end == 4:  # sentences 0 and 3 have ended: 4 takes the place of 0
                for _, cache in steps:
                    cache.move(torch.tensor([0]), torch.tensor([4]), 3, 3)
                rows = torch.tensor([4, 1, 2])
            whole, _ = model.decoder(prefix[:, :end], encoder_out=encoded)
            expected = whole[rows, -1][:, candidates]
            for decoder, cache in steps:
                # fairseq's softmax is in single precision
                torch.testing.assert_close(decoder([cache], [prefix[rows, :end]])[0], expected, rtol=1e-5, atol=1e-5)


class Stubborn(TransformerDecoder):
    """Computes its features otherwise."""

    def extract_features(self, *args, **kwargs):
        x, extra = super().extract_features(*args, **kwargs)
        return x * 0.7, extra


def make_stubborn(model):
    model.decoder.__class__ = Stubborn


def retain_dropout(model):
    model.decoder.dropout_module.p = 1e-9
    model.decoder.dropout_module.apply_during_inference = True


@pytest.mark.parametrize(
    "kind, options, change, reason",
    [
        ("transformer", {"adaptive_softmax_cutoff": "8,16"}, None, "adaptive_softmax"),
        ("transformer", {"scale_heads": True}, None, "c_attn"),
        ("transformer", {"scale_fc": True}, None, "ffn_layernorm"),
        ("transformer", {"cross_self_attention": True}, None, "no attention to the source of its own"),
        ("transformer", {}, make_stubborn, "Stubborn computes in its own way"),
        ("bart", {}, retain_dropout, "dropout is retained"),
    ],
)
def test_what_is_not_supported_takes_fairseqs_decoder_and_says_so_once(kind, options, change, reason, caplog):
    search._told.clear()
    if "adaptive_softmax_cutoff" in options or "cross_self_attention" in options:
        torch.manual_seed(1)
        model = tiny_model(DICTIONARY, kind, **options)
    else:
        model = random_model(kind, 1, 1.0, **options)
    if change:
        change(model)
    model.double()
    source = random_source(1, 9, 6)
    with caplog.at_level(logging.WARNING):
        written = translate(model, source)
        translate(model, source)
    said = [record.getMessage() for record in caplog.records if "slower" in record.getMessage()]
    assert len(said) == 1 and reason in said[0]
    assert strip(written) == generate_as_fairseq(model, source, "ro", 1.3, 5)


def test_half_precision_runs():
    model = random_model("bart", 1, 1.0).bfloat16()
    source = random_source(1, 9, 6)
    check_rows(translate(model, source), int(1.3 * source.size(1) + 5))


def test_a_model_in_training_mode_is_refused():
    model = random_model("bart", 1).train()
    with pytest.raises(ValueError, match="eval mode"):
        translate(model, random_source(1, 2, 3))


def test_what_is_generated_can_be_learnt_from():
    # tensors of inference mode cannot
    model = random_model("bart", 1)
    written = translate(model, random_source(1, 3, 5))
    source = SPECIAL_TOKENS.add_to_batch(written, "ro")
    logits, _ = model(source, source.ne(PAD).sum(1), torch.full((3, 4), BOS))
    logits.sum().backward()
    assert model.encoder.embed_tokens.weight.grad.abs().sum() > 0
    assert not written.is_inference() and EOS in written


@pytest.mark.skipif(not incremental_decoder._FUSED, reason="torch before 2.1 has no attention in one call")
@pytest.mark.parametrize("padded", [False, True])
def test_attention_in_one_call(padded, monkeypatch):
    torch.manual_seed(0)
    query, keys, values = torch.randn(3, 2, 1, 4), torch.randn(3, 2, 9, 4)[:, :, :5], torch.randn(3, 2, 5, 4)
    mask = torch.zeros(3, 1, 1, 5)
    mask[1, ..., 3:] = float("-inf")
    written = incremental_decoder._attend(query, keys, values, mask if padded else None)
    monkeypatch.setattr(incremental_decoder, "_FUSED", False)
    assert torch.allclose(
        written, incremental_decoder._attend(query, keys, values, mask if padded else None), atol=1e-6
    )
