"""crossinit_fairseq/unmt/validation.py: BLEU from parts, against sacreBLEU on the whole corpus."""

import pytest
import sacrebleu
import torch
from fairseq.logging import metrics
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.unmt.validation import bleu_statistics, log_bleu, no_statistics
from tests import helpers  # noqa: F401

NAMES = ["bleu_en-ro", "bleu_ro-en"]
# few words, so that n-grams match; punctuation, which sacreBLEU splits off; an empty output
SENTENCE = st.lists(st.sampled_from(["a", "b", "c,", "d.", "e"]), min_size=1, max_size=9).map(" ".join)
PAIRS = st.lists(st.tuples(st.one_of(SENTENCE, st.just("")), SENTENCE), min_size=1, max_size=12)


def logged(updates, names=NAMES, mean="bleu"):
    """What the meters show after several batches; updates: for each batch, the logging outputs of all processes."""
    with metrics.aggregate(new_root=True) as aggregate:
        for outputs in updates:
            log_bleu(names, mean, outputs)
    return dict(aggregate.get_smoothed_values())


def statistics(pairs, name=NAMES[0]):
    """The log of one batch: statistics of its direction, zeros of the others."""
    log = {key: value for each in NAMES for key, value in no_statistics(each).items()}
    log.update(bleu_statistics(name, [got for got, _ in pairs], [reference for _, reference in pairs]))
    return log


def corpus_bleu(pairs):
    return round(sacrebleu.corpus_bleu([got for got, _ in pairs], [[reference for _, reference in pairs]]).score, 2)


def parts_of(pairs, cuts):
    """Cut a list at given places; parts may not be empty."""
    edges = sorted({0, len(pairs)} | {cut for cut in cuts if cut < len(pairs)})
    return [pairs[begin:end] for begin, end in zip(edges, edges[1:])]


CUTS = st.lists(st.integers(1, 11), max_size=5)


@given(pairs=PAIRS, batches=CUTS, processes=CUTS)
def test_batches_add_up_to_the_corpus(pairs, batches, processes):
    updates = [[statistics(part) for part in parts_of(batch, processes)] for batch in parts_of(pairs, batches)]
    values = logged(updates)
    assert values == {NAMES[0]: corpus_bleu(pairs), "bleu": corpus_bleu(pairs)}


@given(there=PAIRS, back=PAIRS, cuts=CUTS)
def test_mean_of_directions(there, back, cuts):
    # batches of one direction each, as GroupedBatches makes them
    updates = [[statistics(part, name)] for name, pairs in zip(NAMES, (there, back)) for part in parts_of(pairs, cuts)]
    values = logged(updates)
    assert values[NAMES[0]] == corpus_bleu(there) and values[NAMES[1]] == corpus_bleu(back)
    # sacreBLEU rounds to two places, and so is the mean
    assert values["bleu"] == pytest.approx((corpus_bleu(there) + corpus_bleu(back)) / 2, abs=0.0051)


def test_hand_worked():
    # "a b c d" against "a b c e": 3 of 4 words, 2 of 3 pairs, 1 of 2 triples, 0 of 1
    log = bleu_statistics("x", ["a b c d"], ["a b c e"])
    counts = {"_x/counts0": 3, "_x/counts1": 2, "_x/counts2": 1, "_x/counts3": 0}
    totals = {"_x/totals0": 4, "_x/totals1": 3, "_x/totals2": 2, "_x/totals3": 1}
    assert log == dict(counts, **dict(totals, **{"_x/sys": 4, "_x/ref": 4}))
    # with a perfect "a b" beside it: 5/6, 3/4, 1/2, and 0/1 smoothed to 1/2; (5/6 * 3/4 * 1/2 * 1/2) ** 1/4 = 0.6287
    values = logged([[log, bleu_statistics("x", ["a b"], ["a b"])]], ["x"], "mean")
    assert values == {"x": pytest.approx(62.87), "mean": pytest.approx(62.87)}


@pytest.mark.parametrize("tokenizer", ["13a", "char", "zh"])
def test_what_is_unknown_is_never_right(tokenizer):
    # by 13a each <unk> would be three words, and all of "<unk> <unk>" right
    log = bleu_statistics("x", ["<unk> <unk> a"], ["b<unk> <unk>"], tokenizer)
    assert [log[f"_x/counts{n}"] for n in range(4)] == [0, 0, 0, 0]
    # a word that holds what is unknown is one word, but where each letter is one
    assert (log["_x/sys"], log["_x/ref"]) == ((3, 3) if tokenizer == "char" else (3, 2))


def test_targets_without_blanks():
    # letters of Chinese: 5 of 6, pairs 3 of 5, threes 2 of 4, fours 1 of 3; as one word of 13a nothing would be right
    log = bleu_statistics("x", ["\u4e00\u4e8c\u4e09\u56db\u4e94\u516d"], ["\u4e00\u4e8c\u4e09\u56db\u4e03\u516d"], "zh")
    assert [log[f"_x/counts{n}"] for n in range(4)] == [5, 3, 2, 1] and log["_x/sys"] == log["_x/ref"] == 6
    assert logged([[log]], ["x"], "mean")["x"] == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25, abs=0.01)


def test_no_statistics_has_the_same_keys():
    assert set(no_statistics("x")) == set(bleu_statistics("x", ["a"], ["a"]))
    assert not any(no_statistics("x").values())


def test_a_direction_without_sentences_is_not_shown():
    values = logged([[statistics([("a b c d e", "a b c d e")], NAMES[1])]])
    assert values == {NAMES[1]: pytest.approx(100), "bleu": pytest.approx(100)}
    assert logged([[dict(no_statistics(NAMES[0]), **no_statistics(NAMES[1]))]]) == {}


def test_tensors_and_missing_keys():
    # fairseq sums logging outputs of several processes as float64 tensors; a process without a batch logs nothing
    log = {key: torch.tensor(float(value)) for key, value in statistics([("a b c d e", "a b c d e f")]).items()}
    assert logged([[log, {}]])[NAMES[0]] == corpus_bleu([("a b c d e", "a b c d e f")])
