"""From what was downloaded to gzipped text with one sentence a line."""

import gzip
import lzma
import os
import zlib
from typing import Iterable, Iterator, TypeVar

from tqdm import tqdm

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError

Item = TypeVar("Item")
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)


def to_sentences(download: str, form: str, lang: str, path: str) -> int:
    """Write `path`, whole or not at all, and remove `download`. Returns the number of lines.

    form: gz (one sentence a line already: only read through, for its CRC), xz (CC-100: a paragraph a line) or parquet
    (Wikipedia: an article a row, paragraphs between line breaks). Raises InputError for a broken file, which is
    removed.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    lines = 0
    try:
        if form == "gz":
            with gzip.open(download, "rb") as file:
                lines = sum(1 for _ in _bar(file, path))
            os.replace(download, path)
            return lines
        # no time and no name in the header: the same text gives the same file
        with complete_file(path) as part, open(part, "wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as file:
            for sentence in _bar(_split(_paragraphs(download, form), lang), path):
                file.write(sentence.encode("utf-8") + b"\n")
                lines += 1
        os.remove(download)
        return lines
    except BROKEN as error:
        os.remove(download)
        raise InputError(
            f"{download} is broken ({error}) and was deleted: run the same command again to fetch it anew"
        ) from None


def _paragraphs(path: str, form: str) -> Iterator[str]:
    if form == "xz":
        with lzma.open(path, "rt", encoding="utf-8", errors="replace") as file:
            yield from file
        return
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError("Wikipedia's files need pyarrow: pip install 'crossinit_fairseq[recipes]'") from None
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=1024, columns=["text"]):
            for article in batch.column(0):
                for line in article.as_py().splitlines():
                    yield line
    except (pyarrow.ArrowInvalid, KeyError, IndexError, OSError) as error:
        raise EOFError(str(error).splitlines()[0]) from None


def _split(paragraphs: Iterable[str], lang: str) -> Iterator[str]:
    try:
        from sentencex import segment
    except ImportError:
        raise InputError("sentences are split by sentencex: pip install 'crossinit_fairseq[recipes]'") from None
    for paragraph in paragraphs:
        for sentence in segment(lang, paragraph.strip()):
            sentence = sentence.strip()
            if sentence:
                yield sentence


def _bar(lines: Iterable[Item], path: str) -> Iterable[Item]:
    return tqdm(lines, desc=os.path.basename(path), unit=" lines", unit_scale=True, delay=2, disable=None)
