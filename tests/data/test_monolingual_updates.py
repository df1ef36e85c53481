"""crossinit_fairseq/data/datasets/monolingual_updates.py"""

import numpy as np
import pytest
import torch

from crossinit_fairseq.data.datasets.monolingual_updates import MonolingualUpdates
from tests.data.toy_text import ALL, BOS, EN, EN_LENGTHS, EOS, MASK, NOISE, PAD, RO, SILENCE, SPECIAL_TOKENS, TEXTS


def updates_of(epoch=1, seed=1, noise=NOISE, texts=TEXTS, usable=ALL, max_tokens=None, max_sentences=2, alpha=None):
    """(MonolingualUpdates ready for an epoch, its batches as fairseq gets them)."""
    updates = MonolingualUpdates(texts, usable, SPECIAL_TOKENS, noise, seed, alpha)
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
            assert torch.equal(sample["target"], SPECIAL_TOKENS.add_to_batch(clean, language))
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
            framed = item[language]["denoise"]["target"]
            assert len(framed) <= (options["max_sentences"] or 99)
            assert framed.numel() <= options.get("max_tokens", 999) or len(framed) == 1


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
