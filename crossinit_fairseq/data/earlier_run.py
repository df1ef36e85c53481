"""An earlier run's checkpoint that a run starts from: which file it is, and whether going on from it can be meant.

fairseq goes on from the last checkpoint in a `--save-dir`, whatever run has left it there. The tasks ask when they
begin, and crossinit-doctor before. Needs no fairseq.
"""

import os
from typing import Any, Collection, Dict, List, Mapping, Optional

from crossinit_fairseq.checkpoint_files import check_whole, newest_whole
from crossinit_fairseq.checkpoint_origin import options_of
from crossinit_fairseq.data.dictionary import language_of
from crossinit_fairseq.data.dictionary_record import NAME
from crossinit_fairseq.errors import InputError, Refusal

_SIZES = tuple(f"{side}-{what}" for side in ("encoder", "decoder") for what in ("embed-dim", "ffn-embed-dim", "layers"))


def of_another_run(
    path: str, header: Dict[str, Any], options: Mapping[str, str], languages: Collection[str]
) -> List[Refusal]:
    """Why a run should not go on from a checkpoint in its `--save-dir`: a Refusal for each thing in which the run that
    made it was another one, its task, architecture, sizes or languages. None of them where going on can be meant.

    path, header: of the checkpoint, see checkpoint_files.read_header; options: this run's, {name without dashes:
    value}; languages: this run's. What one of the two does not say is not compared.
    """
    earlier = options_of(header)
    found = [
        f"--{name} {earlier[name]}, not {options[name]}"
        for name in ("task", "arch", *_SIZES)
        if earlier.get(name) and options.get(name) and earlier[name] != options[name]
    ]
    record = (header.get("task_state") or {}).get(NAME) or {}
    theirs = {language_of(token) for token in record.get("languages") or ()}
    if theirs and languages and theirs != set(languages):
        found.append(f"the languages {', '.join(sorted(theirs))}, not {', '.join(sorted(languages))}")
    remedy = "give this one a --save-dir of its own, or start from that file by --finetune-from-model"
    return [Refusal(f"{path} is of a run of {one}, and this one would go on from it", remedy) for one in found]


def starting_checkpoint(
    save_dir: Optional[str], restore_file: Optional[str], finetune_from_model: Optional[str]
) -> Optional[str]:
    """The file that fairseq-train will start from by these options, None if from nothing.

    It passes over a last checkpoint that is damaged, see safe_checkpoints.py.
    """
    last = os.path.join(save_dir or "", "checkpoint_last.pt")
    candidates: List[Optional[str]] = [last, finetune_from_model]
    if restore_file and restore_file != "checkpoint_last.pt":
        candidates = [restore_file]
    path = next((path for path in candidates if path and os.path.isfile(path)), None)
    if path == last:
        try:
            check_whole(last)
        except InputError:
            instead = newest_whole(save_dir or "")
            return instead[0] if instead else path
    return path
