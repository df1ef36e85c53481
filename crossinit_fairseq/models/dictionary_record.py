"""Which dictionary a checkpoint was trained with: equal sizes are not enough, rows must be of the same symbols.

Tasks keep a record of theirs in fairseq's `task_state`, which every task and version reads over and saves on. Stock
tasks write none; the data folder named in their checkpoint tells as much, as long as it is there.
"""

import hashlib
import os
import pickle
import zipfile

from fairseq.data import Dictionary

from crossinit_fairseq.errors import InputError

NAME = "crossinit_dictionary"


def record_of(dictionary, languages):
    """What to keep of a dictionary: {"symbols": their number, "sha256": of them in order, "languages": {symbol: row}}.

    languages: symbols of the language tokens.
    """
    digest = hashlib.sha256("\n".join(dictionary.symbols).encode("utf-8")).hexdigest()
    return {
        "symbols": len(dictionary),
        "sha256": digest,
        "languages": {symbol: dictionary.index(symbol) for symbol in languages},
    }


def check_record(record, dictionary, folder, checkpoint="the checkpoint"):
    """Raise InputError when a record, None if there is none, is of another dictionary than that of a data folder."""
    if not record or record["sha256"] == record_of(dictionary, [])["sha256"]:
        return
    moved = [
        "{} is row {:,} there and {} here".format(symbol, row, _row(dictionary, symbol))
        for symbol, row in sorted(record["languages"].items())
        if symbol not in dictionary or dictionary.index(symbol) != row
    ]
    raise InputError(
        "{} was trained with another dictionary than {}/dict.txt ({:,} and {:,} symbols{}); all stages must share one, in "
        "the same order".format(
            checkpoint, folder, record["symbols"], len(dictionary), "; " + ", ".join(moved) if moved else ""
        )
    )


def _row(dictionary, symbol):
    return "row {:,}".format(dictionary.index(symbol)) if symbol in dictionary else "missing"


def check_checkpoint(path, dictionary, folder, languages):
    """Raise InputError when the checkpoint that training is about to start from is of another dictionary.

    A checkpoint that cannot be opened or says nothing of its dictionary passes. languages: symbols of language tokens.
    """
    header = read_header(path)
    if header is None:
        return
    record = (header.get("task_state") or {}).get(NAME)
    if record is None:
        record = _record_from_data_folder(header, dictionary, languages)
    check_record(record, dictionary, folder, path)


def _record_from_data_folder(header, dictionary, languages):
    task = (header.get("cfg") or {}).get("task") or {}
    folder = str((task.get("data") if isinstance(task, dict) else getattr(task, "data", None)) or "").split(os.pathsep)[
        0
    ]
    path = os.path.join(folder, "dict.txt")
    if not os.path.isfile(path):
        return None
    try:
        theirs = Dictionary.load(path)
    except Exception:  # fairseq raises bare Exception here; a file that is no dictionary tells nothing
        return None
    # a task may have added language tokens and <mask> to the end of its dictionary while it ran
    shorter = min(len(theirs), len(dictionary))
    if theirs.symbols[:shorter] == dictionary.symbols[:shorter]:
        return None
    return record_of(theirs, [symbol for symbol in languages if symbol in theirs])


def starting_checkpoint(save_dir, restore_file, finetune_from_model):
    """The file that fairseq-train will start from by these options, None if from nothing."""
    last = os.path.join(save_dir or "", "checkpoint_last.pt")
    if restore_file and restore_file != "checkpoint_last.pt":
        candidates = [restore_file]
    else:
        candidates = [last, finetune_from_model]
    return next((path for path in candidates if path and os.path.isfile(path)), None)


def read_header(path):
    """All of a checkpoint but its tensors, which are None: no more is read than that. None if the file is of no known form.

    Like all loading of checkpoints this unpickles: only from people you trust.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            with archive.open(name) as stream:
                header = _WithoutTensors(stream).load()
    except (OSError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError, AttributeError, ImportError):
        return None
    return header if isinstance(header, dict) else None


class _WithoutTensors(pickle.Unpickler):
    def persistent_load(self, _):
        return None

    def find_class(self, module, name):
        if module == "torch._utils" and name.startswith("_rebuild"):
            return _nothing
        return super().find_class(module, name)


def _nothing(*unused):
    return None
