"""crossinit_fairseq/translation/batches.py"""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.ranks import WordPieces
from crossinit_fairseq.translation.batches import (
    DirectionBatches,
    Dressed,
    MonolingualUpdates,
    Subset,
    cut_batches,
    disturb,
    pair_dataset,
    usable_sentences,
)
from crossinit_fairseq.translation.noise import WordNoise
from tests.helpers import Text, convention_of, dictionary_of

DICTIONARY = dictionary_of(["\u2581" + letter for letter in "abcdefgh"])
CONVENTION = convention_of(DICTIONARY)
BOS, PAD, EOS = 0, 1, 2
EN, RO, MASK = 12, 13, 14
PIECES = WordPieces(DICTIONARY.symbols, special=[0, 1, 2, 3, EN, RO, MASK], unk=3)
NOISE = WordNoise(PIECES, MASK, max_shuffle_distance=3.0, dropout=0.2, blanking=0.3)
SILENCE = WordNoise(PIECES, MASK, max_shuffle_distance=0.0, dropout=0.0, blanking=0.0)

# --- cut_batches


@given(
    lengths=st.lists(st.integers(1, 20), max_size=40).map(sorted),
    max_tokens=st.one_of(st.none(), st.integers(1, 80)),
    max_sentences=st.one_of(st.none(), st.integers(1, 9)),
)
def test_batches_keep_the_limits_and_lose_nothing(lengths, max_tokens, max_sentences):
    indices = np.arange(100, 100 + len(lengths))
    batches = cut_batches(indices, np.array(lengths, dtype=np.int64), max_tokens, max_sentences)
    assert [index for batch in batches for index in batch] == indices.tolist()
    for number, batch in enumerate(batches):
        longest = lengths[batch[-1] - 100]
        assert len(batch) == 1 or not max_tokens or len(batch) * longest <= max_tokens
        assert 0 < len(batch) <= (max_sentences or len(lengths))
        if number + 1 < len(batches):  # full: the next sentence would not have fitted
            longest = lengths[batches[number + 1][0] - 100]
            over = max_tokens and (len(batch) + 1) * longest > max_tokens
            assert len(batch) == max_sentences or over


def test_batches_hand_worked():
    # at most 12 padded tokens: 3 x 4 and 2 x 6 just fit, then 1 x 7; 13 is alone although it is too long
    lengths = np.array([2, 4, 4, 6, 6, 7, 13])
    assert [batch.tolist() for batch in cut_batches(np.arange(7), lengths, 12, None)] == [[0, 1, 2], [3, 4], [5], [6]]
    assert [batch.tolist() for batch in cut_batches(np.arange(7), lengths, 12, 2)] == [[0, 1], [2, 3], [4], [5], [6]]
    assert [batch.tolist() for batch in cut_batches(np.arange(7), lengths, None, None)] == [[0, 1, 2, 3, 4, 5, 6]]


# --- usable_sentences


def test_usable_sentences_counts_and_logs(caplog):
    with caplog.at_level(logging.WARNING):
        # 1: </s> alone; 0: not even that; 6: 5 sub-tokens and </s>
        assert usable_sentences([3, 1, 5, 6, 7, 2, 0], 5, "data/en/train").tolist() == [0, 2, 5]
    assert [record.getMessage() for record in caplog.records] == [
        "data/en/train: skipped 2 empty and 2 sentences of more than 4 sub-tokens, of 7"
    ]


def test_usable_sentences_says_nothing_when_all_are(caplog):
    with caplog.at_level(logging.DEBUG):
        assert usable_sentences(torch.tensor([2, 5]), 5, "train").tolist() == [0, 1]
    assert not caplog.records


# --- MonolingualUpdates


def text_of(lengths):
    """Sentences of given numbers of words, each told apart by its words."""
    rng = np.random.default_rng(0)
    return Text(rng.integers(4, 12, size=n).tolist() for n in lengths)


EN_LENGTHS, RO_LENGTHS = [3, 7, 5, 4, 8, 6, 3, 9, 5, 7, 6, 4, 8], [4, 6, 5, 7]  # 13 and 4 sentences
TEXTS = {"en": text_of(EN_LENGTHS), "ro": text_of(RO_LENGTHS)}
ALL = {language: np.arange(len(text)) for language, text in TEXTS.items()}


def updates_of(epoch=1, seed=1, noise=NOISE, texts=TEXTS, usable=ALL, max_tokens=None, max_sentences=2, alpha=None):
    """(MonolingualUpdates ready for an epoch, its batches as fairseq gets them)."""
    updates = MonolingualUpdates(texts, usable, CONVENTION, noise, seed, alpha)
    updates.set_epoch(epoch)
    batches = updates.batch_by_size(updates.ordered_indices(), max_tokens=max_tokens, max_sentences=max_sentences)
    return updates, batches


