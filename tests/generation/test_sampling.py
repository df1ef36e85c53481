"""crossinit_fairseq/generation/search.py: sampling."""

import pytest
import torch

from crossinit_fairseq.generation import search
from tests.generation.models import (
    DICTIONARY,
    EOS,
    PAD,
    SPECIAL_TOKENS,
    check_rows,
    random_model,
    random_source,
    strip,
    translate,
)


def sample(model, source, **options):
    return translate(model, source, sampling=True, **options)


def test_equal_seeds_draw_equal_translations():
    model, source = random_model("bart", 1, 1.0), random_source(1, 9, 6)
    first = sample(model, source, seed=(3, 7))
    torch.rand(5)  # what else is drawn does not matter
    assert torch.equal(first, sample(model, source, seed=(3, 7)))
    assert not strip(first) == strip(sample(model, source, seed=(3, 8)))
    check_rows(first, int(1.3 * source.size(1) + 5))


def test_a_sentence_does_not_depend_on_when_others_end(monkeypatch):
    model, source = random_model("bart", 1, 1.0).double(), random_source(1, 12, 6)
    first = sample(model, source, seed=1)
    assert len({len(row) for row in strip(first)}) > 3
    monkeypatch.setattr(search, "_SHARE_TO_DROP", 2.0)
    assert torch.equal(first, sample(model, source, seed=1))


@pytest.mark.parametrize("options", [{"sampling_topk": 1}, {"temperature": 1e-6}])
def test_only_the_most_probable_is_greedy(options):
    model, source = random_model("bart", 2, 1.0).double(), random_source(2, 9, 6)
    assert torch.equal(sample(model, source, **options), translate(model, source))


def first_tokens(model, count=20000, **options):
    """How often each token was drawn at the first place, as shares [V], and the logits there, [V]."""
    source = random_source(3, 1, 5)
    written = sample(model, source.expand(count, -1), max_len_a=0, max_len_b=1, **options)
    with torch.no_grad():
        prefix = torch.tensor([[SPECIAL_TOKENS.languages["ro"], SPECIAL_TOKENS.bos]])
        logits = model(source, torch.tensor([source.size(1)]), prefix)[0][0, -1]
    return torch.bincount(written[:, 0], minlength=len(DICTIONARY)) / count, logits.masked_fill_(
        torch.arange(len(DICTIONARY)) == PAD, float("-inf")
    )


# the standard deviation of a share of 20,000 draws is at most 0.0035
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_shares_drawn_are_the_probabilities(temperature):
    shares, logits = first_tokens(random_model("bart", 5), temperature=temperature)
    expected = torch.softmax(logits / temperature, 0)
    assert (expected > 0.02).sum() > 3
    assert (shares - expected).abs().max() < 0.015


def test_topk_draws_among_the_k_most_probable():
    shares, logits = first_tokens(random_model("bart", 5), sampling_topk=3, temperature=2.0)
    values, tokens = logits.topk(3)
    expected = torch.zeros(len(DICTIONARY)).index_put_((tokens,), torch.softmax(values / 2, 0))
    assert shares.gt(0).sum() == 3 and (shares - expected).abs().max() < 0.015


def test_only_allowed_tokens_are_drawn():
    allowed = torch.zeros(len(DICTIONARY), dtype=torch.bool)
    allowed[[5, 6, PAD]] = True
    written = sample(random_model("bart", 1), random_source(1, 9, 6), allowed=allowed, temperature=5.0, sampling_topk=9)
    assert set(written.flatten().tolist()) == {5, 6, EOS, PAD}
    check_rows(written, 99)
