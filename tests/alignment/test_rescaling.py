"""crossinit_fairseq/alignment/rescaling.py"""

import copy
import io

import pytest
import torch

from crossinit_fairseq.alignment import Rescaling, keep_as_trained, restore_as_trained
from tests.helpers import ranked_words

# rows 2, 3, 5 and 7 are of words; rows 0, 1, 4 and 6 are not
WORDS = [ranked_words([[2], [3, 5]]), ranked_words([[7, 2], [5]])]
WORD_ROWS, OTHER_ROWS = [2, 3, 5, 7], [0, 1, 4, 6]


def random_table(seed, scale=1.0):
    return torch.randn(8, 4, generator=torch.Generator().manual_seed(seed)) * scale


def root_mean_square(rows):
    return rows.double().pow(2).mean().sqrt().item()


def test_rows_of_words():
    assert Rescaling([], WORDS).rows.tolist() == WORD_ROWS


def test_hand_worked():
    initial = torch.zeros(8, 1)
    initial[WORD_ROWS] = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])  # root mean square 1
    rescaling = Rescaling([initial], WORDS)
    trained = torch.full((8, 1), 9.0)
    trained[WORD_ROWS] = torch.tensor([[1.0], [1.0], [-7.0], [7.0]])  # (1 + 1 + 49 + 49) / 4 = 25: 5
    (rescaled,) = rescaling([trained])
    assert rescaled[:, 0].tolist() == pytest.approx([9, 9, 0.2, 0.2, 9, -1.4, 9, 1.4])


@pytest.mark.parametrize("growth", [0.01, 1.0, 7.3, 1000.0])
def test_words_return_to_their_scale_and_the_rest_stays(growth):
    tables = [random_table(1), random_table(2, 0.1)]
    rescaling = Rescaling(tables, WORDS)
    trained = [random_table(3, growth).requires_grad_(), random_table(4, 0.1 * growth)]
    before = [table.detach().clone() for table in trained]
    for initial, was, table, rescaled in zip(tables, before, trained, rescaling(trained)):
        assert root_mean_square(rescaled[WORD_ROWS]) == pytest.approx(root_mean_square(initial[WORD_ROWS]), rel=1e-6)
        assert torch.equal(rescaled[OTHER_ROWS], was[OTHER_ROWS])
        # one factor for all: directions, and lengths relative to each other, stay
        factors = rescaled[WORD_ROWS] / was[WORD_ROWS]
        assert torch.allclose(factors, factors[0, 0].expand_as(factors), rtol=1e-5)
        assert torch.equal(table, was) and not rescaled.requires_grad, "copies, not the tables themselves"


def step(optimizer, table, seed):
    """One update as the task does it: restore, step, keep."""
    restore_as_trained(optimizer, [table])
    table.grad = random_table(seed)
    optimizer.step()
    keep_as_trained(optimizer, [table])


def through_a_file(state):
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return torch.load(stream)


def test_interrupted_training_goes_on_to_the_last_bit():
    table = torch.nn.Parameter(random_table(1))
    optimizer = torch.optim.Adam([table], lr=0.1)
    rescaling = Rescaling([table], WORDS)
    for seed in range(3):
        step(optimizer, table, seed)
    (saved_table,) = rescaling([table])
    saved_state = through_a_file(copy.deepcopy(optimizer.state_dict()))
    as_trained = table.detach().clone()
    for seed in range(3, 6):
        step(optimizer, table, seed)

    resumed = torch.nn.Parameter(saved_table)
    assert not torch.equal(resumed, as_trained), "or this test shows nothing"
    other = torch.optim.Adam([resumed], lr=0.1)
    other.load_state_dict(saved_state)
    restore_as_trained(other, [resumed])
    assert torch.equal(resumed, as_trained)
    for seed in range(3, 6):
        step(other, resumed, seed)
    assert torch.equal(resumed, table)


def test_keeping_costs_no_memory_and_restoring_alone_changes_nothing():
    table = torch.nn.Parameter(random_table(1))
    optimizer = torch.optim.Adam([table], lr=0.1)
    before = table.detach().clone()
    restore_as_trained(optimizer, [table])  # nothing was kept
    assert torch.equal(table, before) and not optimizer.state
    step(optimizer, table, 1)
    places = [value.data_ptr() for value in optimizer.state[table].values() if torch.is_tensor(value)]
    assert places.count(table.data_ptr()) == 1
    step(optimizer, table, 2)
    after = table.detach().clone()
    restore_as_trained(optimizer, [table])
    assert torch.equal(table, after)