def raw_items_of(**options):
    updates, batches = updates_of(**options)
    return [updates.collater([updates[index] for index in batch]) for batch in batches]


def by_language(item):
    return dict({batch["language"]: batch for batch in item["batches"]}, update=item["update"])


def items_of(**options):
    """Without alpha every update has one batch of each language."""
    return [by_language(item) for item in raw_items_of(**options)]


def rows(tokens):
    return [tuple(row[row != PAD].tolist()) for row in tokens]


def flat(item):
    """An item as plain lists."""
    if isinstance(item, dict):
        return {key: flat(value) for key, value in item.items()}
    if isinstance(item, list):
        return [flat(value) for value in item]
    return item.tolist() if torch.is_tensor(item) else item


def test_an_update_has_every_language_clean_and_noisy():
    for number, item in enumerate(items_of()):
        assert item["update"] == number and set(item) == {"update", "en", "ro"}
        for language, token in (("en", EN), ("ro", RO)):
            clean, sample = item[language]["clean"], item[language]["denoise"]
            assert torch.equal(sample["target"], CONVENTION.dress_generated(clean, language))
            assert sample["net_input"]["prev_output_tokens"][:, :2].tolist() == [[token, BOS]] * len(clean)
            for row, noisy in zip(rows(clean), rows(sample["net_input"]["src_tokens"])):
                assert row[-1] == EOS and (noisy[0], noisy[-2], noisy[-1]) == (BOS, EOS, token)
                assert set(noisy[1:-2]) <= set(row[:-1]) | {MASK} and 1 <= len(noisy) - 3 <= len(row) - 1


def test_without_noise_the_source_is_the_target():
    for item in items_of(noise=SILENCE):
        for language in ("en", "ro"):
            sample = item[language]["denoise"]
            assert torch.equal(sample["net_input"]["src_tokens"], sample["target"])


@pytest.mark.parametrize("options", [{"max_sentences": 2}, {"max_sentences": None, "max_tokens": 24}])
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_every_sentence_of_the_longest_language_occurs_once(options, epoch):
    items = items_of(epoch=epoch, **options)
    seen = sorted(row for item in items for row in rows(item["en"]["clean"]))
    assert seen == sorted(tuple(sentence.tolist()) for sentence in TEXTS["en"])
    for item in items:
        for language in ("en", "ro"):
            dressed = item[language]["denoise"]["target"]
            assert len(dressed) <= (options["max_sentences"] or 99)
            assert dressed.numel() <= options.get("max_tokens", 999) or len(dressed) == 1


def test_the_shorter_language_begins_again_in_another_order():
    # en: 13 sentences, 7 batches of 2; ro: 4 sentences, 2 batches, so 3 rounds and a half
    orders = set()
    for epoch in range(1, 6):
        items = items_of(epoch=epoch, noise=SILENCE)
        assert len(items) == 7
        batches = [frozenset(rows(item["ro"]["clean"])) for item in items]
        for begin in (0, 2, 4):
            assert len(set(batches[begin : begin + 2])) == 2, "each round holds every batch once"
        orders.update(tuple(batches[begin : begin + 2]) for begin in (0, 2, 4))
    assert len(orders) == 2, "the order within a round varies"


def test_repeated_sentences_get_other_noise():
    items = items_of(usable={"en": ALL["en"], "ro": ALL["ro"][3:]})  # one Romanian sentence, 7 words, in 7 updates
    assert len({rows(item["ro"]["clean"])[0] for item in items}) == 1
    assert len({rows(item["ro"]["denoise"]["net_input"]["src_tokens"])[0] for item in items}) > 4


@pytest.mark.parametrize("alpha", [None, 0.5])
def test_the_same_item_whenever_it_is_made(alpha):
    first = [flat(item) for item in raw_items_of(epoch=2, alpha=alpha)]
    assert [flat(item) for item in raw_items_of(epoch=2, alpha=alpha)] == first
    updates, batches = updates_of(epoch=1, alpha=alpha)
    updates[0]
    updates.set_epoch(2)
    batches = updates.batch_by_size(updates.ordered_indices(), max_sentences=2)
    np.random.seed(3)
    assert [flat(updates[index]) for index in reversed(range(len(batches)))] == first[::-1]


