"""The quickstart's own programs: a user's text, translations out of fairseq-generate's output, stages."""

import os
import sys
from pathlib import Path

import pytest

from tests import programs

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart"


def run(program, *arguments):
    return programs.run(sys.executable, QUICKSTART / program, *arguments)


def numbered(word, count, length=lambda k: 1 + k % 9):
    return ["{}{} {}".format(word, k, "x" * length(k)) for k in range(count)]


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def read(path):
    return path.read_text("utf-8").splitlines()


def test_aligned_files_are_split_so_that_no_pair_is_on_both_sides(tmp_path):
    # lengths that go together, as those of translations do
    left, right = write(tmp_path / "l", numbered("a", 3000)), write(tmp_path / "r", numbered("b", 3000))
    done = run(
        "own_text.py", "--text", "aa={}".format(left), "bb={}".format(right), "--hold-out", 100, "--out", tmp_path / "o"
    )
    assert done.returncode == 0 and "look aligned" in done.stdout
    number = lambda line: int(line.split()[0][1:])  # noqa: E731
    sets = {
        name: set(map(number, read(tmp_path / "o" / name)))
        for name in ("mono.aa", "mono.bb", "dev.aa", "dev.bb", "test.aa")
    }
    assert sets["dev.aa"] == sets["dev.bb"] and len(sets["dev.aa"]) == len(sets["test.aa"]) == 100
    assert not sets["mono.aa"] & sets["mono.bb"]
    assert not (sets["dev.aa"] | sets["test.aa"]) & (sets["mono.aa"] | sets["mono.bb"])
    assert not sets["dev.aa"] & sets["test.aa"]
    assert len(sets["mono.aa"]) == len(sets["mono.bb"]) == 1400


def test_files_of_equal_length_that_are_not_aligned_are_kept_whole(tmp_path):
    left = write(tmp_path / "l", numbered("a", 1500))
    right = write(tmp_path / "r", numbered("b", 1500, length=lambda k: 1 + k * 7919 % 31))
    done = run("own_text.py", "--text", "aa={}".format(left), "bb={}".format(right), "--out", tmp_path / "o")
    assert done.returncode == 0 and "look aligned" not in done.stdout
    assert sorted(os.listdir(str(tmp_path / "o"))) == ["mono.aa", "mono.bb"]
    assert len(read(tmp_path / "o" / "mono.aa")) == 1500


def test_lines_of_a_test_set_leave_the_text(tmp_path):
    left, right = write(tmp_path / "l", numbered("a", 1400)), write(tmp_path / "r", numbered("b", 1600))
    test = write(tmp_path / "ta", numbered("a", 20)), write(tmp_path / "tb", numbered("b", 20))
    done = run(
        "own_text.py",
        "--text",
        "aa={}".format(left),
        "bb={}".format(right),
        "--test",
        "aa={}".format(test[0]),
        "bb={}".format(test[1]),
        "--out",
        tmp_path / "o",
    )
    assert done.returncode == 0 and "aa: left out 20 lines that dev or test hold" in done.stdout
    assert len(read(tmp_path / "o" / "mono.aa")) == 1380 and len(read(tmp_path / "o" / "test.bb")) == 20


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", ["l is empty"]),
        (b"good\nb\xe3d\n", ["l is not UTF-8 (line 2)", "iconv"]),
        (b"one line\n", ["aa text has 1 usable lines", "1,000"]),
    ],
)
def test_bad_text_is_one_sentence(tmp_path, content, told):
    (tmp_path / "l").write_bytes(content)
    right = write(tmp_path / "r", numbered("b", 1500))
    done = run("own_text.py", "--text", "aa={}".format(tmp_path / "l"), "bb={}".format(right), "--out", tmp_path / "o")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    for part in told:
        assert part in done.stderr
    assert not (tmp_path / "o").exists()


