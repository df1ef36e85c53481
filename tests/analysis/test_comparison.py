"""The tests of crossinit-compare on scores whose answers are known, and against sacreBLEU."""

import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from crossinit_fairseq.analysis.comparison import (
    Bootstrap,
    Difference,
    SeedTest,
    bleu_of,
    compare_starts,
    count_matches,
    count_points,
    paired_bootstrap,
    seed_test,
)
from crossinit_fairseq.errors import InputError

RNG = np.random.default_rng(0)
REFERENCE = [" ".join(f"w{k}" for k in RNG.integers(0, 30, 8)) for _ in range(60)]


def hypotheses(wrong, seed):
    """The reference with a share of the words replaced."""
    rng = np.random.default_rng(seed)
    return [" ".join(word if rng.random() > wrong else "x" for word in line.split()) for line in REFERENCE]


def scored(wrong, seed, reference=REFERENCE, **options):
    return count_matches(hypotheses(wrong, seed), reference, BLEU(**options), "run")


@pytest.mark.parametrize("options", [{}, {"tokenize": "none", "force": True}, {"lowercase": True}])
def test_summed_counts_give_sacrebleus_score(options):
    one = scored(0.3, 1, **options)
    whole = BLEU(**options).corpus_score(hypotheses(0.3, 1), [REFERENCE])
    assert one.score == whole.score and bleu_of(one.counts.sum(0)) == pytest.approx(whole.score)
    # and so for some of the sentences, one of them twice
    chosen = [3, 5, 5, 8]
    lines = hypotheses(0.3, 1)
    part = BLEU(**options).corpus_score([lines[k] for k in chosen], [[REFERENCE[k] for k in chosen]])
    assert bleu_of(one.counts[chosen].sum(0)) == pytest.approx(part.score)


def test_a_clear_difference_and_none():
    clear = paired_bootstrap([scored(0.4, 1), scored(0.4, 2)], [scored(0.1, 3), scored(0.1, 4)], 200)
    assert clear.p_value == pytest.approx(2 / 201) and 0 < clear.low < clear.high
    same = paired_bootstrap([scored(0.3, 1)], [scored(0.3, 1)], 200)
    assert same.p_value == 1 and same.low == same.high == 0


def test_the_bootstrap_agrees_with_a_slow_one():
    one, other = scored(0.3, 1), scored(0.25, 2)
    found = paired_bootstrap([one], [other], 300, seed=7)
    rng, slow = np.random.default_rng(7), []
    for _ in range(300):
        drawn = rng.integers(0, 60, 60)
        slow.append(bleu_of(other.counts[drawn].sum(0)) - bleu_of(one.counts[drawn].sum(0)))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])))


def test_the_exchange_of_signs_by_hand():
    # 1, 2, 3: of the 8 sums +-1 +-2 +-3 only 6 and -6 are as far from 0
    found = seed_test([1.0, 2.0, 3.0])
    assert found.p_value == found.least == 0.25
    # mean 2, deviation 1, t of 2 degrees 4.3027: 2 -+ 4.3027 / sqrt(3)
    assert (found.low, found.high) == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-3)
    # 1, -2, 3: sums as far as 2 are 2, 6, 4 and their opposites: all but 0 0
    assert seed_test([1.0, -2.0, 3.0]).p_value == 0.75
    assert seed_test([1.0]) is None
    assert seed_test([0.5] * 6).p_value == 2 / 64
    many = seed_test([1.0] * 20)
    assert many.p_value < 0.001


def difference(mean, bootstrap, seeds):
    return Difference("en-ro", "random", "crossinit", 3, mean, bootstrap, seeds)


def test_what_is_concluded_in_words():
    sure, unsure = Bootstrap(1, 3, 0.002), Bootstrap(-1, 3, 0.4)
    assert "one seed allows no conclusion" in Difference("en-ro", "a", "b", 1, 2.0, sure, None).in_words()
    assert "within the chance of the sentences" in difference(2, unsure, SeedTest(0.03, 0.03, 1, 3)).in_words().lower()
    assert "not of the seed" in difference(2, sure, SeedTest(0.25, 0.25, -1, 5)).in_words()
    assert "6 seeds would tell" in difference(2, sure, SeedTest(0.25, 0.25, 1, 3)).in_words()
    told = difference(-2, Bootstrap(-3, -1, 0.002), SeedTest(0.03, 0.03, -3, -1)).in_words()
    assert told == (
        "en-ro: crossinit is 2.00 BLEU below random on average over 3 seeds. Beyond the chance of the sentences and of "
        "the seed: the start makes a difference."
    )


def test_starts_are_compared_over_the_seeds_that_both_have():
    scores = {
        "random": {1: {"a-b": scored(0.4, 1)}, 2: {"a-b": scored(0.4, 2)}},
        "crossinit": {2: {"a-b": scored(0.2, 3)}, 3: {"a-b": scored(0.2, 4)}},
    }
    (found,) = compare_starts(scores, "random")
    assert found.seeds == 1 and found.mean == pytest.approx(scored(0.2, 3).score - scored(0.4, 2).score)
    scores["crossinit"][2] = {"a-b": scored(0.2, 3, REFERENCE[::-1])}
    with pytest.raises(InputError, match="random-2 and crossinit-2 were scored on different test sets in a-b"):
        compare_starts(scores, "random")


def test_means_in_percent_by_hand():
    items = ["a", "b", "c", "d"]
    one, other = count_points([1, 0, 0.5, 0], "F1", items, "run"), count_points([1, 1, 0.5, 1], "F1", items, "run")
    assert (one.score, other.score) == (37.5, 87.5) and one.of(one.counts[[2, 2, 3]].sum(0)) == pytest.approx(100 / 3)
    (found,) = compare_starts({"random": {1: {"QA de": one}}, "mine": {1: {"QA de": other}}}, "random")
    assert found.mean == 50 and found.unit == "points" and "mine is 50.00 points above random" in found.in_words()
    assert "Other items" in found.in_words()
    # an item of these is never lower, so no sample is
    assert found.bootstrap.low >= 0
    with pytest.raises(InputError, match="run has 3 answers to 4 items of the test"):
        count_points([1, 0, 1], "F1", items, "run")


def test_a_lost_sentence_is_no_score():
    with pytest.raises(InputError, match="run has 59 translations of 60 sentences"):
        count_matches(REFERENCE[:-1], REFERENCE, BLEU(), "run")
