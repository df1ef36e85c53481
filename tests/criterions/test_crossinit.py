"""crossinit_fairseq/criterions/crossinit.py"""

import pytest
import torch
from fairseq.logging import metrics

from crossinit_fairseq.alignment import OBJECTIVES, PairedWords, pair_objective
from crossinit_fairseq.criterions.crossinit import CrossInitCriterion, CrossInitCriterionConfig
from crossinit_fairseq.lexicon.word_forms import LexiconTokens, TokenPair
from crossinit_fairseq.models.alignment_model import AlignmentModel
from crossinit_fairseq.spans import DrawDataset, PairSampler, SpanSampler
from tests.helpers import dictionary_of, ranked_words, tiny_model

WORDS = [ranked_words([[4], [5, 6], [7], [8], [9], [4, 7]]), ranked_words([[10], [9], [5, 5, 8], [6], [4], [10, 6]])]


class Task:
    target_dictionary = None


def setting(kind, objective="sigmoid", temperature=1.0, negatives="all"):
    """(criterion, AlignmentModel, sample of 7 draws)."""
    torch.manual_seed(1)
    dictionary = dictionary_of("abcdefgh")
    model = AlignmentModel(tiny_model(dictionary, kind), dictionary, WORDS, max_rank=5)
    sampler = SpanSampler([6, 6], span=2, max_rank=5, seed=1, negatives=negatives)
    sample = DrawDataset({"spans": (sampler, model.ranked.plan)}, count=7, steps=1)[0]
    return CrossInitCriterion(Task(), objective, temperature), model, sample


@pytest.mark.parametrize("kind, tables", [("bart", 1), ("transformer", 2)])
@pytest.mark.parametrize(
    "objective, temperature, negatives",
    [("sigmoid", 1.0, "all"), ("sigmoid", 0.5, "sample"), ("softmax", 1.0, "sample"), ("infonce", 0.2, "all")],
)
def test_loss_is_the_mean_over_tables_of_the_summed_objective(kind, tables, objective, temperature, negatives):
    criterion, model, sample = setting(kind, objective, temperature, negatives)
    loss, size, log = criterion(model, sample)
    contrasts = [OBJECTIVES[objective](means.spans, temperature) for means in model(**sample["net_input"])]
    assert len(contrasts) == tables
    assert loss.item() == pytest.approx(sum(c.loss.sum().item() for c in contrasts) / tables, rel=1e-6)
    assert size == 7 == log["sample_size"] == log["nsentences"]
    assert log["loss"].item() == loss.item() and not log["loss"].requires_grad
    for key in ("positive", "negative"):
        assert log[key].item() == pytest.approx(sum(getattr(c, key).sum().item() for c in contrasts) / tables, abs=1e-6)
    right = sum((c.positive > 0).sum().item() + (c.negative < 0).sum().item() for c in contrasts)
    assert log["accuracy"].item() == right / 2 / tables
    measures = [model.random_words(table) for table in model.tables]
    for number, key in enumerate(("norm", "cos_within", "cos_across", "directions")):
        assert log[key].item() == pytest.approx(sum(m[number].item() for m in measures) / tables, abs=1e-6)
    assert log["ntokens"] == sample["ntokens"] and log["batches"] == 1


@pytest.mark.parametrize("objective", ["sigmoid", "infonce"])
def test_computes_in_single_precision_under_amp(objective):
    criterion, model, sample = setting("bart", objective)
    loss, _, log = criterion(model, sample)
    with torch.autocast("cpu", torch.bfloat16):
        by_amp, _, log_by_amp = criterion(model, sample)
    assert by_amp.dtype == torch.float32 and by_amp.item() == loss.item()
    assert all(log[key] == log_by_amp[key] for key in log)


