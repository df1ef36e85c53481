"""crossinit_fairseq/preparation/splitting.py"""

from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.preparation.splitting import connected_pairs, deal

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25)


def slow_groups(pairs):
    """Groups by merging until nothing changes."""
    groups = [{number} for number in range(len(pairs))]
    merged = True
    while merged:
        merged = False
        for a in range(len(groups)):
            for b in range(a + 1, len(groups)):
                touch = any(pairs[i][side] == pairs[j][side] for i in groups[a] for j in groups[b] for side in (0, 1))
                if touch and not merged:
                    groups[a] |= groups.pop(b)
                    merged = True
                    break
            if merged:
                break
    return sorted(map(sorted, groups))


@given(PAIRS)
def test_groups_as_by_merging(pairs):
    found = connected_pairs(pairs)
    assert sorted(found) == slow_groups(pairs)
    assert all(group == sorted(group) for group in found) and found == sorted(found)


def test_the_same_key_on_unlike_sides_does_not_connect():
    assert connected_pairs([("a", "b"), ("b", "a")]) == [[0], [1]]


def test_by_hand():
    # 0, 1 and 2 hang together by x and 8; 5 hangs together with what is barred
    pairs = [("x", 9), ("x", 8), ("y", 8), ("z", 1), ("w", 2), ("v", 3), ("u", 4), ("t", 5)]
    dealt = deal(pairs, [1, 1], barred=[("other", 3)])
    # single pairs are held out first; the group of three goes to the first side, the two left to the second
    assert dealt == ([[3], [4]], [0, 1, 2], [6, 7], [5])
    # where there are too few single ones, one pair of a group is taken and the others are dropped
    assert deal(pairs[:3], [1]) == ([[0]], [], [], [1, 2])
    assert deal(pairs[:3], [2]).held_out == [[0]]


@given(PAIRS, st.lists(st.integers(0, 3), max_size=3), PAIRS)
def test_every_pair_once_and_no_key_in_two_places(pairs, counts, barred):
    dealt = deal(pairs, counts, barred)
    places = dealt.held_out + [dealt.first, dealt.second]
    assert sorted(sum(places, dealt.dropped)) == list(range(len(pairs)))
    seen = {}
    for place, numbers in enumerate(places):
        for number in numbers:
            for side in (0, 1):
                assert seen.setdefault((side, pairs[number][side]), place) == place
                assert not any(pairs[number][side] == pair[side] for pair in barred)
    assert all(len(found) <= count for found, count in zip(dealt.held_out, counts))
