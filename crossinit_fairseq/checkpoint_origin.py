"""The run that made a checkpoint: its options, and what to say where another run cannot go on from it; no fairseq."""

import re
from typing import Any, Dict, Optional

from crossinit_fairseq.checkpoint_files import read_header
from crossinit_fairseq.errors import InputError, first_line


def options_of(header: Dict[str, Any]) -> Dict[str, str]:
    """The options that a checkpoint was trained with, {name without dashes: value}; a flag's value is "".

    header: see checkpoint_files.read_header.
    """
    groups = header.get("cfg") or {"args": header.get("args")}
    options: Dict[str, str] = {}
    for group in groups.values() if isinstance(groups, dict) else ():
        values = group if isinstance(group, dict) else getattr(group, "__dict__", {})
        for key, value in values.items():
            if value is not None and value is not False and not isinstance(value, (dict, list)):
                options.setdefault(str(key).replace("_", "-"), "" if value is True else str(value))
    for kind, name in (("task", "task"), ("model", "arch"), ("criterion", "criterion")):
        group = groups.get(kind) if isinstance(groups, dict) else None
        chosen = group.get("_name") if isinstance(group, dict) else getattr(group, "_name", None)
        if chosen:
            options[name] = str(chosen)
    return options


def architecture_of(path: str) -> str:
    """The --arch that a checkpoint was trained with; "" for a file that is not here or does not say."""
    try:
        return options_of(read_header(path)).get("arch", "")
    except InputError:
        return ""


def sentence_of_misfit(path: str, architecture: str, error: Optional[BaseException]) -> str:
    """What to say of a checkpoint that does not fit the model of a run, and what to do.

    architecture: --arch of the run; error: what torch or fairseq raised when it was loaded.
    """
    text = str(error)
    shapes = re.search(r"size mismatch for (\S+): .*?Size\((\[.*?\])\) from checkpoint.*?Size\((\[.*?\])\)", text)
    missing = re.search(r'Missing key\(s\) in state_dict: "([^"]+)"', text)
    unknown = re.search(r'Unexpected key\(s\) in state_dict: "([^"]+)"', text)
    if missing:
        why = f"the checkpoint holds no {missing.group(1)}"
    elif isinstance(error, KeyError):
        why = f"the checkpoint holds no {error.args[0]}"
    elif unknown:
        why = f"the checkpoint's {unknown.group(1)} has no place in it"
    elif shapes:
        why = f"{shapes.group(1)} is {shapes.group(2)} in the checkpoint and {shapes.group(3)} in the model"
    else:
        why = first_line(error) if error else "its parameters are others"
    trained = architecture_of(path)
    return (
        f"{path}{f' (--arch {trained})' if trained else ''} does not fit --arch {architecture}: {why}; give the "
        "architecture, the sizes and the data folder that it was trained with, or another checkpoint"
    )


def sentence_of_another_optimizer(path: str, theirs: str, ours: str) -> str:
    """What to say when a run would go on from a checkpoint of another optimizer, criterion or precision, and what to
    do. theirs, ours: names of classes of fairseq, such as FairseqAdam, FP16Optimizer."""
    return (
        f"{path} was saved by {theirs}, and this run has {ours}, so it cannot go on from there: give the --optimizer, "
        "--criterion and precision (--fp16) that it was trained with, or a --save-dir of its own and "
        f"--finetune-from-model {path}"
    )
