"""Every command that writes a file, on a disk that is full at any byte of it: one sentence, and no file that is cut.

bash scripts/test.sh -m long tests/test_full_disks.py       100 sizes for each command
"""

import subprocess

import pytest

pytest.importorskip("polars")
pytest.importorskip("scipy")

import torch

from crossinit_fairseq.cli import command, export, lexicon, prepare, ranks, score
from crossinit_fairseq.finetuning.predictions import write_answers, write_labels
from tests.program_server import python

TEXT = "the cat sat on the mat and the dog saw it\na house by the sea has a red roof and a door\n" * 200
LEXICON = "# languages: {}\n# pairs: 2\nthe\tcasa\t0.5\t8\t7\tmutual\ncat\tpisica\t0.25\t3\t2\tforward\n"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with what the commands read."""
    folder = tmp_path_factory.mktemp("inputs")
    for language in ("en", "ro"):
        (folder / f"mono.{language}").write_text(TEXT, encoding="utf-8")
        (folder / f"{language}.txt").write_text(TEXT, encoding="utf-8")
    (folder / "a.tsv").write_text(LEXICON.format("en ro"), encoding="utf-8")
    (folder / "b.tsv").write_text("# languages: ro fr\ncasa\tla\npisica\tchat\n", encoding="utf-8")
    (folder / "hyp").write_text("x\nz\n", encoding="utf-8")
    (folder / "ref").write_text("x\ny\n", encoding="utf-8")
    (folder / "table_dict.txt").write_text(
        "".join(f"w{k} 1\n" for k in range(60)) + "[en] 1\n<mask> 1\n", encoding="utf-8"
    )
    table = {"encoder.embed_tokens.weight": torch.arange(66 * 8.0).view(66, 8)}
    torch.save({"model": table, "cfg": {"model": {}}, "args": None}, str(folder / "model.pt"))
    for main, options in (
        (prepare.main, "vocabulary --langs en,ro --text {i} --size 30 --out {i}"),
        (export.main, "{i}/model.pt --dict {i}/table_dict.txt --to {i}/table.vec"),
        (ranks.main, "count {i}/mono.en --lang en -o {i}/table.tsv"),
    ):
        status, said = run(main, options.format(i=folder).split())
        assert status == 0, said
    return folder


def labels(arguments):
    """Writes a file as `crossinit-predict nli` does."""
    return command.run("predict", lambda: write_labels(arguments[0], [1, 2] * 50))


def answers(arguments):
    """Writes a file as `crossinit-predict qa` does."""
    return command.run("predict", lambda: write_answers(arguments[0], {"1": "a house", "2": "a roof"}))


# name: what a command is told, {i} the folder of inputs, {o} that of outputs
COMMANDS = {
    "ranks count": (ranks.main, "count {i}/mono.en --lang en -o {o}/table.tsv"),
    "lexicon compose": (lexicon.main, "compose {i}/a.tsv {i}/b.tsv -o {o}/lexicon.tsv"),
    "score": (score.main, "--pair en-de --reference {i}/ref --bootstrap 0 --json {o}/scores.json {i}/hyp"),
    "prepare clean": (prepare.main, "clean {i}/mono.en --lang en -o {o}/clean.txt"),
    "prepare normalise": (prepare.main, "normalise {i}/mono.ro --lang ro -o {o}/dev.ro"),
    "prepare vocabulary": (prepare.main, "vocabulary --langs en,ro --text {i} --size 30 --out {o}"),
    "prepare encode": (prepare.main, "encode --langs en,ro --model {i}/spm.model --text {i} --out {o}"),
    "export": (export.main, "{i}/model.pt --dict {i}/table_dict.txt --to {o}/table.vec"),
    "export safetensors": (export.main, "{i}/model.pt --dict {i}/table_dict.txt --to {o}/table.safetensors"),
    "export into": (export.main, "--from {i}/table.vec --into {i}/model.pt --dict {i}/table_dict.txt -o {o}/new.pt"),
    "ranks merge": (ranks.main, "merge {i}/table.tsv {i}/table.tsv -o {o}/merged.tsv"),
    "labels": (labels, "{o}/en.txt"),
    "answers": (answers, "{o}/en.json"),
}


# a function of the package where no file may be longer than a size, which gives the errors of a full disk
LIMITED = """
import importlib, resource, signal, sys, tempfile
import torch
torch.set_num_threads(1)
module, function, size = sys.argv[1:4]
del sys.argv[1:4]
if size != "-":
    tempfile.gettempdir()  # is looked for by writing files
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
sys.exit(getattr(importlib.import_module(module), function)(sys.argv[1:]))
"""


def run(main, arguments, size=None):
    """Do it where no file may be longer than `size` bytes: (exit status, what it said)."""
    command = [python(), "-c", LIMITED, main.__module__, main.__name__, "-" if size is None else str(size)]
    done = subprocess.run(
        command + arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def check_full_disk(name, inputs, folder, places):
    """Fill the disk at some places of the longest file that a command writes.

    places: shares of its length, 0 to 1.
    """
    if "safetensors" in name:
        pytest.importorskip("safetensors")
    main, options = COMMANDS[name]
    whole = folder / "whole"
    whole.mkdir()
    status, said = run(main, options.format(i=inputs, o=whole).split())
    assert status == 0, said
    written = {path.relative_to(whole): path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    longest = max(map(len, written.values()))
    refused = 0
    for number, place in enumerate(places):
        out = folder / str(number)
        out.mkdir()
        size = int(place * (longest - 1))
        if name.startswith("prepare ") and 0 < size < 64:
            size = 64  # locks of worker processes are files of 32 bytes in memory, which a lower limit cuts short
        status, said = run(main, options.format(i=inputs, o=out).split(), size)
        assert status == 1 and "cannot be written: File too large" in said, (size, said)
        assert "Traceback" not in said, (size, said)
        left = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        assert {path: written.get(path) for path in left} == left, (size, sorted(left))
        refused += 1
    assert refused == len(places)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(name, inputs, tmp_path):
    check_full_disk(name, inputs, tmp_path, [0, 0.5, 1])


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_is_full_at_many_places(name, inputs, tmp_path):
    check_full_disk(name, inputs, tmp_path, [k / 99 for k in range(100)])
