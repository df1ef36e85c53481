"""SentencePiece: loading a model, which of its variants cannot be used, and text that is still in pieces."""

import os
import re
from typing import Any, Iterable

from crossinit_fairseq.data.dictionary import WORD_START
from crossinit_fairseq.errors import InputError

_BYTE = re.compile("<0x([0-9A-F]{2})>")
_BYTES = re.compile("(?:<0x[0-9A-F]{2}>)+")
_BLANK_WITHIN = re.compile(f"[^{WORD_START}]{WORD_START}")


def load_model(path: str) -> Any:
    """The SentencePieceProcessor of a .model file. Raises InputError when the file is missing or no such model."""
    import sentencepiece

    if not os.path.isfile(path):
        raise InputError(f"{path} does not exist: give the .model file of a SentencePiece model")
    try:
        return sentencepiece.SentencePieceProcessor(model_file=path)
    except (OSError, RuntimeError):
        raise InputError(f"{path} is no SentencePiece model: give the .model file of one") from None


def check_model(model: Any, path: str) -> None:
    """Raise InputError for a model whose pieces do not tell where words begin.

    model: SentencePieceProcessor; path: how the message calls it. Byte fallback and user-defined symbols are no
    hindrance: see `WordPieces`.
    """
    # a symbol that the user defined may look like anything, and need not be a piece of this text
    control = [model.is_control(row) or model.is_unknown(row) or model.is_unused(row) for row in range(len(model))]
    check_pieces((model.id_to_piece(row) for row in range(len(model)) if not control[row]), path)
    written = "".join(model.encode("a b", out_type=str))
    if written.endswith(WORD_START):
        raise InputError(_SUFFIX.format(path, written))
    if not written.startswith(WORD_START):
        raise InputError(_NO_PREFIX.format(path))


def check_pieces(pieces: Iterable[str], name: str) -> None:
    """Raise InputError for pieces that begin in one word and end in the next one, or that end in the sign of a blank.

    pieces: of a model or a dictionary; name: how the message calls it.
    """
    for piece in pieces:
        if WORD_START in piece and _BLANK_WITHIN.search(piece) and not is_symbol(piece):
            raise InputError((_SUFFIX if piece.endswith(WORD_START) else _ACROSS).format(name, piece))


_TRAIN = "train the SentencePiece model without that, and encode and binarise the text again"
_SUFFIX = "{}: blanks stand at the ends of pieces ({!r}; --treat_whitespace_as_suffix), where no word begins: " + _TRAIN
_ACROSS = "{}: the piece {!r} belongs to several words (--split_by_whitespace=false): " + _TRAIN
_NO_PREFIX = (
    "{}: the first word of a sentence is not marked as the same word elsewhere is (--add_dummy_prefix=false): " + _TRAIN
)


def no_prefix(name: str) -> InputError:
    """The error for text that was cut by a model without a dummy prefix."""
    return InputError(_NO_PREFIX.format(name))


def is_symbol(piece: str) -> bool:
    """Whether a piece is a symbol that the user defined, such as <url> or [en]: no text.

    SentencePiece never learns such a piece: it keeps letters apart from punctuation. Byte pieces are text.
    """
    return len(piece) > 2 and piece[0] + piece[-1] in ("<>", "[]") and not _BYTE.fullmatch(piece)


def byte_value(piece: str) -> int:
    """0 to 255 of a piece of byte fallback, <0xE2>; -1 of any other piece."""
    found = _BYTE.fullmatch(piece)
    return int(found.group(1), 16) if found else -1


def decode_bytes(text: str) -> str:
    """The characters that pieces of byte fallback spell: `<0xE2><0x80><0x94>` -> an em dash.

    Bytes that are no UTF-8 become U+FFFD, as SentencePiece writes them.
    """
    return _BYTES.sub(
        lambda found: bytes.fromhex(found.group()[3:-1].replace("><0x", "")).decode("utf-8", "replace"), text
    )


def join_pieces(line: str) -> str:
    """`\u2581the \u2581c at` -> `the cat`, as --remove-bpe sentencepiece does it."""
    return line.replace(" ", "").replace(WORD_START, " ").strip()
