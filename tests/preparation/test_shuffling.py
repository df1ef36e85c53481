"""crossinit_fairseq/preparation/shuffling.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.preparation import shuffling
from crossinit_fairseq.preparation.shuffling import Buckets, number_of


def through_buckets(folder, size, lines):
    with Buckets(str(folder / "parts"), size) as buckets:
        for source, line in lines:
            buckets.add(buckets.pack(source, [number_of(line, 1)], [line]))
        return list(buckets)


@pytest.mark.parametrize("size", [0, 5 << 26, 1 << 40])
@given(lines=st.lists(st.tuples(st.integers(0, 2), st.text("abc\t\r\u2028ș", max_size=3)), max_size=30))
def test_as_in_memory(tmp_path_factory, size, lines):
    expected, seen = [], set()
    for source, line in sorted(lines, key=lambda item: number_of(item[1], 1)):
        expected.append((source, line, line not in seen))
        seen.add(line)
    folder = tmp_path_factory.mktemp("buckets")
    assert through_buckets(folder, size, lines) == expected
    assert not list(folder.iterdir())


def test_number_of_buckets():
    assert [Buckets("x", size).count for size in (0, shuffling.BUCKET * 3 + 1, 1 << 50)] == [1, 3, 256]


def test_numbers_are_spread_by_seed():
    numbers = [number_of(str(k), 1) for k in range(2000)]
    assert len(set(numbers)) == 2000 and all(0 <= number < 1 << 64 for number in numbers)
    # 2,000 draws: half of them in the lower half, four standard deviations are 89
    assert abs(sum(number < 1 << 63 for number in numbers) - 1000) < 89
    assert numbers[:5] != [number_of(str(k), 2) for k in range(5)]


def test_what_a_killed_run_left_is_removed(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "000").write_text("0000000000000000\t0\told\n")
    assert through_buckets(tmp_path, 0, [(0, "new")]) == [(0, "new", True)]
