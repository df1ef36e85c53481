"""crossinit_fairseq/binary_files.py: what is no text is named, and prose that begins alike is text."""

import bz2
import io
import lzma
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import sentencepiece
import torch

from crossinit_fairseq.binary_files import BZIP2, compression_of, what_is_no_text
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.text.counting import count_text
from crossinit_fairseq.text_files import decode, numbered_lines, read_lines


def zipped(name, text="the cat sat"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, text)
    return stream.getvalue()


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return stream.getvalue()


def saved(save, value, **options):
    stream = io.BytesIO()
    save(stream, value, **options)
    return stream.getvalue()


def of_torch(**options):
    stream = io.BytesIO()
    torch.save({"model": torch.ones(2)}, stream, **options)
    return stream.getvalue()


def of_sentencepiece():
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the cat sat"] * 9), model_writer=stream, vocab_size=12, minloglevel=2
    )
    return stream.getvalue()


def length_of(text):
    return struct.pack("<Q", len(text))


EXAMPLE = b"\n\x0b\n\x09\n\x04text"  # as tf.train.Example begins
MADE = {
    "bzip2": (bz2.compress(b"the cat"), "compressed by bzip2: .*`bzip2 -d`"),
    "bzip2 of nothing": (bz2.compress(b""), "compressed by bzip2"),
    "lzma": (lzma.compress(b"the cat", lzma.FORMAT_ALONE), "compressed by lzma"),
    "zip": (zipped("a.txt"), "a zip archive"),
    "empty zip": (b"PK\x05\x06" + bytes(18), "a zip archive"),
    "odt": (zipped("mimetype"), "a document of an office program or an e-book"),
    "docx": (zipped("[Content_Types].xml"), "a document of an office program or an e-book"),
    "docx of another program": (zipped("docProps/app.xml"), "a document of an office program or an e-book"),
    "xlsx": (zipped("xl/workbook.xml"), "a document of an office program or an e-book"),
    "npz": (saved(np.savez, np.ones(3)), "an archive of numpy's arrays"),
    "npy": (saved(np.save, np.ones(3)), "an array of numpy"),
    "torch": (of_torch(), "a checkpoint of torch"),
    "old torch": (of_torch(_use_new_zipfile_serialization=False), "a pickle of Python, or an old checkpoint"),
    "pickle": (pickle.dumps(["the cat"]), "a pickle of Python"),
    **{
        f"{kind} of protocol {protocol}": (pickle.dumps(value, protocol), "a pickle of Python")
        for kind, value in (("list", ["the cat"]), ("dict", {"the": 1}), ("array", np.ones(2)))
        for protocol in (0, 1)
    },
    "tuple of protocol 0": (pickle.dumps(("the", "cat"), 0), "a pickle of Python"),
    "SentencePiece": (of_sentencepiece(), "a model of SentencePiece: give the text itself"),
    "tar": (tarred(), "a tar archive"),
    "Avro": (b"Obj\x01\x02\x16avro.schema\x02{}", "a table in Avro: .*fastavro"),
    "ORC": (b"ORC\n\x06\x12\x04\x082P\x00\n(\n\x03\x00\x00\x00", r"a table in ORC: .*read_orc\('FILE'\)\['text'\]"),
    "compressed ORC": (b"ORC\x11\x00\x00\n\x06\x12\x04\x082P\x00D\x00\x00", "a table in ORC"),
    "Arrow": (b"ARROW1\x00\x00\xff\xff\xff\xffp\x00\x00\x00\x10\x00\x00\x00", "a table in Arrow"),
    "a stream of Arrow": (b"\xff\xff\xff\xffp\x00\x00\x00\x10\x00\x00\x00", "a table in Arrow"),
    "Feather": (b"FEA1\x00\x00\x00\x00\x0a\x00", "a table in Feather"),
    "HDF5": (b"\x89HDF\r\n\x1a\n\x00\x00", "a file of HDF5"),
    "TFRecord": (length_of(EXAMPLE) + b"abcd" + EXAMPLE, "a TFRecord"),
    "safetensors": (length_of(b"{}") + b'{"a":{}}', "a file of safetensors"),
    ".mo": (struct.pack("<7I", 0x950412DE, 0, 1, 28, 36, 0, 0), "a compiled gettext catalogue"),
    ".mo of the other kind": (struct.pack(">7I", 0x950412DE, 0, 1, 28, 36, 0, 0), "a compiled gettext catalogue"),
    ".idx": (b"MMIDIDX\x00\x00" + struct.pack("<QBQ", 1, 4, 9), "the index of text that fairseq-preprocess binarised"),
    "fastText": (struct.pack("<II", 793712314, 12), "a model of fastText"),
    "PDF": (b"%PDF-1.4\n1 0 obj\n", "a PDF"),
    "RTF": (rb"{\rtf1\ansi\deff0 {\fonttbl {\f0 Times;}} the cat}", "a document in RTF"),
    "RTF of Word": (rb"{\rtf1\adeflang1025\ansi\ansicpg1252 the cat}", "a document in RTF"),
    "RTF that begins with a group": (rb"{\rtf1{\info {\author me}} the cat}", "a document in RTF"),
    "RTF after a byte order mark": (b"\xef\xbb\xbf" + rb"{\rtf1\ansi the cat}", "a document in RTF"),
    "PDF after a byte order mark": (b"\xef\xbb\xbf%PDF-1.4\n1 0 obj\n", "a PDF"),
    # name, attributes, version, three dates, three numbers, type and creator, seed, next list, records
    "mobi": (
        b"A_book".ljust(32, b"\0")
        + struct.pack(">HH3I3I", 0, 0, 9, 9, 9, 0, 0, 0)
        + b"BOOKMOBI"
        + b"\0\0\0\x11"
        + bytes(6),
        "an e-book",
    ),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%Title: a\n", "PostScript"),
    "plain PostScript": (b"%!PS\nnewpath\n", "PostScript"),
    "picture": (b"GIF89a\x01\x00\x01\x00\x80\x00", "a picture"),
    "deb": (b"!<arch>\ndebian-binary   1410122664  0     0     100644  4         `\n", "an archive of ar"),
}


