"""SentencePiece: loading a model, which of its variants cannot be used, and text that is still in pieces."""

import logging
import os
import re
from typing import Any, Iterable, List, Sequence

from crossinit_fairseq.data.dictionary import SPECIAL, WORD_START
from crossinit_fairseq.errors import InputError

logger = logging.getLogger(__name__)

_BYTE = re.compile("<0x([0-9A-F]{2})>")
_BYTES = re.compile("(?:<0x[0-9A-F]{2}>)+")
_BLANK_WITHIN = re.compile(f"[^{WORD_START}]{WORD_START}")
_FILLED_UP = re.compile(r"madeupword\d+")
# shares by which a model and a dictionary may differ: of 4,000 pieces, a dictionary that fairseq-preprocess has counted
# lacks 0 to 1 % and has none that is foreign; of a model of the same text and a sixteenth more, 8 % differ both ways
_MOST_UNSEEN = 0.05
_MOST_FOREIGN = 0.01


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
    check_pieces((model.id_to_piece(row) for row in range(len(model)) if not _is_no_text(model, row)), path)
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


def check_dictionary(model: Any, path: str, symbols: Sequence[str], where: str) -> None:
    """Raise InputError for a model that has not cut the text of a dictionary: it would cut words into other pieces.

    Most pieces of two models of one language are the same, so what tells is a share of symbols that the model, which
    knows their characters, does not know. What is in the dictionary because the model did not know its characters is no
    sign. Pieces that the dictionary lacks (but for single characters and bytes) are a warning: text of two languages
    that a model of a hundred cut has few of its pieces.
    A dictionary that holds all of a model and more is refused too: it may be joined from the models of two languages,
    but a model of fewer pieces of the same text looks no other, and either cuts some text otherwise.
    path, where: how the message calls model and dictionary; symbols: of the dictionary, fairseq's four first.
    """
    pieces = [model.id_to_piece(row) for row in range(len(model)) if not _is_no_text(model, row)]
    known, own = set(symbols), set(pieces)
    learnt = [piece for piece in pieces if len(piece.strip(WORD_START)) > 1 and byte_value(piece) < 0]
    unseen = [piece for piece in learnt if piece not in known]
    letters = set("".join(pieces))
    spelt = [symbol for symbol in symbols[len(SPECIAL) :] if _is_learnt(symbol) and letters.issuperset(symbol)]
    foreign = [symbol for symbol in spelt if symbol not in own]
    if len(foreign) > _MOST_FOREIGN * len(spelt) or not known & own:
        if known & own and len(unseen) <= _MOST_FOREIGN * len(learnt):
            raise InputError(_JOINED.format(path, where, f"{len(foreign):,}", _such_as(foreign)))
        raise InputError(
            f"{path} is not the SentencePiece model that the text of {where} was cut with: {len(unseen):,} of its "
            f"{len(learnt):,} pieces of several letters are missing there{_such_as(unseen)}, and it lacks "
            f"{len(foreign):,} of {len(spelt):,} there{_such_as(foreign)}; give the one that cut it"
        )
    if len(unseen) > _MOST_UNSEEN * len(learnt):
        logger.warning(
            f"{len(unseen):,} of the {len(learnt):,} pieces of several letters of {path} are missing in {where}"
            f"{_such_as(unseen)}, so they are unknown: right if that was counted from text that this model cut"
        )


def check_same_model(path: str, folder: str) -> None:
    """Raise InputError when a data folder has a spm.model of its own that cuts otherwise than the model of `path`."""
    own = os.path.join(folder, "spm.model")
    if not os.path.isfile(own) or os.path.realpath(own) == os.path.realpath(path):
        return
    one, other = load_model(path), load_model(own)
    if one.serialized_model_proto() != other.serialized_model_proto() and _scores(one) != _scores(other):
        raise InputError(
            f"{path} is another SentencePiece model than {own}, which cut the text of that folder: give the latter"
        )


def _scores(model: Any) -> List[Any]:
    return [(model.id_to_piece(row), model.get_score(row)) for row in range(len(model))]


def _is_no_text(model: Any, row: int) -> bool:
    return model.is_control(row) or model.is_unknown(row) or model.is_unused(row)


def _is_learnt(symbol: str) -> bool:
    """Whether a symbol of a dictionary is of several letters, and neither added by hand nor by fairseq."""
    is_added = is_symbol(symbol) or byte_value(symbol) >= 0 or _FILLED_UP.fullmatch(symbol)
    return len(symbol.strip(WORD_START)) > 1 and not is_added


def _such_as(pieces: Sequence[str]) -> str:
    return f" (such as {pieces[0]!r})" if pieces else ""


_JOINED = (
    "{} has not cut all of the text of {}: that has all of its pieces, and {} more of the same letters{}, so the text "
    "was cut with a larger model, or each language with its own; give the one that cut it all, or, to translate, "
    "text in pieces"
)
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
