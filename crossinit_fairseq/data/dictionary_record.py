"""Which dictionary a checkpoint was trained with: equal sizes are not enough, rows must be of the same symbols.

The tasks of this package keep a record of theirs in fairseq's `task_state`, which every task and version passes on.
Stock tasks write no record; the data folder named in their checkpoint tells the same, as long as it exists. Needs no
fairseq.
"""

import hashlib
import logging
import os
from typing import Any, Dict, Optional, Sequence

from crossinit_fairseq.checkpoint_files import read_header
from crossinit_fairseq.data.dictionary import MASK, in_known_order, read_entries, read_symbols
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.sentencepiece_model import load_model

NAME = "crossinit_dictionary"

logger = logging.getLogger(__name__)


def record_of(symbols: Sequence[str], languages: Sequence[str]) -> Dict[str, Any]:
    """What to keep of a dictionary: {"symbols": their number, "sha256": of them in order, "languages": {symbol: row}}.

    symbols: all of the dictionary in the order of their rows, fairseq's four included; languages: those of the language
    tokens.
    """
    rows = {symbol: row for row, symbol in enumerate(symbols)}
    return {
        "symbols": len(symbols),
        "sha256": hashlib.sha256("\n".join(symbols).encode("utf-8")).hexdigest(),
        "languages": {symbol: rows[symbol] for symbol in languages},
    }


def check_record(
    record: Optional[Dict[str, Any]], symbols: Sequence[str], folder: str, checkpoint: str = "the checkpoint"
) -> None:
    """Raise InputError when a record is of another dictionary than that of a data folder.

    symbols: of the folder's dict.txt, or with <mask> at their end. Without a record, None, nothing can be compared: a
    warning says so.
    """
    if not record:
        _warn_of_no_check(checkpoint, folder, "it has no record of it")
        return
    # fine-tuning adds <mask> to the dictionary of roberta, whose file lacks it
    for same in (list(symbols), list(symbols) + [MASK]):
        if record["sha256"] == record_of(same, [])["sha256"]:
            return
    rows = {symbol: row for row, symbol in enumerate(symbols)}
    moved = [
        f"{symbol} is row {row:,} there and {f'row {rows[symbol]:,}' if symbol in rows else 'missing'} here"
        for symbol, row in sorted(record["languages"].items())
        if rows.get(symbol) != row
    ]
    raise InputError(
        f"{checkpoint} was trained with another dictionary than {folder}/dict.txt ({record['symbols']:,} and "
        f"{len(symbols):,} symbols{'; ' + ', '.join(moved) if moved else ''}); all stages must share one, in the "
        "same order"
    )


def check_checkpoint(
    path: str, symbols: Sequence[str], folder: str, languages: Sequence[str], pieces: Optional[str] = None
) -> None:
    """Raise InputError when the checkpoint that training is about to start from is of another dictionary.

    A checkpoint that cannot be opened passes, with a warning; so does one that says nothing of its dictionary, as
    downloaded ones, if dict.txt is in an order that dictionaries are written in: see in_known_order. languages: symbols
    of language tokens; pieces: the SentencePiece model of the text, by default FOLDER/spm.model where there is one.
    """
    try:
        header = read_header(path)
    except InputError as error:  # loading it will say more
        _warn_of_no_check(path, folder, str(error))
        return
    record = (header.get("task_state") or {}).get(NAME)
    if record is not None:
        check_record(record, symbols, folder, path)
    elif not _compared_by_data_folder(header, symbols, folder, languages, path):
        _check_order(folder, pieces or os.path.join(folder, "spm.model"), path)


def _compared_by_data_folder(
    header: Dict[str, Any], symbols: Sequence[str], folder: str, languages: Sequence[str], checkpoint: str
) -> bool:
    """Compare with the dictionary in the data folder that a checkpoint of a stock task names, if it is still there.

    Returns whether it is. Raises InputError when the two differ.
    """
    task = (header.get("cfg") or {}).get("task") or header.get("args") or {}
    data = task.get("data") if isinstance(task, dict) else getattr(task, "data", None)
    if not data:
        _warn_of_no_check(checkpoint, folder, "it names neither dictionary nor data folder")
        return False
    try:
        theirs = read_symbols(os.path.join(str(data).split(os.pathsep)[0], "dict.txt"))
    except InputError as error:
        _warn_of_no_check(checkpoint, folder, f"it has no record of it, and {error}")
        return False
    # a task may have added language tokens and <mask> to the end of its dictionary while it ran
    shorter = min(len(theirs), len(symbols))
    if theirs[:shorter] != list(symbols[:shorter]):
        record = record_of(theirs, [symbol for symbol in languages if symbol in theirs])
        check_record(record, symbols, folder, checkpoint)
    return True


def _check_order(folder: str, pieces: str, checkpoint: str) -> None:
    """Raise InputError when a folder's dict.txt is in no order that dictionaries are written in.

    pieces: path of the SentencePiece model; without it the order of dict.txt cannot be judged, and where it cannot be
    read a warning says so.
    """
    path = os.path.join(folder, "dict.txt")
    if not (os.path.isfile(path) and os.path.isfile(pieces)):
        return
    try:
        model = load_model(pieces)
    except InputError as error:
        logger.warning(
            f"{error}; whether {path} is in the order of its pieces, as it should be for {checkpoint}, is not known"
        )
        return
    if not in_known_order(read_entries(path), model):
        raise InputError(
            f"{path} is neither in the order of counts, as fairseq writes dictionaries, nor in that of the pieces of "
            f"{pieces}: its rows are hardly those of {checkpoint}, which says nothing of its dictionary. Take the "
            "dict.txt that was published with it"
        )


def _warn_of_no_check(checkpoint: str, folder: str, why: str) -> None:
    logger.warning(
        f"{checkpoint}: which dictionary it was trained with is not known ({why}); it is taken to be "
        f"{folder}/dict.txt, symbol by symbol"
    )