def test_unequal_test_sides_are_refused(tmp_path):
    sides = [
        write(tmp_path / name, numbered(name, count)) for name, count in (("a", 1500), ("b", 1600), ("t", 5), ("u", 6))
    ]
    done = run(
        "own_text.py",
        "--text",
        "aa={}".format(sides[0]),
        "bb={}".format(sides[1]),
        "--test",
        "aa={}".format(sides[2]),
        "bb={}".format(sides[3]),
        "--out",
        tmp_path / "o",
    )
    assert done.returncode == 1 and "--test is not aligned: aa has 5 lines, bb has 6 lines" in done.stderr


@pytest.mark.parametrize(
    "options, told",
    [
        (["--preset", "huge"], "--preset is smoke or default"),
        (["--init", "zero"], "--init is lexicon, crossinit or random"),
        (["--text", "en=/nowhere"], "given twice"),
        (["--text", "en=/nowhere", "--text", "ro=/nowhere"], "no file /nowhere"),
        (["--wrong"], "unknown option --wrong"),
        (["--out"], "--out needs a value"),
    ],
)
def test_wrong_options_are_told_before_anything_runs(options, told):
    done = programs.run("bash", QUICKSTART / "run.sh", *options)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


STAGES = """
set -euo pipefail
ROOT={root} OUT={out} STAGES=2 SETTINGS=${{SETTINGS:-x}}
source "$ROOT/scripts/stages.sh"
first() {{ echo once >> first/runs; }}
second() {{ [ -e "$OUT/ready" ]; false | true; echo got here; cp first/runs second/copy; }}
stage first "the first"
stage second "the second"
echo finished
"""


def stages(tmp_path, **environment):
    return programs.run("bash", "-c", STAGES.format(root=ROOT, out=tmp_path / "run"), **environment)


def test_a_failing_stage_ends_the_run_and_the_next_run_goes_on_from_it(tmp_path):
    done = stages(tmp_path)
    assert done.returncode == 1 and "stage 'second' failed" in done.stderr and "finished\n" not in done.stdout
    (tmp_path / "run" / "ready").touch()
    # a pipeline fails with its first command, whatever the last one says
    assert stages(tmp_path).returncode == 1
    assert read(tmp_path / "run" / "first" / "runs") == ["once"], "a finished stage is not run again"


def test_translations_come_out_in_order_and_all(tmp_path):
    generated, reference = tmp_path / "out", tmp_path / "reference"
    lines = ["S-{0}\tx\nD-{0}\t-{1}\t{2}\nP-{0}\t-1\n".format(*row) for row in ((10, 5, "ten"), (9, 0.1, "nine\ttab"))]
    lines += ["S-{0}\tx\nD-{0}\t-1e-05\tD-{0} here\n".format(k) for k in range(9)]
    generated.write_text("INFO: loading\n" + "".join(lines), encoding="utf-8")
    script = """set -euo pipefail; ROOT={} OUT={}; source "$ROOT/scripts/stages.sh"; translations "$0" > "$0.hyp"; {}"""
    script = script.format(ROOT, tmp_path / "run", """sacrebleu "$1" -i "$0.hyp" -m bleu""")
    write(reference, ["a b c d"] * 11)
    path = "{}:{}".format(Path(sys.executable).parent, os.environ["PATH"])
    done = programs.run("bash", "-c", script, generated, reference, PATH=path)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "out.hyp") == ["D-{} here".format(k) for k in range(9)] + ["nine\ttab", "ten"]
    # one is missing: no score
    generated.write_text("".join(lines[1:]), encoding="utf-8")
    done = programs.run("bash", "-c", script, generated, reference, PATH=path)
    assert done.returncode == 1 and "different lengths" in done.stderr


def test_other_settings_run_the_stages_again(tmp_path):
    stages(tmp_path)
    assert "what it wrote before is now in replaced/first" in stages(tmp_path, SETTINGS="y").stdout
    assert read(tmp_path / "run" / "first" / "runs") == ["once"], "in a fresh folder"
    assert read(tmp_path / "run" / "replaced" / "first" / "runs") == ["once"], "the old one is kept"
    assert "done before" in stages(tmp_path, SETTINGS="y").stdout
