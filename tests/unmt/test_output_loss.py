"""crossinit_fairseq/unmt/output_loss.py"""

import math

import pytest
import torch
from fairseq.criterions.cross_entropy import CrossEntropyCriterion
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion

from crossinit_fairseq.unmt import output_loss
from crossinit_fairseq.unmt.output_loss import OutputLoss, compute_loss, is_supported
from tests.helpers import dictionary_of, is_kept, special_tokens_of, tiny_model

DICTIONARY = dictionary_of("abcdefgh")
SPECIAL_TOKENS = special_tokens_of(DICTIONARY)


class _Task:
    target_dictionary = DICTIONARY


def smoothed(eps, **options):
    return LabelSmoothedCrossEntropyCriterion(_Task(), label_smoothing=eps, **dict(dict(sentence_avg=False), **options))


CRITERIONS = {
    "smoothed": smoothed(0.1),
    "much smoothed, by sentences": smoothed(0.6, sentence_avg=True),
    "not smoothed": smoothed(0.0),
    "cross entropy": CrossEntropyCriterion(_Task(), sentence_avg=False),
}


def sample_of(*sentences):
    rows = SPECIAL_TOKENS.collate([SPECIAL_TOKENS.add(torch.tensor(list(row) + [2]), "en") for row in sentences])
    return SPECIAL_TOKENS.training_sample(rows, rows, "en")


PADDED, EVEN = sample_of([4, 5, 6, 9, 11], [7], [10, 8, 8]), sample_of([4, 5], [7, 9])


def model_of(kind):
    torch.manual_seed(1)
    model = tiny_model(DICTIONARY, kind)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if is_kept(name):
                parameter.add_(torch.randn_like(parameter) * 0.5)
    return model


def learnt(run, kind, criterion, sample, weight=0.7):
    """What a criterion returns, and every gradient."""
    model = model_of(kind)
    loss, size, logs = run(model, criterion, sample)
    (loss * weight).backward()
    return loss, size, logs, {name: p.grad for name, p in model.named_parameters() if is_kept(name)}


@pytest.mark.parametrize("rows", [2, 3, 256])
@pytest.mark.parametrize("sample", [PADDED, EVEN], ids=["padded", "even"])
@pytest.mark.parametrize("kind", ["bart", "transformer", "xlm_translation"])  # the last has a bias
@pytest.mark.parametrize("criterion", list(CRITERIONS.values()), ids=list(CRITERIONS))
def test_as_the_criterion(criterion, kind, sample, rows, monkeypatch):
    monkeypatch.setattr(output_loss, "_ROWS", rows)
    assert is_supported(model_of(kind), criterion)
    loss, size, logs, gradients = learnt(compute_loss, kind, criterion, sample)
    expected = learnt(lambda model, criterion, sample: criterion(model, sample), kind, criterion, sample)
    assert torch.allclose(loss, expected[0], rtol=1e-5) and size == expected[1]
    assert list(logs) == list(expected[2])
    for key, value in logs.items():
        assert float(value) == pytest.approx(float(expected[2][key]), rel=1e-5), key
    for name, gradient in gradients.items():
        if expected[3][name] is None:
            assert gradient is None, name
        else:
            assert torch.allclose(gradient, expected[3][name], rtol=1e-4, atol=2e-5), name


def test_hand_worked():
    # four logits of 0: log p = -ln 4 for all of them, so the loss is ln 4 however smoothed. Its gradient by the logits
    # is
    # 1/4 - e - (1 - eps - e) [v = t], e = 0.3 / 3: for target 2 it is 0.15, 0.15, -0.45, 0.15; x and weight are scaled
    # by it
    x, weight = torch.tensor([[1.0, 2.0]], requires_grad=True), torch.zeros(4, 2, requires_grad=True)
    loss, nll = OutputLoss.apply(x, weight, None, torch.tensor([2]), 0.3)
    loss.backward()
    assert float(loss) == pytest.approx(math.log(4)) and float(nll) == pytest.approx(math.log(4))
    expected = torch.tensor([[0.15, 0.3], [0.15, 0.3], [-0.45, -0.9], [0.15, 0.3]])
    assert torch.allclose(weight.grad, expected) and torch.equal(x.grad, torch.zeros(1, 2))


@pytest.mark.parametrize("eps", [0.0, 0.1])
def test_gradients_by_differences(eps, monkeypatch):
    monkeypatch.setattr(output_loss, "_ROWS", 2)
    torch.manual_seed(0)
    x, weight, bias = (torch.randn(*shape, dtype=torch.float64).requires_grad_() for shape in ((5, 3), (7, 3), (7,)))
    target = torch.tensor([0, 6, 6, 2, 3])
    assert torch.autograd.gradcheck(lambda *given: OutputLoss.apply(*given, target, eps)[0], (x, weight, bias))


def test_logits_too_large_for_exp():
    x = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    weight = torch.tensor([[500.0], [-500.0], [0.0]])  # frozen
    loss, _ = OutputLoss.apply(x, weight, None, torch.tensor([0, 0]), 0.0)
    loss.backward()
    assert float(loss) == 1000 and x.grad.tolist() == [[0.0], [-1000.0]]


def test_what_is_not_supported_goes_to_the_criterion():
    model, plain = model_of("bart"), smoothed(0.1)
    assert is_supported(model, plain)

    class Own(LabelSmoothedCrossEntropyCriterion):
        pass

    others = [smoothed(0.1, report_accuracy=True), smoothed(0.1, ignore_prefix_size=1), Own(_Task(), False, 0.1)]
    assert not any(is_supported(model, other) for other in others)
    assert not is_supported(model_of("bart").double(), plain)
    assert not is_supported(torch.nn.parallel.DataParallel(model), plain)
    assert "n_correct" in compute_loss(model, others[0], PADDED)[2]
