"""crossinit_fairseq/data/earlier_run.py"""

import argparse
import pathlib

import pytest

from crossinit_fairseq.data.dictionary_record import NAME, record_of
from crossinit_fairseq.data.earlier_run import of_another_run, starting_checkpoint


def test_where_training_starts_from(tmp_path):
    last, first, other = (str(tmp_path / name) for name in ("checkpoint_last.pt", "first.pt", "other.pt"))
    folder, default = str(tmp_path), "checkpoint_last.pt"
    for path in (first, other):
        pathlib.Path(path).touch()
    assert starting_checkpoint(folder, default, None) is None
    assert starting_checkpoint(folder, default, first) == first
    assert starting_checkpoint(folder, other, None) == other
    assert starting_checkpoint(folder, str(tmp_path / "missing.pt"), None) is None
    pathlib.Path(last).touch()
    assert starting_checkpoint(folder, default, first) == last, "a run that goes on goes on"


HEADER = {
    "cfg": {"task": {"_name": "crossinit_unmt"}, "model": argparse.Namespace(_name="mbart_base", encoder_layers=6)},
    "task_state": {NAME: record_of(["a", "[en]", "[ro]"], ["[en]", "[ro]"])},
}
OLD = {"args": argparse.Namespace(task="crossinit_unmt", arch="mbart_base", encoder_layers=6)}


@pytest.mark.parametrize(
    "options, languages, said",
    [
        ({"task": "crossinit_unmt", "arch": "mbart_base", "encoder-layers": "6", "lr": "1"}, ["ro", "en"], []),
        ({}, [], []),  # what is not known is not compared
        ({"task": "crossinit_mlm"}, [], ["--task crossinit_unmt, not crossinit_mlm"]),
        ({"arch": "bart_base"}, [], ["--arch mbart_base, not bart_base"]),
        ({"encoder-layers": "3", "decoder-layers": "3"}, [], ["--encoder-layers 6, not 3"]),
        ({}, ["fr", "en"], ["the languages en, ro, not en, fr"]),
        ({"task": "x"}, ["en"], ["--task crossinit_unmt, not x", "the languages en, ro, not en"]),
    ],
)
def test_a_run_of_another_kind(options, languages, said):
    found = of_another_run("c.pt", HEADER, options, languages)
    assert [one.why for one in found] == [
        f"c.pt is of a run of {one}, and this one would go on from it" for one in said
    ]
    assert all("--save-dir of its own" in one.remedy for one in found)
    # a checkpoint of fairseq before 0.11 says as much, but for its languages
    expected = [one for one in said if "languages" not in one]
    assert [
        one.why.split(" of a run of ")[1].split(", and")[0] for one in of_another_run("c.pt", OLD, options, languages)
    ] == expected
