"""crossinit_fairseq/data/dictionary.py"""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data import dictionary
from crossinit_fairseq.data.dictionary import (
    check_control_symbols,
    control_symbols,
    languages_in,
    pieces_of,
    read_entries,
    read_symbols,
    special_rows,
    write_dictionary,
)
from crossinit_fairseq.errors import InputError
from tests.helpers import write_sentencepiece_model  # and the hypothesis profile
from tests.programs import run

FOUR = ["<s>", "<pad>", "</s>", "<unk>"]


def test_the_four_are_fairseqs_own():
    from fairseq.data import Dictionary

    theirs = Dictionary()
    assert theirs.symbols == list(dictionary.SPECIAL) == FOUR
    rows = (theirs.bos(), theirs.pad(), theirs.eos(), theirs.unk())
    assert rows == (dictionary.BOS, dictionary.PAD, dictionary.EOS, dictionary.UNK)


def test_control_symbols():
    assert control_symbols(["en", "zh_CN"]) == ["[en]", "[zh_CN]", "<mask>"]


@pytest.mark.parametrize(
    "symbols, found",
    [
        (["a", "[en]", "[ro]", "<mask>"], {"en": 5, "ro": 6}),
        (["a", "<mask>", "[ro]", "[en]"], {"ro": 6, "en": 7}),
        (["[de]", "b", "[en]", "madeupword0000", "<mask>", "madeupword0001"], {"en": 6}),  # [de] is not at the end
        (["[en]"], {"en": 4}),
    ],
)
def test_languages_hand_worked(symbols, found):
    assert list(languages_in(FOUR + symbols).items()) == list(found.items())


@pytest.mark.parametrize("symbols", [[], ["a"], ["[en]", "a"], ["[en] [ro]"], ["[]"], ["<mask>"]])
def test_a_dictionary_without_languages_is_refused(symbols):
    with pytest.raises(InputError, match="names no language"):
        languages_in(FOUR + symbols)


def test_special_rows_hand_worked():
    symbols = FOUR + ["[de]", "a", "[en]", "[ro]", "<mask>"]
    assert special_rows(symbols) == [0, 1, 2, 3, 6, 7, 8]
    assert special_rows(symbols, ["de", "en"]) == [0, 1, 2, 3, 4, 6, 7, 8]
    assert special_rows(FOUR + ["[en]", "a"]) == [0, 1, 2, 3]


def test_missing_control_symbols_are_named():
    check_control_symbols(FOUR + ["[en]", "[ro]", "<mask>"], ["en"], "d/dict.txt")
    with pytest.raises(InputError, match=r"^d/dict.txt lacks \[ne\] <mask>: append"):
        check_control_symbols(FOUR + ["[en]"], ["en", "ne"], "d/dict.txt")


SYMBOL = st.text(min_size=1, max_size=6).filter(
    lambda s: not set("\r\n") & set(s) and s.encode("utf-8", "ignore").decode() == s
)


@given(st.lists(SYMBOL, max_size=8, unique=True).filter(lambda symbols: not set(symbols) & {"[aa]", "<mask>", *FOUR}))
def test_what_is_written_is_read_by_us_and_by_fairseq(tmp_path_factory, symbols):
    from fairseq.data import Dictionary

    path = str(tmp_path_factory.mktemp("dictionary") / "dict.txt")
    written = write_dictionary(path, symbols, ["aa"])
    assert written == symbols + ["[aa]", "<mask>"]
    if not symbols or not symbols[0].startswith("\ufeff"):
        assert read_symbols(path) == FOUR + written
    assert Dictionary.load(path).symbols == FOUR + written


