"""crossinit_fairseq/translation/beam.py"""

import pytest
import torch

from crossinit_fairseq.translation.beam import generate_by_beam
from crossinit_fairseq.translation.greedy import generate_greedily
from tests.translation.test_greedy import (
    CONVENTION,
    DICTIONARY,
    EOS,
    PAD,
    check_rows,
    generate_as_fairseq,
    random_model,
    random_source,
    strip,
)


@pytest.mark.parametrize("kind", ["bart", "transformer"])
@pytest.mark.parametrize("restricted", [False, True])
def test_equals_sequence_generator(kind, restricted):
    differ = 0
    for seed in range(3):
        model, source = random_model(kind, seed, 1.0).double(), random_source(seed, 6, 6)
        allowed = (torch.arange(len(DICTIONARY)) % 2).bool() if restricted else None
        made = generate_by_beam(model, source, "ro", CONVENTION, allowed=allowed, beam=3)
        check_rows(made, int(1.3 * source.size(1) + 5))
        assert strip(made) == generate_as_fairseq(model, source, "ro", 1.3, 5, allowed, beam=3)
        if hasattr(model, "set_beam_size"):
            model.set_beam_size(1)
        greedy = generate_greedily(model, source, "ro", CONVENTION, allowed=allowed)
        differ += strip(made) != strip(greedy)
        assert strip(greedy) == generate_as_fairseq(model, source, "ro", 1.3, 5, allowed)
        if restricted:
            assert all(token % 2 or token in (EOS, PAD) for token in made.flatten().tolist())
    assert differ


def test_the_model_reads_batches_as_before():
    # a BART remembers the beam, and would read every third sentence of a batch of six
    model, source = random_model("bart", 1), random_source(1, 6, 6)
    prefix = torch.full((6, 2), 5)
    with torch.no_grad():
        before = model(source, source.ne(PAD).sum(1), prefix)[0]
        generate_by_beam(model, source, "ro", CONVENTION, beam=3)
        torch.testing.assert_close(model(source, source.ne(PAD).sum(1), prefix)[0], before, rtol=0, atol=0)
        assert model.decoder.layers[0].encoder_attn.beam_size == 1


def test_limits():
    model = random_model("bart", 1, -1e4, positions=16)
    source = random_source(1, 4, 13)
    assert generate_by_beam(model, source, "ro", CONVENTION, beam=2).size(1) == 15
    assert generate_by_beam(model, source, "ro", CONVENTION, max_len=3, beam=2).size(1) == 4
    assert generate_by_beam(model, source, "ro", CONVENTION, max_len=0, beam=2).tolist() == [[EOS]] * 4
