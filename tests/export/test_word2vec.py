"""Embeddings as word2vec text."""

import struct

import numpy as np
import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export import EmbeddingTable, read_word2vec, write_word2vec


def test_the_same_float32_comes_back(tmp_path):
    path = str(tmp_path / "t.vec")
    # any bits that are finite: also the smallest and largest, subnormal ones and -0
    bits = np.random.default_rng(0).integers(0, 2**32, size=40000, dtype=np.uint32)
    bits[:5] = [0x80000000, 1, 0x7F7FFFFF, 0xFF7FFFFF, 0x00800000]
    values = bits[(bits & 0x7F800000) != 0x7F800000][:39000].view(np.float32).reshape(-1, 10).copy()
    symbols = [f"w{k}" for k in range(len(values) - 3)] + ["\u00a0", "\u2028\x85", "7"]
    write_word2vec(EmbeddingTable(symbols, torch.from_numpy(values), "here"), path)
    table = read_word2vec(path)
    assert table.symbols == symbols and table.values.dtype == torch.float32
    assert np.array_equal(table.values.numpy().view(np.uint32), values.view(np.uint32))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_types_are_kept(tmp_path, dtype):
    values = torch.randn(5, 4).to(dtype)
    write_word2vec(EmbeddingTable("abcde", values, "here"), str(tmp_path / "t.vec"))
    assert torch.equal(read_word2vec(str(tmp_path / "t.vec")).values.to(dtype), values)


def test_the_text(tmp_path):
    table = EmbeddingTable(["\u2581a", "b"], torch.tensor([[0.1, 1.0], [-2.5, 3e-10]]), "here")
    write_word2vec(table, str(tmp_path / "t.vec"))
    assert (tmp_path / "t.vec").read_bytes() == "2 2\n\u2581a 0.100000001 1\nb -2.5 2.99999997e-10\n".encode("utf-8")


def test_the_text_of_other_programs(tmp_path):
    # the original program leaves a blank at the end of lines; line ends of Windows
    (tmp_path / "t.vec").write_bytes(b"2 3\r\na 1 2 3 \r\nb 0.25 -1e-3 +4 \r\n")
    table = read_word2vec(str(tmp_path / "t.vec"))
    assert table.symbols == ["a", "b"] and table.values.tolist() == [[1, 2, 3], [0.25, float(np.float32(-1e-3)), 4]]


@pytest.mark.parametrize("symbol", ["a b", "", "a\tb", "a\nb", "a\rb"])
def test_symbols_that_the_format_cannot_hold(tmp_path, symbol):
    with pytest.raises(InputError, match="word2vec text cannot hold the symbol"):
        write_word2vec(EmbeddingTable([symbol], torch.zeros(1, 2), "here"), str(tmp_path / "t.vec"))
    assert not list(tmp_path.iterdir())


def test_float64_is_refused(tmp_path):
    with pytest.raises(InputError, match="is of float64"):
        write_word2vec(EmbeddingTable(["a"], torch.zeros(1, 2).double(), "here"), str(tmp_path / "t.vec"))


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "begins with an empty line, or is empty"),
        (b"a 1\n", "line 1: not `rows dimension`"),
        (b"a b c\n", "line 1: not `rows dimension`"),
        (
            b"the 0.418 0.24968 -0.41242\n",
            "begins with a word and 3 numbers, as GloVe writes, without the line `ROWS 3`",
        ),
        (
            struct.pack("<II", 793712314, 12) + bytes(40),
            "is a model of fastText: give the FILE.vec that fastText wrote",
        ),
        (struct.pack("<Q", 2) + b'{"a":{}}', "is a file of safetensors: let its name end in .safetensors"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "is an array of numpy: give what it holds as word2vec's text"),
        (b"0 2\n", "line 1: not `rows dimension`"),
        (b"2 -2\n", "line 1: not `rows dimension`"),
        (b"99999999999 1000\na 1\n", "is shorter than its first line says"),
        (b"3 999999999999\na 1\n", "is shorter than its first line says"),
        (b"1 2\na 1_0 2\n", "line 2: not a number in 'a 1_0 2"),
        (b"2 2\na 1.0000000 2.000000\n", "has 1 rows, its first line says 2"),
        (b"1 2\na 1 2\nb 1 2\n", "has more rows than the 1"),
        (b"1 2\na 1\n#####\n", "line 2: not a symbol without blanks and 2 numbers: 'a 1"),
        (b"1 2\na b 1 2\n", "line 2: not a symbol without blanks and 2 numbers"),
        (b"1 2\n 1 2\n", "line 2: not a symbol"),
        (b"1 2\na 1 x\n", "line 2: not a number"),
        (b"1 2\na 1 nan\n", "the row of 'a' is not finite"),
        (b"1 2\na 1 1e99\n", "the row of 'a' is not finite"),
        (b"2 1\na 1\na 2\n", "has the symbol 'a' twice"),
        (b"2 1\na 1\n\xfcber 1\n", "is not UTF-8 in line 3: convert it"),
        ("1 1\na 1\n".encode("utf-16"), "is UTF-16: convert it"),
        (b"\x1f\x8b\x08", "is compressed by gzip: unpack it"),
    ],
)
def test_bad_files(tmp_path, content, said):
    (tmp_path / "t.vec").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_word2vec(str(tmp_path / "t.vec"))
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("dimension", [5, 300])
def test_the_binary_format_is_named(tmp_path, dimension, end):
    """As gensim writes it, and as word2vec does, with a line feed after each row."""
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=(9, dimension)).astype("<f4")
        values[0] *= seed > 2  # a row of zeros is binary too
        rows = [f"{word} ".encode("utf-8") + row.tobytes() + end for word, row in zip("の</s>abcdef", values)]
        (tmp_path / "t.vec").write_bytes(f"{len(rows)} {dimension}\n".encode("ascii") + b"".join(rows))
        with pytest.raises(InputError, match="is in word2vec's binary format: write it as text, .*gensim"):
            read_word2vec(str(tmp_path / "t.vec"))


def test_text_of_long_words_in_other_scripts_is_not_binary(tmp_path):
    (tmp_path / "t.vec").write_text("2 3\nまっくろくろすけ 0 0 1\nпривет 1 1e-7 nan\n", "utf-8")
    with pytest.raises(InputError, match="the row of 'привет' is not finite"):
        read_word2vec(str(tmp_path / "t.vec"))
    (tmp_path / "t.vec").write_bytes(b"2 3\nNew M\xe1laga 0.12 0.5 1\na 1 1 1\n")
    with pytest.raises(InputError, match="is not UTF-8 in line 2"):
        read_word2vec(str(tmp_path / "t.vec"))


def test_a_byte_order_mark_is_no_part_of_the_numbers(tmp_path):
    (tmp_path / "t.vec").write_bytes(b"\xef\xbb\xbf1 2\r\na 1 2\r\n")
    table = read_word2vec(str(tmp_path / "t.vec"))
    assert table.symbols == ["a"] and table.values.tolist() == [[1, 2]]


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_word2vec(str(tmp_path / "t.vec"))
    with pytest.raises(InputError, match="cannot be written: No such file"):
        write_word2vec(EmbeddingTable(["a"], torch.zeros(1, 2), "here"), str(tmp_path / "no" / "t.vec"))
