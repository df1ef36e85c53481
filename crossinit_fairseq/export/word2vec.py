"""A table of embeddings as word2vec's text: a line `V d`, then a symbol and its d numbers in every line."""

import math
import os
import re
from typing import BinaryIO, List, Tuple

import numpy as np
import torch

from crossinit_fairseq.binary_files import BEGINNING, what_is_no_text
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.tables import EmbeddingTable
from crossinit_fairseq.text_files import decode, unreadable, whole_number

_BLANK = re.compile("[ \t\n\v\f\r]")
_NO_CHARACTER = re.compile(rb"[^\t\n\r -~]")  # of ASCII, as numbers are
_LONGEST_WORD = 1000  # bytes
# what to do with files of these kinds, other than with those that a text is expected of
_REMEDIES = {
    "a model of fastText": "give the FILE.vec that fastText wrote beside it",
    "a file of safetensors": "let its name end in .safetensors",
}


def write_word2vec(table: EmbeddingTable, path: str) -> None:
    """Write an EmbeddingTable whose values are float32 or narrower, with the 9 digits that give the same float32 back.

    The file is complete or not there at all. Raises InputError when it cannot be written, when a symbol holds a blank,
    which the format cannot express, or when the values are float64.
    """
    for symbol in table.symbols:
        if not symbol or _BLANK.search(symbol):
            raise InputError(
                f"{table.source}: word2vec text cannot hold the symbol {symbol!r}, which has a blank in it: write "
                ".safetensors"
            )
    if table.values.dtype == torch.float64:
        raise InputError(f"{table.source} is of float64, word2vec text holds float32: write .safetensors")
    form = " ".join(["%.9g"] * table.dimension)
    with complete_file(path) as part:
        with open(part, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(f"{len(table)} {table.dimension}\n")
            for symbol, row in zip(table.symbols, table.values):
                stream.write(f"{symbol} {form % tuple(row.float().tolist())}\n")


def read_word2vec(path: str) -> EmbeddingTable:
    """Read word2vec's text, of any program: EmbeddingTable of float32 [V, d].

    Raises InputError when the file is missing, of another format, not UTF-8, or not as its first line says.
    """
    try:
        with open(path, "rb") as stream:
            _check_is_text(path, stream.peek(BEGINNING))
            rows, dimension = _first_line(path, decode(stream.readline(), path))
            _check_is_not_binary(path, stream, dimension)
            # a row has at least a symbol, and a blank and a digit for each number: a false header cannot take all
            # memory
            if rows * (1 + 2 * dimension) > os.path.getsize(path):
                raise InputError(
                    f"{path} is shorter than its first line says, {rows} rows of {dimension}: it is cut; copy it again"
                )
            symbols: List[str] = []
            values = np.empty((rows, dimension), dtype=np.float32)
            for number, line in enumerate(stream, 2):
                symbol, numbers = _row(path, number, decode(line, path, number), dimension)
                if len(symbols) == rows:
                    raise InputError(f"{path} has more rows than the {rows} its first line says")
                values[len(symbols)] = numbers
                symbols.append(symbol)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(symbols) != rows:
        raise InputError(f"{path} has {len(symbols)} rows, its first line says {rows}: it is cut; copy it again")
    return EmbeddingTable(symbols, torch.from_numpy(values), path)


def _check_is_text(path: str, beginning: bytes) -> None:
    kind, _, remedy = what_is_no_text(beginning).partition(": ")
    if kind:
        remedy = remedy.replace("give a text", "give what it holds as word2vec's text")
        raise InputError(f"{path} is {kind}: {_REMEDIES.get(kind, remedy)}")


def _check_is_not_binary(path: str, stream: BinaryIO, dimension: int) -> None:
    """Raise InputError for word2vec's binary format, which has the same first line: a word and a blank, then four bytes
    for each number. stream: after that line, where it is left."""
    begin = stream.tell()
    numbers = stream.read(min(_LONGEST_WORD + 4 * dimension, os.path.getsize(path))).partition(b" ")[2][: 4 * dimension]
    stream.seek(begin)
    numbers = numbers.split(b"\n")[0]  # of this row alone, if it is text
    # of four bytes two or three are no characters, on the average
    if numbers and 4 * len(_NO_CHARACTER.findall(numbers)) >= len(numbers):
        raise InputError(
            f"{path} is in word2vec's binary format: write it as text, for example with gensim, "
            "`KeyedVectors.load_word2vec_format('FILE', binary=True).save_word2vec_format('NEW.vec')`"
        )


def _first_line(path: str, line: str) -> Tuple[int, int]:
    width = len(line.split()) - 1
    if width > 1 and _is_row(line):
        raise InputError(
            f"{path} begins with a word and {width} numbers, as GloVe writes, without the line `ROWS {width}`, which "
            "tells a whole file from a cut one: put it there, with "
            f"`{{ echo $(grep -c '' FILE) {width}; cat FILE; }} > NEW.vec`"
        )
    if not line.strip():
        raise InputError(f"{path} begins with an empty line, or is empty: word2vec's text begins with `rows dimension`")
    numbers = [whole_number(field) for field in line.split()]
    if len(numbers) != 2 or not numbers[0] or not numbers[1]:
        raise InputError(f"{path}, line 1: not `rows dimension`, as word2vec text begins: {line[:60]!r}")
    return numbers[0], numbers[1]


def _is_row(line: str) -> bool:
    try:
        return all(math.isfinite(float(text)) for text in line.split()[1:])
    except ValueError:
        return False


def _row(path: str, number: int, line: str, dimension: int) -> Tuple[str, np.ndarray]:
    symbol, *numbers = line.rstrip(" \r\n").split(" ")
    if len(numbers) != dimension or not symbol:
        raise InputError(f"{path}, line {number}: not a symbol without blanks and {dimension} numbers: {line[:60]!r}")
    try:
        if any("_" in text for text in numbers):  # which Python reads as a number
            raise ValueError
        with np.errstate(over="ignore"):
            return symbol, np.array([float(text) for text in numbers], dtype=np.float32)
    except ValueError:
        raise InputError(f"{path}, line {number}: not a number in {line[:60]!r}") from None
