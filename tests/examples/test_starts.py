"""Files of embeddings as starts of the recipes (scripts/starts.sh)."""

import json
import random
import re
import shlex
from pathlib import Path

import pytest
import torch

from crossinit_fairseq.data.dictionary import read_symbols
from crossinit_fairseq.export.safetensors_file import write_safetensors
from crossinit_fairseq.export.tables import EmbeddingTable
from tests import program_server, programs
from tests.conftest import load

ROOT = Path(__file__).parents[2]
# {recipe: its option, width of its model at preset smoke, the folder of the table, further options}
RECIPES = {
    "captions": ("--inits", 64, "runs/mine-1/table", ()),
    "cipher": ("--inits", 64, "runs/mine-1/table", ()),
    "xlm": ("--inits", 32, "runs/mine-1/table", ()),
    "quickstart": ("--init", 128, "table", ()),
    "unmt_ro_en": ("--init", 32, "crossinit", ("--source", "web", "--step", "crossinit")),
    "unmt_ne_en": ("--init", 32, "crossinit", ("--source", "web", "--step", "crossinit")),
}


def recipe(name, *options, **environment):
    return programs.run("bash", ROOT / "examples" / name / "run.sh", "--preset", "smoke", *options, **environment)


def safetensors(path, width, symbols=("a", "b"), values=None):
    pytest.importorskip("safetensors")
    values = torch.full((len(symbols), width), 0.5) if values is None else values
    write_safetensors(EmbeddingTable(symbols, values, "made up"), str(path))
    return path


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_file_that_cannot_be_a_start_is_one_sentence(name, tmp_path):
    option, width, _, further = RECIPES[name]
    (tmp_path / "wide.vec").write_text("\ufeff2 48\r\n", "utf-8")
    (tmp_path / "none.vec").write_bytes(b"\x1f\x8b\x00")
    (tmp_path / "none.safetensors").write_bytes(b"not a table at all")
    (tmp_path / "random.vec").write_text(f"1 {width}\n", "utf-8")
    (tmp_path / "no good.vec").write_text(f"1 {width}\n", "utf-8")
    (tmp_path / "empty.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    safetensors(tmp_path / "narrow.safetensors", 5)
    (tmp_path / "glove.vec").write_text("the" + " 0.5" * width + "\n", "utf-8")
    (tmp_path / "with,comma.vec").write_text(f"1 {width}\n", "utf-8")
    with_comma = "there is a file " if option == "--inits" else "a name of letters, digits, _, . and - alone"
    # no text is given: what is cheap to look at comes first
    further = tuple(word for word in further if word not in ("--source", "web"))
    cases = {
        "glove.vec": "glove.vec does not begin with its numbers of rows and dimensions, as word2vec text; `crossin",
        "with,comma.vec": with_comma,
        "/nowhere/a.vec": "there is no file /nowhere/a.vec",
        "mine.txt": "FILE.vec and FILE.safetensors, not mine.txt",
        "wide.vec": f"has 48 dimensions, and the model of preset smoke has {width}",
        "narrow.safetensors": f"has 5 dimensions, and the model of preset smoke has {width}",
        "none.vec": "does not begin with its numbers of rows and dimensions",
        "none.safetensors": "none.safetensors is no safetensors file",
        "empty.safetensors": "holds no table; crossinit-export",
        "random.vec": "random.vec is called as a start of ours is: rename it",
        "no good.vec": "a name of letters, digits, _, . and - alone",
    }
    for file, told in cases.items():
        start = file if file == "mine.txt" else tmp_path / file
        done = recipe(name, option, start, *further, "--out", tmp_path / "out", CROSSINIT_TEXT="", VENV="/nowhere")
        assert done.returncode == 2 and told in done.stderr and done.stderr.count("\n") == 1, (file, done.stderr)


def test_fast_xnli_asks_for_its_starts_before_its_text(tmp_path):
    command = ["bash", ROOT / "examples" / "fast_xnli" / "run.sh", "--out", tmp_path / "out"]
    done = programs.run(*command, "--inits", "/nowhere/a.vec")
    assert done.returncode == 2 and "there is no file /nowhere/a.vec" in done.stderr
    assert programs.run(*command).stderr.startswith("run.sh: --text is needed")


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_table_that_training_could_not_begin_with_is_refused_before_the_first_stage(name, tmp_path):
    option, width, _, further = RECIPES[name]
    values = torch.full((2, width), 0.5)
    values[1] = 1e30
    safetensors(tmp_path / "mine.safetensors", width, values=values)
    if name == "xlm":
        (tmp_path / "text").mkdir()
        further = ("--text", tmp_path / "text", "--tasks", "retrieval")
    command = [name, option, tmp_path / "mine.safetensors", *further, "--out", tmp_path / "out"]
    done = recipe(*command, VENV=program_server.environment())
    said = f"crossinit-export: error: {tmp_path}/mine.safetensors: 1 of 2 rows, that of 'b' first, are so large"
    assert done.returncode == 1 and done.stderr.startswith(said) and done.stderr.count("\n") == 1, done.stderr
    assert not list((tmp_path / "out").glob("logs/*.log"))


STARTS = """
set -euo pipefail
usage() { :; }
OUT=$1; shift
source "$ROOT/scripts/options.sh"; source "$ROOT/scripts/starts.sh"
check_tables "$@"; echo checked
"""


def test_a_table_is_checked_once(tmp_path):
    """And again when the file has changed."""

    def checked():
        environment = {"ROOT": str(ROOT), "PATH": f"{program_server.environment()}/bin:/usr/bin:/bin"}
        return programs.run("bash", "-c", STARTS, "run.sh", tmp_path / "out", "random", file, **environment)

    file = safetensors(tmp_path / "mine.safetensors", 4)
    assert checked().stderr == f"{file}: 2 rows of 4 float32\n"
    done = checked()
    assert (done.returncode, done.stdout, done.stderr) == (0, "checked\n", "")
    safetensors(file, 4, ("a",), torch.zeros(1, 4))
    for _ in range(2):
        done = checked()
        assert done.returncode == 1 and "nothing but zeros" in done.stderr and not done.stdout


@pytest.mark.parametrize("name", ["captions", "cipher", "xlm"])
def test_two_starts_of_one_name_are_refused(name, tmp_path):
    width = RECIPES[name][1]
    (tmp_path / "a.vec").write_text(f"1 {width}\n", "utf-8")
    safetensors(tmp_path / "a.safetensors", width)
    done = recipe(name, "--inits", f"{tmp_path}/a.vec, {tmp_path}/a.safetensors ", "--out", tmp_path / "out")
    assert done.returncode == 2 and "--inits: two starts are called a" in done.stderr


@pytest.fixture
def environment(tmp_path):
    """A Python environment whose fairseq-train leaves an empty checkpoint, and whose other programs do nothing."""
    folder = tmp_path / "environment" / "bin"
    folder.mkdir(parents=True)
    made = 'while [ $# -gt 0 ]; do [ "$1" != --save-dir ] || { mkdir -p $2; touch $2/checkpoint_last.pt; }; shift; done'
    for name, line in (("fairseq-train", made), ("crossinit-export", "exit"), ("crossinit-prepare", "exit")):
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return str(folder.parent)


@pytest.mark.parametrize("name", ["unmt_ro_en", "unmt_ne_en"])
def test_translation_recipes_put_the_file_into_the_model_as_initialised(name, tmp_path, environment):
    option, width, folder, further = RECIPES[name]
    file = safetensors(tmp_path / "mine.safetensors", width)
    done = recipe(name, option, file, *further, "--out", tmp_path / "out", VENV=environment)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "logs" / "commands.sh").read_text("utf-8").replace("\\\n", " ")
    commands = [shlex.split(line, comments=True) for line in text.splitlines() if line.strip()]
    trained, moved, exported = [command for command in commands if command and command[0] != "cd"][-3:]
    assert trained[0] == "fairseq-train" and trained[trained.index("--lr") + 1] == "0"
    assert trained[trained.index("--max-update") + 1] == "1"
    assert moved == ["mv", f"{folder}/checkpoint_last.pt", f"{folder}/random.pt"]
    assert exported == ["crossinit-export", "--from", str(file), "--into", f"{folder}/random.pt"] + [
        *["--dict", "prepare/data/0/dict.txt", "-o", f"{folder}/checkpoint_last.pt"]
    ]


