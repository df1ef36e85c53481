"""crossinit_fairseq/generation/fairseq_generator.py: fairseq's search, restricted"""

import torch
from fairseq.search import BeamSearch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.generation.fairseq_generator import restrict
from tests.helpers import dictionary_of

DICTIONARY = dictionary_of("abcdefgh")
SIZE = len(DICTIONARY)


def search_of(allowed):
    search = BeamSearch(DICTIONARY)
    restrict(search, torch.tensor([token in allowed for token in range(SIZE)]))
    return search


@given(allowed=st.sets(st.integers(0, SIZE - 1), min_size=5), seed=st.integers(0, 9), step=st.integers(0, 2))
def test_the_best_of_the_allowed_tokens(allowed, seed, step):
    generator = torch.Generator().manual_seed(seed)
    lprobs = torch.randn(2, 2, SIZE, generator=generator).log_softmax(-1)
    scores = torch.randn(2, 2, 3, generator=generator)
    found, tokens, beams = search_of(allowed).step(step, lprobs.clone(), scores)
    for sentence in range(2):
        before = [float(scores[sentence, beam, step - 1]) if step else 0.0 for beam in range(2)]
        # at the first step all beams are alike, and the first is taken
        expected = sorted(
            (
                (before[beam] + float(lprobs[sentence, beam, token]), token, beam)
                for beam in range(2 if step else 1)
                for token in allowed
            ),
            reverse=True,
        )[:4]
        assert tokens[sentence].tolist() == [token for _, token, _ in expected]
        assert beams[sentence].tolist() == [beam for _, _, beam in expected]
        assert torch.allclose(found[sentence], torch.tensor([score for score, _, _ in expected]))


def test_a_forced_token_stays():
    lprobs = torch.full((2, 1, SIZE), float("-inf"))
    lprobs[0, 0, 6] = -0.25  # a prefix asks for it
    lprobs[1, 0, 6:8] = torch.tensor([-0.1, -3.0])
    found, tokens, _ = search_of({5, 7}).step(0, lprobs, None)
    assert tokens[:, 0].tolist() == [6, 7]
    assert torch.allclose(found[:, 0], torch.tensor([-0.25, -3.0]))
