"""Checkpoints: whole, of the dictionary of the data folder, and of one another."""

import os
from typing import Any, Dict, List, Optional, Sequence, Set

import torch

from crossinit_fairseq.checkpoint_files import (
    FEW_BYTES,
    check_whole,
    load_checkpoint_file,
    newest_whole,
    read_header,
    updates_of,
)
from crossinit_fairseq.data.dictionary import MASK
from crossinit_fairseq.data.dictionary_record import NAME, check_record
from crossinit_fairseq.data.earlier_run import of_another_run
from crossinit_fairseq.data.folder import languages_of
from crossinit_fairseq.doctor.command import Command, Machine, check_origin, command_of
from crossinit_fairseq.doctor.findings import Finding, fine, warning, wrong
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.text_files import whole_number

_TASKS_OF_TEXT = ("crossinit_pretrain", "crossinit_mlm", "crossinit_denoising", "crossinit_unmt")


def check_checkpoint_file(
    path: str, machine: Machine, symbols: Optional[Sequence[str]] = None, folder: str = ""
) -> List[Finding]:
    """Findings on one checkpoint. symbols: of the dictionary of the data folder `folder`, if there is one."""
    try:
        check_whole(path)
        header = read_header(path)
    except InputError as error:
        instead = newest_whole(os.path.dirname(os.path.abspath(path)))
        said = f"the newest whole one beside it is {instead[0]}, of {instead[1]:,} updates" if instead else ""
        return [wrong(str(error), said)]
    if not header.get("cfg") and header.get("args") is None:
        return [wrong(f"{path} is no checkpoint of fairseq: it does not say how its model was trained (args, cfg)")]
    command, updates = command_of(header), updates_of(header)
    setting = [name for name in (command["task"], command["arch"]) if name]
    setting += [f"after {updates:,} updates"] if updates >= 0 else []
    findings = [fine(f"{path}: whole; {', '.join(setting)}")]
    findings += check_origin(header, machine)
    record = (header.get("task_state") or {}).get(NAME)
    if record is None:
        findings.append(warning(f"{path} does not say which dictionary it was trained with: it is of a stock task"))
    elif symbols is not None:
        try:
            check_record(record, symbols, folder, path)
            findings.append(fine(f"{path} was trained with the dictionary of {folder}"))
        except InputError as error:
            findings.append(wrong(str(error), "give the data folder that it was trained with"))
    if os.path.getsize(path) <= FEW_BYTES:
        findings += _check_values(path, symbols, folder)
    return findings


def check_earlier_run(
    folder: str, command: Optional[Command], machine: Machine, symbols: Optional[Sequence[str]] = None, data: str = ""
) -> List[Finding]:
    """Findings on the checkpoint of an earlier run in the folder that a run will write to, from which it would go on.

    folder: the --save-dir; command: of the training, if it is known; symbols, data: the dictionary of the data folder,
    and that folder.
    """
    path = os.path.join(folder, "checkpoint_last.pt")
    is_meant = command is not None and (
        command["restore-file"] not in ("", "checkpoint_last.pt")
        or any(name.startswith("reset-") for name in command.options)
    )
    if not os.path.isfile(path) or is_meant:
        return []
    try:
        check_whole(path)
        header = read_header(path)
    except InputError as error:
        instead = newest_whole(folder)
        if instead:
            return [warning(str(error), f"training would go on from {instead[0]}, of {instead[1]:,} updates")]
        return [wrong(str(error), "remove it, or give another --save-dir")]
    earlier = command_of(header)
    if command is not None:
        refused = of_another_run(path, header, command.options, _languages(command, data))
        if refused:
            return [wrong(*one) for one in refused]
    record = (header.get("task_state") or {}).get(NAME)
    if record is not None and symbols is not None:
        try:
            check_record(record, symbols, data, path)
        except InputError as error:
            return [wrong(str(error), "give another --save-dir, or the data folder that it was trained with")]
    setting = ", ".join(filter(None, (earlier["task"], earlier["arch"], f"after {updates_of(header):,} updates")))
    said = f"a run that writes to {folder} goes on from {path} ({setting})"
    last = whole_number(command["max-update"]) if command is not None else None
    if last and updates_of(header) >= last:
        return [warning(f"{said}, and has nothing left to do: --max-update is {last:,}", "give a higher --max-update")]
    if command is not None and command["finetune-from-model"]:
        return [warning(f"{said}, and does not read --finetune-from-model", "give another --save-dir to start from it")]
    return [fine(said)]


def _languages(command: Command, data: str) -> Set[str]:
    """Of a run: those that its command names, or those of the data folder; none where neither tells."""
    if command["task"] not in _TASKS_OF_TEXT:
        return set()
    named = {language.strip() for language in command["langs"].split(",") if language.strip()}
    if not named and os.path.isdir(data) and not command["ranks"]:
        named = set(languages_of(data))
    return named


def _check_values(path: str, symbols: Optional[Sequence[str]], folder: str) -> List[Finding]:
    """Values that are not finite, and token tables of another number of rows than the dictionary has."""
    try:
        model: Dict[str, Any] = load_checkpoint_file(path)["model"]
    except InputError as error:
        return [wrong(str(error))]
    except (KeyError, TypeError):
        return [wrong(f"{path} is no checkpoint of fairseq: it holds no model")]
    findings = []
    for name, value in model.items():
        if torch.is_tensor(value) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            findings.append(
                wrong(f"{path}: {name} holds values that are not finite: the run diverged", "start from an earlier one")
            )
            break
    rows = {len(value) for name, value in model.items() if name.endswith("embed_tokens.weight")}
    right = {len(symbols or ())}
    if symbols is not None and MASK not in symbols:  # which fairseq's tasks, and fine-tuning, add for roberta
        right.add(len(symbols) + 1)
    if symbols is not None and rows and not (rows <= right and len(rows) == 1):
        findings.append(
            wrong(
                f"{path}: its token tables have {min(rows):,} rows, {folder}/dict.txt has {len(symbols):,} symbols",
                "give the data folder that it was trained with",
            )
        )
    return findings
