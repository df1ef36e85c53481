"""crossinit_fairseq/generation/pooled_requests.py"""

import numpy as np
import pytest
import torch

from crossinit_fairseq.generation.pooled_requests import PooledRequests
from crossinit_fairseq.generation.search import Search, TranslationRequest
from tests.generation.models import DICTIONARY, EOS, PAD, SPECIAL_TOKENS, random_model, strip


def request(rng, number, language, lengths, allowed=None):
    sentences = [torch.tensor([*rng.integers(4, 12, length), EOS]) for length in lengths]
    other = {"en": "ro", "ro": "en"}[language]
    source = SPECIAL_TOKENS.add_to_batch(SPECIAL_TOKENS.collate(sentences), other)
    return TranslationRequest(source, language, allowed, (1, number))


@pytest.fixture
def requests():
    rng, allowed = np.random.default_rng(1), torch.arange(len(DICTIONARY)) < 8
    lengths = [("en", [3, 1, 4]), ("ro", [2, 2]), ("en", [1, 5]), ("ro", [9]), ("en", [2])]
    written = [request(rng, number, *one) for number, one in enumerate(lengths)]
    return written + [request(rng, len(lengths), "ro", [3, 6], allowed)]


@pytest.mark.parametrize("max_tokens", [1, 20, 1000])
def test_translations_are_those_of_each_request_alone(requests, max_tokens):
    search = Search(SPECIAL_TOKENS, max_len_a=0, max_len_b=7)  # the limit is of the longest sentence of a batch
    distinct = set()
    for seed in range(4):
        model = random_model("bart", seed, end_bias=2.0)
        pool = PooledRequests(requests, PAD, max_tokens)
        written = pool.unpool([search(model, [one for one, _ in portion]) for portion in pool.portions])
        alone = [search(model, [one])[0] for one in requests]
        assert [one.tolist() for one in written] == [one.tolist() for one in alone]
        distinct |= {tuple(row) for one in alone for row in strip(one)}
    assert len(distinct) > 9, "the models write various sentences"


def test_sentences_of_like_lengths_stand_together(requests):
    pool = PooledRequests(requests, PAD, 24)
    # into en: lengths 1 1 2 3 | 4 5, each with three special tokens, so 4 * 6 at most; into ro: 2 2 | 9; restricted: 3
    # 6
    cut = [[(one.language, one.source.ne(PAD).sum(1).tolist()) for one, _ in portion] for portion in pool.portions]
    assert cut == [
        [("en", [4, 4, 5, 6]), ("ro", [5, 5]), ("ro", [6, 9])],
        [("en", [7, 8]), ("ro", [12])],
    ]
    assert [one.allowed is None for one, _ in pool.portions[0]] == [True, True, False]
    assert all(one.source.size(1) == max(one.source.ne(PAD).sum(1)) for part in pool.portions for one, _ in part)


def test_seeds_are_of_the_first_request_and_differ(requests):
    seeds = [one.seed for one, _ in sum(PooledRequests(requests, PAD, 1).portions, [])]
    assert len(set(seeds)) == len(seeds) and all(seed[0] == 1 and len(seed) == 3 for seed in seeds)
