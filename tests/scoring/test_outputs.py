"""scoring/outputs.py: reading translations."""

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.sentencepiece_model import join_pieces
from crossinit_fairseq.scoring.outputs import GENERATE, TEXT, in_pieces, read_output, undo_escapes
from tests.scoring.generate_output import generate_lines, write_generate

HYPOTHESES = ["Zero .", "one", "", "Three \u00ee", "four", "five", "six", "seven", "eight", "nine", "ten"]


def test_plain_text_as_it_is(tmp_path):
    # U+2028 and a carriage return end no line; a D- line of a dialogue is no output of fairseq-generate
    (tmp_path / "a.txt").write_bytes("one\u2028two\r\n\n D-3 yes\nla\tst".encode("utf-8"))
    output = read_output(str(tmp_path / "a.txt"), 4)
    assert output.kind == TEXT and output.hypotheses == ["one\u2028two", "", "D-3 yes", "la\tst"]


@pytest.mark.parametrize("stripped", [False, True])
def test_generate_in_the_order_of_numbers(tmp_path, stripped):
    path = tmp_path / "g.txt"
    # 10 before 2, as text sorts them
    write_generate(path, HYPOTHESES, HYPOTHESES, HYPOTHESES[::-1], order=[0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9])
    if stripped:  # as editors and some loggers do
        path.write_text("\n".join(line.rstrip() for line in path.read_text("utf-8").split("\n")), "utf-8")
    output = read_output(str(path), 11)
    assert output.kind == GENERATE and output.hypotheses == HYPOTHESES and output.notes == []
    assert output.sources == dict(enumerate(HYPOTHESES)) and output.targets == dict(enumerate(HYPOTHESES[::-1]))


def test_only_one_kind_of_line(tmp_path):
    lines = [line for block in generate_lines(["a", "b"]) for line in block]
    for kind, wanted in (("D-", ["a", "b"]), ("H-", ["pieces of 0", "pieces of 1"])):
        (tmp_path / "g").write_text("".join(line for line in lines if line.startswith(kind)))
        assert read_output(str(tmp_path / "g"), 2).hypotheses == wanted


def test_first_of_an_n_best_list(tmp_path):
    text = "S-0\tx\nH-0\t-1\tb\nD-0\t-1\tbest\nH-0\t-2\tw\nD-0\t-2\tworse\n"
    (tmp_path / "g").write_text(text)
    output = read_output(str(tmp_path / "g"), 1)
    assert output.hypotheses == ["best"] and "n-best" in output.notes[0]


def test_pieces_and_language_tokens(tmp_path):
    path = write_generate(
        tmp_path / "g", ["\u2581the \u2581c at", "\u2581a", ""], ["\u2581x y [en]", "\u2581z", "\u2581w"]
    )
    output = read_output(path, 3, ("en", "ro"))
    assert output.hypotheses == ["the cat", "a", ""] and output.sources[0] == "xy"
    assert "pieces" in output.notes[0]
    path = write_generate(tmp_path / "g", ["[ro_RO] da", "nu [ron_Latn]", "[en] da", "[1] nu [da]", "[sic] x [...]"])
    output = read_output(path, 5, ("en", "ro"))
    assert output.hypotheses == ["da", "nu", "da", "[1] nu [da]", "[sic] x [...]"]
    assert "at an end of 3 sentences" in output.notes[0]
    assert read_output(path, 5).hypotheses[0] == "[ro_RO] da" and read_output(path, 5).notes == []
    # one sentence that quotes the sign is no text in pieces
    assert not in_pieces(["a \u2581 b", "c d", "e"]) and in_pieces(["\u2581a", "", ""])
    assert join_pieces("\u2581the \u2581c at \u2581 .") == "the cat ."


