"""crossinit_fairseq/models/finite.py"""

import logging

import pytest
import torch
from fairseq.logging import metrics
from fairseq.nan_detector import NanDetector

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.finite import FiniteWatch, check_parameters
from tests.helpers import dictionary_of, tiny_model

NAN, INF = float("nan"), float("inf")


def model():
    return tiny_model(dictionary_of("abc"))


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_parameters_that_training_starts_from(value):
    bad = model()
    check_parameters(bad)
    with torch.no_grad():
        bad.encoder.embed_tokens.weight[5, 2:4] = value
    with pytest.raises(
        InputError, match=r"^encoder.embed_tokens.weight of the model .* holds 2 values that are not finite"
    ):
        check_parameters(bad)


def test_parameters_whose_squares_are_no_numbers():
    """The table is 8 wide. By hand: 8 * x**2 is beyond 3.4028e38 from x = 6.5219e18 on."""
    large = model()
    with torch.no_grad():
        large.encoder.embed_tokens.weight[5, 2] = -6.5e18
        check_parameters(large)
        large.encoder.embed_tokens.weight[5, 2] = -6.6e18
    with pytest.raises(
        InputError, match=r"^encoder.embed_tokens.weight of the .* holds values of up to 6.6e\+18, whose"
    ):
        check_parameters(large)
    assert large.encoder.embed_tokens.weight.size(1) == 8


def test_a_table_of_zeros():
    empty = model()
    with torch.no_grad():
        empty.encoder.embed_tokens.weight.zero_()
    with pytest.raises(InputError, match="^encoder.embed_tokens.weight of the .* holds nothing but zeros: start from"):
        check_parameters(empty)


def test_a_loss_in_the_only_process():
    watch = FiniteWatch()
    watch.begin(model(), 41)
    watch.loss(torch.tensor(3.5), None)
    with pytest.raises(SystemExit) as caught:
        watch.loss(torch.tensor(INF), lambda: "a batch of two")
    assert str(caught.value).startswith(
        "crossinit_fairseq: error: the loss is inf in update 42, a batch of two: nothing was"
    )


def repeated(watch, update):
    """What the watch says when fairseq's trainer repeats a step."""
    inner = model()
    with NanDetector(inner), pytest.raises(SystemExit) as caught:
        watch.begin(torch.nn.DataParallel(inner), update)
    return str(caught.value)


def test_a_repeated_step_ends_with_the_reason():
    watch = FiniteWatch()
    watch.begin(model(), 7)
    watch.loss(torch.tensor(NAN), lambda: "a batch of two", ends=False)
    watch.loss(torch.tensor(INF), lambda: "another", ends=False)
    assert "the loss is nan in update 8, a batch of two" in repeated(watch, 7), "the first is named"
    watch.begin(model(), 8)
    assert "the gradient is not finite in update 9, though the loss is" in repeated(watch, 8), (
        "the next update is another"
    )


def test_a_step_is_no_repetition_for_other_hooks():
    inner = model()
    inner.register_forward_hook(lambda *unused: None)
    FiniteWatch().begin(inner, 0)


def norms(watch, values):
    for update, value in enumerate(values):
        watch.begin(model(), update)
        with metrics.aggregate(new_root=True):
            metrics.log_scalar("gnorm", torch.tensor(value))
            watch.norm()


def test_a_gradient_that_explodes(caplog):
    # looked at in updates 1, 11, 21, ...
    with caplog.at_level(logging.WARNING):
        norms(FiniteWatch(), [2.0] * 10 + [1900.0] + [2.0] * 9)
    assert not caplog.records, "950 times"
    with caplog.at_level(logging.WARNING):
        norms(FiniteWatch(), [2.0] * 10 + [2100.0] + [2.0] * 9)
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "update 11: the norm of the gradient is 2.1e+03, where 2 is usual: training diverges"
    )


def test_nothing_is_said_where_no_norm_is_logged(caplog):
    watch = FiniteWatch()
    watch.begin(model(), 0)
    with metrics.aggregate(new_root=True):
        watch.norm()
    assert not caplog.records
