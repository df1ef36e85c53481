""".ci/check_smoke.py: what the quickstart at its smallest size must have found is asked for."""

import copy
import json
import pathlib

import pytest

from tests.programs import modules_of

FILE = pathlib.Path(__file__).parents[1] / ".ci" / "check_smoke.py"
DIRECTIONS = ("en-ro", "ro-en")
SUMMARY = {
    "bleu": dict.fromkeys(DIRECTIONS, 0.2),
    "word_by_word": dict.fromkeys(DIRECTIONS, 4.0),
    "copying": dict.fromkeys(DIRECTIONS, 1.4),
    "chrf2": {
        "translation": dict.fromkeys(DIRECTIONS, 9.0),
        "copying": dict.fromkeys(DIRECTIONS, 24.0),
        "word_by_word": dict.fromkeys(DIRECTIONS, 35.0),
    },
    "minutes": {"total": 4},
}
VALID = {"valid_accuracy": "0.95"}
for direction in DIRECTIONS:
    VALID.update({f"valid_copied_{direction}": "0.08", f"valid_in_target_{direction}": "0.9"})
UPDATES = [{"nll_loss": loss, "bt_loss": "9"} for loss in ("12.8", "9.5", "6.2")]


def faults(folder, change):
    """change: a function that spoils the parts of a good run."""
    summary, valid, updates = copy.deepcopy((SUMMARY, VALID, UPDATES))
    change(summary, valid, updates)
    (folder / "logs").mkdir()
    (folder / "summary.json").write_text(json.dumps(summary))
    log = [f"now | INFO | train_inner | {json.dumps(line)}\n" for line in updates]
    log.append(f"now | INFO | valid | {json.dumps(valid)}\n")
    for stage in ("table", "translation"):
        (folder / "logs" / f"{stage}.log").write_text("".join(log))
    return modules_of(FILE.parent, "check_smoke")[0].faults(str(folder))


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda summary, valid, updates: None, ""),
        (lambda summary, valid, updates: summary["word_by_word"].update({"en-ro": 1.5}), "en-ro: BLEU of word by word"),
        (lambda summary, valid, updates: summary["chrf2"]["word_by_word"].update({"ro-en": 25.0}), "ro-en: chrF2"),
        (lambda summary, valid, updates: summary["chrf2"]["translation"].update({"ro-en": 1.0}), "ro-en: chrF2"),
        (lambda summary, valid, updates: valid.update({"valid_copied_en-ro": "0.97"}), "of the words copied"),
        (lambda summary, valid, updates: valid.update({"valid_in_target_en-ro": "0.1"}), "of the target"),
        (lambda summary, valid, updates: valid.update(valid_accuracy="0.1"), "the accuracy of the table is 0.1"),
        (lambda summary, valid, updates: updates[1].update(bt_loss=None), "updates without back-translation"),
        (lambda summary, valid, updates: updates[2].update(nll_loss="12.5"), "the loss went from 12.8 to 12.5"),
    ],
)
def test_what_is_asked_of_the_smoke_run(tmp_path, change, told):
    found = faults(tmp_path, change)
    assert len(found) == bool(told) and told in "".join(found)
