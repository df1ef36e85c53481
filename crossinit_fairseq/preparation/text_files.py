"""The files that one program writes and the next one reads: text of one sentence a line, SentencePiece models."""

import os

from programs import InputError


def count_lines(path):
    """The lines of a file. Raises InputError when it is missing or empty."""
    if not os.path.isfile(path):
        raise InputError("{} does not exist: make it with clean.py".format(path))
    with open(path, "rb") as stream:
        count, last = 0, b"\n"
        for data in iter(lambda: stream.read(1 << 20), b""):
            count, last = count + data.count(b"\n"), data[-1:]
    count += last != b"\n"
    if not count:
        raise InputError("{} is empty: nothing can be learnt from it".format(path))
    return count


def open_lines(path):
    """The file for reading, where \\n alone ends a line."""
    return open(path, encoding="utf-8", newline="\n")


def batches(stream, size):
    """Yield lists of up to `size` lines without their ends."""
    batch = []
    for line in stream:
        batch.append(line.rstrip("\n"))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def load_model(path):
    """A SentencePieceProcessor. Raises InputError when the file is missing or no model."""
    import sentencepiece

    if not os.path.isfile(path):
        raise InputError("{} does not exist: make it with vocabulary.py".format(path))
    try:
        return sentencepiece.SentencePieceProcessor(model_file=path)
    except RuntimeError:
        raise InputError("{} is no SentencePiece model: get it or make it again".format(path)) from None
