"""crossinit_fairseq/doctor/checkpoints.py, and the whole command."""

import argparse
import subprocess
import sys

import pytest
import torch

from crossinit_fairseq.checkpoint_files import save_checkpoint_file
from crossinit_fairseq.cli import doctor
from crossinit_fairseq.data.dictionary import read_symbols
from crossinit_fairseq.data.dictionary_record import NAME, record_of
from crossinit_fairseq.doctor.checkpoints import check_checkpoint_file
from crossinit_fairseq.doctor.command import Machine
from crossinit_fairseq.doctor.findings import FINE, WARNING, WRONG

SYMBOLS = ["<s>", "<pad>", "</s>", "<unk>", "a", "[en]", "<mask>"]


def save(path, symbols=SYMBOLS, rows=7, value=1.0, updates=5):
    state = {
        "cfg": {
            "task": {"_name": "crossinit_unmt"},
            "model": argparse.Namespace(_name="mbart_base", task="crossinit_unmt"),
        },
        "task_state": {}
        if symbols is None
        else {NAME: record_of(symbols, [symbol for symbol in symbols if symbol[0] == "["])},
        "optimizer_history": [{"num_updates": updates}],
        "model": {"encoder.embed_tokens.weight": torch.full((rows, 2), value)},
    }
    save_checkpoint_file(state, str(path))
    return str(path)


def bad(path, symbols=SYMBOLS):
    found = check_checkpoint_file(str(path), Machine(), symbols, "data")
    return [(finding.level, finding.what, finding.remedy) for finding in found if finding.level != FINE]


def test_what_is_right(tmp_path):
    path = save(tmp_path / "a.pt")
    assert bad(path) == bad(path, None) == []
    assert "a.pt: whole; crossinit_unmt, mbart_base, after 5 updates" in check_checkpoint_file(path, Machine())[0].what


def test_what_is_not(tmp_path):
    ((level, what, _),) = bad(save(tmp_path / "a.pt", SYMBOLS[:5] + ["b", "[en]"]))
    assert level == WRONG and "[en] is row 6 there and row 5 here" in what
    ((level, what, _),) = bad(save(tmp_path / "a.pt", symbols=None))
    assert level == WARNING and "does not say which dictionary" in what
    ((level, what, _),) = bad(save(tmp_path / "a.pt", rows=8))
    assert level == WRONG and "have 8 rows, data/dict.txt has 7 symbols" in what
    ((level, what, remedy),) = bad(save(tmp_path / "a.pt", value=float("inf")))
    assert level == WRONG and "not finite: the run diverged" in what and remedy == "start from an earlier one"
    save(tmp_path / "checkpoint_1_3.pt", updates=3)
    whole = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(whole[:-200])
    ((level, what, remedy),) = bad(tmp_path / "a.pt")
    assert level == WRONG and "is damaged" in what and remedy.endswith("checkpoint_1_3.pt, of 3 updates")
    assert bad(tmp_path / "no.pt")[0][0] == WRONG


def test_the_command_says_all_of_it_and_its_status_tells(data_folder, tmp_path, capsys):
    symbols = read_symbols(str(data_folder / "dict.txt"))
    path = save(tmp_path / "a.pt", symbols, rows=len(symbols))
    assert doctor.main([str(data_folder), path]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if not line.startswith("  ")][:4] == [
        "installation", "machine", f"data folder {data_folder}", f"checkpoint {path}"
    ]  # fmt: skip
    words = [
        "--",
        "fairseq-train",
        str(data_folder),
        "--arch",
        "transformer",
        "--finetune-from-model",
        path,
        "--fp16",
        "--save-dir",
        str(tmp_path / "new"),
    ]
    assert doctor.main(words) == 1
    out = capsys.readouterr().out
    assert f"checkpoint {path}: whole" in out.replace("  ok       ", "checkpoint ") and "disk and locks" in out
    # with an older torch checkpoints load without the repairs
    new = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 6)
    assert f"  {WRONG if new else WARNING:9}--user-dir is not given" in out and "           -> add --user-dir" in out
    assert "WRONG    --arch transformer does not take" in out and "of mbart_base" in out
    expected = 1 + new + (not torch.cuda.is_available())  # with a GPU, --fp16 is right
    assert out.splitlines()[-1].startswith(f"{expected} wrong")
    assert doctor.main([str(tmp_path / "no.pt")]) == 1
    with pytest.raises(SystemExit) as caught:
        doctor.main(["--nope"])
    assert caught.value.code == 2
    assert doctor.main(["--", "python"]) == 1
    assert "crossinit-doctor: error: 'python' is no command of fairseq" in capsys.readouterr().err


def test_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "crossinit_fairseq.cli.doctor", "--help"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    assert done.returncode == 0 and "crossinit-doctor -- fairseq-train data-bin" in done.stdout
