"""crossinit_fairseq/preparation/ordered_map.py"""

import pytest

from crossinit_fairseq.preparation.ordered_map import ordered_map

_added = []


def prepare(number):
    _added[:] = [number]


def add(item):
    return item + _added[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_in_order_and_not_far_ahead(workers):
    read = []

    def items():
        for item in range(30):
            read.append(item)
            yield item

    results = ordered_map(prepare, (100,), add, items(), workers)
    assert next(results) == 100 and len(read) <= 2 * workers + 1
    assert list(results) == list(range(101, 130))
