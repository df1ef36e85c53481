"""The one dictionary of all stages: its file dict.txt, and the control symbols at its end. Needs no fairseq.

    python -m crossinit_fairseq.data.dictionary write --langs en,ro --model spm.model --out dict.txt
    python -m crossinit_fairseq.data.dictionary write --langs en,ro --symbols words.txt --out dict.txt
    python -m crossinit_fairseq.data.dictionary check --langs en,ro dict.txt

fairseq numbers four symbols of its own first, then those of the file, one `symbol count` a line. Here the file ends
with a token for each language, as the stock `multilingual_denoising --add-lang-token` writes it, then with the mask:

    <s> <pad> </s> <unk> | the symbols of the text | [en] [ro] <mask>

Stock tasks add missing control symbols while they run, each in an order of its own. When all of them are in the file,
no stage adds a symbol, and the embedding table keeps its size and the order of its rows from the first stage to the
last.
"""

import argparse
import re
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import check_new_file, complete_file
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.text_files import not_utf8, unreadable

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")  # fairseq's own, rows 0 to 3
BOS, PAD, EOS, UNK = range(len(SPECIAL))
MASK = "<mask>"
WORD_START = "\u2581"  # SentencePiece's sign of a blank before a piece

_LANGUAGE_TOKEN = re.compile(r"\[([^\s\[\]]+)\]")
_MAY_STAND_AMONG_THEM = re.compile(r"<mask>|madeupword\d+")  # fairseq fills dictionaries up with madeupword0000, ...
_OVERWRITE = "#fairseq:overwrite"


def language_token(language: str) -> str:
    """The token of a language: ``[en]`` of ``en``."""
    return f"[{language}]"


def language_of(token: str) -> str:
    """The language of a token: ``en`` of ``[en]``."""
    return token[1:-1]


def control_symbols(languages: Iterable[str]) -> List[str]:
    """The symbols that a dictionary ends with, in their order: the tokens of the languages, the mask."""
    return [language_token(language) for language in languages] + [MASK]


def languages_in(symbols: Sequence[str]) -> Dict[str, int]:
    """The languages that a dictionary names: {language: row of its token}, in the order of the rows.

    symbols: all symbols in the order of their rows, fairseq's four included. The tokens stand at the end; the mask and
    fairseq's filling symbols may stand among or after them. Their order is the order of language embeddings, whatever
    languages a stage is asked to train on. Raises InputError when there is no token.
    """
    found = []
    for row in range(len(symbols) - 1, len(SPECIAL) - 1, -1):
        token = _LANGUAGE_TOKEN.fullmatch(symbols[row])
        if token:
            found.append((token.group(1), row))
        elif not _MAY_STAND_AMONG_THEM.fullmatch(symbols[row]):
            break
    if not found:
        raise InputError(
            "the dictionary names no language: it must end with the language tokens ([en], [ro], ...) and <mask>; "
            "append them to dict.txt, each followed by ' 1', before binarising"
        )
    return dict(reversed(found))


def special_rows(symbols: Sequence[str], languages: Iterable[str] = ()) -> List[int]:
    """The rows that are no text, rising: fairseq's four symbols, the mask, and the language tokens.

    languages: whose tokens count wherever they stand; of other languages, only those at the end of the dictionary.
    """
    try:
        tokens = set(languages_in(symbols).values())
    except InputError:
        tokens = set()
    named = set(control_symbols(languages))
    return [row for row, symbol in enumerate(symbols) if row < len(SPECIAL) or row in tokens or symbol in named]


def check_control_symbols(symbols: Iterable[str], languages: Iterable[str], path: str) -> None:
    """Raise InputError when the dictionary lacks the mask or the token of a language.

    A symbol added later would change the size of the embedding table between stages, or the order of its rows.
    path: of dict.txt, for the message.
    """
    known = set(symbols)
    missing = [symbol for symbol in control_symbols(languages) if symbol not in known]
    if missing:
        raise InputError(
            f"{path} lacks {' '.join(missing)}: append the language tokens and <mask>, in this order and each followed "
            "by ' 1', to dict.txt before binarising, so that all stages share one dictionary"
        )


def read_entries(path: str) -> List[Tuple[str, int]]:
    """The lines of a dictionary file as (symbol, count), without fairseq's four symbols. A byte order mark is dropped.

    Raises InputError when the file is missing, empty or not UTF-8, has a line that is not `symbol count`, or has a
    symbol twice. So does fairseq's mark `#fairseq:overwrite`, which allows that: one symbol would then stand for two
    rows.
    """
    entries, seen = [], set(SPECIAL)
    try:
        with open(path, encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                # as fairseq does: the count follows the last space
                symbol, space, count = line.rstrip().rpartition(" ")
                if space and count == _OVERWRITE:
                    raise InputError(
                        f"{path}, line {number}: {_OVERWRITE} lets one symbol stand for two rows: remove the line, and "
                        "binarise the text with the dictionary that is left"
                    )
                if not space or not symbol or not _is_number(count):
                    if "\0" in line:
                        raise not_utf8(line.encode("utf-8"), path, number, line.index("\0"))
                    raise InputError(f"{path}, line {number}: not `symbol count`: {line.strip()[:60]!r}")
                if symbol in seen:
                    raise InputError(f"{path} has the symbol {symbol!r} twice (fairseq's own four included)")
                seen.add(symbol)
                entries.append((symbol, int(count)))
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError:
        raise _in_another_encoding(path) from None
    if not entries:
        raise InputError(f"{path} is empty: give the dict.txt of the data folder")
    return entries


def _in_another_encoding(path: str) -> InputError:
    with open(path, "rb") as stream:
        data = stream.read()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return not_utf8(data, path, 1, error.start)
    return InputError(f"{path} changed while it was read")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,18}", text) is not None


