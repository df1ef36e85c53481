"""Dealing out aligned text so that unsupervised training sees no translation: what shares a string goes together.

Aligned lines are pairs of keys, one key a side (such as `comparable` of the line). "Open" may have two translations, of
which one also translates "Opened": all three pairs hang together, and all go to one side, or none is trained on.
"""

from typing import Dict, Hashable, List, NamedTuple, Sequence, Tuple

Keys = Tuple[Hashable, Hashable]


class Dealt(NamedTuple):
    """Numbers of pairs, rising in each list. held_out: [dev, test, ...] as many lists as were asked for; first, second:
    pairs of which the first, or the second, side alone is trained on; dropped: pairs that nothing may use."""

    held_out: List[List[int]]
    first: List[int]
    second: List[int]
    dropped: List[int]


def connected_pairs(pairs: Sequence[Keys]) -> List[List[int]]:
    """The numbers of the pairs in groups: two pairs with the same first key, or the same second key, are in one group.

    The groups come in the order of their first pair, and the pairs in their order.
    """
    parent: Dict[Tuple[int, Hashable], Tuple[int, Hashable]] = {}

    def root(node: Tuple[int, Hashable]) -> Tuple[int, Hashable]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for first, second in pairs:
        parent[root((0, first))] = root((1, second))
    groups: Dict[Tuple[int, Hashable], List[int]] = {}
    for number, (first, _) in enumerate(pairs):
        groups.setdefault(root((0, first)), []).append(number)
    return list(groups.values())


def deal(pairs: Sequence[Keys], held_out: Sequence[int], barred: Sequence[Keys] = ()) -> Dealt:
    """Deal pairs out, in their order: some to hold out, of the others one side alone each.

    held_out: how many pairs each held-out set gets, if there are as many groups; from each group one pair at most, and
    the rest of such a group is dropped. Groups of one pair are taken first. barred: pairs that are held out already,
    such as a test set of the user's: what hangs together with them is dropped. Of the groups left, the largest first,
    each goes to the side that has fewer pairs.
    """
    groups = connected_pairs(list(pairs) + list(barred))
    free = [group for group in groups if group[-1] < len(pairs)]
    dropped = [number for group in groups if group[-1] >= len(pairs) for number in group if number < len(pairs)]
    by_size = sorted(free, key=len)  # stable
    sets: List[List[int]] = []
    for count in held_out:
        taken, by_size = by_size[:count], by_size[count:]
        sets.append(sorted(group[0] for group in taken))
        dropped += [number for group in taken for number in group[1:]]
    first: List[int] = []
    second: List[int] = []
    for group in sorted(by_size, key=len, reverse=True):
        (first if len(first) <= len(second) else second).extend(group)
    return Dealt(sets, sorted(first), sorted(second), sorted(dropped))