def test_new_noise_and_new_order_every_epoch_and_seed():
    def noisy(**options):
        items = items_of(max_sentences=99, **options)  # all sentences in one batch, in the order of their lengths
        return sorted(map(rows, [items[0]["ro"]["denoise"]["net_input"]["src_tokens"]]))

    kinds = [noisy(epoch=1), noisy(epoch=2), noisy(epoch=3), noisy(epoch=1, seed=2)]
    assert all(one != other for k, one in enumerate(kinds) for other in kinds[:k])

    def order(**options):
        return [rows(item["en"]["clean"]) for item in items_of(**options)]

    assert order(epoch=1) != order(epoch=2) and order(epoch=1) != order(epoch=1, seed=2)


def test_only_usable_sentences():
    usable = {"en": np.array([1, 4, 7]), "ro": np.array([2])}
    items = items_of(usable=usable)
    for language, indices in usable.items():
        allowed = {tuple(TEXTS[language][int(index)].tolist()) for index in indices}
        assert {row for item in items for row in rows(item[language]["clean"])} == allowed


def test_batches_are_of_like_lengths():
    # 13 sentences in order of length, two at a time
    widths = sorted(tuple(map(len, rows(item["en"]["clean"]))) for item in items_of())
    lengths = sorted(n + 1 for n in EN_LENGTHS)
    assert widths == sorted(tuple(lengths[k : k + 2]) for k in range(0, 13, 2))


def test_as_long_as_there_are_updates():
    updates, batches = updates_of(max_sentences=3)  # en: 5 batches, ro: 2
    assert batches == [[0], [1], [2], [3], [4]]
    assert len(updates) == len(batches)


def test_sentences_are_named():
    for item in items_of():
        for language in ("en", "ro"):
            batch = item[language]
            named = [tuple(TEXTS[language][index].tolist()) for index in batch["denoise"]["id"].tolist()]
            assert named == rows(batch["clean"])


def test_turns_are_counted_by_language():
    for alpha in (None, 0.5, 1.0):
        seen = {"en": [], "ro": []}
        for item in raw_items_of(alpha=alpha, epoch=3):
            assert len(item["batches"]) == 2
            for batch in item["batches"]:
                seen[batch["language"]].append(batch["turn"])
        assert all(turns == list(range(len(turns))) for turns in seen.values())


def test_sampling_follows_the_sizes():
    # 13 and 4 sentences, one each: at alpha 1, 13 of English are 17 in all, 9 updates of two
    items = raw_items_of(alpha=1.0, max_sentences=1)
    languages = [batch["language"] for item in items for batch in item["batches"]]
    assert len(items) == 9 and languages.count("en") in (13, 14) and languages.count("ro") in (4, 5)
    english = [rows(batch["clean"])[0] for item in items for batch in item["batches"] if batch["language"] == "en"]
    assert set(english[:13]) == {tuple(sentence.tolist()) for sentence in TEXTS["en"]}, "each once, then again"
    noisy = [
        tuple(rows(batch["denoise"]["net_input"]["src_tokens"])[0])
        for item in items
        for batch in item["batches"]
        if batch["language"] == "en" and rows(batch["clean"])[0] == english[0]
    ]
    assert len(set(noisy)) == len(noisy)


def test_two_batches_of_one_language_have_noise_of_their_own():
    usable = {"en": np.array([7] * 6), "ro": ALL["ro"][:1]}  # one sentence of nine words, six times
    items = raw_items_of(usable=usable, alpha=2.0, max_sentences=1)
    pairs = [item for item in items if [batch["language"] for batch in item["batches"]] == ["en", "en"]]
    assert pairs
    for item in pairs:
        one, other = (rows(batch["denoise"]["net_input"]["src_tokens"])[0] for batch in item["batches"])
        assert one != other


def test_collater_of_updates():
    updates, _ = updates_of()
    item = updates[0]
    assert updates.collater([item]) is item and updates.collater([]) is None
    assert updates.filter_indices_by_size([0, 1], (4, 4)) == ([0, 1], [])
    assert updates.can_reuse_epoch_itr_across_epochs is False


def test_disturb_keeps_the_end():
    sentence = torch.tensor([4, 5, 6, EOS])
    for seed in range(20):
        made = disturb(sentence, NOISE, np.random.default_rng(seed))
        assert made[-1] == EOS and EOS not in made[:-1] and len(made) >= 2 and made.dtype == torch.int64
    assert torch.equal(disturb(sentence, SILENCE, np.random.default_rng(0)), sentence)


# --- validation


