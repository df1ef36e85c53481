"""crossinit-prepare clean and normalise: preparation/cleaning.py, tally.py"""

import bz2
import errno
import gzip
import json
import lzma
import os
import sys

import pytest

pytest.importorskip("sacremoses")
pytest.importorskip("indicnlp")
pytest.importorskip("py3langid")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation import cleaning
from crossinit_fairseq.preparation.normaliser import comparable

from .conftest import ENGLISH, ROMANIAN, read, run_in_process, run_program, sentences, write

MESSY = [
    "Ana are  mere\u200b.",
    "ANA ARE MERE",  # repeated
    "Şeful spune „da”.",
    "",
    "<p>pagină</p>",
    "2016 - 2017",
    "cat " * 176,
    "Acesta este un rând din setul de test, nu-i așa?",
    ENGLISH,
    "Мы идём домой",
]


def run(folder, inputs, *more, language="ro", workers=1):
    run_in_process("clean", *inputs, "--lang", language, "-o", folder / "out.txt", "--workers", workers, *more)
    return read(folder / "out.txt"), json.loads((folder / "out.json").read_text(encoding="utf-8"))


def test_every_line_is_accounted_for(tmp_path):
    text = write(tmp_path / "a.ro", MESSY + sentences(ROMANIAN, 30))
    test = write(tmp_path / "test.ro", ["acesta este un rând din setul de test: nu-i așa"])
    lines, counts = run(tmp_path, [text], "--keep-out", test)
    assert "Ana are mere." in lines and 'Șeful spune "da".' in lines and len(lines) == 32
    assert counts["dropped"] == {
        "empty": 1,
        "markup": 1,
        "no letters": 1,
        "too many words": 1,
        "another script": 1,
        "another language": 1,
        "in the test sets": 1,
        "repeated": 1,
    }
    assert counts["lines_read"] == 40 == counts["lines"] + sum(counts["dropped"].values())
    assert counts["words"] == 3 + 3 + 30 * 10 == sum(len(line.split()) for line in lines)
    examples = counts["files"][0]["examples"]
    assert examples["markup"] == [{"line": 5, "text": "<p>pagină</p>"}]
    assert examples["repeated"] == [{"text": "ANA ARE MERE"}]
    assert counts["files"][0]["languages"] == {"ro": 31, "en": 1} and counts["files"][0]["file"] == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ro", "out.json", "out.txt", "test.ro"]


def test_the_same_for_any_number_of_workers_and_blocks(tmp_path, monkeypatch):
    files = [write(tmp_path / name, MESSY[:8] + sentences(ROMANIAN, 200)[k:]) for k, name in enumerate("ab")]
    expected = run(tmp_path, files)
    assert expected[1]["files"][1]["dropped"]["repeated"] == 199 + 4
    monkeypatch.setattr(cleaning, "BLOCK", 2000)
    assert run(tmp_path, files, workers=2) == expected
    monkeypatch.setattr(cleaning, "_text_size", lambda source: 1 << 40)
    assert run(tmp_path, files)[0] == expected[0]


def test_compressed_files_and_globs(tmp_path):
    lines = sentences(ROMANIAN, 60)
    (tmp_path / "a.gz").write_bytes(gzip.compress("\n".join(lines[:30]).encode()))
    (tmp_path / "b.xz").write_bytes(lzma.compress("\r\n".join(lines[30:]).encode()))
    found, counts = run(tmp_path, [str(tmp_path / "?.?z")])
    assert sorted(found) == sorted(lines) and found != sorted(lines)
    assert [file["lines"] for file in counts["files"]] == [30, 30]


def test_some_lines_at_random(tmp_path):
    files = [write(tmp_path / name, [f"{name * 8} {k}" for k in range(500)]) for name in "ab"]
    everything, _ = run(tmp_path, files, "--no-language-filter")
    some, counts = run(tmp_path, files, "--no-language-filter", "--max-lines", "100")
    assert some == everything[:100] and counts["dropped"] == {"over --max-lines": 900}
    # 100 of 500 + 500: four standard deviations are 19
    assert abs(counts["files"][0]["lines"] - 50) < 20
    other, _ = run(tmp_path, files, "--no-language-filter", "--max-lines", "100", "--seed", "2")
    assert set(other) != set(some) and len(other) == 100


def test_swapped_sides(tmp_path):
    text = write(tmp_path / "train.ro", sentences(ENGLISH, 40) + sentences(ROMANIAN, 39))
    with pytest.raises(InputError, match="train.ro looks like en, not ro: are the sides swapped"):
        run(tmp_path, [text])
    short = write(tmp_path / "short.ro", [f"Мы {k}" for k in range(20)])
    with pytest.raises(InputError, match="short.ro looks like another script, not ro"):
        run(tmp_path, [short])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["short.ro", "train.ro"]
    assert len(run(tmp_path, [text], "--no-language-filter")[0]) == 79
    # half is not more than half
    text = write(tmp_path / "train.ro", sentences(ENGLISH, 40) + sentences(ROMANIAN, 40))
    assert len(run(tmp_path, [text])[0]) == 40


