"""Tiny random models, their sources, and what fairseq's SequenceGenerator makes of them."""

import torch
from fairseq.sequence_generator import SequenceGenerator

from crossinit_fairseq.generation.search import Search, TranslationRequest
from tests.helpers import dictionary_of, special_tokens_of, tiny_model

DICTIONARY = dictionary_of("abcdefghijklmnop")
SPECIAL_TOKENS = special_tokens_of(DICTIONARY)
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
    """WithSpecialTokens and padded sentences of 1 to `longest` words."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (batch,), generator=generator).tolist()
    sentences = [torch.randint(4, 20, (n,), generator=generator).tolist() + [EOS] for n in lengths]
    return SPECIAL_TOKENS.collate([SPECIAL_TOKENS.add(torch.tensor(sentence), language) for sentence in sentences])


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
    hypotheses = generator.generate([model], sample, prefix_tokens=begin, bos_token=SPECIAL_TOKENS.languages[language])
    rows = [hypothesis[0]["tokens"].tolist() for hypothesis in hypotheses]
    assert all(row[0] == BOS for row in rows)
    return [row[1:] for row in rows]


def strip(tokens):
    """int64 [B, T] as lists without padding."""
    return [[token for token in row if token != PAD] for row in tokens.tolist()]


def check_rows(written, longest):
    """Each row: text, exactly one </s>, then padding; the longest row has none."""
    assert written.dtype == torch.int64
    for row in written.tolist():
        end = row.index(EOS)
        assert PAD not in row[:end] and all(token == PAD for token in row[end + 1 :]) and end <= longest
    assert (written[:, -1] != PAD).any()


def translate(model, source, language="ro", allowed=None, max_len=None, seed=0, **settings):
    """One batch through Search(**settings). Returns int64 [B, T]."""
    request = TranslationRequest(source, language, allowed, seed)
    return Search(SPECIAL_TOKENS, **settings)(model, [request], max_len)[0]