def test_sub_words_of_subword_nmt(tmp_path):
    (tmp_path / "t").write_text("the c@@ at s@@ at\nmail me@@home.org , 3 @@ 4 c@@\nplain\n")
    output = read_output(str(tmp_path / "t"))
    assert output.hypotheses == ["the cat sat", "mail me@@home.org , 3 @@ 4 c", "plain"]
    assert output.notes == ["has sub-words (@@) in 2 sentences, which were joined (--remove-bpe does it)"]


def test_pieces_of_bytes(tmp_path):
    # left by --remove-bpe sentencepiece, and in pieces
    for written in ("It <0xE2><0x80><0x94> x", "\u2581It \u2581 <0xE2> <0x80> <0x94> \u2581x"):
        path = write_generate(tmp_path / "g", [written], [written], [written])
        output = read_output(path, 1)
        assert output.hypotheses == ["It \u2014 x"] and output.sources[0] == output.targets[0] == "It \u2014 x"
        assert output.notes[-1] == "has pieces of bytes (<0xE2>) in 1 sentences, which were decoded"
    (tmp_path / "t").write_text("a\nIt <0xE2><0x80><0x94> x\n")
    output = read_output(str(tmp_path / "t"))
    assert output.hypotheses == ["a", "It \u2014 x"]
    assert output.notes == ["has pieces of bytes (<0xE2>) in 1 sentences, which were decoded"]


def test_escapes_of_moses(tmp_path):
    written = "&quot;a&quot; &amp;lt; &#91;b&#93; &#124; c&apos;s &nbsp;"
    for reference, wanted, note in (
        (["x"], '"a" < [b] | c\'s \u00a0', "has entities such as &quot; in 1 sentences, which were unescaped"),
        (
            ["y &apos;"],
            written,
            "was scored with entities such as &quot; as they are, since the reference has them in 1",
        ),
    ):
        output = read_output(write_generate(tmp_path / "g", [written]), 1)
        undo_escapes(output, reference)
        assert output.hypotheses == [wanted] and output.notes[0].startswith(note)
    output = read_output(write_generate(tmp_path / "g", ["AT&T &x;"]), 1)
    undo_escapes(output, ["x"])
    assert output.hypotheses == ["AT&T &x;"] and output.notes == []


def refused(path, count=None):
    with pytest.raises(InputError) as error:
        read_output(str(path), count)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    return str(error.value)


def test_bad_files(tmp_path):
    path = tmp_path / "f"
    assert "cannot be read: No such file" in refused(path)
    assert "cannot be read: Is a directory" in refused(tmp_path)
    path.write_text(" \n\n")
    assert "is empty" in refused(path)
    path.write_bytes(b"good\nS\xe3o\n")
    assert "not UTF-8 in line 2" in refused(path)
    path.write_text("a\nb\nc\n")
    assert "has 3 lines, the reference has 4" in refused(path, 4)


def test_generate_that_is_not_whole(tmp_path):
    write_generate(tmp_path / "g", HYPOTHESES, HYPOTHESES, order=[0, 2, 3, 10])
    said = refused(tmp_path / "g", 11)
    assert "lacks 7 of 11 sentences (numbers 1, 4, 5, 6, 7, ...)" in said and "--required-batch-size-multiple 1" in said
    assert "lacks 7 of 11" in refused(tmp_path / "g")
    assert "holds sentence 10 (from 0), but the reference has 10 lines" in refused(tmp_path / "g", 10)
    write_generate(tmp_path / "g", HYPOTHESES, HYPOTHESES, order=list(range(11)) + [4])
    assert "holds sentence 4 twice" in refused(tmp_path / "g", 11)
    (tmp_path / "g").write_text("D-0\t-1\ta\nD-0\t-2\tb\n")
    assert "with its S- lines" in refused(tmp_path / "g", 1)
    # interrupted before the last hypothesis
    (tmp_path / "g").write_text("S-0\ta\nD-0\t-1\ta\nS-1\tb\n")
    assert "lacks 1 of 2" in refused(tmp_path / "g")
