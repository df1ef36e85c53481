"""The files that one step writes and the next one reads: text of one sentence a line, SentencePiece models."""

import os
from typing import Any, Iterable, Iterator, List

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import sentencepiece_model
from crossinit_fairseq.text_files import decode

CLEAN, VOCABULARY, ENCODE = (f"crossinit-prepare {name}" for name in ("clean", "vocabulary", "encode"))


def count_lines(path: str) -> int:
    """The lines of a file. Raises InputError when it is missing or empty."""
    if not os.path.isfile(path):
        raise InputError(f"{path} does not exist: make it with {CLEAN}")
    with open(path, "rb") as stream:
        count, last = 0, b"\n"
        for data in iter(lambda: stream.read(1 << 20), b""):
            count, last = count + data.count(b"\n"), data[-1:]
    count += last != b"\n"
    if not count:
        raise InputError(f"{path} is empty: nothing can be learnt from it")
    return count


def lines_of(path: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their ends. Raises InputError for another encoding."""
    with open(path, "rb") as stream:
        for number, data in enumerate(stream, 1):
            yield decode(data, path, number).rstrip("\r\n")


def batches(lines: Iterable[str], size: int) -> Iterator[List[str]]:
    """Yield lists of up to `size` lines."""
    batch: List[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def load_model(path: str) -> Any:
    """A SentencePieceProcessor. Raises InputError when the file is missing, no model, or hides where words begin."""
    if not os.path.isfile(path):
        raise InputError(f"{path} does not exist: make it with {VOCABULARY}")
    model = sentencepiece_model.load_model(path)
    sentencepiece_model.check_model(model, path)
    return model
