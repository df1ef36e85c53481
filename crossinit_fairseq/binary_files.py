"""What a file that is no text is, by its first bytes: compressed, an archive, a table, a document, a model.

Only what no text begins with counts: a sentence about files may begin with `BZh`, `PAR1`, `%PDF` or `Rar!`.
"""

import codecs
import re
from typing import Optional

BEGINNING = 1024  # bytes that tell; the name of tar stands at 257
GZIP, BZIP2, XZ, ZSTD = "gzip", "bzip2", "xz", "zstd"
_TABLE = "take its column of text out, for example with `python -c \"import pandas; print('\\n'.join(pandas.{}('FILE')"


def _read_by(function: str) -> str:
    return _TABLE.format(function) + "['text']))\"`"


def _of(beginnings: bytes) -> "re.Pattern[bytes]":
    return re.compile(beginnings, re.DOTALL)


_COMPRESSED = {
    GZIP: _of(rb"\x1f\x8b"),
    # a block, or the end where there is none: the first digits of pi, and of its square root
    BZIP2: _of(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    XZ: _of(rb"\xfd7zXZ\x00"),
    ZSTD: _of(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),  # or what parallel compressors write before it
    "lzma": _of(rb"\x5d\x00\x00.[\x00-\x0f]"),
    "lz4": _of(rb"\x04\x22\x4d\x18"),
    "lzip": _of(rb"LZIP\x01"),
    "lzop": _of(rb"\x89LZO\x00"),
}
_ZIP = rb"PK\x03\x04.{26}"  # the name of the first file follows
# the order matters: more than one thing is a zip archive
_KINDS = (
    (_of(rb"\x1f\x9d"), "compressed by compress: unpack it, for example with `gzip -d`"),
    (
        _of(_ZIP + rb"(mimetype|\[Content_Types\]\.xml|(_rels|docProps|customXml|word|xl|ppt|META-INF|OEBPS)/)"),
        "a document of an office program or an e-book: take its text out, for example with `pandoc -t plain`",
    ),
    (_of(_ZIP + rb"[^/\x00]{1,99}/data\.pkl"), "a checkpoint of torch: give a text"),
    (_of(_ZIP + rb"[^\x00]{1,99}\.npy"), "an archive of numpy's arrays: give a text"),
    (_of(rb"PK(\x03\x04|\x05\x06\x00{18})"), "a zip archive: unpack it, for example with `unzip`"),
    (_of(rb"7z\xbc\xaf\x27\x1c"), "an archive of 7-Zip: unpack it, for example with `7z x`"),
    (_of(rb"Rar!\x1a\x07"), "a RAR archive: unpack it, for example with `unrar x`"),
    (_of(rb"!<arch>\n(debian|\S+ +\d+ )"), "an archive of ar, as Debian's packages: unpack it with `ar x`"),
    (
        _of(rb"(?=.{0,256}\x00).{257}ustar(\x00|  \x00)"),
        "a tar archive: unpack it, for example with `tar xf`",
    ),
    (_of(rb"PAR1\x15"), "a table in Parquet: " + _read_by("read_parquet")),
    (
        _of(rb"ARROW1\x00\x00|\xff{4}.{2}\x00\x00\x10\x00"),
        "a table in Arrow: take its column of text out, for example with the library datasets",
    ),
    (_of(rb"FEA1\x00"), "a table in Feather: " + _read_by("read_feather")),
    (_of(rb"ORC(?=.{0,60}[\x00-\x08\x0e-\x1f])"), "a table in ORC: " + _read_by("read_orc")),
    (_of(rb"Obj\x01"), "a table in Avro: take its column of text out, for example with the library fastavro"),
    (_of(rb"\x89HDF\r\n"), "a file of HDF5: take its text out, for example with the library h5py"),
    (_of(rb"CDF[\x01\x02\x05]"), "a file of NetCDF: give a text"),
    (_of(rb"\x93NUMPY[\x01-\x03]\x00"), "an array of numpy: give a text"),
    (
        # the oldest protocols are ASCII, or nearly: a container or a class, and the number that it goes by, 0 or 1
        _of(
            rb"\x80[\x02-\x05]|\([ld]p[01]\n|(\([VS][^\n]*|c[A-Za-z_][\w.]*\n\w+)\np[01]\n"
            rb"|([\]}]|c[A-Za-z_][\w.]*\n\w+\n)q[\x00\x01]"
        ),
        "a pickle of Python, or an old checkpoint of torch: give a text",
    ),
    (
        _of(rb"(?!\x00{4}).{4}\x00{4}.{4}\x0a"),
        "a TFRecord: take its text out, for example with tensorflow's TFRecordDataset",
    ),
    (_of(rb".{4}\x00{4}\{[\"}\s]"), "a file of safetensors: give a text"),
    (_of(rb"GGUF[\x01-\x09]\x00\x00\x00"), "a model in GGUF: give a text"),
    (_of(rb"\x0a[\x05-\x7f]\x0a[\x01-\x40][!-~]{1,60}\x15"), "a model of SentencePiece: give the text itself"),
    (_of(rb"\xba\x16\x4f\x2f"), "a model of fastText: give a text"),
    (_of(rb"(MMIDIDX|TNTIDX)\x00\x00"), "the index of text that fairseq-preprocess binarised: give the text itself"),
    (
        _of(rb"SQLite format 3\x00"),
        "a database of SQLite: take its text out, for example with `sqlite3 FILE 'select ...'`",
    ),
    (
        _of(rb"(\xde\x12\x04\x95|\x95\x04\x12\xde)"),
        "a compiled gettext catalogue (.mo): make a .po of it, for example with `msgunfmt`, and take one language out",
    ),
    (_of(rb"%PDF-[1-9]\.\d[ \t]*[\r\n%]"), "a PDF: take its text out, for example with `pdftotext`"),
    (
        _of(rb"\xc5\xd0\xd3\xc6|\x04?%!PS(-Adobe-\d\.\d[^\r\n]{0,40})?[\r\n]"),
        "PostScript: take its text out, for example with `ps2ascii`",
    ),
    (
        _of(rb"\{\\rtf\d? ?\{?\\[a-z]{3,10}\d*[\\{\s]"),
        "a document in RTF: take its text out, for example with `pandoc -t plain`",
    ),
    (_of(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "a document of an office program: save it as plain text"),
    (_of(rb"AT&TFORM.{4}DJV"), "a document in DjVu: take its text out, for example with `djvutxt`"),
    # a name that ends in NUL, dates and numbers, type and creator, a seed, a number that is 0
    (
        _of(rb"(?=[^\x00]{0,31}\x00).{60}(BOOKMOBI|TEXtREAd).{4}\x00{4}"),
        "an e-book: take its text out, for example with Calibre's `ebook-convert`",
    ),
    (
        _of(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a(?=.{0,60}[\x00-\x08\x0e-\x1f])|(II\*\x00|MM\x00\*)"),
        "a picture: give a text",
    ),
    (
        _of(rb"OggS\x00|fLaC\x00|ID3[\x02-\x04]|RIFF.{4}(WAVEfmt |AVI LIST)|\x00{3}.ftyp|\x1a\x45\xdf\xa3"),
        "sound or video: give a text",
    ),
    (_of(rb"\x7fELF|MZ\x90\x00|\x00asm\x01"), "a program: give a text"),
)


def compression_of(beginning: bytes) -> Optional[str]:
    """The name of the program that compressed a file, by its first 10 bytes; None for any other."""
    return next((name for name, pattern in _COMPRESSED.items() if pattern.match(beginning)), None)


def what_is_no_text(beginning: bytes) -> str:
    """What a file is by its first bytes, BEGINNING of them or all, and what to do, if it is surely no text; else ""."""
    name = compression_of(beginning)
    if name:
        return f"compressed by {name}: unpack it, for example with `{name} -d`"
    beginning = beginning[:BEGINNING]
    if beginning.startswith(codecs.BOM_UTF8):  # which some programs put before what is ASCII
        beginning = beginning[len(codecs.BOM_UTF8) :]
    return next((said for pattern, said in _KINDS if pattern.match(beginning)), "")
