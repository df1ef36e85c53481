"""crossinit_fairseq/data/datasets/update_groups.py"""

from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.datasets.update_groups import UpdateGroups


def test_hand_worked():
    # two processes, groups of three items each: process 0 has items 0 2 4 | 6 8 10, process 1 has 1 3 5 | 7 9
    groups = UpdateGroups(processes=2, size=3)
    assert [item for item in range(11) if groups.begins_at(item)] == [0, 1, 6, 7]
    assert [list(groups.later(item, 11)) for item in (0, 1, 6, 7)] == [[2, 4], [3, 5], [8, 10], [9]]
    assert [groups.has_later(item, 11) for item in (0, 1, 6, 7)] == [True] * 4
    # of 8 items, the last ones have none to follow in either process
    assert [list(groups.later(item, 8)) for item in (6, 7)] == [[], []]
    assert [groups.has_later(item, 8) for item in (6, 7)] == [False, False]


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 40))
def test_every_item_is_in_one_group_and_processes_agree(processes, size, count):
    groups, seen = UpdateGroups(processes, size), []
    for process in range(processes):
        items = list(range(process, count, processes))  # as fairseq deals them out
        for place in range(0, len(items), size):
            first = items[place]
            assert groups.begins_at(first)
            assert list(groups.later(first, count)) == items[place + 1 : place + size]
            assert not any(map(groups.begins_at, groups.later(first, count)))
            seen += [first, *groups.later(first, count)]
    assert sorted(seen) == list(range(count))
    for first in filter(groups.begins_at, range(0, count, processes)):
        others = [item for item in range(first, min(first + processes, count))]
        answers = {groups.has_later(item, count) for item in others}
        assert answers == {any(len(groups.later(item, count)) for item in others)}
        # where there is something to exchange, every process has its part in the exchange
        assert answers == {False} or len(others) == processes
