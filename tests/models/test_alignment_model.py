"""crossinit_fairseq/models/alignment_model.py"""

import numpy as np
import pytest
import torch

from crossinit_fairseq.alignment import PairedWords, RankedTable, SpanPlan, sigmoid_objective
from crossinit_fairseq.lexicon.word_forms import LexiconTokens, TokenPair
from crossinit_fairseq.models.alignment_model import AlignmentModel
from crossinit_fairseq.spans import PairDraws, SpanSampler
from tests.helpers import dictionary_of, is_kept, ranked_words, tiny_model

MAX_RANK = 5
# tokens 4 to 11 are the words a to h; h is used by none
WORDS = [ranked_words([[4], [5, 6], [7], [8], [9], [4, 7]]), ranked_words([[10], [9], [5, 5, 8], [6], [4], [10, 6]])]
WORD_ROWS, OTHER_ROWS = list(range(4, 11)), [0, 1, 2, 3, 11, 12, 13, 14]
KINDS = [
    ("bart", {}),
    ("transformer", {}),
    ("transformer", {"share_decoder_input_output_embed": True}),
    ("roberta", {}),
    ("masked_lm", {}),
    ("xlm", {}),
    ("xlm_translation", {}),
]


@pytest.fixture(scope="module")
def dictionary():
    return dictionary_of("abcdefgh")


def aligned(dictionary, kind, options, rescale=False):
    """(the wrapped model, the AlignmentModel)."""
    torch.manual_seed(1)
    model = tiny_model(dictionary, kind, **options)
    return model, AlignmentModel(model, dictionary, WORDS, MAX_RANK, rescale)


def plan_of(model):
    draws = SpanSampler([6, 6], span=2, max_rank=MAX_RANK, seed=1).draw(7, 1, 0)
    return model.ranked.plan(draws).tensors()


def update(model, rate=5.0):
    """One step of plain gradient descent on Eq. 1."""
    loss = sum(sigmoid_objective(means.spans).loss.sum() for means in model(spans=plan_of(model)))
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= rate * parameter.grad


@pytest.mark.parametrize("kind, options", KINDS)
def test_only_the_tables_train(dictionary, kind, options):
    wrapped, model = aligned(dictionary, kind, options)
    names = {name for name, parameter in wrapped.named_parameters() if parameter.requires_grad}
    assert names == set(model.table_names) and all(name.endswith("embed_tokens.weight") for name in names)
    before = {name: value.clone() for name, value in wrapped.state_dict().items()}
    update(model)
    for parameter in wrapped.parameters():
        assert (parameter.grad is not None) == parameter.requires_grad
    for table in model.tables:
        assert table.grad[WORD_ROWS].abs().sum(1).gt(0).all() and not table.grad[OTHER_ROWS].any()
    shared = {id(table) for table in model.tables}
    for name, value in wrapped.state_dict(keep_vars=True).items():
        assert torch.equal(value, before[name]) == (id(value) not in shared), name


@pytest.mark.parametrize("kind, options", KINDS)
def test_forward_averages_every_table(dictionary, kind, options):
    _, model = aligned(dictionary, kind, options)
    plan = plan_of(model)
    outputs = model(spans=plan)
    ranked = RankedTable(WORDS, MAX_RANK, len(dictionary))
    assert len(outputs) == len(model.tables) == len(model.table_names)
    for means, table in zip(outputs, model.tables):
        expected = ranked(table, SpanPlan(**plan))
        for name in ("left", "right", "outside"):
            assert torch.equal(getattr(means.spans, name), getattr(expected, name))


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("kind, options", KINDS)
def test_checkpoints_are_those_of_the_wrapped_model(dictionary, kind, options, rescale):
    wrapped, model = aligned(dictionary, kind, options, rescale)
    update(model)
    state, plain = model.state_dict(), wrapped.state_dict()
    assert list(state) == list(plain)
    fresh = tiny_model(dictionary, kind, **options)
    fresh.load_state_dict(state)
    for name, value in fresh.state_dict().items():
        if is_kept(name):
            assert torch.equal(value, state[name]), name
            assert rescale or torch.equal(value, plain[name]), name


@pytest.mark.parametrize("kind, options", KINDS)
def test_rescaled_under_every_name(dictionary, kind, options):
    wrapped, model = aligned(dictionary, kind, options, rescale=True)
    initial = [table.detach().clone() for table in model.tables]
    update(model)
    state, plain = model.state_dict(), wrapped.state_dict(keep_vars=True)
    for before, table in zip(initial, model.tables):
        scale = before[WORD_ROWS].norm().item()
        assert table[WORD_ROWS].norm().item() > 1.2 * scale, "the norm has grown, or this test shows nothing"
        names = [name for name, value in plain.items() if value is table]
        for name in names:
            assert state[name][WORD_ROWS].norm().item() == pytest.approx(scale, rel=1e-5), name
            assert torch.equal(state[name][OTHER_ROWS], before[OTHER_ROWS])
    tables = {id(table) for table in model.tables}
    assert kind != "bart" or sum(id(value) in tables for value in plain.values()) == 3
    for name, value in plain.items():
        assert id(value) in tables or torch.equal(state[name], value)


@pytest.mark.parametrize("beside", [False, True])
def test_with_pairs_the_rows_of_their_words_are_rescaled(dictionary, beside):
    """Pairs alone train tokens 4, 5, 6 and 8; beside the spans those of all words."""
    pairs = [TokenPair((4,), (8,), ("a", "e")), TokenPair((5, 6), (4,), ("bc", "a"))]
    paired = PairedWords([LexiconTokens("en", "ro", pairs, {}, {}, 0, 0)])
    torch.manual_seed(1)
    wrapped = tiny_model(dictionary, "bart")
    model = AlignmentModel(wrapped, dictionary, WORDS if beside else None, MAX_RANK, rescale=True, pairs=paired)
    rows = WORD_ROWS if beside else [4, 5, 6, 8]
    others = [row for row in range(len(dictionary)) if row not in rows]
    (table,) = model.tables
    before = table.detach().clone()
    with torch.no_grad():
        table[rows] = 3 * table[rows] + 0.1
    (saved,) = (model.state_dict()[name] for name in model.table_names)
    assert saved[rows].norm().item() == pytest.approx(before[rows].norm().item(), rel=1e-5)
    assert torch.equal(saved[others], before[others])
    (means,) = model(pairs=paired.plan(PairDraws(0, np.array([1, 0]))).tensors())
    assert means.spans is None and torch.allclose(means.pairs.left, torch.stack([table[[5, 6]].mean(0), table[4]]))


def test_load_state_dict_is_the_wrapped_model_s(dictionary):
    _, one = aligned(dictionary, "bart", {})
    update(one)
    wrapped, other = aligned(dictionary, "bart", {})
    assert not torch.equal(other.tables[0], one.tables[0])
    other.load_state_dict(one.state_dict(), strict=True)
    for name, value in wrapped.state_dict().items():
        assert torch.equal(value, one.state_dict()[name]) or not is_kept(name), name
    state = one.state_dict()
    del state["decoder.layers.0.fc1.weight"]
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict(state)