def captions(folder):
    """Aligned sentences of made-up words."""
    folder.mkdir()
    rng = random.Random(1)
    for name, size in (("train", 400), ("val", 20), ("test", 20)):
        lines = [[rng.randrange(60) for _ in range(8)] for _ in range(size)]
        for language in ("en", "fr"):
            text = [" ".join(f"{language}{word}" for word in line) for line in lines]
            (folder / f"{name}.{language}").write_text("\n".join(text) + "\n", "utf-8")
    return folder


def test_captions_are_learnt_from_a_file(tmp_path):
    """The rows of the file are in the table that translation starts from, and the run is called as the file is."""
    file = safetensors(tmp_path / "mine.safetensors", 64, ("e", "nowhere"))
    command = ["--text", captions(tmp_path / "text"), "--langs", "en,fr", "--vocabulary", 60, "--inits", file]
    command += ["--updates", 3, "--training", "--freeze-table-updates 1"]
    options = {"VENV": program_server.environment(), "MAX_UPDATE": "2"}
    done = recipe("captions", *command, "--jobs", 1, "--out", tmp_path / "out", **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert [run["init"] for run in summary["runs"]] == ["mine"] and "mine: table of a file" in done.stdout
    run = tmp_path / "out" / "runs" / "mine-1"
    symbols = read_symbols(str(tmp_path / "out" / "data" / "dict.txt"))
    models = [load(run / "table" / name)["model"] for name in ("random.pt", "checkpoint_last.pt")]
    before, table = (model["encoder.embed_tokens.weight"] for model in models)
    changed = (before != table).any(1).nonzero().flatten().tolist()
    assert changed == [symbols.index("e")] and table[changed[0]].tolist() == [0.5] * 64
    log = (run / "logs" / "translation.log").read_text("utf-8")
    assert "table/checkpoint_last.pt" in log
    assert "'freeze_table_updates': 1" in log and re.search(r"'total_num_update': '?3\.?0?'?[,}]", log)
    # interrupted before the stage was noted as done
    (run / "stages" / "table.done").unlink()
    done = recipe("captions", *command, "--jobs", 1, "--out", tmp_path / "out", **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    # another file of the same name is another start
    safetensors(file, 64, ("f",))
    done = recipe("captions", *command, "--jobs", 1, "--out", tmp_path / "out", **options)
    assert done.returncode == 0 and "what it wrote before is now in replaced/table" in done.stdout
