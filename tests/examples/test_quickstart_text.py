"""The quickstart on a user's own text: what of it is held out, left out, said and refused; its sub-words."""

import os
import re

import pytest

from tests.examples.quickstart import read, run, write


def numbered(word, count, length=lambda k: 1 + k % 9):
    return ["{}{} {}".format(word, k, "x" * length(k)) for k in range(count)]


def test_aligned_files_are_split_so_that_no_pair_is_on_both_sides(tmp_path):
    # lengths that go together, as those of translations do
    left, right = write(tmp_path / "l", numbered("a", 3000)), write(tmp_path / "r", numbered("b", 3000))
    done = run("own_text.py", "--text", f"aa={left}", f"bb={right}", "--hold-out", 100, "--out", tmp_path / "o")
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
    done = run("own_text.py", "--text", f"aa={left}", f"bb={right}", "--out", tmp_path / "o")
    assert done.returncode == 0 and "look aligned" not in done.stdout
    assert sorted(os.listdir(str(tmp_path / "o"))) == ["mono.aa", "mono.bb"]
    assert len(read(tmp_path / "o" / "mono.aa")) == 1500


def test_one_text_for_both_languages_is_refused(tmp_path):
    left = write(tmp_path / "l", numbered("a", 2000))
    for shared, refused in ((1001, True), (1000, False)):
        right = write(tmp_path / "r", numbered("a", shared) + numbered("b", 2001)[shared:])
        # more than half of the 2,000 lines on the left, and just half of them
        done = run("own_text.py", "--text", f"aa={left}", f"bb={right}", "--hold-out", 100, "--out", tmp_path / "o")
        assert (done.returncode, "are the same in aa and bb: give text of two" in done.stderr) == (refused, refused)


def test_text_in_the_script_of_another_language_is_said(tmp_path):
    left = write(tmp_path / "l", numbered("घर", 1400, length=lambda k: 0))
    right = write(tmp_path / "r", numbered("house", 1600))
    done = run("own_text.py", "--text", f"en={left}", f"ro={right}", "--out", tmp_path / "o")
    assert done.returncode == 0 and done.stdout.startswith("      en: most letters are Devanagari: is this text en?\n")
    assert "ro: most" not in done.stdout


def test_swapped_sides_are_said(tmp_path):
    english = write(tmp_path / "l", [f"The house number {k} of our street has a green door." for k in range(1400)])
    romanian = write(
        tmp_path / "r", [f"Casa cu numărul {k} de pe strada noastră are o ușă verde." for k in range(1600)]
    )
    done = run("own_text.py", "--text", f"en={romanian}", f"ro={english}", "--out", tmp_path / "o")
    assert done.returncode == 0 and done.stdout.startswith(
        "      en: most lines look like ro: is this text en?\n      ro: most lines look like en: is this text ro?\n"
    )
    done = run("own_text.py", "--text", f"en={english}", f"ro={romanian}", "--out", tmp_path / "o")
    assert done.returncode == 0 and "most lines" not in done.stdout


def test_lines_of_a_test_set_leave_the_text(tmp_path):
    left, right = write(tmp_path / "l", numbered("a", 1400)), write(tmp_path / "r", numbered("b", 1600))
    test = write(tmp_path / "ta", numbered("a", 20)), write(tmp_path / "tb", numbered("b", 20))
    done = run(
        "own_text.py",
        "--text",
        f"aa={left}",
        f"bb={right}",
        "--test",
        f"aa={test[0]}",
        f"bb={test[1]}",
        "--out",
        tmp_path / "o",
    )
    assert done.returncode == 0 and "aa: left out 20 lines that dev or test hold" in done.stdout
    assert len(read(tmp_path / "o" / "mono.aa")) == 1380 and len(read(tmp_path / "o" / "test.bb")) == 20


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", ["l is empty"]),
        (b"good\nb\xe3d\n", ["l is not UTF-8 in line 2", "iconv"]),
        (b"one line\n", ["aa text has 1 usable lines", "1,000"]),
    ],
)
def test_bad_text_is_one_sentence(tmp_path, content, told):
    (tmp_path / "l").write_bytes(content)
    right = write(tmp_path / "r", numbered("b", 1500))
    done = run("own_text.py", "--text", "aa={}".format(tmp_path / "l"), f"bb={right}", "--out", tmp_path / "o")
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
        f"aa={sides[0]}",
        f"bb={sides[1]}",
        "--test",
        f"aa={sides[2]}",
        f"bb={sides[3]}",
        "--out",
        tmp_path / "o",
    )
    assert done.returncode == 1 and "--test is not aligned: aa has 5 lines, bb has 6 lines" in done.stderr


def test_a_small_text_makes_fewer_pieces_and_long_lines_are_left_out(tmp_path):
    for language in ("aa", "bb"):
        write(tmp_path / ("mono." + language), ["ab ab ba"] * 20 + ["ab ba ab ba ab"] * 10)
    done = run("pieces.py", "--langs", "aa,bb", "--text", tmp_path, "--longest", 4, "--out", tmp_path / "o")
    assert done.returncode == 0, done.stderr
    most = int(re.search(r"no more than (\d+) pieces, fewer than 8000", done.stdout).group(1))
    # of <unk>, <s> and </s> fairseq has its own; two language tokens and <mask> end the dictionary
    assert [line.split()[0] for line in read(tmp_path / "o" / "dict.txt")][-3:] == ["[aa]", "[bb]", "<mask>"]
    assert len(read(tmp_path / "o" / "dict.txt")) == most - 3 + 3
    assert "bb: 10 of 30 lines have over 4 words, left out" in done.stdout
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"spm.model", "spm.vocab", "dict.txt"} | {
        f"{name}.{language}" for name in ("train", "valid") for language in ("aa", "bb")
    }
    # a tenth of the 20 lines left is to validate on
    assert len(read(tmp_path / "o" / "train.bb")) == 18 and len(read(tmp_path / "o" / "valid.bb")) == 2


def test_pieces_are_written_whole_or_not_at_all(tmp_path):
    """A file that is there stays until the new one is complete, and one that cannot be written is one sentence."""
    (tmp_path / "mono.aa").write_text("ab ab ba\n" * 40)
    (tmp_path / "o" / "train.aa").mkdir(parents=True)  # in the place of a file
    done = run("pieces.py", "--langs", "aa", "--text", tmp_path, "--out", tmp_path / "o")
    assert done.returncode == 1 and "Traceback" not in done.stderr and "train.aa" in done.stderr.splitlines()[-1]
    assert not list((tmp_path / "o").glob("*.part"))
