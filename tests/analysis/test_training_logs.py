import json

import pytest

from crossinit_fairseq.analysis.training_logs import read_curve
from crossinit_fairseq.errors import InputError


def line(kind, **statistics):
    return f"2026-01-01 00:00:00 | INFO | {kind} | {json.dumps(statistics)}\n"


def test_the_losses_of_a_log_by_updates(tmp_path):
    path = tmp_path / "log"
    path.write_text(
        line("train_inner", num_updates="10", loss="3")
        + line("valid", valid_num_updates="20", valid_loss="2.5")
        + line("valid", valid_num_updates="40", valid_loss="2")
        + '| valid | {"valid_num_updates": "60", "valid_lo\n'
        + "\x00\xff noise\n"
        # interrupted after 40, gone on from 20
        + line("valid", valid_num_updates="40", valid_loss="1.5"),
        encoding="utf-8",
    )
    found = read_curve("span 1000", str(path))
    assert found.figure == "valid_loss" and found.updates == [20, 40] and found.values == [2.5, 1.5]
    assert found.damaged == 1
    assert read_curve("x", str(path), ["loss"]).values == [3.0]


def test_a_figure_with_several_points_goes_before_one_with_a_single_point(tmp_path):
    path = tmp_path / "log"
    path.write_text(
        line("valid", valid_num_updates="20", valid_loss="2")
        + line("train_inner", num_updates="10", loss="3")
        + line("train_inner", num_updates="20", loss="2.9"),
        encoding="utf-8",
    )
    assert read_curve("x", str(path)).figure == "loss"


def test_logs_without_figures_are_refused(tmp_path):
    path = tmp_path / "log"
    path.write_text('| valid | {"valid_num_upd\n', encoding="utf-8")
    with pytest.raises(InputError, match="1 of whose lines of statistics are damaged holds none of valid_coarse_loss"):
        read_curve("x", str(path))
    with pytest.raises(InputError, match="nowhere cannot be read"):
        read_curve("x", str(tmp_path / "nowhere"))
