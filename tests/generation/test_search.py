"""crossinit_fairseq/generation/search.py: settings, and several batches together."""

import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.generation.search import Search, TranslationRequest
from tests.generation.models import DICTIONARY, EOS, SPECIAL_TOKENS, random_model, random_source, translate

ALLOWED = torch.arange(len(DICTIONARY)) % 3 > 0


@pytest.mark.parametrize("settings", [{"beam": 3}, {"sampling": True, "sampling_topk": 5, "temperature": 2.0}])
def test_settings_change_what_is_found_within_the_same_limits(settings):
    model, source = random_model("bart", 1, 1.0), random_source(1, 6, 6)
    greedy = translate(model, source, allowed=ALLOWED, max_len=8, max_len_a=0.5, max_len_b=9)
    written = translate(model, source, allowed=ALLOWED, max_len=8, seed=4, max_len_a=0.5, max_len_b=9, **settings)
    assert not torch.equal(written, greedy) and written.size(1) <= 9 and greedy.size(1) <= 9
    assert bool(ALLOWED[written].logical_or(written.eq(EOS)).logical_or(written.eq(SPECIAL_TOKENS.pad)).all())


@pytest.mark.parametrize(
    "settings", [{}, {"sampling": True, "temperature": 2.0}, {"beam": 2}, {"max_len_a": 0, "max_len_b": 0}]
)
@pytest.mark.parametrize("kind", ["bart", "xlm_translation"])
def test_several_batches_together_are_what_they_are_alone(kind, settings):
    lengths = set()
    for seed in range(3):
        model, search = random_model(kind, seed, 1.0).double(), Search(SPECIAL_TOKENS, **settings)
        batches = [
            TranslationRequest(random_source(seed, 9, 8), "ro", None, (1, seed)),
            TranslationRequest(random_source(seed + 9, 5, 2, "ro"), "en", ALLOWED, (2, seed)),
            TranslationRequest(random_source(seed + 19, 1, 5), "ro", None, (3, seed)),
        ]
        # all free, all restricted, some; in any order; all writing as much as their sources allow, or not
        for chosen, max_len in [(batches, None), (batches[::-1], 7), (batches[1:2] * 2, None), (batches[::2], None)]:
            written = search(model, chosen, max_len)
            assert len(written) == len(chosen)
            for request, together in zip(chosen, written):
                (alone,) = search(model, [request], max_len)
                assert torch.equal(together, alone)
                lengths.add(together.size(1))
    assert len(lengths) > 3 or settings.get("max_len_b") == 0


@pytest.mark.parametrize(
    "settings, word",
    [
        ({"beam": 0}, "beam of 0"),
        ({"temperature": 0.0, "sampling": True}, "temperature is 0"),
        ({"temperature": 2.0}, "needs sampling or a beam"),
        ({"beam": 2, "sampling": True}, "not both"),
        ({"temperature": float("nan"), "sampling": True}, "temperature is nan"),
        ({"sampling_topk": 3}, "needs sampling"),
    ],
)
def test_settings_that_contradict_each_other(settings, word):
    with pytest.raises(InputError, match=word):
        Search(SPECIAL_TOKENS, **settings)


def test_nothing_to_translate_needs_no_model():
    assert Search(SPECIAL_TOKENS)(None, []) == []
