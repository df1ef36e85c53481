"""Reading text files: UTF-8, of which only a line feed ends a line.

Every file of text that a user gives is read by these functions, so that a byte order mark, another encoding and binary
data are treated alike everywhere. Only raw text to be counted, which may be compressed and larger than memory, is read
by `ranks.text.sources`; it reports what does not decode through `not_utf8` too.
"""

import codecs
import re
from typing import Iterator, List, Mapping, Optional, Tuple

from crossinit_fairseq.errors import InputError

_NUMBER = re.compile("0*[0-9]{1,18}")
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# how a file begins: what it is, and what to do
_COMPRESSED = {
    b"\x1f\x8b": "compressed by gzip: unpack it, for example with `gzip -d`",
    b"BZh": "compressed by bzip2: unpack it, for example with `bzip2 -d`",
    b"\xfd7zXZ\x00": "compressed by xz: unpack it, for example with `xz -d`",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it, for example with `zstd -d`",
    b"\x04\x22\x4d\x18": "compressed by lz4: unpack it, for example with `lz4 -d`",
}
_PACKED = {
    b"PK\x03\x04": "a zip archive: unpack it, for example with `unzip`",
    b"7z\xbc\xaf\x27\x1c": "an archive of 7-Zip: unpack it, for example with `7z x`",
    b"Rar!\x1a\x07": "a RAR archive: unpack it, for example with `unrar x`",
    b"PAR1\x15": 'a table in Parquet: take its column of text out, for example with `python -c "import pandas; '
    "print('\\n'.join(pandas.read_parquet('FILE')['text']))\"`",
    b"ARROW1\0\0": "a table in Arrow: take its column of text out, for example with the library datasets",
    b"SQLite format 3\0": "a database of SQLite: take its text out, for example with `sqlite3 FILE 'select ...'`",
    b"%PDF-": "a PDF: take its text out, for example with `pdftotext`",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a document of an office program: save it as plain text",
}
_OFFICE = (b"mimetype", b"[Content_Types].xml", b"_rels/", b"word/", b"META-INF/")  # what they pack first, by zip
_TAR = (257, b"ustar")


def read_lines(path: str) -> List[str]:
    """The lines of a text of one sentence a line, without the white space around them, empty ones too.

    Raises InputError for a file that cannot be read, is empty or is not UTF-8.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise unreadable(path, error) from None
    lines = decode(data, path).split("\n")
    if not lines[-1]:
        lines.pop()
    lines = [line.strip() for line in lines]
    if not any(lines):
        raise InputError(f"{path} is empty: give one sentence a line")
    return lines


def numbered_lines(path: str) -> Iterator[Tuple[int, str]]:
    """Yield (number from 1, line without its end) of the lines that are not blank, one at a time.

    Raises InputError when the file cannot be read or a line is not UTF-8.
    """
    try:
        with open(path, "rb") as stream:
            for number, data in enumerate(stream, 1):
                line = decode(data, path, number).rstrip("\r\n")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise unreadable(path, error) from None


def decode(data: bytes, name: str, line: int = 1) -> str:
    """UTF-8 bytes as str, without the byte order mark at the beginning of a file.

    name: how messages call the file; line: the number, from 1, of the line that the bytes begin with.
    Raises InputError for another encoding, and for NUL bytes, which no text has.
    """
    try:
        text = data.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(data, name, line, error.start) from None
    if "\0" in text:
        raise not_utf8(data, name, line, data.index(b"\0"))
    return text


def not_utf8(data: bytes, name: str, line: int, place: int) -> InputError:
    """The error for bytes that are no UTF-8 text from a place on; `line` is that of the first byte."""
    if line == 1:
        packed = _what_is_packed(data, {**_COMPRESSED, **_PACKED})
        if packed:
            return InputError(f"{name} is {packed}")
    if b"\0" in data[:place]:
        place = data.index(b"\0")  # UTF-16 of more than ASCII has bytes that are no UTF-8 after that
    line += data.count(b"\n", 0, place)
    if data.startswith(_UTF32) and line == 1:
        return InputError(f"{name} is UTF-32: convert it, for example with `iconv -f utf-32 -t utf-8`")
    if data.startswith(_UTF16) and line == 1:
        return InputError(f"{name} is UTF-16: convert it, for example with `iconv -f utf-16 -t utf-8`")
    if data[place : place + 1] == b"\0":
        # of an ASCII character the second byte is NUL, or the first
        encoding = "utf-16be" if line == 1 and place % 2 == 0 else "utf-16le"
        return InputError(
            f"{name} has a NUL byte in line {line}: it is binary, or UTF-16 without a byte order mark; convert it, for "
            f"example with `iconv -f {encoding} -t utf-8`"
        )
    return InputError(f"{name} is not UTF-8 in line {line}: convert it, for example with `iconv -f latin1 -t utf-8`")


def check_no_utf16(data: bytes, name: str) -> None:
    """Raise InputError when the first bytes of a large file are those of UTF-16, or of an archive or other binary data.

    A NUL byte here and there is what the web is full of: whatever cuts a text into words sees a separator in it.
    """
    packed = _what_is_packed(data, _PACKED)  # what is compressed twice is seen later
    if packed:
        raise InputError(f"{name} is {packed}")
    if data.startswith(_UTF16 + _UTF32) or (len(data) >= 16 and 10 * data.count(b"\0") > len(data)):
        raise not_utf8(data, name, 1, max(data.find(b"\0"), 0))


def _what_is_packed(data: bytes, kinds: Mapping[bytes, str]) -> str:
    """What a file is that packs its text, and what to do, by its first bytes; "" for any other."""
    if data[_TAR[0] :].startswith(_TAR[1]) and b"\0" in data[: _TAR[0]]:
        return "a tar archive: unpack it, for example with `tar xf`"
    found = next((said for begin, said in kinds.items() if data.startswith(begin)), "")
    if data.startswith(b"PK\x03\x04") and data[30:].startswith(_OFFICE):
        return "a document of an office program or an e-book: take its text out, for example with `pandoc -t plain`"
    return found


def whole_number(text: str) -> Optional[int]:
    """A number of at most 18 ASCII digits between blanks; None for anything else, such as \u00b2 or 1.5."""
    text = text.strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def unreadable(path: str, error: OSError) -> InputError:
    """The InputError for a file that the system cannot open or read."""
    return InputError(f"{path} cannot be read: {error.strerror or error}")
