"""crossinit_fairseq/checkpoint_files.py, checkpoint_pickles.py"""

import argparse
import collections
import io
import os
import pickle
import random
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq import checkpoint_pickles
from crossinit_fairseq.checkpoint_files import (
    check_whole,
    load_checkpoint_file,
    newest_whole,
    read_header,
    save_checkpoint_file,
    updates_of,
)
from crossinit_fairseq.checkpoint_pickles import TRUST
from crossinit_fairseq.errors import InputError


def state_of(updates=3):
    """What fairseq puts into checkpoints, with each kind of object that it was seen to put there."""
    from omegaconf import OmegaConf

    parameter = torch.nn.Parameter(torch.arange(6, dtype=torch.float32).view(2, 3))
    return {
        "args": argparse.Namespace(arch="mbart_base", lr=[0.1], langs="en,ro"),
        "cfg": {"task": argparse.Namespace(data="d"), "model": OmegaConf.create({"layers": 3, "names": ["a", None]})},
        "model": collections.OrderedDict(
            weight=torch.ones(4, 2), half=torch.ones(3).half(), bfloat=torch.ones(3).bfloat16()
        ),
        "parameter": parameter,
        "optimizer_history": [{"num_updates": updates, "best_loss": np.float64(1.5)}],
        "extra_state": {
            "val_loss": np.float32(2.5),
            "array": np.arange(3),
            "updates": {1, 2},
            "shape": torch.Size([2, 3]),
        },  # fmt: skip
        "last_optimizer_state": {"state": {0: {"step": torch.tensor(3)}}, "dtype": torch.float32},
    }


@pytest.fixture
def path(tmp_path):
    save_checkpoint_file(state_of(), str(tmp_path / "checkpoint_1_3.pt"))
    return str(tmp_path / "checkpoint_1_3.pt")


def test_what_fairseq_stores_comes_back(path):
    state, wanted = load_checkpoint_file(path), state_of()
    assert state["args"] == wanted["args"] and state["cfg"] == wanted["cfg"]
    for name, value in wanted["model"].items():
        assert torch.equal(state["model"][name], value) and state["model"][name].dtype == value.dtype
    assert torch.equal(state["parameter"], wanted["parameter"]) and state["parameter"].requires_grad
    assert state["optimizer_history"] == wanted["optimizer_history"]
    assert state["extra_state"]["array"].tolist() == [0, 1, 2]
    assert {key: state["extra_state"][key] for key in ("val_loss", "updates", "shape")} == {
        "val_loss": 2.5, "updates": {1, 2}, "shape": torch.Size([2, 3])
    }  # fmt: skip
    assert state["last_optimizer_state"]["dtype"] is torch.float32


def test_the_form_of_torch_before_1_6_is_read(tmp_path):
    path = str(tmp_path / "old.pt")
    state = {"model": {"a": torch.ones(2)}, "args": argparse.Namespace(b=1)}
    torch.save(state, path, _use_new_zipfile_serialization=False)
    assert load_checkpoint_file(path)["args"].b == 1
    with pytest.raises(InputError, match="gone.pt cannot be read: No such file"):
        read_header(str(tmp_path / "gone.pt"))
    header = read_header(path)
    assert header["args"].b == 1 and header["model"] == {"a": None}
    whole = (tmp_path / "old.pt").read_bytes()
    for broken in (whole[:20], whole[:200], whole.replace(b"Namespace", b"Namedtuple"), pickle.dumps({"model": {}})):
        (tmp_path / "broken.pt").write_bytes(broken)
        with pytest.raises(
            InputError, match="broken.pt (is damaged, or no checkpoint|was not loaded: it names argpar)"
        ):
            read_header(str(tmp_path / "broken.pt"))


def test_the_header_reads_no_tensor(path, monkeypatch):
    with zipfile.ZipFile(path) as archive:
        assert any("/data/" in name for name in archive.namelist())
    header = read_header(path)
    assert header["model"] == {"weight": None, "half": None, "bfloat": None} and header["args"].langs == "en,ro"
    assert updates_of(header) == 3 and updates_of({}) == updates_of({"optimizer_history": []}) == -1


@pytest.mark.parametrize("part", ["cfg", "model", "task_state", "extra_state"])
@pytest.mark.parametrize("value", [5, [1], "text"])
def test_a_part_of_another_kind(tmp_path, part, value):
    path = tmp_path / "odd.pt"
    torch.save({"model": {}, "cfg": None, part: value}, str(path))
    with pytest.raises(InputError, match=f"odd.pt is no checkpoint of fairseq: its {part} is a {type(value).__name__}"):
        read_header(str(path))


class Call:
    """Pickled, it calls a function when it is read."""

    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


def touch(path):
    open(path, "w").close()


