"""crossinit_fairseq/translation/generation.py"""

import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.translation.beam import generate_by_beam
from crossinit_fairseq.translation.generation import Generation
from crossinit_fairseq.translation.greedy import generate_greedily
from crossinit_fairseq.translation.sampling import generate_by_sampling
from tests.translation.test_greedy import CONVENTION, DICTIONARY, random_model, random_source

ALLOWED = torch.arange(len(DICTIONARY)) % 3 > 0


@pytest.mark.parametrize(
    "settings, function, options",
    [
        ({}, generate_greedily, {}),
        ({"beam": 3, "temperature": 2.0}, generate_by_beam, {"beam": 3, "temperature": 2.0}),
        (
            {"sampling": True, "sampling_topk": 5, "temperature": 2.0},
            generate_by_sampling,
            {"sampling_topk": 5, "temperature": 2.0, "seed": 4},
        ),
        ({"sampling": True, "sampling_topp": 0.7}, generate_by_sampling, {"sampling_topp": 0.7, "seed": 4}),
    ],
)
def test_calls_what_the_settings_name(settings, function, options):
    model, source = random_model("bart", 1, 1.0), random_source(1, 6, 6)
    generation = Generation(max_len_a=0.5, max_len_b=9, **settings)
    made = generation(model, source, "ro", CONVENTION, ALLOWED, max_len=8, seed=4)
    assert torch.equal(made, function(model, source, "ro", CONVENTION, 0.5, 9, ALLOWED, 8, **options))
    if function is not generate_greedily:
        assert not torch.equal(made, generate_greedily(model, source, "ro", CONVENTION, 0.5, 9, ALLOWED, 8))


@pytest.mark.parametrize(
    "settings", [{}, {"sampling": True, "temperature": 2.0}, {"beam": 2}, {"max_len_a": 0, "max_len_b": 0}]
)
@pytest.mark.parametrize("kind", ["bart", "xlm_translation"])
def test_several_batches_together_are_what_they_are_alone(kind, settings):
    lengths = set()
    for seed in range(3):
        model, generation = random_model(kind, seed, 1.0).double(), Generation(**settings)
        batches = [
            (random_source(seed, 9, 8), "ro", None, (1, seed)),
            (random_source(seed + 9, 5, 2, "ro"), "en", ALLOWED, (2, seed)),
            (random_source(seed + 19, 1, 5), "ro", None, (3, seed)),
        ]
        # all free, all restricted, some; in any order; all writing as much as their sources allow, or not
        for chosen, max_len in [(batches, None), (batches[::-1], 7), (batches[1:2] * 2, None), (batches[::2], None)]:
            made = generation.together(model, chosen, CONVENTION, max_len)
            assert len(made) == len(chosen)
            for (source, language, allowed, draw), of_batch in zip(chosen, made):
                alone = generation(model, source, language, CONVENTION, allowed, max_len, draw)
                assert torch.equal(of_batch, alone)
                lengths.add(of_batch.size(1))
    assert len(lengths) > 3 or settings.get("max_len_b") == 0


@pytest.mark.parametrize(
    "settings, word",
    [
        ({"beam": 0}, "beam of 0"),
        ({"temperature": 0.0, "sampling": True}, "temperature is 0"),
        ({"temperature": 2.0}, "needs sampling or a beam"),
        ({"beam": 2, "sampling": True}, "not both"),
        ({"sampling": True, "sampling_topk": 3, "sampling_topp": 0.5}, "not both"),
        ({"sampling": True, "sampling_topp": 1.5}, "a probability"),
        ({"sampling_topk": 3}, "need sampling"),
    ],
)
def test_settings_that_contradict_each_other(settings, word):
    with pytest.raises(InputError, match=word):
        Generation(**settings)
