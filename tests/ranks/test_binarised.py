"""crossinit_fairseq/ranks/binarised.py, against the writer of fairseq."""

import os
import re
import shutil
import struct

import numpy as np
import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import open_binarised

pytest.importorskip("fairseq")
from fairseq.data import indexed_dataset

SENTENCES = [[5, 9, 7, 2], [2], [8, 2]]
# .idx: 9 bytes of magic, 8 of version, 1 of type, 8 of number of sentences, then 4 + 8 for each sentence
HEADER = 9 + 8 + 1 + 8


def write(prefix, sentences, **options):
    """Binarise as fairseq-preprocess does."""
    builder = indexed_dataset.make_builder(prefix + ".bin", impl="mmap", **options)
    for sentence in sentences:
        builder.add_item(torch.tensor(sentence))
    builder.finalize(prefix + ".idx")


@pytest.fixture
def prefix(tmp_path):
    prefix = str(tmp_path / "train")
    write(prefix, SENTENCES, vocab_size=100)
    return prefix


def patch(path, position, content):
    """Overwrite bytes of a file."""
    with open(path, "r+b") as stream:
        stream.seek(position)
        stream.write(content)


def refused(prefix, suffix):
    """Open damaged text. The message must name the file."""
    with pytest.raises(InputError, match=re.escape(prefix + suffix)) as caught:
        open_binarised(prefix)
    return str(caught.value)


@pytest.mark.parametrize("vocabulary, most", [(100, 99), (65499, 65498), (70000, 69999), (None, 69999)])
def test_reads_what_fairseq_wrote(tmp_path, vocabulary, most):
    prefix = str(tmp_path / "train")
    write(prefix, SENTENCES + [[most, 2]], vocab_size=vocabulary)
    text = open_binarised(prefix)
    assert text.tokens.tolist() == [5, 9, 7, 2, 2, 8, 2, most, 2]
    assert text.lengths.tolist() == [4, 1, 2, 2]


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_reads_every_width(tmp_path, dtype):
    prefix = str(tmp_path / "train")
    builder = indexed_dataset.MMapIndexedDatasetBuilder(prefix + ".bin", dtype=dtype)
    builder.add_item(torch.tensor([40000 if dtype == np.uint16 else 70000, 2]))
    builder.finalize(prefix + ".idx")
    text = open_binarised(prefix)
    assert text.tokens.dtype == dtype and text.lengths.dtype == np.int32
    assert text.tokens[0] in (40000, 70000) and len(text.tokens) == 2


@pytest.mark.parametrize("suffix", [".idx", ".bin"])
def test_missing_file(prefix, suffix):
    os.remove(prefix + suffix)
    assert "fairseq-preprocess" in refused(prefix, suffix)


def test_missing_folder(tmp_path):
    refused(str(tmp_path / "nowhere" / "train"), ".idx")


def test_index_cut_anywhere(prefix):
    with open(prefix + ".idx", "rb") as stream:
        whole = stream.read()
    assert len(whole) == HEADER + 12 * len(SENTENCES)
    for length in range(len(whole)):
        with open(prefix + ".idx", "wb") as stream:
            stream.write(whole[:length])
        refused(prefix, ".idx")


@pytest.mark.parametrize(
    "position, content",
    [
        (0, b"TNTIDX\x00\x00"),  # the older format, --dataset-impl cached
        (9, struct.pack("<Q", 2)),  # a version to come
        (17, struct.pack("<B", 0)),  # no such type
        (17, struct.pack("<B", 7)),  # double: holds no tokens
        (18, struct.pack("<Q", 2)),  # fewer sentences than there are lengths
        (18, struct.pack("<Q", 2**63)),
        (HEADER, struct.pack("<i", -4)),  # a negative length
    ],
)
def test_damaged_index(prefix, position, content):
    patch(prefix + ".idx", position, content)
    refused(prefix, ".idx")


def test_index_with_more_behind_it(prefix):
    with open(prefix + ".idx", "ab") as stream:
        stream.write(b"\x00")
    refused(prefix, ".idx")


def test_type_of_another_width(prefix):
    patch(prefix + ".idx", 17, struct.pack("<B", 4))  # int32, but two bytes were written for each token
    assert "has 14 bytes but" in refused(prefix, ".bin")


@pytest.mark.parametrize("size", [0, 2, 12, 13, 15, 16])
def test_data_shorter_or_longer_than_the_index_says(prefix, size):
    with open(prefix + ".bin", "r+b") as stream:
        stream.truncate(size)
    message = refused(prefix, ".bin")
    # 7 tokens of 2 bytes
    assert f"has {size} bytes" in message and f"{prefix}.idx speaks of 14" in message


def test_data_of_another_run(prefix, tmp_path):
    write(str(tmp_path / "other"), SENTENCES[1:], vocab_size=100)
    shutil.copy(str(tmp_path / "other.idx"), prefix + ".idx")
    refused(prefix, ".bin")


@pytest.mark.parametrize("sentences", [[], [[]]])
def test_empty_text(tmp_path, sentences):
    prefix = str(tmp_path / "train")
    builder = indexed_dataset.MMapIndexedDatasetBuilder(prefix + ".bin", dtype=np.uint16)
    for sentence in sentences:
        builder.add_item(torch.tensor(sentence))
    builder.finalize(prefix + ".idx")
    assert "no sentence" in refused(prefix, ".bin")


def test_negative_lengths_that_add_up(prefix):
    lengths = [len(sentence) for sentence in SENTENCES]
    patch(prefix + ".idx", HEADER, struct.pack("<ii", -lengths[0], lengths[1] + 2 * lengths[0]))
    assert f"a sentence of -{lengths[0]} tokens" in refused(prefix, ".idx")
