"""crossinit_fairseq/generation/search.py: beam search."""

import pytest
import torch

from crossinit_fairseq.generation.growing_decoder import unsupported
from crossinit_fairseq.models.bare_model import forget_beam_size
from tests.generation.models import (
    DICTIONARY,
    EOS,
    PAD,
    check_rows,
    generate_as_fairseq,
    random_model,
    random_source,
    strip,
    translate,
)


@pytest.mark.parametrize("kind", ["bart", "transformer"])
@pytest.mark.parametrize("restricted", [False, True])
def test_equals_sequence_generator(kind, restricted):
    differ = 0
    for seed in range(3):
        model, source = random_model(kind, seed, 1.0).double(), random_source(seed, 6, 6)
        allowed = (torch.arange(len(DICTIONARY)) % 2).bool() if restricted else None
        written = translate(model, source, allowed=allowed, beam=3)
        check_rows(written, int(1.3 * source.size(1) + 5))
        assert strip(written) == generate_as_fairseq(model, source, "ro", 1.3, 5, allowed, beam=3)
        forget_beam_size(model)  # of generate_as_fairseq
        greedy = translate(model, source, allowed=allowed)
        differ += strip(written) != strip(greedy)
        assert strip(greedy) == generate_as_fairseq(model, source, "ro", 1.3, 5, allowed)
        if restricted:
            assert all(token % 2 or token in (EOS, PAD) for token in written.flatten().tolist())
    assert differ


def test_the_model_reads_batches_as_before():
    # a BART remembers the beam, and would read every third sentence of a batch of six
    model, source = random_model("bart", 1), random_source(1, 6, 6)
    prefix = torch.full((6, 2), 5)
    with torch.no_grad():
        before = model(source, source.ne(PAD).sum(1), prefix)[0]
        translate(model, source, beam=3)
        torch.testing.assert_close(model(source, source.ne(PAD).sum(1), prefix)[0], before, rtol=0, atol=0)
        assert model.decoder.layers[0].encoder_attn.beam_size == 1


def test_limits():
    model = random_model("bart", 1, -1e4, positions=16)
    source = random_source(1, 4, 13)
    assert translate(model, source, beam=2).size(1) == 15
    assert translate(model, source, max_len=3, beam=2).size(1) == 4
    assert translate(model, source, max_len=0, beam=2).tolist() == [[EOS]] * 4


def test_a_beam_leaves_nothing_behind_in_the_encoder():
    # a BART's beam also puts a method that reorders nothing in the place of encoder.reorder_encoder_out, through which
    # GrowingDecoder drops sentences that have ended
    model, source = random_model("bart", 1, 1.0), random_source(1, 6, 6)
    order = torch.tensor([4, 1, 2])
    with torch.no_grad():
        encoded = model.encoder(source, source.ne(PAD).sum(1))
        expected = encoded["encoder_out"][0][:, order]
        translate(model, source, beam=2)
        written = model.encoder.reorder_encoder_out(encoded, order)["encoder_out"][0]
    assert torch.equal(written, expected)


def test_greedy_search_by_fairseqs_own_decoder_is_the_same_after_a_beam():
    model, source = random_model("bart", 2, 2.0).double(), random_source(2, 12, 8)
    model.decoder.dropout_module.p = 1e-9
    model.decoder.dropout_module.apply_during_inference = True
    assert "retained" in unsupported(model.decoder)
    before = translate(model, source)
    assert len({len(row) for row in strip(before)}) > 1, "some must be dropped before the others"
    translate(model, source, beam=2)
    assert torch.equal(translate(model, source), before)