def dotted(module, name):
    """A pickle of protocol 4 that names an attribute of an attribute of a module."""
    texts = [b"X" + struct.pack("<I", len(text)) + text.encode() for text in (module, name)]
    return b"\x80\x04" + b"".join(texts) + b"\x93."


@pytest.mark.parametrize(
    "function, arguments, said",
    [  # by their names in the old protocol that torch writes
        (os.system, "touch {}", "posix.system"),
        (eval, "open({!r}, 'w')", "__builtin__.eval"),
        (exec, "open({!r}, 'w')", "__builtin__.exec"),
        (getattr, "{}", "__builtin__.getattr"),
        (torch.load, "{}", "torch.serialization.load"),
        (torch.storage._load_from_bytes, "{}", "torch.storage._load_from_bytes"),
        (subprocess.Popen, "{}", "commands.Popen"),
        (touch, "{}", "tests.test_checkpoint_files.touch"),
    ],
)
@pytest.mark.parametrize("old_form", [False, True])
def test_code_is_refused_before_it_runs(tmp_path, function, arguments, said, old_form):
    victim, path = str(tmp_path / "victim"), str(tmp_path / "c.pt")
    call = Call(function, arguments.format(victim))
    torch.save({"model": {}, "extra_state": call}, path, _use_new_zipfile_serialization=not old_form)
    for read in [load_checkpoint_file] + ([] if old_form else [read_header]):
        with pytest.raises(InputError, match=rf"c.pt was not loaded: it names ({said}),.* {TRUST}=1"):
            read(path)
    assert not os.path.exists(victim)


def test_only_plain_names_are_storages(tmp_path):
    """Protocol 4 may name an attribute of an attribute."""
    for name in ("hub.download_Storage", "FloatStorage.from_file", "utils.x.Storage"):
        with pytest.raises(pickle.UnpicklingError, match="torch." + name):
            checkpoint_pickles.restricted_load(io.BytesIO(dotted("torch", name)))
    assert checkpoint_pickles.Unpickler(io.BytesIO()).find_class("torch", "HalfStorage") is torch.HalfStorage


def test_the_variable_trusts(tmp_path, monkeypatch):
    path = str(tmp_path / "c.pt")
    torch.save({"model": {}, "extra_state": Call(touch, str(tmp_path / "ran"))}, path)
    monkeypatch.setenv(TRUST, "1")
    for read in (load_checkpoint_file, read_header):
        read(path)
        os.remove(tmp_path / "ran")


def test_a_file_cut_anywhere_is_refused(path, tmp_path):
    whole = open(path, "rb").read()
    rng = random.Random(1)
    cut = str(tmp_path / "cut.pt")
    for size in [0, 1, 3, 4, 5, len(whole) - 1, len(whole) - 30] + [rng.randrange(len(whole)) for _ in range(60)]:
        open(cut, "wb").write(whole[:size])
        for read in (load_checkpoint_file, check_whole):
            with pytest.raises(InputError, match="cut.pt is (empty|damaged|no checkpoint)"):
                read(cut)


def test_a_byte_changed_in_any_part_is_noticed(path, tmp_path):
    whole = open(path, "rb").read()
    rng, changed = random.Random(2), str(tmp_path / "changed.pt")
    with zipfile.ZipFile(path) as archive:
        parts = [(part.header_offset, part.file_size) for part in archive.infolist()]
    for header, size in parts:
        name, extra = struct.unpack("<HH", whole[header + 26 : header + 30])
        for _ in range(3):
            content = bytearray(whole)
            content[header + 30 + name + extra + rng.randrange(size)] ^= 1 << rng.randrange(8)
            open(changed, "wb").write(bytes(content))
            with pytest.raises(InputError, match="changed.pt is damaged"):
                check_whole(changed)


def test_a_bit_changed_in_the_directory_changes_no_content(tmp_path):
    """The archive's directory has no checksum: what is changed there is noticed, or means nothing."""
    whole, changed = str(tmp_path / "whole.pt"), str(tmp_path / "changed.pt")
    torch.save({"model": torch.arange(1.0, 40.0)}, whole)
    content, noticed = open(whole, "rb").read(), 0
    with zipfile.ZipFile(whole) as archive:
        begin = archive.start_dir
    for place in range(begin, len(content)):
        for bit in (0, 4, 7):  # the fourth makes a part a folder, whose content torch does not read
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            with open(changed, "wb") as stream:
                stream.write(damaged)
            try:
                state = load_checkpoint_file(changed)
            except InputError:
                noticed += 1
            else:
                assert state["model"].equal(torch.arange(1.0, 40.0)), (place - begin, bit)
    assert noticed > len(content) - begin


