"""crossinit_fairseq/translation/greedy.py, against fairseq's SequenceGenerator."""

import pytest
import torch
from fairseq.sequence_generator import SequenceGenerator

from crossinit_fairseq.translation.greedy import generate_greedily
from tests.helpers import convention_of, dictionary_of, tiny_model

DICTIONARY = dictionary_of("abcdefghijklmnop")
CONVENTION = convention_of(DICTIONARY)
BOS, PAD, EOS = 0, 1, 2
WORDS = range(4, 20)


def random_model(kind, seed, end_bias=0.0, **options):
    """A tiny model with weights large enough for its output to vary; end_bias makes </s> more likely."""
    torch.manual_seed(seed)
    model = tiny_model(DICTIONARY, kind, **dict({"decoder_layers": 2}, **options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn(parameter.shape) * (0.8 if "embed" in name else 0.5))
        if end_bias:
            projection = model.decoder.output_projection
            projection.bias = torch.nn.Parameter(torch.zeros(len(DICTIONARY)))
            projection.bias[EOS] = end_bias
    return model


def random_source(seed, batch, longest, language="en"):
    """Dressed and padded sentences of 1 to `longest` words."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (batch,), generator=generator).tolist()
    sentences = [torch.randint(4, 20, (n,), generator=generator).tolist() + [EOS] for n in lengths]
    return CONVENTION.stack([CONVENTION.dress(torch.tensor(sentence), language) for sentence in sentences])


def generate_as_fairseq(model, source, language, max_len_a, max_len_b, allowed=None, beam=1):
    """Beam 1, the decoder forced to begin with [language] <s>. Returns lists of tokens up to </s>."""
    # its longest output counts the <s>
    generator = SequenceGenerator(
        [model], DICTIONARY, beam_size=beam, max_len_a=max_len_a, max_len_b=max_len_b + 1, max_len=10000
    )
    if allowed is not None:
        generator.token_indices_to_suppress = torch.tensor(
            [token for token in range(len(DICTIONARY)) if not allowed[token] and token not in (PAD, EOS)]
        ).long()
    sample = {"net_input": {"src_tokens": source, "src_lengths": source.ne(PAD).sum(1)}}
    begin = torch.full((len(source), 1), BOS)
    hypotheses = generator.generate([model], sample, prefix_tokens=begin, bos_token=CONVENTION.languages[language])
    rows = [hypothesis[0]["tokens"].tolist() for hypothesis in hypotheses]
    assert all(row[0] == BOS for row in rows)
    return [row[1:] for row in rows]


def strip(tokens):
    """int64 [B, T] as lists without padding."""
    return [[token for token in row if token != PAD] for row in tokens.tolist()]


def check_rows(made, longest):
    """Each row: text, exactly one </s>, then padding; the longest row has none."""
    assert made.dtype == torch.int64
    for row in made.tolist():
        end = row.index(EOS)
        assert PAD not in row[:end] and all(token == PAD for token in row[end + 1 :]) and end <= longest
    assert (made[:, -1] != PAD).any()


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
            made = generate_greedily(model, source, "ro", CONVENTION, a, b)
            limit = int(a * source.size(1) + b)
            check_rows(made, limit)
            assert strip(made) == generate_as_fairseq(model, source, "ro", a, b)
            lengths = [len(row) - 1 for row in strip(made)]
            early += sum(length < limit for length in lengths)
            late += sum(length == limit for length in lengths)
            distinct += len({tuple(row) for row in strip(made)})
    assert distinct > 20, "all outputs alike would show nothing"
    assert late and (early or not end_bias), "both ways to end must occur"


def test_nothing_to_write_but_the_end():
    made = generate_greedily(random_model("bart", 1), random_source(1, 3, 5), "ro", CONVENTION, 0, 0)
    assert made.tolist() == [[EOS]] * 3


def test_a_sentence_does_not_depend_on_its_batch():
    model = random_model("bart", 3, 2.0)
    source = random_source(5, 6, 8)
    together = strip(generate_greedily(model, source, "ro", CONVENTION, 0, 9))
    for row, expected in zip(source, together):
        alone = row[row.ne(PAD)][None]
        assert strip(generate_greedily(model, alone, "ro", CONVENTION, 0, 9)) == [expected]


def test_the_language_token_matters():
    model, source = random_model("bart", 2), random_source(2, 5, 6)
    to_ro, to_en = (generate_greedily(model, source, language, CONVENTION) for language in ("ro", "en"))
    assert strip(to_ro) != strip(to_en)


@pytest.mark.parametrize("end_bias", [0.0, 2.0])
def test_only_allowed_tokens(end_bias):
    allowed = torch.zeros(len(DICTIONARY), dtype=torch.bool)
    allowed[[5, 6, 7]] = True
    free = set()
    for seed in range(4):
        model, source = random_model("bart", seed, end_bias), random_source(seed, 5, 6)
        made = generate_greedily(model, source, "ro", CONVENTION, allowed=allowed)
        check_rows(made, int(1.3 * source.size(1) + 5))
        assert set(made.flatten().tolist()) <= {5, 6, 7, EOS, PAD}
        free |= set(generate_greedily(model, source, "ro", CONVENTION).flatten().tolist())
    assert not free <= {5, 6, 7, EOS, PAD}
    assert allowed.nonzero().flatten().tolist() == [5, 6, 7], "the mask itself is not touched"


def test_padding_is_never_written_even_if_allowed():
    allowed = torch.zeros(len(DICTIONARY), dtype=torch.bool)
    allowed[PAD] = True
    made = generate_greedily(random_model("bart", 1), random_source(1, 3, 5), "ro", CONVENTION, allowed=allowed)
    assert made.tolist() == [[EOS]] * 3


def test_all_allowed_is_no_restriction():
    model, source = random_model("bart", 1), random_source(1, 3, 5)
    everything = torch.ones(len(DICTIONARY), dtype=torch.bool)
    free = generate_greedily(model, source, "ro", CONVENTION)
    assert torch.equal(free, generate_greedily(model, source, "ro", CONVENTION, allowed=everything))


@pytest.mark.parametrize("kind", ["bart", "transformer"])
@pytest.mark.parametrize("max_len, longest", [(None, 14), (99, 14), (13, 13), (3, 3), (0, 0)])
def test_limits_of_the_model_and_of_the_caller(kind, max_len, longest):
    # 16 positions; the decoder also reads [ro] <s>, so it can write 14 tokens, of which the last is not read
    model = random_model(kind, 1, -1e4, positions=16, encoder_learned_pos=True, decoder_learned_pos=True)
    source = random_source(1, 4, 13)
    made = generate_greedily(model, source, "ro", CONVENTION, max_len_a=1.3, max_len_b=5, max_len=max_len)
    # a model that would never end by itself: every row has the longest length, and </s>
    assert made.size(1) == longest + 1 and (made[:, -1] == EOS).all()
    check_rows(made, longest)
    if longest == 13:
        # dressed as a source, as in back-translation, it is as long as the encoder allows, and the encoder reads it
        dressed = CONVENTION.dress_generated(made, "ro")
        assert dressed.size(1) == 16
        model.encoder(dressed, dressed.ne(PAD).sum(1))


def test_takes_no_gradient():
    model = random_model("bart", 1)
    generate_greedily(model, random_source(1, 3, 5), "ro", CONVENTION)
    assert all(parameter.grad is None for parameter in model.parameters())
