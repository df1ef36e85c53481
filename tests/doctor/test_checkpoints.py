"""crossinit_fairseq/doctor/checkpoints.py, and the whole command."""

import argparse
import subprocess
import sys

import pytest
import torch

from crossinit_fairseq import checkpoint_files
from crossinit_fairseq.checkpoint_files import save_checkpoint_file
from crossinit_fairseq.cli import doctor
from crossinit_fairseq.data.dictionary import read_symbols
from crossinit_fairseq.data.dictionary_record import NAME, record_of
from crossinit_fairseq.doctor.checkpoints import check_checkpoint_file, check_earlier_run
from crossinit_fairseq.doctor.command import Machine, check_command, read_command
from crossinit_fairseq.doctor.findings import FINE, WARNING, WRONG
from tests.conftest import USER_DIR
from tests.toy_runs import TASKS

HEADER_OF_ZIP = checkpoint_files._header_of_zip
SYMBOLS = ["<s>", "<pad>", "</s>", "<unk>", "a", "[en]", "<mask>"]


def save(path, symbols=SYMBOLS, rows=7, value=1.0, updates=5):
    state = {
        "cfg": {
            "task": {"_name": "crossinit_unmt"},
            "model": argparse.Namespace(_name="mbart_base", task="crossinit_unmt", encoder_layers=6),
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
    # roberta's dictionary gets <mask> while it is trained, if its file has none, as XLM-R's; nothing else is right then
    roberta = save(tmp_path / "a.pt", SYMBOLS[:5] + ["<mask>"], rows=6)
    assert bad(roberta, SYMBOLS[:5]) == []
    ((level, what, _),) = bad(save(tmp_path / "a.pt", SYMBOLS[:5], rows=7), SYMBOLS[:5])
    assert level == WRONG and "have 7 rows, data/dict.txt has 5 symbols" in what
    ((level, what, remedy),) = bad(save(tmp_path / "a.pt", value=float("inf")))
    assert level == WRONG and "not finite: the run diverged" in what and remedy == "start from an earlier one"
    save(tmp_path / "checkpoint_1_3.pt", updates=3)
    whole = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(whole[:-200])
    ((level, what, remedy),) = bad(tmp_path / "a.pt")
    assert level == WRONG and "is damaged" in what and remedy.endswith("checkpoint_1_3.pt, of 3 updates")
    assert bad(tmp_path / "no.pt")[0][0] == WRONG


def test_a_file_of_torch_before_1_6(tmp_path):
    """As mBART's is."""
    path = str(tmp_path / "old.pt")
    args = argparse.Namespace(arch="mbart_large", task="translation_from_pretrained_bart", data="d")
    torch.save({"args": args, "model": {"w": torch.ones(2)}}, path, _use_new_zipfile_serialization=False)
    found = check_checkpoint_file(path, Machine())
    assert [finding.level for finding in found] == [FINE, WARNING] and "of a stock task" in found[1].what
    assert found[0].what == f"{path}: whole; translation_from_pretrained_bart, mbart_large"
    torch.save({"model": {"w": torch.ones(2)}}, path)
    (finding,) = check_checkpoint_file(path, Machine())
    assert finding.level == WRONG and "does not say how its model was trained" in finding.what


def earlier(folder, words, symbols=SYMBOLS, data="data"):
    command = read_command(("fairseq-train data " + words).split()) if words is not None else None
    return [(one.level, one.what, one.remedy) for one in check_earlier_run(folder, command, Machine(), symbols, data)]


def test_a_save_dir_that_belongs_to_another_run(tmp_path):
    folder = str(tmp_path)
    assert earlier(folder, "--task crossinit_unmt") == []
    path = save(tmp_path / "checkpoint_last.pt")
    same = "--task crossinit_unmt --arch mbart_base --langs en"
    for words in (same, "--task crossinit_unmt", None):
        ((level, what, _),) = earlier(folder, words)
        assert level == FINE and what.endswith(f"goes on from {path} (crossinit_unmt, mbart_base, after 5 updates)")
    for words, said in (
        (same.replace("unmt", "mlm"), "--task crossinit_unmt, not crossinit_mlm"),
        (same.replace("mbart_base", "transformer"), "--arch mbart_base, not transformer"),
        (same.replace("en", "en,ro"), "the languages en, not en, ro"),
        (same + " --encoder-layers 3", "--encoder-layers 6, not 3"),
    ):
        ((level, what, remedy),) = earlier(folder, words)
        assert level == WRONG and what == f"{path} is of a run of {said}, and this one would go on from it"
        assert "--save-dir" in remedy and "--finetune-from-model" in remedy
    # languages that no option names are those of the data folder
    for language in ("en", "ro"):
        (tmp_path / "data" / language).mkdir(parents=True)
        (tmp_path / "data" / language / "train.idx").touch()
    ((level, what, _),) = earlier(folder, "--task crossinit_unmt", data=str(tmp_path / "data"))
    assert level == WRONG and "the languages en, not en, ro" in what
    # which going on is meant
    for more in ("--restore-file x.pt", "--reset-optimizer"):
        assert earlier(folder, same.replace("unmt", "mlm") + " " + more) == []
    ((level, what, _),) = earlier(folder, same + " --finetune-from-model x.pt")
    assert level == WARNING and what.endswith("and does not read --finetune-from-model")
    assert [one[0] for one in earlier(folder, same + " --max-update 6")] == [FINE]
    ((level, what, _),) = earlier(folder, same + " --max-update 5")
    assert level == WARNING and what.endswith("and has nothing left to do: --max-update is 5")
    ((level, what, _),) = earlier(folder, same, SYMBOLS[:4] + ["b", "[en]", "<mask>"])
    assert level == WRONG and "was trained with another dictionary than data/dict.txt" in what
    whole = (tmp_path / "checkpoint_last.pt").read_bytes()
    (tmp_path / "checkpoint_last.pt").write_bytes(whole[:-100])
    ((level, _, remedy),) = earlier(folder, same)
    assert (level, remedy) == (WRONG, "remove it, or give another --save-dir")
    save(tmp_path / "checkpoint_1_3.pt", updates=3)
    ((level, _, remedy),) = earlier(folder, same)
    assert level == WARNING and remedy.endswith("checkpoint_1_3.pt, of 3 updates")


def test_a_checkpoint_is_read_once(tmp_path, monkeypatch):
    path, read = save(tmp_path / "checkpoint_last.pt"), []
    monkeypatch.setattr(checkpoint_files, "_header_of_zip", lambda path: read.append(path) or HEADER_OF_ZIP(path))
    assert bad(path) == [] and earlier(str(tmp_path), "--task crossinit_unmt")[0][0] == FINE
    command = read_command(f"fairseq-train data --arch transformer --finetune-from-model {path}".split())
    assert any("does not take" in one.what for one in check_command(command, Machine()))
    assert read == [path]
    save(path, updates=70)  # another one of that name
    assert "after 70 updates" in check_checkpoint_file(path, Machine())[0].what and read == [path, path]


def test_the_command_looks_at_the_save_dir(data_folder, tmp_path, capsys):
    symbols = read_symbols(str(data_folder / "dict.txt"))
    save(tmp_path / "checkpoint_last.pt", symbols, rows=len(symbols))
    words = [str(data_folder), "--save-dir", str(tmp_path)]
    assert doctor.main(words) == 0 and "goes on from" in capsys.readouterr().out
    assert doctor.main([*words, "--", "fairseq-train", str(data_folder), "--task", "crossinit_mlm"]) == 1
    assert (
        "is of a run of --task crossinit_unmt, not crossinit_mlm, and this one would go on from it"
        in capsys.readouterr().out
    )


def test_a_reader_that_has_seen_enough(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_examine", lambda *arguments: (_ for _ in ()).throw(BrokenPipeError))
    monkeypatch.setattr(doctor.commands, "_forget_output", lambda: None)
    assert doctor.main([]) == 1 and capsys.readouterr().err == ""


def test_variables_before_the_command_are_the_runs(data_folder, tmp_path, monkeypatch, capsys):
    """As the folder for the sockets of its workers."""
    monkeypatch.setenv("TMPDIR", "/tmp")  # and later as before
    words = ["fairseq-train", str(data_folder), "--user-dir", str(USER_DIR), *"--task crossinit_mlm".split()]
    words += "--criterion masked_lm --arch xlm_tiny_3 --langs aa,bb --max-tokens 600 --disable-validation".split()
    long = tmp_path / (80 * "x")
    long.mkdir()
    assert doctor.main(["--", f"TMPDIR={long}", *words]) == 1
    assert f"WRONG    fairseq-train would end: the folder for temporary files, {long}" in capsys.readouterr().out


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
        "--max-tokens",
        "9",
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


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU, --fp16 is right")
def test_what_a_rule_and_the_task_say_is_said_once_and_no_folder_is_left(data_folder, tmp_path, capsys, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    words = f"-- fairseq-train {data_folder} --user-dir {USER_DIR} --save-dir {tmp_path}/new --data-buffer-size 0 "
    words += "--num-workers 0 "
    words += f"--required-batch-size-multiple 1 --optimizer adam --fp16 {TASKS['crossinit_denoising'].options}"
    assert doctor.main(words.split()) == 1
    assert capsys.readouterr().out.count("--fp16 needs a GPU, and torch sees none here") == 1
    assert doctor.main(words.replace("--fp16", "").split()) == 0
    assert not any((tmp_path / "tmp").iterdir()), "torch makes torchinductor_USER for its compiler"


def test_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "crossinit_fairseq.cli.doctor", "--help"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    assert done.returncode == 0 and "crossinit-doctor -- fairseq-train data-bin" in done.stdout
