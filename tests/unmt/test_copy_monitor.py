"""crossinit_fairseq/unmt/copy_monitor.py"""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.unmt.copy_monitor import CopyMonitor, count_copies

SIZE = 10
TEXT_TOKENS = torch.tensor([False] * 4 + [True] * 6)  # 0 to 3 are special, 1 is padding
VOCABULARY = torch.tensor([False] * 6 + [True] * 4)  # 6 to 9 are of the target language


def padded(rows):
    longest = max(map(len, rows))
    return torch.tensor([row + [1] * (longest - len(row)) for row in rows])


def slowly(source, output):
    counts = Counter()
    for one, other in zip(source, output):
        one, other = ([token for token in row if token >= 4] for row in (one, other))
        counts["written"] += len(other)
        counts["copied"] += sum((Counter(one) & Counter(other)).values())
        counts["in_target"] += sum(token >= 6 for token in other)
        counts["source"] += len(one)
        counts["common"] += sum(token >= 6 for token in one)
    return {field: counts[field] for field in ("written", "copied", "in_target", "source", "common")}


def test_hand_worked():
    source = [[0, 4, 4, 5, 6, 2, 3], [0, 8, 2, 3]]
    # row 1: 4 is copied twice of three times, 6 once; row 2: 4 stands in the other row's source only
    output = [[4, 4, 4, 6, 7, 2], [4, 9, 2]]
    counts = count_copies(padded(source), padded(output), TEXT_TOKENS, VOCABULARY)
    assert counts == {"written": 7, "copied": 3, "in_target": 3, "source": 5, "common": 2}


rows = st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=7)


@given(st.lists(st.tuples(rows, rows), min_size=1, max_size=5))
def test_as_counted_slowly(pairs):
    source, output = ([list(row) for row in side] for side in zip(*pairs))
    assert count_copies(padded(source), padded(output), TEXT_TOKENS, VOCABULARY) == slowly(source, output)


def batch(copied, common=0.2, in_target=0.95):
    return {
        "written": 100,
        "copied": 100 * copied,
        "in_target": 100 * in_target,
        "source": 100,
        "common": 100 * common,
    }


def alarms(monitor, shares, common=0.2):
    return [number for number, share in enumerate(shares) if monitor.add("en-ro", batch(share, common))]


def test_an_alarm_half_way_between_what_is_common_and_a_copy():
    # common 0.2: the alarm is at 0.6
    assert alarms(CopyMonitor(window=10), [0.59] * 50) == []
    assert alarms(CopyMonitor(window=10), [0.61] * 50) == [9], "once, after a window"
    assert alarms(CopyMonitor(window=10), [0.79] * 50, common=0.6) == []
    assert alarms(CopyMonitor(window=10), [0.81] * 50, common=0.6) == [9]
    assert alarms(CopyMonitor(window=10), [1.0] * 50, common=0.95) == [], "one language, nearly"


def test_hysteresis():
    # under a quarter of the way, 0.4, it is armed again; at 0.5 it is not
    assert alarms(CopyMonitor(window=5), [0.9] * 30 + [0.5] * 30 + [0.9] * 30) == [4]
    found = alarms(CopyMonitor(window=5), [0.9] * 30 + [0.3] * 30 + [0.9] * 30)
    assert found[0] == 4 and len(found) == 2 and 60 < found[1] < 70


def test_an_alarm_for_another_language_that_is_no_copy():
    def told(copied, in_target, common=0.2):
        monitor = CopyMonitor(window=10)
        return [text for _ in range(50) for text in [monitor.add("en-ro", batch(copied, common, in_target))] if text]

    # common 0.2: the alarm is where less than 0.6 is of the target language
    assert told(0.1, 0.61) == []
    (text,) = told(0.1, 0.59)
    assert "the wrong language: 41 % of the tokens generated for en-ro" in text and "20 % of the source's" in text
    (text,) = told(0.7, 0.3)
    assert "copying: 70 %" in text
    assert told(0.1, 0.1, common=0.95) == [], "one language, nearly"


def test_both_alarms_where_one_follows_the_other():
    monitor = CopyMonitor(window=5)
    shares = [(0.9, 0.2)] * 30 + [(0.1, 0.2)] * 60 + [(0.1, 1.0)] * 60
    texts = [text for share in shares for text in [monitor.add("en-ro", batch(share[0], in_target=share[1]))] if text]
    assert ["copying" in text for text in texts] == [True, False]
    assert not monitor.alarmed["en-ro"]


def test_one_bad_batch_is_no_alarm():
    assert alarms(CopyMonitor(window=100), [0.2] * 150 + [1.0] * 5 + [0.2] * 50) == []


def test_directions_are_apart():
    monitor = CopyMonitor(window=4)
    texts = [
        monitor.add(direction, batch(share)) for _ in range(8) for direction, share in (("a-b", 0.9), ("b-a", 0.1))
    ]
    (text,) = [text for text in texts if text]
    assert "90 % of the tokens generated for a-b" in text and "20 %" in text and "--restrict-vocab-updates" in text


def test_batches_of_several_processes_count_as_many():
    def mean(calls, batches):
        monitor = CopyMonitor(window=10)
        for _ in range(calls):
            monitor.add("a-b", {field: batches * value for field, value in batch(0.5).items()}, batches)
        return monitor.means["a-b"]["copied"] / monitor.means["a-b"]["written"], monitor.batches["a-b"]

    assert mean(8, 1) == pytest.approx((0.5, 8)) and mean(2, 4) == pytest.approx((0.5, 8))


def test_nothing_written_is_no_verdict():
    monitor = CopyMonitor(window=1)
    assert monitor.add("a-b", dict(batch(0), written=0)) is None and not monitor.means
