"""crossinit_fairseq/unmt/back_translation.py"""

import logging

import pytest
import torch
from fairseq.logging import metrics

from crossinit_fairseq.unmt.back_translation import BackTranslation, flatten_counts
from tests.helpers import dictionary_of, special_tokens_of

DICTIONARY = dictionary_of("abcdefgh")
SPECIAL_TOKENS = special_tokens_of(DICTIONARY)
BOS, PAD, EOS, MASK = 0, 1, 2, 14
EN, RO = 12, 13
TEXT_TOKENS = torch.tensor([False] * 4 + [True] * 8 + [False] * 3)
VOCABULARIES = {
    "en": torch.tensor([False] * 4 + [True] * 4 + [False] * 7),
    "ro": torch.tensor([False] * 7 + [True] * 5 + [False] * 3),
}


def batch_of(*sentences):
    clean = SPECIAL_TOKENS.collate([torch.tensor(list(sentence) + [EOS]) for sentence in sentences])
    return {"language": "en", "clean": clean, "denoise": {"id": torch.arange(100, 100 + len(sentences))}}


class Writes:
    """In place of a Search: writes what it is told to, and keeps what it was asked."""

    def __init__(self, *rows):
        self.rows = SPECIAL_TOKENS.collate([torch.tensor(row) for row in rows])

    def __call__(self, model, requests, max_len):
        self.asked, self.max_len = requests, max_len
        return [self.rows] * len(requests)


def back_translation(search):
    return BackTranslation(search, SPECIAL_TOKENS, TEXT_TOKENS, VOCABULARIES, max_len=9)


def one_sample(search, batch, language, restricted, seed):
    got = back_translation(search)
    ((sample, counts),) = got.samples(None, [batch], [got.request(batch, language, restricted, seed)])
    return sample, counts


def test_hand_worked():
    search = Writes([8, 9, 5, EOS], [10, EOS])
    got, counts = one_sample(search, batch_of([4, 5], [6]), "ro", False, (1, 2))
    (asked,) = search.asked
    assert asked.source.tolist() == [[BOS, 4, 5, EOS, EN], [BOS, 6, EOS, EN, PAD]]
    assert (asked.language, asked.allowed, asked.seed, search.max_len) == ("ro", None, (1, 2), 9)
    assert got["net_input"]["src_tokens"].tolist() == [[BOS, 8, 9, 5, EOS, RO], [BOS, 10, EOS, RO, PAD, PAD]]
    assert got["target"].tolist() == [[BOS, 4, 5, EOS, EN], [BOS, 6, EOS, EN, PAD]]
    assert got["id"].tolist() == [100, 101]
    assert counts.pop("seconds") >= 0
    assert counts == dict(
        batches=1, sentences=2, empty=0, empty_batches=0, written=4, copied=1, in_target=3, source=3, common=0
    )


def test_restricted_to_the_tokens_of_the_language():
    search = Writes([8, EOS])
    one_sample(search, batch_of([4]), "ro", True, ())
    (asked,) = search.asked
    assert asked.allowed is not None and torch.equal(asked.allowed, VOCABULARIES["ro"])


@pytest.mark.parametrize("empty", [[EOS], [BOS, EOS], [MASK, RO, EOS]])
def test_empty_translations_are_left_out(empty):
    search = Writes(empty, [8, 9, EOS], empty)
    got, counts = one_sample(search, batch_of([4, 5, 6, 7], [6], [7]), "ro", False, ())
    assert got["net_input"]["src_tokens"].tolist() == [[BOS, 8, 9, EOS, RO]]
    assert got["target"].tolist() == [[BOS, 6, EOS, EN]], "without the padding of the longer ones"
    assert got["id"].tolist() == [101] and got["nsentences"] == 1 and got["ntokens"] == 4
    assert (counts["sentences"], counts["empty"], counts["empty_batches"]) == (3, 2, 0)


def test_fairseqs_criterions_take_what_is_left():
    """They view a target as one row of tokens, which needs its rows to lie one after another."""
    got, _ = one_sample(Writes([EOS], [8, EOS], [9, EOS]), batch_of([4, 5, 6, 7], [6], [7]), "ro", False, ())
    assert got["target"].tolist() == [[BOS, 6, EOS, EN], [BOS, 7, EOS, EN]]
    assert got["target"].view(-1).tolist() == [BOS, 6, EOS, EN, BOS, 7, EOS, EN]