def test_a_long_swapped_file_is_not_read_to_its_end(tmp_path, monkeypatch):
    text = write(tmp_path / "train.ro", sentences(ENGLISH, 11000) + [""] * 500000)
    blocks = []
    original = cleaning._clean
    monkeypatch.setattr(cleaning, "BLOCK", 100000)
    monkeypatch.setattr(cleaning, "_clean", lambda item: blocks.append(1) or original(item))
    with pytest.raises(InputError, match="looks like en"):
        run(tmp_path, [text])
    assert len(blocks) * cleaning.BLOCK < 0.75 * os.path.getsize(text)


def test_not_utf8(tmp_path):
    lines = sentences(ROMANIAN, 20)
    (tmp_path / "a").write_bytes("\n".join(lines).encode("utf-8") + b"\n\xff\xfe broken\n")
    assert run(tmp_path, [str(tmp_path / "a")])[1]["dropped"] == {"damaged characters": 1}
    for encoding in ("utf-16", "utf-16-le"):
        (tmp_path / "b").write_bytes("\n".join(lines).encode(encoding))
        with pytest.raises(InputError, match="/b (is|has a NUL byte in line 1: it is binary, or) UTF-16"):
            run(tmp_path, [str(tmp_path / "b")])
    text = "\n".join(lines).encode("iso8859-16")
    (tmp_path / "c").write_bytes(text)
    damaged = sum(not one.isascii() for one in lines)
    with pytest.raises(InputError, match=f"c is not UTF-8 in {damaged} of 20 lines: convert it"):
        run(tmp_path, [str(tmp_path / "c")])


def test_entities_become_what_they_stand_for_which_is_said(tmp_path, capsys):
    text = write(
        tmp_path / "a", ["Zise: &quot;da&quot; &amp; plec&#259;", "fără entități aici", "AT&T; este o firmă mare"]
    )
    test = write(tmp_path / "test", ['Zise: "da" & plecă'])
    lines, counts = run(tmp_path, [text])
    assert sorted(lines) == ["AT&T; este o firmă mare", 'Zise: "da" & plecă', "fără entități aici"]
    assert counts["unescaped"] == 1 == counts["files"][0]["unescaped"]
    assert "a: 1 lines held entities such as &quot;" in capsys.readouterr().err
    # and a line of the test set is known by what it says
    assert run(tmp_path, [text], "--keep-out", test)[1]["dropped"] == {"in the test sets": 1}
    # several times --keep-out add up
    other = write(tmp_path / "other", ["fără entități aici"])
    assert run(tmp_path, [text], "--keep-out", test, "--keep-out", other)[1]["dropped"] == {"in the test sets": 2}


def test_a_table_is_cleaned_with_a_warning(tmp_path, caplog):
    rows = ["id,text", *(f"{number},{line}" for number, line in enumerate(["Casa este mare", "Un om merge acasă"] * 3))]
    run(tmp_path, [write(tmp_path / "t.csv", rows)])
    assert "t.csv looks like a table (CSV), with `,` between its columns, of which all is taken for text" in caplog.text


def test_files_that_are_no_text_yet(tmp_path, capsys):
    (tmp_path / "a.xml.bz2").write_bytes(
        bz2.compress(b'<mediawiki xml:lang="ro"><page><title>x</title></page></mediawiki>')
    )
    with pytest.raises(
        InputError, match="a.xml.bz2 is a dump of MediaWiki, not text of one sentence a line: take the text"
    ):
        run(tmp_path, [str(tmp_path / "a.xml.bz2")])
    # a file later on is found too, before anything is written
    with pytest.raises(InputError, match="b is JSON lines"):
        run(
            tmp_path,
            [write(tmp_path / "a", sentences(ROMANIAN, 30)), write(tmp_path / "b", ['{"text": "Ana are mere"}'])],
        )
    assert not (tmp_path / "out.txt").exists()
    # the tags of WikiExtractor stand on lines of their own
    pages = ['<doc id="12" url="https://ro.wikipedia.org/wiki?curid=12" title="Ana">', "Ana are mere.", "</doc>"] * 10
    lines, counts = run(tmp_path, [write(tmp_path / "c", pages)])
    assert lines == ["Ana are mere."] and counts["dropped"] == {"markup": 20, "repeated": 9}
    assert "20 of 30 lines were dropped as markup: is it text yet?" in capsys.readouterr().err


