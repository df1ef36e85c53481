"""Raw text from files, globs and standard input, plain or compressed, in blocks that cut no word."""

import bz2
import glob
import gzip
import logging
import lzma
import os
import sys
import zlib
from dataclasses import dataclass
from typing import IO, Any, Callable, Dict, Iterator, List, Optional, Sequence, Union

from crossinit_fairseq.binary_files import BEGINNING, BZIP2, GZIP, XZ, ZSTD, compression_of
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.markup import recognise_markup, suspect_markup
from crossinit_fairseq.text_files import check_no_utf16, not_utf8

STDIN = "-"
Patterns = Union[str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]]
# more than this without white space is no text
_MAX_UNBROKEN = 1 << 28
_MAGIC = 10  # bytes that tell what a file is compressed with
_OPENERS: Dict[str, Callable[..., Any]] = {GZIP: gzip.open, BZIP2: bz2.open, XZ: lzma.open}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A file, or the lines of a plain file that begin in the bytes begin <= offset < end."""

    path: str
    begin: int = 0
    end: Optional[int] = None

    @property
    def name(self) -> str:
        """How messages call it."""
        return "standard input" if self.path == STDIN else self.path

    def size(self) -> int:
        """Bytes to read, compressed as they are; 0 where it cannot be known."""
        if self.path == STDIN:
            return 0
        return (os.path.getsize(self.path) if self.end is None else self.end) - self.begin


@dataclass(frozen=True)
class Block:
    """Some whole words of a source. data: UTF-8 bytes; line: where they begin in the source, from 0;
    position: bytes of the source that are read so far, compressed as they are."""

    source: Source
    data: bytes
    line: int
    position: int

    def invalid_utf8(self) -> InputError:
        """The InputError for data that does not decode."""
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = 1 + self.line
            if self.source.begin:
                line += _count_lines(self.source.path, self.source.begin)
            return not_utf8(self.data, self.source.name, line, error.start)
        raise ValueError("this block is valid UTF-8")


def find_sources(patterns: Patterns) -> List[Source]:
    """The sources that file names, globs and "-" (standard input) stand for, in a fixed order.

    Raises InputError for a name that stands for no readable file and for a file that is named twice.
    """
    if isinstance(patterns, (str, os.PathLike)):
        patterns = [patterns]
    paths: List[str] = []
    for pattern in [os.fspath(given) for given in patterns]:
        if pattern == STDIN or os.path.exists(pattern):
            found = [pattern]
        else:
            found = sorted(glob.glob(pattern, recursive=True))
        if not found:
            raise InputError(f"{pattern} does not exist: give a text file, a glob in quotes, or - for standard input")
        paths += found
    seen = set()
    for path in paths:
        if os.path.isdir(path):
            raise InputError(f"{path} is a folder: name the files in it, for example '{path.rstrip('/')}/*.txt'")
        if path != STDIN and not os.access(path, os.R_OK):
            raise InputError(f"{path} cannot be read: check its permissions")
        real = path if path == STDIN else os.path.realpath(path)
        if real in seen:
            raise InputError(f"{path} is named twice and would be counted twice: name it once")
        seen.add(real)
    if not paths:
        raise InputError("no text is named: give files, globs, or - for standard input")
    return [Source(path) for path in paths]


def split_source(source: Source, size: int) -> List[Source]:
    """Cut a plain file into sources of about `size` bytes that hold the same lines; leave others whole."""
    if source.path == STDIN:
        return [source]
    with open(source.path, "rb") as stream:
        if compression_of(stream.read(_MAGIC)):
            return [source]
    end = os.path.getsize(source.path)
    return [Source(source.path, at, min(at + size, end)) for at in range(0, end, size)] or [source]


def read_blocks(source: Source, size: int) -> Iterator[Block]:
    """Yield a source as Blocks of about `size` bytes, cut after a line if there is one, else after a space.

    Raises InputError when it is damaged, UTF-16 or other binary data, or holds no white space for 256 MB.
    """
    raw = sys.stdin.buffer if source.path == STDIN else open(source.path, "rb")
    try:
        line, rest = 0, b""
        for data in _from_text(_read(raw, source, size), source):
            data = rest + data
            cut = 1 + (data.rfind(b"\n") if b"\n" in data else data.rfind(b" "))
            rest = data[cut:]
            if len(rest) > _MAX_UNBROKEN:
                raise InputError(f"{source.name} has no white space in 256 MB after line {line}: it is no text")
            if cut:
                yield Block(source, data[:cut], line, _position(raw, source))
                line += data.count(b"\n", 0, cut)
        if rest:
            yield Block(source, rest, line, _position(raw, source))
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"{source.name} is damaged or cut short after line {line} ({error}): get or compress it again"
        ) from None
    finally:
        if source.path != STDIN:
            raw.close()


def _from_text(parts: Iterator[bytes], source: Source) -> Iterator[bytes]:
    """The same bytes. Raises InputError when the first ones are those of UTF-16."""
    first: List[bytes] = []
    for data in parts:
        first.append(data)
        if source.begin or sum(map(len, first)) >= BEGINNING:
            break
    if not source.begin:
        check_no_utf16(b"".join(first)[:BEGINNING], source.name)
    yield from first
    yield from parts


def text_blocks(source: Source, size: int) -> Iterator[Block]:
    """`read_blocks` of text whose words are to be counted.

    Raises InputError for a file that is no text yet: a dump, HTML, JSON and the like, and says what to do first.
    """
    for block in read_blocks(source, size):
        if block.line == 0 and not source.begin:
            beginning = block.data[: 1 << 16].decode("utf-8", "replace")
            kind = recognise_markup(beginning)
            if kind:
                raise InputError(f"{source.name} is {kind.name}, not text: {kind.remedy}")
            warn_of_markup(beginning, source.name)
        yield block


def warn_of_markup(beginning: str, name: str) -> None:
    """Say it where a text begins as a table, mail or Markdown does: their marks, numbers and names will be words."""
    kind, remedy = suspect_markup(beginning) or ("", "")
    if kind:
        logger.warning(f"{name} looks like {kind}, of which all is taken for text: {remedy}, if it is")


def _read(raw: Any, source: Source, size: int) -> Iterator[bytes]:
    """Yield a source's bytes, decompressed; what a file is compressed with is read from its first bytes."""
    compression = compression_of(raw.peek(_MAGIC)[:_MAGIC])
    if compression in _OPENERS:
        with _OPENERS[compression](raw, "rb") as stream:
            yield from _pieces(stream, size)
    elif compression == ZSTD:
        yield from _read_zstd(raw, size)
    elif source.end is None:
        yield from _pieces(raw, size)
    else:
        begin, end = (_line_start(raw, offset) for offset in (source.begin, source.end))
        raw.seek(begin)
        for at in range(begin, end, size):
            yield raw.read(min(size, end - at))


