"""scripts/bench/gpu.sh, dry, on whatever this machine has."""

import json
import pathlib

import pytest

from tests import program_server
from tests.conftest import WORDS
from tests.programs import run

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench" / "gpu.sh"


def gpu(*options):
    path = f"{program_server.environment()}/bin:/usr/bin:/bin"
    return run("bash", SCRIPT, "--size", "dry", *options, PATH=path, OMP_NUM_THREADS="1")


def test_every_part_writes_its_figures(data_folder, tmp_path):
    lexicon = tmp_path / "made" / "runs" / "lexicon-1" / "lexicon" / "lexicon.tsv"
    lexicon.parent.mkdir(parents=True)
    pairs = [(k, {3: "s", 10: "t"}.get(k % 14, "")) for k in range(WORDS)]
    text = "".join(f"a{k}{end}\tb{k}{end}\n" for k, end in pairs)
    lexicon.write_text("# languages: aa bb\n" + text, encoding="utf-8")
    (tmp_path / "made" / "data").symlink_to(data_folder)
    (tmp_path / "made" / "text").mkdir()
    for language in ("aa", "bb"):
        (tmp_path / "made" / "text" / f"reference.{language}").write_text("a b c d\n" * 21)
    # the tests marked gpu are part of these tests already
    done = gpu(
        "--parts",
        "step,bt,lexicon,captions",
        "--captions",
        tmp_path / "made",
        "--out",
        tmp_path / "out",
        "--minutes",
        "60",  # the sizes end it long before, on a busy machine too
        "--ahead",
        "1,4",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / "out"
    assert json.loads((out / "machine.json").read_text())["torch"]
    assert json.loads((out / "step.json").read_text())["step_seconds"] > 0
    assert json.loads((out / "lexicon.json").read_text())["same_partners"] > 0.99
    for ahead in (1, 4):
        (one,) = json.loads((out / f"bt-ahead-{ahead}.json").read_text())["workloads"]
        assert one["settings"]["bt_ahead"] == ahead and one["generation_speedup"] > 0 and one["identical_tokens"]
    validations = [json.loads(line) for line in (out / "captions.jsonl").read_text().splitlines()]
    assert len(validations) >= 2 and "valid_bleu_aa-bb" in validations[-1]
    for pair in ("aa-bb", "bb-aa"):
        assert json.loads((out / f"captions-{pair}.json").read_text())[0]["name"] == "BLEU"


def test_a_part_that_fails_or_has_no_time_is_said_and_the_rest_goes_on(tmp_path):
    (tmp_path / "made" / "data").mkdir(parents=True)
    (tmp_path / "made" / "data" / "dict.txt").write_text("a 1\n")
    done = gpu("--parts", "captions,step", "--captions", tmp_path / "made", "--out", tmp_path / "out", "--minutes", "9")
    assert done.returncode == 1 and "not ended: captions" in done.stderr
    assert "holds no runs/lexicon-*/lexicon/lexicon.tsv" in done.stdout
    assert (tmp_path / "out" / "step.json").exists()


@pytest.mark.parametrize(
    "options, said",
    [
        (("--parts", "tests,all"), "--parts names tests, step, bt, lexicon and captions, not all"),
        (("--minutes", "0"), "--minutes is a number, not 0"),
        (("--ahead", "0"), "--ahead takes numbers and commas, not 0"),
        (("--updates", "many"), "--updates is a number, not many"),
        (("--captions", "/nowhere"), "/nowhere holds no data/dict.txt"),
        (("--wheels", "/nowhere"), "there is no folder /nowhere"),
    ],
)
def test_wrong_options(options, said, tmp_path):
    done = gpu("--out", tmp_path, *options)
    assert done.returncode == 2 and said in done.stderr