def test_a_line_without_end_is_not_even_normalised(tmp_path, monkeypatch):
    seen = []
    normalise = cleaning.LineNormaliser.__call__
    monkeypatch.setattr(
        cleaning.LineNormaliser, "__call__", lambda self, text: seen.append(text) or normalise(self, text)
    )
    text = write(tmp_path / "a", sentences(ROMANIAN, 20) + ["." * 30000, "ab " * 5000])
    lines, counts = run(tmp_path, [text], "--max-words", "99999")
    assert len(lines) == 20 and counts["dropped"] == {"too many characters": 2} and counts["lines_read"] == 22
    assert max(map(len, "\n".join(seen).split("\n"))) == 15000  # 10 times --max-chars are 20,000


def test_a_script_that_is_not_the_usual_one_is_not_filtered(tmp_path):
    text = write(tmp_path / "a", [f"main kal dilli jaa raha hoon aur vahaan rahunga {k}" for k in range(30)])
    with pytest.raises(InputError, match="looks like .*, not hi: are the sides swapped"):
        run(tmp_path, [text], language="hi")
    assert len(run(tmp_path, [text], language="hi_Latn")[0]) == 30


@pytest.mark.parametrize("code", ["../x", "a b", "*", "english", ""])
def test_what_is_no_language(tmp_path, code, capsys):
    with pytest.raises(SystemExit) as stop:
        run(tmp_path, [write(tmp_path / "a", ["Ana"])], language=code)
    assert stop.value.code == 2 and "is no language code" in capsys.readouterr().err


def test_nothing_left_and_nothing_there(tmp_path):
    text = write(tmp_path / "a", ["1", "2"])
    with pytest.raises(InputError, match="no line of .* is left; dropped: no letters 2$"):
        run(tmp_path, [text])
    with pytest.raises(InputError, match="empty has no line: give text of one sentence a line"):
        run(tmp_path, [write(tmp_path / "empty", [])])
    with pytest.raises(InputError, match="does not exist"):
        run(tmp_path, [str(tmp_path / "missing")])
    with pytest.raises(InputError, match="is read and would be overwritten"):
        run(tmp_path, [write(tmp_path / "out.txt", ["Ana are mere"])])


@pytest.mark.parametrize("method", ["add", "__iter__"])
def test_a_full_disk(tmp_path, monkeypatch, method):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    text = write(tmp_path / "a", ["Ana are mere"])
    (tmp_path / "out.txt").write_text("the last run's\n")
    monkeypatch.setattr(cleaning.Buckets, method, full)
    with pytest.raises(InputError, match="out.txt cannot be written: No space left on device"):
        run(tmp_path, [text])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "out.txt"]
    assert (tmp_path / "out.txt").read_text() == "the last run's\n"


def test_as_a_program(tmp_path):
    text = write(tmp_path / "a.en", sentences(ROMANIAN, 20))
    done = run_program("clean", text, "--lang", "en", "-o", tmp_path / "o", universal_newlines=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "looks like ro, not en" in done.stderr


def test_normalise(tmp_path):
    text = "\ufeffŞeful „x”\n\n  fin ".encode("utf-8")
    done = run_program("normalise", "-", "--lang", "ro", input=text)
    assert done.stdout.decode() == 'Șeful "x"\n\nfin\n', done.stderr
    done = run_program("normalise", "-", "--lang", "ro", input=b"a\n\xff\n")
    assert done.returncode == 1 and b"standard input is not UTF-8 in line 2" in done.stderr
    if sys.platform == "linux":
        with open("/dev/full", "w") as full:
            done = run_program("normalise", "-", "--lang", "ro", input=b"a\n", stdout=full)
        assert done.returncode == 1 and b"No space left" in done.stderr and done.stderr.count(b"\n") == 1


def test_normalise_a_file(tmp_path):
    (tmp_path / "a").write_bytes("Şi\r\n„x”".encode("utf-8"))
    run_in_process("normalise", tmp_path / "a", "--lang", "ron_Latn", "-o", tmp_path / "b")
    assert read(tmp_path / "b") == ["Și", '"x"']
    (tmp_path / "a").write_bytes(b"a\n\xff\n")
    with pytest.raises(InputError, match="/a is not UTF-8 in line 2"):
        run_in_process("normalise", tmp_path / "a", "--lang", "ro", "-o", tmp_path / "b")
    assert read(tmp_path / "b") == ["Și", '"x"']
    with pytest.raises(InputError, match="is read and would be overwritten"):
        run_in_process("normalise", tmp_path / "a", "--lang", "ro", "-o", tmp_path / "a")


def test_what_is_kept_is_comparable_to_no_other(tmp_path):
    lines, _ = run(
        tmp_path, [write(tmp_path / "a", sentences(ROMANIAN, 50) + [s.upper() for s in sentences(ROMANIAN, 50)])]
    )
    assert len(set(map(comparable, lines))) == len(lines) == 50
