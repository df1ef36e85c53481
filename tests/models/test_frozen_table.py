"""crossinit_fairseq/models/token_tables.py: holding tables still"""

from types import SimpleNamespace

import pytest
import torch

from crossinit_fairseq.models.token_tables import FrozenTable
from tests.helpers import dictionary_of, tiny_model

DICTIONARY = dictionary_of("abcdefgh")
TABLE = "encoder.embed_tokens.weight"


class Wrapped(torch.nn.Module):
    """As data-parallel training hands a model in."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, **inputs):
        return self.module(**inputs)


class Decaying:
    """Like fairseq's optimizers: --optimizer adam with weight decay and with momentum from before."""

    def __init__(self, model):
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)

    def step(self):
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def train(model, frozen, updates, optimizer, exchange=False):
    """The table after each update; exchange: fill in missing gradients, as legacy_ddp does."""
    tables = []
    tokens = torch.tensor([[4, 5, 6, 2]])
    for update in updates:
        with frozen.backward(model, update):
            output, _ = model(src_tokens=tokens, src_lengths=torch.tensor([4]), prev_output_tokens=tokens)
            output.square().sum().backward()
        if exchange:
            for parameter in model.parameters():
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        frozen.before_step(model, optimizer, update)
        optimizer.step()
        tables.append(table_of(model))
    return tables


def table_of(model):
    return dict(getattr(model, "module", model).named_parameters())[TABLE].detach().clone()


@pytest.mark.parametrize("wrap, exchange", [(lambda model: model, False), (Wrapped, False), (Wrapped, True)])
def test_still_until_then_and_moving_after(wrap, exchange):
    model = wrap(tiny_model(DICTIONARY))
    optimizer, start = Decaying(model), table_of(model)
    one, two, three = train(model, FrozenTable(2, DICTIONARY), range(3), optimizer, exchange)
    assert torch.equal(one, start) and torch.equal(two, start) and not torch.equal(three, start)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_neither_momentum_nor_decay_moves_it():
    model = tiny_model(DICTIONARY)
    optimizer = Decaying(model)
    (moved,) = train(model, FrozenTable(0, DICTIONARY), [0], optimizer)
    other = model.encoder.layers[0].fc1.weight.detach().clone()
    tables = train(model, FrozenTable(-1, DICTIONARY), [1, 10**9], optimizer)
    assert all(torch.equal(table, moved) for table in tables)
    assert not torch.equal(model.encoder.layers[0].fc1.weight, other), "all else is learnt"


def test_let_go_where_the_backward_pass_fails():
    model = tiny_model(DICTIONARY)
    with pytest.raises(FloatingPointError):
        with FrozenTable(1, DICTIONARY).backward(model, 0):
            raise FloatingPointError
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("decay, refused", [(0.0, False), (0.01, True)])
def test_half_precision_cannot_decay(decay, refused):
    model = tiny_model(DICTIONARY)
    optimizer = SimpleNamespace(fp32_params={}, optimizer=torch.optim.Adam(model.parameters(), weight_decay=decay))
    frozen = FrozenTable(1, DICTIONARY)
    if refused:
        with pytest.raises(SystemExit, match="crossinit_fairseq: error: .*--weight-decay 0"):
            frozen.before_step(model, optimizer, 0)
    frozen.before_step(model, optimizer, 1)
    assert refused or frozen.before_step(model, optimizer, 0) is None
