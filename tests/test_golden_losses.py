"""The losses of the first 100 updates of every task, as they were: what changes them unseen is a fault.

They depend on the version of torch, in its random numbers and its arithmetic, and with torch 1.13.1 on the maker of the
processor: it draws dropout by MKL on those of Intel alone. After a change that is meant,
`python -m tests.test_golden_losses` writes those of the installed version anew, and the changelog says why.
"""

import json
import pathlib
import tempfile

import numpy as np
import pytest
import torch

from tests.toy_runs import TASKS, ended, fine_tuning_folder, forked, losses, train

FILE = pathlib.Path(__file__).with_name("golden_losses.json")
VERSION = torch.__version__.split("+")[0]
CPUINFO = pathlib.Path("/proc/cpuinfo")
UPDATES = 100
SMALLER = {
    "crossinit_mlm": "--max-tokens 200",
    "crossinit_denoising": "--max-tokens 200",
    "crossinit_unmt": "--max-tokens 60",
}


def golden():
    return json.loads(FILE.read_text("utf-8"))


def recorded_as(version=VERSION):
    """The name of the recording that is for this torch and this machine."""
    if version != "1.13.1":
        return version
    intel = CPUINFO.exists() and "GenuineIntel" in CPUINFO.read_text()
    return f"{version}, {'Intel' if intel else 'not Intel'}"


def losses_of(task, data_folder, folder):
    """float64 [100]."""
    data = fine_tuning_folder(folder) if TASKS[task].fine_tuned else data_folder
    options = f"--num-workers 0 --max-update {UPDATES} --no-save {SMALLER.get(task, '')}"
    assert ended(forked(train(task, data, folder / "run", options, folder / "log"))) == 0, (folder / "log").read_text()
    assert '"bt_loss": null' not in (folder / "log").read_text(), "back-translation is trained on, too"
    return np.array(losses(folder / "log"))


def check_losses(found, expected):
    """The first 20 as far as a log's three decimals go; later ones may drift a little with the processor."""
    assert len(found) == len(expected) == UPDATES
    np.testing.assert_allclose(found[:20], expected[:20], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found, expected, rtol=0.03, atol=0.02)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_losses_are_those_that_were_recorded(task, data_folder, tmp_path):
    if recorded_as() not in golden():
        pytest.skip(f"losses are recorded for torch {'; '.join(golden())}; not for {recorded_as()}")
    check_losses(losses_of(task, data_folder, tmp_path), golden()[recorded_as()][task])


def test_each_task_is_recorded_and_learns():
    for version, recorded in golden().items():
        assert sorted(recorded) == sorted(TASKS), version
        for task, values in recorded.items():
            assert np.mean(values[-10:]) < 0.97 * np.mean(values[:10]), (version, task)


def test_what_drifts_is_told_from_what_changed():
    expected = np.linspace(5, 4, UPDATES)
    check_losses(expected * 1.0005, expected)
    late = expected * np.where(np.arange(UPDATES) < 50, 1, 1.02)
    check_losses(late, expected)
    for changed in (expected * 1.005, expected * np.where(np.arange(UPDATES) < 50, 1, 1.04), expected[:-1]):
        with pytest.raises(AssertionError):
            check_losses(changed, expected)


def record():
    """Write the losses of the installed torch into the file, beside those of others."""
    from tests.conftest import toy_data_folder

    recorded = golden() if FILE.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        data = toy_data_folder(pathlib.Path(folder))
        found = recorded[recorded_as()] = {}
        for task in sorted(TASKS):
            work = pathlib.Path(folder) / task
            work.mkdir()
            found[task] = losses_of(task, data, work).tolist()
    FILE.write_text(json.dumps(recorded).replace("], ", "],\n ") + "\n", "utf-8")


if __name__ == "__main__":
    record()
