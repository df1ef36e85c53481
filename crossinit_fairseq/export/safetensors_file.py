"""A table of embeddings as a .safetensors file: one tensor `embeddings`, its symbols in the metadata as JSON."""

import json
import os
from types import ModuleType

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.tables import EmbeddingTable

TENSOR, SYMBOLS = "embeddings", "symbols"
_REMEDY = "`crossinit-export CHECKPOINT --dict DICT.txt --to FILE.safetensors` writes one; word2vec's text is FILE.vec"


def write_safetensors(table: EmbeddingTable, path: str) -> None:
    """Write an EmbeddingTable: tensor `embeddings`, float [V, d] of the table's dtype, bit for bit; metadata `symbols`.

    The file is complete or not there at all. Raises InputError when it cannot be written or the library is missing.
    """
    metadata = {"format": "pt", SYMBOLS: json.dumps(table.symbols, ensure_ascii=False)}
    content = _library().torch.save({TENSOR: table.values.contiguous()}, metadata=metadata)
    with complete_file(path) as part:
        # not by its save_file, which makes files that only their owner can read
        with open(part, "wb") as stream:
            stream.write(content)


def read_safetensors(path: str) -> EmbeddingTable:
    """Read what write_safetensors wrote: EmbeddingTable, values of the file's dtype.

    Raises InputError when the file is missing, no safetensors file, or one without `embeddings` and `symbols`.
    """
    library = _library()
    if not os.path.isfile(path):
        raise InputError(f"{path} is no file")
    try:
        with library.safe_open(path, framework="pt", device="cpu") as opened:
            metadata = opened.metadata() or {}
            values = opened.get_tensor(TENSOR) if TENSOR in opened.keys() else None
        symbols = json.loads(metadata.get(SYMBOLS, "null"))
    except (library.SafetensorError, ValueError, RecursionError, OSError) as error:
        raise InputError(f"{path} is no readable .safetensors file ({error}): {_REMEDY}") from None
    if values is None or not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise InputError(
            f"{path} is not of crossinit-export: it needs one tensor `{TENSOR}` and, in its metadata, `{SYMBOLS}`, a "
            f"JSON list: {_REMEDY}"
        )
    return EmbeddingTable(symbols, values, path)


def _library() -> ModuleType:
    try:
        import safetensors
        import safetensors.torch
    except ImportError:
        raise InputError(".safetensors needs a library: pip install 'crossinit_fairseq[export]'") from None
    return safetensors