@given(st.data())
def test_damage_of_any_kind_ends_in_a_sentence(tmp_path_factory, data):
    """Bytes changed, parts repeated or left out: an InputError, or the whole content."""
    folder = tmp_path_factory.mktemp("damage")
    path = str(folder / "c.pt")
    torch.save({"model": {"a": torch.arange(5.0)}, "optimizer_history": [{"num_updates": 1}]}, path)
    content = bytearray(open(path, "rb").read())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        what = data.draw(st.sampled_from(["change", "cut out", "zeros", "double"]))
        length = data.draw(st.integers(1, 64))
        if what == "change":
            content[at] ^= data.draw(st.integers(1, 255))
        elif what == "cut out":
            del content[at : at + length]
        elif what == "zeros":
            content[at : at + length] = bytes(len(content[at : at + length]))
        else:
            content[at:at] = content[at : at + length]
        if not content:
            content = bytearray(b"P")
    open(path, "wb").write(bytes(content))
    for read in (load_checkpoint_file, read_header):
        try:
            state = read(path)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert read is read_header or torch.equal(state["model"]["a"], torch.arange(5.0))


def test_other_files(tmp_path):
    with pytest.raises(InputError, match="nothere.pt is no file"):
        load_checkpoint_file(str(tmp_path / "nothere.pt"))
    for content, said in ((b"text\n", "no checkpoint of fairseq, or its beginning"), (b"", "is empty")):
        (tmp_path / "a.pt").write_bytes(content)
        with pytest.raises(InputError, match=said):
            load_checkpoint_file(str(tmp_path / "a.pt"))
    with zipfile.ZipFile(tmp_path / "z.pt", "w") as archive:
        archive.writestr("readme", "a document")
    with pytest.raises(InputError, match="z.pt is damaged, or no checkpoint of fairseq"):
        load_checkpoint_file(str(tmp_path / "z.pt"))
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(tmp_path / "script.pt"))
    with pytest.raises(InputError, match="is a program of TorchScript"):
        load_checkpoint_file(str(tmp_path / "script.pt"))


def test_files_without_checksums_are_read(tmp_path):
    options = getattr(torch.serialization, "set_crc32_options", None)
    if options is None:
        pytest.skip("this torch always computes them")
    options(False)
    try:
        torch.save(state_of(), str(tmp_path / "c.pt"))
    finally:
        options(True)
    assert load_checkpoint_file(str(tmp_path / "c.pt"))["args"].langs == "en,ro"


def test_the_newest_whole_checkpoint(tmp_path):
    folder = str(tmp_path)
    assert newest_whole(folder) is None and newest_whole(str(tmp_path / "nothere")) is None
    for name, updates in (
        ("checkpoint_1_10", 10),
        ("checkpoint_1_9", 9),
        ("checkpoint1", 8),
        ("checkpoint_last", 12),
        ("checkpoint2-shard0", 13),
        ("other", 14),
    ):
        save_checkpoint_file(state_of(updates), str(tmp_path / f"{name}.pt"))
    assert newest_whole(folder) == (str(tmp_path / "checkpoint_1_10.pt"), 10)
    assert newest_whole(folder, "-shard0") == (str(tmp_path / "checkpoint2-shard0.pt"), 13)
    # by the updates, whatever the times of the files; a damaged one is passed over
    os.utime(tmp_path / "checkpoint1.pt", (2**31, 2**31))
    content = (tmp_path / "checkpoint_1_10.pt").read_bytes()
    (tmp_path / "checkpoint_1_10.pt").write_bytes(content[:-500])
    (tmp_path / "checkpoint3.pt").write_bytes(b"")
    assert newest_whole(folder) == (str(tmp_path / "checkpoint_1_9.pt"), 9)
    # a tensor is damaged, the header is whole
    content = bytearray((tmp_path / "checkpoint_1_9.pt").read_bytes())
    at = content.find(struct.pack("<f", 1.0) * 8)
    content[at] ^= 1
    (tmp_path / "checkpoint_1_9.pt").write_bytes(bytes(content))
    assert newest_whole(folder) == (str(tmp_path / "checkpoint1.pt"), 8)


FULL = """
import resource, signal, sys, torch
from crossinit_fairseq.checkpoint_files import save_checkpoint_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
save_checkpoint_file({"a": torch.zeros(1000), "b": [torch.zeros(3000)] * 3}, sys.argv[1])
"""


@pytest.mark.parametrize("size", [0, 100, 5000, 15000])
def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path, size):
    path = tmp_path / "c.pt"
    path.write_text("old")
    command = [sys.executable, "-c", FULL, str(path), str(size)]
    done = subprocess.run(command, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 1 and f"InputError: {path} cannot be written: File too large" in done.stderr
    assert os.listdir(tmp_path) == ["c.pt"] and path.read_text() == "old"


def test_what_cannot_be_pickled_is_an_error_of_the_caller(tmp_path):
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save_checkpoint_file({"a": lambda: None}, str(tmp_path / "c.pt"))
    assert not os.listdir(tmp_path)
