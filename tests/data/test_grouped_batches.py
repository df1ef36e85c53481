"""crossinit_fairseq/data/datasets/grouped_batches.py"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.datasets.grouped_batches import GroupedBatches, WithSpecialTokens, pair_dataset
from crossinit_fairseq.data.sentences import Subset
from tests.data.toy_text import BOS, DICTIONARY, EN, EOS, NOISE, PAD, RO, SPECIAL_TOKENS, TEXTS
from tests.helpers import Text


def directions(en=9, ro=5):
    """Parts of two directions, of different sizes."""
    rng = np.random.default_rng(1)
    parts = []
    for tag, source, target, count in ((("bleu", "en", "ro"), "en", "ro", en), (("bleu", "ro", "en"), "ro", "en", ro)):
        sides = [Text(rng.integers(4, 12, size=rng.integers(1, 8)).tolist() for _ in range(count)) for _ in range(2)]
        framed = [WithSpecialTokens(side, SPECIAL_TOKENS, language) for side, language in zip(sides, (source, target))]
        parts.append((tag, pair_dataset(framed[0], framed[1], DICTIONARY, SPECIAL_TOKENS, target)))
    return parts


@given(
    en=st.integers(0, 9),
    ro=st.integers(1, 9),
    max_tokens=st.one_of(st.none(), st.integers(1, 60)),
    max_sentences=st.one_of(st.none(), st.integers(1, 4)),
)
def test_directions_do_not_mix_and_lose_nothing(en, ro, max_tokens, max_sentences):
    parts = directions(en, ro)
    dataset = GroupedBatches(parts)
    assert len(dataset) == en + ro and dataset.ordered_indices().tolist() == list(range(en + ro))
    batches = dataset.batch_by_size(dataset.ordered_indices(), max_tokens=max_tokens, max_sentences=max_sentences)
    assert sorted(index for batch in batches for index in batch) == list(range(en + ro))
    for batch in batches:
        assert len({index < en for index in batch}) == 1
        sample = dataset.collater([dataset[index] for index in batch])
        part = 0 if batch[0] < en else 1
        tag, pairs = parts[part]
        assert sample["group"] == tag
        inner = [index - part * en for index in batch]
        assert sorted(sample["id"].tolist()) == sorted(inner)
        for row, number in zip(sample["target"], sample["id"].tolist()):
            assert row[row != PAD].tolist() == pairs[number]["target"].tolist()
        sizes = [dataset.num_tokens(index) for index in batch]
        assert sizes == [max(len(pairs[i]["source"]), len(pairs[i]["target"])) for i in inner]
        assert len(batch) <= (max_sentences or 99)
        assert len(batch) == 1 or len(batch) * max(sizes) <= (max_tokens or 999)


def test_directions_hand_worked():
    dataset = GroupedBatches(directions())
    # index 8 is the last of the first part, 9 the first of the second
    assert [dataset[index][0] for index in (0, 8, 9, 13)] == [0, 0, 1, 1]
    assert dataset[9][1]["id"] == 0
    assert dataset.size(9) == tuple(len(dataset[9][1][side]) for side in ("source", "target"))
    assert dataset.collater([]) == {}
    assert dataset.filter_indices_by_size([3], None) == ([3], [])


def test_the_decoder_starts_with_the_target_language():
    for (_, _, target), pairs in directions():
        batch = pairs.collater([pairs[index] for index in range(len(pairs))])
        start = SPECIAL_TOKENS.languages[target]
        assert batch["net_input"]["prev_output_tokens"][:, :2].tolist() == [[start, BOS]] * len(pairs)
        assert (batch["net_input"]["src_tokens"][:, 0] == BOS).all(), "padded on the right"


def test_pairs_without_reference():
    source = WithSpecialTokens(TEXTS["en"], SPECIAL_TOKENS, "en")
    pairs = pair_dataset(source, None, DICTIONARY, SPECIAL_TOKENS, "ro")
    batch = pairs.collater([pairs[0], pairs[1]])
    assert batch["target"] is None and sorted(batch["id"].tolist()) == [0, 1]


def test_subset():
    subset = Subset(TEXTS["en"], [7, 0, 7])
    assert len(subset) == 3 and subset.sizes.tolist() == [10, 4, 10]
    assert subset[1] is TEXTS["en"][0] and subset[2] is TEXTS["en"][7]


def test_sentences_with_special_tokens():
    text = Text([[4, 5], [6]])
    framed = WithSpecialTokens(text, SPECIAL_TOKENS, "ro")
    assert len(framed) == 2 and framed.sizes.tolist() == [5, 4]
    assert [framed[index].tolist() for index in range(2)] == [[BOS, 4, 5, EOS, RO], [BOS, 6, EOS, RO]]


def test_their_noise_is_fixed():
    text = Text([[4, 5, 6, 7, 8, 9, 10, 11]] * 10)

    def noisy(seed=1, order=range(10)):
        framed = WithSpecialTokens(text, SPECIAL_TOKENS, "en", NOISE, seed)
        got = {index: framed[index].tolist() for index in order}
        assert all((row[0], row[-2], row[-1]) == (BOS, EOS, EN) and len(row) >= 4 for row in got.values())
        return got

    once = noisy()
    assert noisy() == once and noisy(order=reversed(range(10))) == once
    assert len(set(map(tuple, once.values()))) > 5, "each sentence has noise of its own"
    assert noisy(seed=2) != once
