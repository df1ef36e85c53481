"""Reading text files: UTF-8, of which only a line feed ends a line.

Every file of text that a user gives is read by these functions, so that a byte order mark, another encoding and binary
data are treated alike everywhere. Only raw text to be counted, which may be compressed and larger than memory, is read
by `ranks.text.sources`; it reports what does not decode through `not_utf8` too.
"""

import codecs
import re
from typing import Iterator, List, Optional, Tuple

from crossinit_fairseq.binary_files import BEGINNING, what_is_no_text
from crossinit_fairseq.errors import InputError

_NUMBER = re.compile("0*[0-9]{1,18}")
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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
            check_is_text(stream.peek(BEGINNING), path)
            for number, data in enumerate(stream, 1):
                line = decode(data, path, number).rstrip("\r\n")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise unreadable(path, error) from None


def decode(data: bytes, name: str, line: int = 1) -> str:
    """UTF-8 bytes as str, without the byte order mark at the beginning of a file.

    name: how messages call the file; line: the number, from 1, of the line that the bytes begin with.
    Raises InputError for another encoding, for NUL bytes, which no text has, and for what is known to be no text.
    """
    try:
        text = data.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(data, name, line, error.start) from None
    if "\0" in text:
        raise not_utf8(data, name, line, data.index(b"\0"))
    if line == 1:
        check_is_text(data, name)  # a PDF may be ASCII
    return text


def check_is_text(beginning: bytes, name: str) -> None:
    """Raise InputError for an archive, a table and other binary data, by the first bytes of a file."""
    other = what_is_no_text(beginning)
    if other:
        raise InputError(f"{name} is {other}")


def not_utf8(data: bytes, name: str, line: int, place: int) -> InputError:
    """The error for bytes that are no UTF-8 text from a place on; `line` is that of the first byte."""
    other = what_is_no_text(data) if line == 1 else ""
    if other:
        return InputError(f"{name} is {other}")
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
    check_is_text(data, name)
    if data.startswith(_UTF16 + _UTF32) or (len(data) >= 16 and 10 * data.count(b"\0") > len(data)):
        raise not_utf8(data, name, 1, max(data.find(b"\0"), 0))


def whole_number(text: str) -> Optional[int]:
    """A number of at most 18 ASCII digits between blanks; None for anything else, such as \u00b2 or 1.5."""
    text = text.strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def unreadable(path: str, error: OSError) -> InputError:
    """The InputError for a file that the system cannot open or read."""
    return InputError(f"{path} cannot be read: {error.strerror or error}")
