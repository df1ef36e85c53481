"""crossinit_fairseq/spans/dataset.py"""

import torch

from crossinit_fairseq.spans import DrawDataset, SpanSampler


class Layout:
    """Stands in for a SpanPlan: its tensors are the draws themselves."""

    def __init__(self, draws):
        self.draws = draws

    def tensors(self):
        return {name: torch.from_numpy(getattr(self.draws, name)) for name in ("left", "right", "low", "high")}

    def words(self):
        return int(2 * (self.draws.high - self.draws.low).sum())


def dataset(**options):
    sampler = SpanSampler([40, 50], span=4, max_rank=40, seed=7)
    return DrawDataset({"spans": (sampler, Layout)}, count=6, steps=3, **options)


def low(item):
    return item["net_input"]["spans"]["low"].tolist()


def test_an_item_is_a_whole_batch():
    spans = dataset()
    assert len(spans) == 3
    item = spans[0]
    assert set(item) == {"net_input", "nsentences", "draws", "ntokens"} and item["draws"] == {"spans": 6}
    assert set(item["net_input"]) == {"spans"} and set(item["net_input"]["spans"]) == {"left", "right", "low", "high"}
    assert item["nsentences"] == 6 == len(low(item))
    # the words of the span, in both languages
    widths = item["net_input"]["spans"]["high"] - item["net_input"]["spans"]["low"]
    assert item["ntokens"] == 2 * widths.sum().item()
    assert isinstance(item["ntokens"], int)


def test_items_are_those_of_the_sampler():
    spans = dataset()
    spans.set_epoch(4)
    assert low(spans[2]) == SpanSampler([40, 50], span=4, max_rank=40, seed=7).draw(6, 4, 2).low.tolist()


def test_a_new_epoch_brings_new_draws():
    spans = dataset()
    first = [low(spans[index]) for index in range(3)]
    assert [low(spans[index]) for index in range(3)] == first, "an item does not change within an epoch"
    assert len(set(map(tuple, first))) == 3
    spans.set_epoch(2)
    second = [low(spans[index]) for index in range(3)]
    assert not any(one == other for one, other in zip(first, second))
    spans.set_epoch(1)
    assert [low(spans[index]) for index in range(3)] == first


def test_a_fixed_epoch_stays():
    spans = dataset(fixed_epoch=0)
    first = low(spans[1])
    spans.set_epoch(5)
    assert low(spans[1]) == first
    assert low(dataset()[1]) != first, "validation draws are no training draws"


def test_collater():
    spans = dataset()
    item = spans[0]
    assert spans.collater([]) == {}
    assert spans.collater([item]) is item