def directions(en=9, ro=5):
    """Parts of two directions, of different sizes."""
    rng = np.random.default_rng(1)
    parts = []
    for tag, source, target, count in ((("bleu", "en", "ro"), "en", "ro", en), (("bleu", "ro", "en"), "ro", "en", ro)):
        sides = [Text(rng.integers(4, 12, size=rng.integers(1, 8)).tolist() for _ in range(count)) for _ in range(2)]
        dressed = [Dressed(side, CONVENTION, language) for side, language in zip(sides, (source, target))]
        parts.append((tag, pair_dataset(dressed[0], dressed[1], DICTIONARY, CONVENTION, target)))
    return parts


@given(
    en=st.integers(0, 9),
    ro=st.integers(1, 9),
    max_tokens=st.one_of(st.none(), st.integers(1, 60)),
    max_sentences=st.one_of(st.none(), st.integers(1, 4)),
)
def test_directions_do_not_mix_and_lose_nothing(en, ro, max_tokens, max_sentences):
    parts = directions(en, ro)
    dataset = DirectionBatches(parts)
    assert len(dataset) == en + ro and dataset.ordered_indices().tolist() == list(range(en + ro))
    batches = dataset.batch_by_size(dataset.ordered_indices(), max_tokens=max_tokens, max_sentences=max_sentences)
    assert sorted(index for batch in batches for index in batch) == list(range(en + ro))
    for batch in batches:
        assert len({index < en for index in batch}) == 1
        sample = dataset.collater([dataset[index] for index in batch])
        part = 0 if batch[0] < en else 1
        tag, pairs = parts[part]
        assert sample["tag"] == tag
        inner = [index - part * en for index in batch]
        assert sorted(sample["id"].tolist()) == sorted(inner)
        for row, number in zip(sample["target"], sample["id"].tolist()):
            assert row[row != PAD].tolist() == pairs[number]["target"].tolist()
        sizes = [dataset.num_tokens(index) for index in batch]
        assert sizes == [max(len(pairs[i]["source"]), len(pairs[i]["target"])) for i in inner]
        assert len(batch) <= (max_sentences or 99)
        assert len(batch) == 1 or len(batch) * max(sizes) <= (max_tokens or 999)


def test_directions_hand_worked():
    dataset = DirectionBatches(directions())
    # index 8 is the last of the first part, 9 the first of the second
    assert [dataset[index][0] for index in (0, 8, 9, 13)] == [0, 0, 1, 1]
    assert dataset[9][1]["id"] == 0
    assert dataset.size(9) == tuple(len(dataset[9][1][side]) for side in ("source", "target"))
    assert dataset.collater([]) == {}
    assert dataset.filter_indices_by_size([3], None) == ([3], [])


def test_the_decoder_starts_with_the_target_language():
    for (_, _, target), pairs in directions():
        batch = pairs.collater([pairs[index] for index in range(len(pairs))])
        start = CONVENTION.languages[target]
        assert batch["net_input"]["prev_output_tokens"][:, :2].tolist() == [[start, BOS]] * len(pairs)
        assert (batch["net_input"]["src_tokens"][:, 0] == BOS).all(), "padded on the right"


def test_pairs_without_reference():
    source = Dressed(TEXTS["en"], CONVENTION, "en")
    pairs = pair_dataset(source, None, DICTIONARY, CONVENTION, "ro")
    batch = pairs.collater([pairs[0], pairs[1]])
    assert batch["target"] is None and sorted(batch["id"].tolist()) == [0, 1]


def test_subset():
    subset = Subset(TEXTS["en"], [7, 0, 7])
    assert len(subset) == 3 and subset.sizes.tolist() == [10, 4, 10]
    assert subset[1] is TEXTS["en"][0] and subset[2] is TEXTS["en"][7]


def test_dressed():
    text = Text([[4, 5], [6]])
    dressed = Dressed(text, CONVENTION, "ro")
    assert len(dressed) == 2 and dressed.sizes.tolist() == [5, 4]
    assert [dressed[index].tolist() for index in range(2)] == [[BOS, 4, 5, EOS, RO], [BOS, 6, EOS, RO]]


def test_dressed_noise_is_fixed():
    text = Text([[4, 5, 6, 7, 8, 9, 10, 11]] * 10)

    def noisy(seed=1, order=range(10)):
        dressed = Dressed(text, CONVENTION, "en", NOISE, seed)
        made = {index: dressed[index].tolist() for index in order}
        assert all((row[0], row[-2], row[-1]) == (BOS, EOS, EN) and len(row) >= 4 for row in made.values())
        return made

    once = noisy()
    assert noisy() == once and noisy(order=reversed(range(10))) == once
    assert len(set(map(tuple, once.values()))) > 5, "each sentence has noise of its own"
    assert noisy(seed=2) != once
