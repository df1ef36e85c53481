"""Which token of a Hugging Face model is which symbol of a fairseq dictionary."""

import re
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from crossinit_fairseq.data.dictionary import MASK, SPECIAL, WORD_START, language_token
from crossinit_fairseq.errors import InputError

_GOES_ON = "@@"  # subword-nmt: the word goes on after this
_END = "</w>"  # XLM: the word ends here
_LANGUAGE = re.compile("([a-z]{2,3})_[A-Z]{2}")


def find_counterparts(
    tokens: Dict[str, int], symbols: Sequence[str], model_type: str, mask: Optional[int] = None
) -> Tuple[List[int], List[int]]:
    """Return (ids, rows): lists of int [n], the token of number ids[k] is the symbol of row rows[k].

    tokens: dict from token to id; symbols: list of str [V]; model_type: mbart, xlm-roberta or xlm; mask: the id of the
    token that masks where its name does not say so, or None.
    mBART and XLM-R have SentencePiece's pieces, the same as the dictionary's. mBART's language code en_XX is [en_XX],
    else __en_XX__, [en], __en__ (underscores: as back-translation tasks of fairseq write them). XLM has BPE with
    `the</w>` for pieces that end a word: these are `the` of subword-nmt (whose `th@@` is `th`) and `\u2581the` of
    SentencePiece, the piece of the whole word; `th` inside a word is SentencePiece's `th`. Special symbols go by their
    names. Raises InputError when the two have nothing but special symbols in common.
    """
    row_of = {symbol: row for row, symbol in enumerate(symbols)}
    names = _xlm_names(symbols) if model_type == "xlm" else _piece_names
    if model_type != "xlm" and not any(symbol.startswith(WORD_START) for symbol in symbols):
        raise InputError(
            "the dictionary is not of SentencePiece (no symbol starts with \u2581), as this model's pieces are"
        )
    ids, rows, text = [], [], 0
    for token, number in sorted(tokens.items(), key=lambda item: item[1]):
        if number == mask:
            possible = [MASK]
        elif token in SPECIAL or token == MASK:
            possible = [token]
        else:
            possible = names(token)
            if model_type == "mbart":
                possible = possible + _language_names(token)
        found = next((symbol for symbol in possible if symbol in row_of), None)
        if found is not None:
            ids.append(number)
            rows.append(row_of[found])
            text += found not in SPECIAL and found != MASK
    if not text:
        raise InputError(
            "the model and the dictionary have nothing but special symbols in common: is it the right one?"
        )
    return ids, rows


def _piece_names(token: str) -> List[str]:
    return [token]


def _language_names(token: str) -> List[str]:
    code = _LANGUAGE.fullmatch(token)
    names = [token, code.group(1)] if code else []
    return [form for name in names for form in (language_token(name), f"__{name}__")]


def _xlm_names(symbols: Sequence[str]) -> Callable[[str], List[str]]:
    """How the dictionary writes a token of XLM, as a function, by the marks found in the dictionary."""
    if any(symbol.endswith(_END) for symbol in symbols):
        return _piece_names
    if any(symbol.startswith(WORD_START) for symbol in symbols):
        return lambda token: [WORD_START + token[: -len(_END)]] if token.endswith(_END) else [token]
    return lambda token: [token[: -len(_END)]] if token.endswith(_END) else [token + _GOES_ON]