def test_a_batch_of_nothing_but_empty_translations():
    got, counts = one_sample(Writes([EOS], [EOS]), batch_of([4], [5, 6]), "ro", False, ())
    assert got is None
    assert (counts["empty"], counts["empty_batches"], counts["written"], counts["copied"]) == (2, 1, 0, 0)


def test_batches_are_translated_together_and_share_the_time():
    search = Writes([8, 9, EOS])
    got, batches = back_translation(search), [batch_of([4]), batch_of([5, 6])]
    requests = [got.request(batches[0], "ro", False, (1,)), got.request(batches[1], "ro", True, (2,))]
    (one, counts_of_one), (two, counts_of_two) = got.samples(None, batches, requests)
    assert [asked.seed for asked in search.asked] == [(1,), (2,)]
    assert [asked.allowed is None for asked in search.asked] == [True, False]
    assert one["target"].tolist() == [[BOS, 4, EOS, EN]] and two["target"].tolist() == [[BOS, 5, 6, EOS, EN]]
    assert counts_of_one["seconds"] == counts_of_two["seconds"]
    assert counts_of_one["written"] == counts_of_two["written"] == 2


def test_no_batch_at_all():
    assert back_translation(Writes([8, EOS])).samples(None, [], []) == []


DIRECTIONS = [("en", "ro"), ("ro", "en")]


def logs(*counts):
    """What one process logs for each update: counts of en-ro."""
    fields = ("batches", "sentences", "empty", "empty_batches", "seconds", "written", "copied", "in_target", "source")
    got = [dict(zip(fields + ("common",), values)) for values in counts]
    return [flatten_counts(DIRECTIONS, {("en", "ro"): each}) for each in got]


def test_the_same_keys_whatever_was_made():
    assert list(flatten_counts(DIRECTIONS, {})) == list(logs((1, 2, 0, 0, 0.5, 9, 3, 6, 8, 2))[0])
    assert all(value == 0 for value in flatten_counts(DIRECTIONS, {}).values())


def test_meters():
    watched = back_translation(None)
    with metrics.aggregate(new_root=True) as meters:
        watched.log(DIRECTIONS, logs((1, 4, 1, 0, 0.5, 30, 3, 24, 40, 8), (1, 4, 0, 0, 1.5, 10, 3, 6, 40, 8)), 3)
        values = meters.get_smoothed_values()
    # 40 tokens in 2 seconds; 6 of them copied, 30 of the target language; one of 8 sentences empty
    assert (values["bt_copied"], values["bt_in_target"], values["gen_wps"]) == (0.15, 0.75, 20)
    assert values["bt_empty"] == 0.125


def test_updates_without_back_translation_show_nothing():
    with metrics.aggregate(new_root=True) as meters:
        back_translation(None).log(DIRECTIONS, [flatten_counts(DIRECTIONS, {})], 3)
        assert not meters.get_smoothed_values()


def test_empty_translations_are_reported_at_the_first_and_at_every_tenfold(caplog):
    watched = back_translation(None)
    with caplog.at_level(logging.WARNING), metrics.aggregate(new_root=True):
        for update in range(30):
            watched.log(DIRECTIONS, logs((1, 4, 4 if update else 0, 1 if update else 0, 1, 0, 0, 0, 9, 9)), update)
    texts = [record.getMessage() for record in caplog.records]
    assert [text.split(" have been")[0] for text in texts] == [
        "update 1: 4 sentences whose translation was empty",
        "update 3: 12 sentences whose translation was empty",
        "update 25: 100 sentences whose translation was empty",
    ]
    assert "25 batches of them as a whole" in texts[-1]


def test_copying_is_warned_of(caplog):
    watched = back_translation(None)
    with caplog.at_level(logging.WARNING), metrics.aggregate(new_root=True):
        for update in range(150):
            watched.log(DIRECTIONS, logs((1, 4, 0, 0, 1, 20, 19, 1, 20, 2)), update)
    (record,) = caplog.records
    assert record.getMessage().startswith("update 99: training has fallen into copying: 95 % of the tokens")
    assert "en-ro" in record.getMessage()