@pytest.mark.parametrize("bad", [["a", "a"], ["<unk>"], ["[aa]"], ["<mask>"], [""], ["a\nb"], ["a\rb"]])
def test_symbols_that_cannot_be_written(tmp_path, bad):
    with pytest.raises(InputError):
        write_dictionary(str(tmp_path / "dict.txt"), bad, ["aa"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content, said",
    [
        (b"a 1\nb\n", "line 2: not `symbol count`: 'b'"),
        (b"a 1\nb x\n", "line 2: not `symbol count`"),
        ("a 1\nb \u00b2\n".encode(), "line 2: not `symbol count`"),
        (b"a 1\nb " + b"9" * 5000 + b"\n", "line 2: not `symbol count`"),
        (b"a 1\n\nb 1\n", "line 2: not `symbol count`"),
        (b"a 1\nb 1\na 2\n", "has the symbol 'a' twice"),
        (b"<unk> 1\n", "has the symbol '<unk>' twice"),
        (b"b 1\na 1 #fairseq:overwrite\n", "line 2: #fairseq:overwrite lets one symbol stand for two rows"),
        (b"\xff 1\n", "is not UTF-8"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
    ],
)
def test_files_that_are_no_dictionary(tmp_path, content, said):
    (tmp_path / "dict.txt").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_symbols(str(tmp_path / "dict.txt"))
    assert said in str(error.value) and "dict.txt" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="nothere.txt cannot be read: No such file"):
        read_symbols(str(tmp_path / "nothere.txt"))


def test_a_byte_order_mark_is_dropped(tmp_path):
    (tmp_path / "dict.txt").write_bytes(b"\xef\xbb\xbfa 7\nb -1\n")
    assert read_entries(str(tmp_path / "dict.txt")) == [("a", 7), ("b", -1)]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("dictionary") / "dict.txt"
    path.write_bytes(content)
    try:
        assert read_symbols(str(path))[:4] == FOUR
    except InputError:
        pass


class Model:
    """As much of a SentencePieceProcessor as is asked."""

    pieces = ["<unk>", "<s>", "</s>", "\u2581a", "b"]

    def __len__(self):
        return len(self.pieces)

    def id_to_piece(self, number):
        return self.pieces[number]

    def is_unknown(self, number):
        return number == 0

    def is_control(self, number):
        return number in (1, 2)


def test_pieces_of_a_model():
    assert pieces_of(Model()) == ["\u2581a", "b"]


def command(*arguments):
    return run(sys.executable, "-m", "crossinit_fairseq.data.dictionary", *arguments)


def test_command_writes_and_checks(tmp_path):
    words, out = tmp_path / "words.txt", tmp_path / "dict.txt"
    words.write_text("one\ntwo\n", encoding="utf-8")
    done = command("write", "--langs", "en, ro", "--symbols", str(words), "--out", str(out))
    assert (done.returncode, done.stdout) == (0, f"{out}: 5 symbols\n")
    assert out.read_text("utf-8") == "one 1\ntwo 1\n[en] 1\n[ro] 1\n<mask> 1\n"
    done = command("check", "--langs", "en,ro", str(out))
    assert (done.returncode, done.stdout) == (0, f"{out}: 9 symbols, 4 of them fairseq's own\n")
    done = command("check", "--langs", "en,ne", str(out))
    assert done.returncode == 1 and done.stderr.startswith(f"crossinit_fairseq: error: {out} lacks [ne]:")


def test_command_takes_a_sentencepiece_model(tmp_path):
    processor = write_sentencepiece_model(tmp_path / "spm.model")
    out = str(tmp_path / "dict.txt")
    assert command("write", "--langs", "en", "--model", str(tmp_path / "spm.model"), "--out", out).returncode == 0
    pieces = [processor.id_to_piece(number) for number in range(3, 9)]  # its first three are <unk>, <s>, </s>
    assert read_symbols(out) == FOUR + pieces + ["[en]", "<mask>"]
    (tmp_path / "spm.model").write_bytes(b"no model")
    done = command("write", "--langs", "en", "--model", str(tmp_path / "spm.model"), "--out", out)
    assert done.returncode == 1 and "is no SentencePiece model" in done.stderr and "Traceback" not in done.stderr


def test_needs_neither_fairseq_nor_torch():
    code = "import sys, crossinit_fairseq.data.dictionary\nassert not {'fairseq', 'torch', 'numpy'} & set(sys.modules)"
    assert run(sys.executable, "-c", code).returncode == 0


def test_output_over_an_input_is_refused(tmp_path):
    (tmp_path / "dict.txt").write_text("a\n")
    path = str(tmp_path / "dict.txt")
    done = command("write", "--langs", "en", "--symbols", path, "--out", path)
    assert done.returncode == 1 and "would be overwritten" in done.stderr and os.path.getsize(path) == 2
