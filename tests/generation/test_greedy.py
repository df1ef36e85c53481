"""crossinit_fairseq/generation/search.py: greedy search, against fairseq's SequenceGenerator."""

import pytest
import torch

from tests.generation.models import (
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

# kind, options, bias of </s>: one that ends rows early, one that seldom ends them
MODELS = [
    ("bart", {}, 0.0),
    ("bart", {}, 2.0),
    ("transformer", {}, 0.0),
    ("transformer", {"share_decoder_input_output_embed": True, "encoder_normalize_before": True}, 2.0),
    ("transformer", {"decoder_normalize_before": True, "decoder_learned_pos": True}, 4.0),
]


@pytest.mark.parametrize("kind, options, end_bias", MODELS)
def test_equals_sequence_generator_at_beam_1(kind, options, end_bias):
    early = late = distinct = 0
    for seed in range(4):
        model = random_model(kind, seed, end_bias, **options)
        for batch, longest, a, b in [(1, 6, 1.3, 5), (4, 9, 1.3, 5), (7, 5, 0, 6), (5, 4, 0.5, 0), (3, 5, 0, 1)]:
            source = random_source(10 * seed + batch, batch, longest)
            written = translate(model, source, max_len_a=a, max_len_b=b)
            limit = int(a * source.size(1) + b)
            check_rows(written, limit)
            assert strip(written) == generate_as_fairseq(model, source, "ro", a, b)
            lengths = [len(row) - 1 for row in strip(written)]
            early += sum(length < limit for length in lengths)
            late += sum(length == limit for length in lengths)
            distinct += len({tuple(row) for row in strip(written)})
    assert distinct > 20, "all outputs alike would show nothing"
    assert late and (early or not end_bias), "both ways to end must occur"


def test_nothing_to_write_but_the_end():
    written = translate(random_model("bart", 1), random_source(1, 3, 5), max_len_a=0, max_len_b=0)
    assert written.tolist() == [[EOS]] * 3


def test_a_sentence_does_not_depend_on_its_batch():
    model = random_model("bart", 3, 2.0)
    source = random_source(5, 6, 8)
    together = strip(translate(model, source, max_len_a=0, max_len_b=9))
    for row, expected in zip(source, together):
        alone = row[row.ne(PAD)][None]
        assert strip(translate(model, alone, max_len_a=0, max_len_b=9)) == [expected]


def test_the_language_token_matters():
    model, source = random_model("bart", 2), random_source(2, 5, 6)
    to_ro, to_en = (translate(model, source, language) for language in ("ro", "en"))
    assert strip(to_ro) != strip(to_en)


@pytest.mark.parametrize("end_bias", [0.0, 2.0])
def test_only_allowed_tokens(end_bias):
    allowed = torch.zeros(len(DICTIONARY), dtype=torch.bool)
    allowed[[5, 6, 7]] = True
    free = set()
    for seed in range(4):
        model, source = random_model("bart", seed, end_bias), random_source(seed, 5, 6)
        written = translate(model, source, allowed=allowed)
        check_rows(written, int(1.3 * source.size(1) + 5))
        assert set(written.flatten().tolist()) <= {5, 6, 7, EOS, PAD}
        free |= set(translate(model, source).flatten().tolist())
    assert not free <= {5, 6, 7, EOS, PAD}
    assert allowed.nonzero().flatten().tolist() == [5, 6, 7], "the mask itself is not touched"


def test_padding_is_never_written_even_if_allowed():
    allowed = torch.zeros(len(DICTIONARY), dtype=torch.bool)
    allowed[PAD] = True
    written = translate(random_model("bart", 1), random_source(1, 3, 5), allowed=allowed)
    assert written.tolist() == [[EOS]] * 3


def test_all_allowed_is_no_restriction():
    model, source = random_model("bart", 1), random_source(1, 3, 5)
    everything = torch.ones(len(DICTIONARY), dtype=torch.bool)
    free = translate(model, source)
    assert torch.equal(free, translate(model, source, allowed=everything))


@pytest.mark.parametrize("kind", ["bart", "transformer"])
@pytest.mark.parametrize("max_len, longest", [(None, 14), (99, 14), (13, 13), (3, 3), (0, 0)])
def test_limits_of_the_model_and_of_the_caller(kind, max_len, longest):
    # 16 positions; the decoder also reads [ro] <s>, so it can write 14 tokens, of which the last is not read
    model = random_model(kind, 1, -1e4, positions=16, encoder_learned_pos=True, decoder_learned_pos=True)
    source = random_source(1, 4, 13)
    written = translate(model, source, max_len=max_len)
    # a model that would never end by itself: every row has the longest length, and </s>
    assert written.size(1) == longest + 1 and (written[:, -1] == EOS).all()
    check_rows(written, longest)
    if longest == 13:
        # with special tokens, a source of back-translation is as long as the encoder allows, and the encoder
        # reads it
        framed = SPECIAL_TOKENS.add_to_batch(written, "ro")
        assert framed.size(1) == 16
        model.encoder(framed, framed.ne(PAD).sum(1))


def test_takes_no_gradient():
    model = random_model("bart", 1)
    translate(model, random_source(1, 3, 5))
    assert all(parameter.grad is None for parameter in model.parameters())
