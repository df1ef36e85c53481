"""A table of embeddings as word2vec's text: a line `V d`, then a symbol and its d numbers in every line."""

import os
import re

import numpy as np
import torch

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.tables import EmbeddingTable

_BLANK = re.compile("[ \t\n\v\f\r]")


def write_word2vec(table, path):
    """Write an EmbeddingTable whose values are float32 or narrower, with the 9 digits that give the same float32 back.

    The file is complete or not there at all. Raises InputError when it cannot be written, when a symbol holds a blank,
    which the format cannot express, or when the values are float64.
    """
    for symbol in table.symbols:
        if not symbol or _BLANK.search(symbol):
            raise InputError(
                "{}: word2vec text cannot hold the symbol {!r}, which has a blank in it: write .safetensors".format(
                    table.source, symbol
                )
            )
    if table.values.dtype == torch.float64:
        raise InputError("{} is of float64, word2vec text holds float32: write .safetensors".format(table.source))
    form = " ".join(["%.9g"] * table.dimension)
    with complete_file(path) as part:
        with open(part, "w", encoding="utf-8", newline="\n") as stream:
            stream.write("{} {}\n".format(len(table), table.dimension))
            for symbol, row in zip(table.symbols, table.values):
                stream.write("{} {}\n".format(symbol, form % tuple(row.float().tolist())))


def read_word2vec(path):
    """Read word2vec's text, of any program: EmbeddingTable of float32 [V, d].

    Raises InputError when the file is missing, not UTF-8, or not as its first line says.
    """
    try:
        with open(path, encoding="utf-8", newline="\n") as stream:
            rows, dimension = _first_line(path, stream.readline())
            # a symbol, and a blank and a digit for each number: so no false header can make us ask for too much memory
            if rows * (1 + 2 * dimension) > os.path.getsize(path):
                raise InputError("{} is shorter than its first line says: {} rows of {}".format(path, rows, dimension))
            symbols, values = [], np.empty((rows, dimension), dtype=np.float32)
            for number, line in enumerate(stream, 2):
                symbol, numbers = _row(path, number, line, dimension)
                if len(symbols) == rows:
                    raise InputError("{} has more rows than the {} its first line says".format(path, rows))
                values[len(symbols)] = numbers
                symbols.append(symbol)
    except OSError as error:
        raise InputError("{} cannot be read: {}".format(path, error.strerror)) from None
    except UnicodeDecodeError:
        raise InputError("{} is not UTF-8 text".format(path)) from None
    if len(symbols) != rows:
        raise InputError("{} has {} rows, its first line says {}".format(path, len(symbols), rows))
    return EmbeddingTable(symbols, torch.from_numpy(values), path)


def _first_line(path, line):
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() and int(field) for field in fields):
        raise InputError("{}, line 1: not `rows dimension`, as word2vec text begins: {!r}".format(path, line[:60]))
    return int(fields[0]), int(fields[1])


def _row(path, number, line, dimension):
    symbol, *numbers = line.rstrip(" \r\n").split(" ")
    if len(numbers) != dimension or not symbol:
        raise InputError(
            "{}, line {}: not a symbol without blanks and {} numbers: {!r}".format(path, number, dimension, line[:60])
        )
    try:
        with np.errstate(over="ignore"):
            return symbol, np.array([float(text) for text in numbers], dtype=np.float32)
    except ValueError:
        raise InputError("{}, line {}: not a number in {!r}".format(path, number, line[:60])) from None
