"""crossinit_fairseq/alignment/word_pairs.py: pairs of a lexicon, their words' means, and the objective over them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.alignment import PairedWords, PairPlan, PairVectors, RandomWords, pair_objective, pair_vectors
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.word_forms import LexiconTokens, TokenPair
from crossinit_fairseq.spans import PairDraws
from tests import helpers  # noqa: F401

V, D = 12, 5


def lexicon(pairs, source="en", target="ro"):
    """LexiconTokens of (source tokens, target tokens, source word, target word)."""
    got = [TokenPair(tuple(one), tuple(other), (left, right)) for one, other, left, right in pairs]
    return LexiconTokens(source, target, got, {}, {}, 0, 0)


#        file is fișier and dosar, File a form of file; folder is dosar; open is deschide
LEXICON = [
    ([0], [5], "file", "fișier"),
    ([1], [5, 6], "file", "fișier"),
    ([0], [7], "file", "dosar"),
    ([2, 3], [7], "folder", "dosar"),
    ([4], [8, 8, 9], "open", "deschide"),
]


def related_of(pairs, positions):
    paired = PairedWords([lexicon(pairs)])
    return paired.plan(PairDraws(0, np.array(positions))).related


def test_words_of_a_plan():
    plan = PairedWords([lexicon(LEXICON)]).plan(PairDraws(0, np.array([3, 0, 4])))
    assert plan.tokens.tolist() == [2, 3, 0, 4] + [7, 5, 8, 8, 9]
    assert plan.starts.tolist() == [0, 2, 3] + [4, 5, 6]
    assert plan.tokens.dtype == plan.starts.dtype == torch.int64 and plan.words() == 6
    assert PairPlan(**plan.tensors()) == plan


def test_which_words_translate_each_other():
    # folder-dosar, file-fișier, open-deschide: file is also dosar, by a pair that was not drawn
    assert related_of(LEXICON, [3, 0, 4]).tolist() == [[True, False, False], [True, True, False], [False, False, True]]
    # File-fișier, file-dosar: forms of one word
    assert related_of(LEXICON, [1, 2]).tolist() == [[True, True], [True, True]]


@pytest.mark.parametrize(
    "positions, refused",
    [
        ([0, 1], "the 2 pairs of the lexicon en-ro .* are forms of file and fișier, which"),
        ([0, 1, 2], "the 3 pairs .* forms of file and dosar, fișier, which"),
        ([3], "the 1 pairs .* forms of folder and dosar, which"),
        ([0, 2, 3], None),  # folder is no fișier
        ([0, 4], None),
    ],
)
def test_a_lexicon_in_which_nothing_is_negative(positions, refused):
    pairs = [LEXICON[position] for position in positions]
    paired = PairedWords([lexicon(LEXICON, "en", "fr"), lexicon(pairs)])
    assert related_of(pairs, range(len(pairs))).all() == bool(refused)
    if refused is None:
        paired.check_negatives()
    else:
        with pytest.raises(InputError, match=refused):
            paired.check_negatives()


word = st.lists(st.integers(0, V - 1), min_size=1, max_size=3)


@st.composite
def drawn_lexicons(draw):
    """(pairs of a lexicon, positions drawn)."""
    left, right = (st.integers(0, 4).map(name.format) for name in ("l{}", "r{}"))
    pairs = draw(st.lists(st.tuples(word, word, left, right), min_size=1, max_size=10))
    positions = draw(st.permutations(range(len(pairs))))
    return pairs, positions[: draw(st.integers(1, len(pairs)))]


@given(drawn=drawn_lexicons())
def test_plans_word_by_word(drawn):
    pairs, positions = drawn
    table = torch.randn(V, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    plan = PairedWords([lexicon(pairs)]).plan(PairDraws(0, np.array(positions)))
    vectors = pair_vectors(table, plan)
    known = {(left, right) for _, _, left, right in pairs}
    for a, position in enumerate(positions):
        one, other, left, _ = pairs[position]
        assert torch.allclose(vectors.left[a], sum(table[token] for token in one) / len(one))
        assert torch.allclose(vectors.right[a], sum(table[token] for token in other) / len(other))
        for b, second in enumerate(positions):
            assert plan.related[a, b].item() == ((left, pairs[second][3]) in known)


def test_of_several_lexicons_the_drawn_one():
    paired = PairedWords([lexicon(LEXICON), lexicon([([9], [10], "x", "y"), ([11], [3], "z", "w")], "en", "ne")])
    assert paired.sizes == [5, 2]
    assert paired.plan(PairDraws(1, np.array([1, 0]))).tokens.tolist() == [11, 9, 3, 10]


def vectors_of(left, right):
    return PairVectors(torch.tensor(left, dtype=torch.float64), torch.tensor(right, dtype=torch.float64))


def test_hand_worked():
    # cosines, whatever the lengths: row 0: 1, 0.6; row 1: 0, 0.8
    vectors = vectors_of([[2, 0], [0, 5]], [[3, 0], [3, 4]])
    got = pair_objective(vectors, torch.eye(2, dtype=torch.bool), temperature=0.5)
    e = math.exp
    # by rows: ln(e^2 + e^1.2) - 2 = 0.3711007, ln(1 + e^1.6) - 1.6 = 0.1839008
    rows = [math.log(e(2) + e(1.2)) - 2, math.log(1 + e(1.6)) - 1.6]
    # by columns: ln(e^2 + 1) - 2 = 0.1269280, ln(e^1.2 + e^1.6) - 1.6 = 0.5130152
    columns = [math.log(e(2) + 1) - 2, math.log(e(1.2) + e(1.6)) - 1.6]
    assert rows + columns == pytest.approx([0.3711007, 0.1839008, 0.1269280, 0.5130152], abs=1e-6)
    assert got.loss.tolist() == pytest.approx([(0.3711007 + 0.1269280) / 2, (0.1839008 + 0.5130152) / 2], abs=1e-6)
    assert got.positive.tolist() == pytest.approx([1, 0.8])
    # of pair 0: 0.6 in its row, 0 in its column
    assert got.negative.tolist() == pytest.approx([0.3, 0.3])
    assert got.correct.tolist() == [1, 1]


def test_other_translations_are_no_negatives():
    vectors = vectors_of([[1, 0], [0, 1]], [[1, 0], [1, 0]])  # cosines 1, 1; 0, 0
    related = torch.tensor([[True, True], [False, True]])
    got = pair_objective(vectors, related, temperature=1.0)
    # row 0 has no Negative: 0; column 0: ln(e + 1) - 1; row 1: ln 2; column 1 has none: 0
    assert got.loss.tolist() == pytest.approx([(math.log(math.e + 1) - 1) / 2, math.log(2) / 2])
    # pair 0: the one Negative, in its column, has cosine 0, and it is right in both; pair 1: in its row 0 is not above
    # 0
    assert got.negative.tolist() == [0, 0] and got.correct.tolist() == [1, 0.5]


def test_a_pair_without_any_negative_has_no_loss():
    vectors = PairVectors(*(torch.randn(3, 4, requires_grad=True) for _ in range(2)))
    got = pair_objective(vectors, torch.ones(3, 3, dtype=torch.bool), 0.1)
    assert got.loss.abs().max() < 1e-5 and not got.negative.any() and got.correct.tolist() == [1, 1, 1]
    got.loss.sum().backward()
    assert vectors.left.grad.abs().max() < 1e-4, "and no NaN"


def objective_slowly(left, right, related, temperature):
    """Pair by pair, word by word, with no matrix."""
    cosine = torch.nn.functional.cosine_similarity
    losses, correct = [], []
    for a in range(len(left)):
        own = cosine(left[a], right[a], dim=0)
        loss, right_ones = 0, 0
        for rivals in (
            [cosine(left[a], right[b], dim=0) for b in range(len(right)) if b != a and not related[a, b]],
            [cosine(left[b], right[a], dim=0) for b in range(len(left)) if b != a and not related[b, a]],
        ):
            loss = loss - torch.log_softmax(torch.stack([own] + rivals) / temperature, 0)[0] / 2
            right_ones += all(own > rival for rival in rivals) / 2
        losses.append(loss)
        correct.append(right_ones)
    return torch.stack(losses), correct


@given(drawn=drawn_lexicons(), temperature=st.sampled_from([0.05, 0.1, 1.0]))
def test_objective_and_gradient_against_a_dense_one(drawn, temperature):
    pairs, positions = drawn
    plan = PairedWords([lexicon(pairs)]).plan(PairDraws(0, np.array(positions)))
    generator = torch.Generator().manual_seed(2)
    table = torch.randn(V, D, generator=generator, dtype=torch.float64, requires_grad=True)
    got = pair_objective(pair_vectors(table, plan), plan.related, temperature)
    # the words as products with a dense matrix of weights
    dense = [torch.zeros(len(positions), V, dtype=torch.float64) for _ in range(2)]
    for a, position in enumerate(positions):
        for side in (0, 1):
            for token in pairs[position][side]:
                dense[side][a, token] += 1 / len(pairs[position][side])
    expected, correct = objective_slowly(dense[0] @ table, dense[1] @ table, plan.related, temperature)
    assert torch.allclose(got.loss, expected, atol=1e-9)
    (ours,), (theirs,) = (torch.autograd.grad(losses.sum(), table) for losses in (got.loss, expected))
    assert torch.allclose(ours, theirs, atol=1e-8)
    # where words of one vector are compared, rounding decides
    if len({tuple(row) for side in dense for row in side.tolist()}) == 2 * len(positions):
        assert got.correct.tolist() == correct


def test_words_apart_do_not_translate_each_other():
    pairs = [([k], [50 + k], f"l{k}", f"r{k}") for k in range(41)]
    english, romanian = PairedWords([lexicon(pairs)]).unrelated_words(seed=3)
    left, right = english.tokens.tolist(), romanian.tokens.tolist()
    assert len(english) == 21 and len(romanian) == 20
    assert sorted(left + [token - 50 for token in right]) == list(range(41))
    assert left != sorted(left)[:21] or left[-1] != 20, "a random half"


def test_words_of_several_translations_stay_apart():
    # word k is k, and k + 1: of 20
    pairs = [([k], [50 + (k + more) % 20], str(k), str((k + more) % 20)) for k in range(20) for more in (0, 1)]
    english, romanian = PairedWords([lexicon(pairs)]).unrelated_words()
    related = {(k, (k + more) % 20) for k in range(20) for more in (0, 1)}
    assert len(english) == 10 and 2 <= len(romanian) <= 10
    assert not related & {(one, other - 50) for one in english.tokens.tolist() for other in romanian.tokens.tolist()}


def test_words_apart_of_three_languages_and_of_small_lexicons():
    one = lexicon([([k], [50 + k], str(k), str(k)) for k in range(8)])
    two = lexicon([([k], [90 + k], str(k), str(k)) for k in range(8)], "en", "ne")
    english, romanian, nepali = PairedWords([one, two]).unrelated_words()
    assert 4 <= len(english) <= 8 and len(romanian) == len(nepali) == 4
    assert all(token < 50 for token in english.tokens) and all(token >= 90 for token in nepali.tokens)
    # of File and file, and of their two translations, one form each
    forms = [([k], [50 + k], str(k // 2), str(k // 2)) for k in range(12)]
    english, romanian = PairedWords([lexicon(forms)]).unrelated_words()
    assert len(english) == len(romanian) == 3 and not any(token % 2 for token in [*english.tokens, *romanian.tokens])
    # one word each would be left: all are taken
    english, romanian = PairedWords([lexicon(LEXICON[3:])]).unrelated_words()
    assert len(english) == len(romanian) == 2


def test_all_words_once():
    words = PairedWords([lexicon(LEXICON)]).all_words()
    assert [words.word(k).tolist() for k in range(len(words))] == [[0], [1], [2, 3], [4], [5], [5, 6], [7], [8, 8, 9]]


def test_partners_come_together_and_directions_stay():
    """300 pairs in 32 dimensions, each word its own row: found among all 300, and no collapse."""
    count, dimensions = 300, 32
    paired = PairedWords([lexicon([([k], [count + k], str(k), str(k)) for k in range(count)])])
    torch.manual_seed(1)
    table = torch.nn.Parameter(torch.randn(2 * count, dimensions) * dimensions**-0.5)
    measure = RandomWords(paired.unrelated_words(), 2 * count)
    optimizer = torch.optim.Adam([table], lr=0.005)
    everything = paired.plan(PairDraws(0, np.arange(count)))
    before = pair_objective(pair_vectors(table, everything), everything.related, 0.1)
    assert before.correct.mean() < 0.05
    rng = np.random.default_rng(1)
    for _ in range(150):
        plan = paired.plan(PairDraws(0, rng.choice(count, 64, replace=False)))
        optimizer.zero_grad()
        pair_objective(pair_vectors(table, plan), plan.related, 0.1).loss.mean().backward()
        optimizer.step()
    after = pair_objective(pair_vectors(table, everything), everything.related, 0.1)
    assert after.correct.mean() > 0.98 and after.positive.mean() > 0.8
    assert measure(table).directions > dimensions / 2