def read_symbols(path: str) -> List[str]:
    """The symbols of a dictionary file as fairseq numbers them: its own four, then those of the file. See
    read_entries."""
    return list(SPECIAL) + [symbol for symbol, _ in read_entries(path)]


def pieces_of(model: Any) -> List[str]:
    """The pieces of a sentencepiece.SentencePieceProcessor, in its order, but for its own <unk>, <s> and </s>."""
    return [model.id_to_piece(k) for k in range(len(model)) if not (model.is_unknown(k) or model.is_control(k))]


def in_known_order(entries: Sequence[Tuple[str, int]], model: Any) -> bool:
    """Whether a dictionary is in an order that dictionaries are written in.

    These are: by count, from the highest on, as fairseq-preprocess counts (roberta); and the order of the pieces of the
    SentencePiece model, with any counts (XLM-R, mBART). Symbols that are no pieces, such as language tokens, may stand
    anywhere. entries: see read_entries; model: a sentencepiece.SentencePieceProcessor.
    """
    rank = {piece: k for k, piece in enumerate(pieces_of(model))}
    known = [(rank[symbol], count) for symbol, count in entries if symbol in rank]
    ranks, counts = [k for k, _ in known], [count for _, count in known]
    by_count = len(set(counts)) > 1 and counts == sorted(counts, reverse=True)
    return by_count or ranks == sorted(ranks)


def write_dictionary(path: str, text_symbols: Sequence[str], languages: Iterable[str]) -> List[str]:
    """Write dict.txt: the symbols of the text, then the control symbols. Returns the symbols written.

    Raises InputError for symbols that make no dictionary, see `dictionary_symbols`; the file is then not written.
    """
    symbols = dictionary_symbols(path, text_symbols, languages)
    with complete_file(path) as part, open(part, "wb") as stream:
        stream.write(as_file(symbols))
    return symbols


def as_file(symbols: Iterable[str]) -> bytes:
    """What dict.txt holds of these symbols."""
    return "".join(f"{symbol} 1\n" for symbol in symbols).encode("utf-8")


def dictionary_symbols(path: str, text_symbols: Sequence[str], languages: Iterable[str]) -> List[str]:
    """The symbols of a dict.txt: those of the text, then the control symbols. path: of the file, for messages.

    Raises InputError for a symbol that is given twice, that is empty or holds a line break, or that is one of fairseq's
    four or a control symbol.
    """
    symbols, seen = list(text_symbols) + control_symbols(languages), set(SPECIAL)
    for symbol in symbols:
        if symbol in seen:
            raise InputError(
                f"{path}: the symbol {symbol!r} would stand for two rows: leave it out of the text's symbols"
            )
        if not symbol or "\n" in symbol or "\r" in symbol:
            raise InputError(f"{path}: a symbol may neither be empty nor hold a line break, as {symbol!r} does")
        seen.add(symbol)
    return symbols


def _write(options: argparse.Namespace) -> None:
    check_new_file(options.out, [options.model or options.symbols])
    if options.model:
        import sentencepiece

        try:
            text_symbols = pieces_of(sentencepiece.SentencePieceProcessor(model_file=options.model))
        except (OSError, RuntimeError):
            raise InputError(f"{options.model} is no SentencePiece model: give the spm.model of the text") from None
    else:
        try:
            with open(options.symbols, encoding="utf-8-sig", newline="\n") as lines:
                text_symbols = [line.rstrip("\r\n") for line in lines]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{options.symbols} cannot be read as UTF-8 text: {error}") from None
    symbols = write_dictionary(options.out, text_symbols, options.langs)
    print(f"{options.out}: {len(symbols):,} symbols")


def _check(options: argparse.Namespace) -> None:
    symbols = read_symbols(options.dictionary)
    check_control_symbols(symbols, options.langs, options.dictionary)
    print(f"{options.dictionary}: {len(symbols):,} symbols, {len(SPECIAL)} of them fairseq's own")


def _languages(text: str) -> List[str]:
    return [language.strip() for language in text.split(",") if language.strip()]


def main() -> None:
    """The command `python -m crossinit_fairseq.data.dictionary`."""
    parser = CommandParser(prog="python -m crossinit_fairseq.data.dictionary", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="write|check")
    langs: Dict[str, Any] = dict(type=_languages, required=True, metavar="LANG,LANG", help="such as en,ro")
    write = commands.add_parser("write", help="write dict.txt from the pieces of a model or from a list of symbols")
    write.add_argument("--langs", **langs)
    source = write.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", metavar="FILE", help="SentencePiece model that the text is cut with")
    source.add_argument("--symbols", metavar="FILE", help="symbols of the text, one a line")
    write.add_argument("--out", required=True, metavar="FILE")
    check = commands.add_parser("check", help="see that a dictionary can serve all stages")
    check.add_argument("--langs", **langs)
    check.add_argument("dictionary", metavar="DICT")
    options = parser.parse_args()
    with one_sentence():
        (_write if options.command == "write" else _check)(options)


if __name__ == "__main__":
    main()