@pytest.mark.parametrize("kind", sorted(MADE))
def test_what_is_no_text(kind, tmp_path):
    data, what = MADE[kind]
    path = tmp_path / "t"
    path.write_bytes(data)
    for read in (lambda: read_lines(str(path)), lambda: list(numbered_lines(str(path))), lambda: decode(data, "t")):
        with pytest.raises(InputError, match="t is " + what):
            read()
    if kind.startswith("bzip2") or kind == "lzma":  # read as text, or only where it is text inside
        path.write_bytes(bz2.compress(data))
    with pytest.raises(InputError, match="t is " + what):
        count_text(str(path), "en")


PROSE = [
    "BZh is how a file of bzip2 begins.",
    "BZh9 too, and BZh91AY only with what follows.",
    "PK wrote this.",
    "PK\n",
    "Rar! they cried.",
    "PAR1 and PAR2 are files for repair.",
    "%PDF is what such a file begins with.",
    "%PDF-1.4 is what such a file begins with.",
    "ORC is a format, and an orc none.",
    "ORC\nis a format.",
    "Obj 1 is a thing.",
    "FEA1 is another.",
    "CDF of a normal distribution",
    "GIF89a is a picture.",
    "ID3 tags name songs.",
    "RIFF is a container, WAVE is one.",
    "7z is an archiver.",
    "SQLite format 3 is the third.",
    r"{\rtf is how it begins.",
    r"{\rtf1 is how it begins.",
    "%!PS is how it begins.",
    "LZIP1 and LZ4",
    "MZ begins programs.",
    "AT&T FORM 1",
    "ARROW1 and ARROW2",
    "!<arch>\nis how it begins",
    "GGUF is a model",
    "x" * 256 + " ustar is a kind of tar.",
    "x" * 257 + "ustar\n",
    "\n\n\n<unk> stands for others.",
    "x" * 60 + "BOOKMOBI is how Kindle's books begin, and TEXtREAd others.",
    "(lp and (dp are what a pickle begins with.",
    "(lp0 is how it begins.",
    "(Vp0",
    "cat\ndog\np",
    "cat\ndog\nq\nr",
    "(µ) is a letter, 50 a number.",
]


@pytest.mark.parametrize("text", PROSE)
def test_prose_that_begins_alike_is_text(text, tmp_path):
    text = f"{text}\nthe cat sat\n"
    assert what_is_no_text(text.encode("utf-8")) == "" and compression_of(text.encode("utf-8")) is None
    path = tmp_path / "t"
    path.write_text(text, "utf-8", newline="\n")
    assert read_lines(str(path))[-1] == "the cat sat"
    assert "cat" in count_text(str(path), "en").words


def test_the_shortest_beginning():
    assert compression_of(bz2.compress(b"a")[:10]) == compression_of(bz2.compress(b"")[:10]) == BZIP2
    assert what_is_no_text(b"") == "" and compression_of(b"BZh9") is None