def test_one_draw_has_no_others_for_negatives():
    criterion, model, sample = setting("bart", "infonce")
    with pytest.raises(SystemExit, match="a batch has one draw alone: give --batch-size 2 or more"):
        criterion(model, dict(sample, draws={"spans": 1}))
    with pytest.raises(SystemExit, match="--batch-size 2"):
        criterion(model, dict(sample, draws={"spans": 7, "pairs": 1}))
    setting("bart", "sigmoid")[0](model, dict(sample, draws={"spans": 1}))


def test_gradient_reaches_every_table():
    criterion, model, sample = setting("transformer")
    loss, _, _ = criterion(model, sample)
    loss.backward()
    assert all(table.grad.any() for table in model.tables)


def test_a_wrapped_model_is_measured_inside():
    criterion, model, sample = setting("bart")

    class DataParallel(torch.nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def forward(self, **inputs):
            return self.module(**inputs)

    assert criterion(DataParallel(model), sample)[2]["norm"] == criterion(model, sample)[2]["norm"]


def test_choices_of_the_command_line_and_of_hydra_are_the_same():
    plain, _, _ = setting("bart", "softmax")
    choice, _, _ = setting("bart", CrossInitCriterionConfig.__dataclass_fields__["objective"].type("softmax"))
    assert plain.objective is choice.objective is OBJECTIVES["softmax"]


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_temperature_must_be_above_zero(temperature):
    with pytest.raises(SystemExit, match=f"--temperature must be above 0, not {temperature}"):
        setting("bart", temperature=temperature)


def test_holds_no_parameters():
    criterion, _, _ = setting("bart")
    assert not list(criterion.parameters()) and not criterion.state_dict()
    assert criterion.logging_outputs_can_be_summed()


def log(draws, loss, positive, negative, accuracy, norm, within, across, directions):
    return {
        "sample_size": draws, "nsentences": draws, "ntokens": 10, "batches": 1, "loss": torch.tensor(loss),
        "positive": torch.tensor(positive), "negative": torch.tensor(negative), "accuracy": torch.tensor(accuracy),
        "norm": torch.tensor(norm), "cos_within": torch.tensor(within), "cos_across": torch.tensor(across),
        "directions": torch.tensor(directions),
    }  # fmt: skip


# two processes: 2 draws with sums 3, 1, -1, 2, and 6 draws with sums 5, 7, -3, 3
FIRST = log(2, 3.0, 1.0, -1.0, 2.0, 1.0, 0.5, 0.1, 3.0)
SECOND = log(6, 5.0, 7.0, -3.0, 3.0, 2.0, 0.3, 0.2, 4.0)


def summed(logs):
    """What fairseq's trainer makes of the logs of several processes before it calls reduce_metrics."""
    return {key: sum(one[key] for one in logs) for key in logs[0]}


@pytest.mark.parametrize("logs", [[FIRST, SECOND], [summed([FIRST, SECOND])]])
def test_averages_over_the_draws_of_all_processes(logs):
    with metrics.aggregate(new_root=True) as aggregate:
        CrossInitCriterion.reduce_metrics(logs)
    values = aggregate.get_smoothed_values()
    # (3 + 5) / 8, (1 + 7) / 8, (-1 - 3) / 8, (2 + 3) / 8; per table: (1 + 2) / 2, (0.5 + 0.3) / 2, (0.1 + 0.2) / 2, (3
    # + 4) / 2
    expected = {
        "loss": 1.0, "positive": 1.0, "negative": -0.5, "accuracy": 0.625,
        "norm": 1.5, "cos_within": 0.4, "cos_across": 0.15, "directions": 3.5,
    }  # fmt: skip
    assert {key: float(value) for key, value in values.items()} == pytest.approx(expected)


def test_updates_are_averaged_by_their_draws():
    with metrics.aggregate(new_root=True) as aggregate:
        CrossInitCriterion.reduce_metrics([FIRST])  # 1.5 per draw
        CrossInitCriterion.reduce_metrics([SECOND])  # 0.8333 per draw
    values = aggregate.get_smoothed_values()
    assert float(values["loss"]) == pytest.approx(1.0)  # not (1.5 + 0.8333) / 2
    assert float(values["norm"]) == pytest.approx(1.5)


PAIRS = [((4,), (10,)), ((5, 6), (9,)), ((7,), (5, 5, 8))]


def with_pairs(beside, kind="transformer", weight=0.5):
    """(criterion, AlignmentModel, sample of 7 spans beside 3 pairs, or of 3 pairs)."""
    torch.manual_seed(1)
    dictionary = dictionary_of("abcdefgh")
    lexicon = [TokenPair(one, other, (str(one), str(other))) for one, other in PAIRS]
    pairs = PairedWords([LexiconTokens("en", "ro", lexicon, {}, {}, 0, 0)])
    model = AlignmentModel(tiny_model(dictionary, kind), dictionary, WORDS if beside else None, 5, pairs=pairs)
    kinds = {"spans": (SpanSampler([6, 6], span=2, max_rank=5, seed=1), model.ranked.plan)} if beside else {}
    kinds["pairs"] = (PairSampler([3], 1), pairs.plan)
    return CrossInitCriterion(Task(), "sigmoid", 1.0, 0.2, weight), model, DrawDataset(kinds, count=7, steps=1)[0]


def test_pairs_alone():
    criterion, model, sample = with_pairs(beside=False)
    loss, size, log = criterion(model, sample)
    related = torch.eye(3, dtype=torch.bool)
    contrasts = [pair_objective(means.pairs, related, 0.2) for means in model(**sample["net_input"])]
    assert len(contrasts) == 2 and size == 3 == log["sample_size"] and "pairs" not in log
    assert loss.item() == log["loss"].item() == pytest.approx(sum(c.loss.sum().item() for c in contrasts) / 2, rel=1e-6)
    for key, name in (("positive", "positive"), ("negative", "negative"), ("accuracy", "correct")):
        assert log[key].item() == pytest.approx(sum(getattr(c, name).sum().item() for c in contrasts) / 2, abs=1e-6)
    assert log["ntokens"] == 6
    loss.backward()
    rows = {token for pair in PAIRS for word in pair for token in word}
    for table in model.tables:
        assert set(table.grad.abs().sum(1).nonzero().flatten().tolist()) == rows


def test_pairs_beside_spans_add_their_mean_loss():
    criterion, model, sample = with_pairs(beside=True)
    loss, size, log = criterion(model, sample)
    spans, pairs = ({kind: sample["net_input"][kind]} for kind in ("spans", "pairs"))
    only_spans, _, first = criterion(model, dict(sample, net_input=spans))
    only_pairs, _, second = criterion(model, dict(sample, net_input=pairs))
    # a half of the mean over 3 pairs, for each of 7 spans
    assert size == 7 and loss.item() == pytest.approx(only_spans.item() + 0.5 * only_pairs.item() / 3 * 7, rel=1e-6)
    for key in ("positive", "negative", "accuracy"):
        assert log[key].item() == first[key].item() and log["pair_" + key].item() == second[key].item()
    assert log["pair_loss"].item() == pytest.approx(only_pairs.item()) and log["pairs"] == 3
    with metrics.aggregate(new_root=True) as aggregate:
        CrossInitCriterion.reduce_metrics([log])
    values = {key: float(value) for key, value in aggregate.get_smoothed_values().items()}
    assert values["loss"] == pytest.approx(loss.item() / 7, abs=1e-4)
    assert values["pair_loss"] == pytest.approx(only_pairs.item() / 3, abs=1e-4)
    assert values["pair_accuracy"] == pytest.approx(log["pair_accuracy"].item() / 3, abs=1e-4)


@pytest.mark.parametrize("options, name", [((0.0, 1.0), "--lexicon-temperature"), ((0.1, -1.0), "--lexicon-weight")])
def test_the_options_of_pairs_must_be_above_zero(options, name):
    with pytest.raises(SystemExit, match=name + " must be above 0"):
        CrossInitCriterion(Task(), "sigmoid", 1.0, *options)