def _pieces(stream: Any, size: int) -> Iterator[bytes]:
    return iter(lambda: stream.read(size), b"")


def _read_zstd(raw: Any, size: int) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        raise InputError("reading .zst needs a library: pip install 'crossinit_fairseq[text]'") from None
    # stream_reader() takes a file that is cut short for a whole one, so the frames are followed here
    frame, given = zstandard.ZstdDecompressor().decompressobj(), b""
    try:
        # a small piece: it may decompress to a thousand times its size
        for given in _pieces(raw, min(size, 1 << 17)):
            while given:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                data = frame.decompress(given)
                given = frame.unused_data if frame.eof else b""
                if data:
                    yield data
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from None
    if not frame.eof:
        raise EOFError("the last frame does not end")


def _line_start(raw: IO[bytes], offset: int) -> int:
    """Where the first line begins at or after an offset."""
    if offset == 0:
        return 0
    raw.seek(offset - 1)
    raw.readline()
    return raw.tell()


def _position(raw: IO[bytes], source: Source) -> int:
    try:
        return raw.tell() - source.begin
    except OSError:
        return 0  # a pipe


def _count_lines(path: str, offset: int) -> int:
    """Newlines before the first line that begins at or after an offset of a plain file."""
    with open(path, "rb") as stream:
        end = _line_start(stream, offset)
        stream.seek(0)
        return sum(stream.read(min(1 << 20, end - at)).count(b"\n") for at in range(0, end, 1 << 20))
