"""crossinit_fairseq/data/datasets/noisy_text.py"""

import numpy as np
import pytest
import torch
from fairseq.data import data_utils
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.bart_noise import BartNoise, NoiseLaw
from crossinit_fairseq.data.datasets.noisy_text import NoisyText, sampling_ratios
from tests import helpers
from tests.data.toy_text import BOS, EN, MASK, PAD, PIECES, RO, TEXTS

ENDS = {"en": EN, "ro": RO}
TEXT = np.arange(4, 12)


def text_of(alpha=None, seed=1, epoch=0, **law):
    noise = BartNoise(NoiseLaw(**law), PIECES, MASK, TEXT, 64)
    got = NoisyText(TEXTS, {"en": noise, "ro": noise}, ENDS, seed, alpha)
    got.set_epoch(epoch)
    return got


def batches_of(dataset, **limits):
    return [batch.tolist() for batch in dataset.batch_by_size(dataset.ordered_indices(), **limits)]


def test_an_input_is_a_block_with_special_tokens():
    dataset = text_of(mask=0.0)
    assert len(dataset) == 17
    for index, block in enumerate(list(TEXTS["en"]) + list(TEXTS["ro"])):
        expected = [BOS] + block.tolist() + [EN if index < 13 else RO]
        sample = dataset[index]
        assert sample.number == index and sample.source.tolist() == sample.target.tolist() == expected
        assert dataset.size(index) == dataset.num_tokens(index) == len(expected) == dataset.sizes[index]


def test_noise_is_a_function_of_seed_epoch_and_place():
    def sources(**options):
        return [sample.source.tolist() for sample in map(text_of(**options).__getitem__, range(17))]

    first = sources()
    assert sources() == first
    for other in (sources(epoch=1), sources(seed=2)):
        assert np.mean([one != two for one, two in zip(first, other)]) > 0.8
    # of the same block, drawn twice, the noise is not the same
    dataset = text_of(alpha=0.0, epoch=3)
    blocks = list(zip(dataset.drawn.tolist(), dataset.chosen.tolist()))
    twice = [[dataset[k].source.tolist() for k, own in enumerate(blocks) if own == block] for block in set(blocks)]
    twice = [got for got in twice if len(got) > 1]
    assert len(twice) >= 4 and sum(got[0] != got[1] for got in twice) > len(twice) / 2


def test_sampling_ratios_hand_worked():
    # shares 0.9 and 0.1; their roots 0.949 and 0.316 are 0.75 and 0.25 of their sum: 75 and 25 blocks of 100
    assert sampling_ratios([90, 10], 0.5) == pytest.approx([75 / 90, 25 / 10])
    assert sampling_ratios([90, 10], 0.0) == pytest.approx([50 / 90, 50 / 10])
    assert sampling_ratios([90, 10], 1.0).tolist() == sampling_ratios([90, 10], None).tolist() == [1, 1]


def test_languages_are_sampled_anew_in_each_epoch():
    # 13 and 4 blocks; evenly 8.5 each: 8 and twice all and a half of one
    counts = []
    for epoch in range(1, 41):
        dataset = text_of(alpha=0.0, epoch=epoch)
        counts.append(np.bincount(dataset.drawn, minlength=2).tolist())
        english = dataset.chosen[dataset.drawn == 0]
        assert len(set(english.tolist())) == len(english), "none twice while another is left out"
        romanian = np.bincount(dataset.chosen[dataset.drawn == 1], minlength=4)
        assert romanian.min() == 2
    assert {tuple(count) for count in counts} == {(8, 8)}
    seen = np.zeros(13)
    for epoch in range(1, 41):
        dataset = text_of(alpha=0.0, epoch=epoch)
        seen[dataset.chosen[dataset.drawn == 0]] += 1
    assert seen.min() > 12, "of 40 epochs, each block is in about 25"


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_batches_are_of_like_lengths_in_every_epoch(epoch):
    dataset = text_of(alpha=1.0, epoch=epoch)
    batches = batches_of(dataset, max_tokens=40)
    assert sorted(sum(batches, [])) == list(range(17))
    lengths = [[dataset.sizes[index] for index in batch] for batch in batches]
    assert sum(lengths, []) == sorted(sum(lengths, []))
    assert all(len(batch) * max(batch) <= 40 for batch in lengths)
    assert [len(batch) for batch in batches_of(dataset, max_sentences=5)] == [5, 5, 5, 2]
    assert batches != batches_of(text_of(alpha=1.0, epoch=epoch + 1), max_tokens=40), "equal lengths in another order"


def test_a_batch_is_what_fairseq_makes_of_it():
    dataset = text_of()
    samples = [dataset[k] for k in (0, 3, 14)]
    batch = dataset.collater(samples)

    def stock(rows, **options):
        return data_utils.collate_tokens([torch.tensor(row) for row in rows], PAD, **options)

    targets, sources = [sample.target for sample in samples], [sample.source for sample in samples]
    assert torch.equal(batch["target"], stock(targets))
    assert torch.equal(batch["net_input"]["src_tokens"], stock(sources))
    moved = stock(targets, move_eos_to_beginning=True)
    assert torch.equal(batch["net_input"]["prev_output_tokens"], moved)
    assert moved[:, 0].tolist() == [EN, EN, RO]
    assert batch["net_input"]["src_lengths"].tolist() == [len(row) for row in sources]
    assert batch["id"].tolist() == [0, 3, 14] and batch["nsentences"] == 3
    assert batch["ntokens"] == int(batch["target"].ne(PAD).sum())
    assert dataset.collater([]) == {}


@given(lengths=st.lists(st.integers(2, 9), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_padding_of_any_lengths(lengths, seed):
    rng = np.random.default_rng(seed)
    blocks = helpers.Text(rng.integers(4, 12, size=length).tolist() for length in lengths)
    noise = BartNoise(NoiseLaw(), PIECES, MASK, TEXT, 64)
    dataset = NoisyText({"ro": blocks}, {"ro": noise}, ENDS, seed)
    batch = dataset.collater([dataset[k] for k in range(len(lengths))])
    target, shifted = batch["target"], batch["net_input"]["prev_output_tokens"]
    for row, length in enumerate(lengths):
        assert target[row].tolist()[: length + 3] == [BOS] + blocks[row].tolist() + [RO]
        assert target[row, length + 3 :].eq(PAD).all() and shifted[row, length + 3 :].eq(PAD).all()
        assert shifted[row, : length + 3].tolist() == [RO, BOS] + blocks[row].tolist()
