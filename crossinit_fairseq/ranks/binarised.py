"""Read fairseq's memory-mapped token files (`train.bin`, `train.idx`) without fairseq."""

import os
import struct
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.text_files import unreadable

_MAGIC = b"MMIDIDX\x00\x00"
_VERSION = 1
# the codes of fairseq.data.indexed_dataset that fairseq-preprocess writes tokens with, and their kin
_TOKEN_TYPES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 8: np.uint16, 9: np.uint32}


@dataclass(frozen=True)
class BinarisedText:
    """One split of one language, as `fairseq-preprocess --dataset-impl mmap` wrote it.

    tokens: integer [number of tokens], a memory map; every sentence ends with the end-of-sentence symbol.
    lengths: int32 [number of sentences], in tokens.
    """

    tokens: np.ndarray
    lengths: np.ndarray


def open_binarised(prefix: str) -> BinarisedText:
    """Open ``prefix.bin`` and ``prefix.idx``.

    Raises InputError when a file is missing, of another format, cannot be read, or when the two do not fit each other.
    """
    try:
        return _open(prefix)
    except OSError as error:
        raise unreadable(error.filename or prefix, error) from None


def _open(prefix: str) -> BinarisedText:
    index_path, data_path = prefix + ".idx", prefix + ".bin"
    for path in (index_path, data_path):
        if not os.path.isfile(path):
            raise InputError(
                f"{path} is missing: binarise the text with `fairseq-preprocess --only-source --srcdict dict.txt "
                f"--trainpref TEXT --destdir {os.path.dirname(prefix) or '.'}`"
            )
    token_type, lengths = _read_index(index_path)
    expected = int(lengths.sum(dtype=np.int64)) * np.dtype(token_type).itemsize
    actual = os.path.getsize(data_path)
    if expected != actual:
        raise InputError(
            f"{data_path} has {actual} bytes but {index_path} speaks of {expected}: one of them is damaged or of "
            "another run; binarise this text again"
        )
    if expected == 0:
        raise InputError(f"{data_path} holds no sentence: the text it was made from is empty")
    return BinarisedText(np.memmap(data_path, mode="r", dtype=token_type), lengths)


def _read_index(path: str) -> Tuple[type, np.ndarray]:
    """Return (numpy type of a token, int32 [sentences] lengths) from an .idx file."""
    size = os.path.getsize(path)
    header = len(_MAGIC) + 8 + 1 + 8
    with open(path, "rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise InputError(
                f"{path} is damaged or not of fairseq's mmap format; binarise this text again with `--dataset-impl "
                "mmap`"
            )
        rest = stream.read(header - len(_MAGIC))
        if len(rest) < header - len(_MAGIC):
            raise InputError(f"{path} is cut short; binarise this text again")
        version, code, sentences = struct.unpack("<QBQ", rest)
        # after the header: int32 lengths, then int64 byte offsets
        if version != _VERSION or code not in _TOKEN_TYPES or size != header + sentences * 12:
            raise InputError(f"{path} is damaged (its header does not fit its size); binarise this text again")
        lengths = np.fromfile(stream, dtype=np.int32, count=sentences)
        if (lengths < 0).any():
            raise InputError(f"{path} is damaged (a sentence of {lengths.min()} tokens); binarise this text again")
        return _TOKEN_TYPES[code], lengths
