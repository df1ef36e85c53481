"""The machine: GPUs, threads, free disk against what a run writes, folders that another run has locked."""

import os
import shutil
import subprocess
from typing import List, Optional, Sequence

import torch

from crossinit_fairseq.cores import too_many_threads
from crossinit_fairseq.doctor.command import Command
from crossinit_fairseq.doctor.findings import Finding, fine, warning, wrong
from crossinit_fairseq.folder_lock import holder_of
from crossinit_fairseq.text_files import whole_number

_GIB = 1 << 30
_NOTHING = 1 << 20  # bytes, in which no checkpoint finds room


def count_gpus() -> int:
    """How many GPUs torch can use."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def check_gpus() -> List[Finding]:
    """What torch sees, and what of it is taken already."""
    findings = []
    for number in range(count_gpus()):
        name = torch.cuda.get_device_name(number)
        free, total = torch.cuda.mem_get_info(number)
        said = f"GPU {number}: {name}, {free / _GIB:.0f} of {total / _GIB:.0f} GiB free"
        findings.append(fine(said) if free > total / 2 else warning(said, "see with nvidia-smi what else runs there"))
    if findings:
        return findings
    listed = _listed_gpus()
    if listed:
        build = "a build for CPUs" if torch.version.cuda is None else f"built for CUDA {torch.version.cuda}"
        return [
            wrong(
                f"nvidia-smi lists {listed} GPUs, and torch {torch.__version__} ({build}) sees none",
                "pip install --force-reinstall --no-deps torch==2.13.0",
            )
        ]
    return [fine("no GPU: small models only")]


def _listed_gpus() -> int:
    try:
        done = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return 0
    return done.stdout.decode("utf-8", "replace").count("GPU ")


def check_threads(
    threads: Optional[int] = None, cores: Optional[int] = None, idle: Optional[float] = None
) -> List[Finding]:
    """torch's threads against the cores that are idle. The arguments default to what is here."""
    said, right = too_many_threads(threads, cores, idle)
    if right is None:
        return [fine(said)]
    return [
        warning(
            f"{said}: on busy cores threads wait for each other, several times slower than one",
            f"export OMP_NUM_THREADS={right}",
        )
    ]


def check_disk(folder: str, checkpoints: Sequence[str], command: Optional[Command] = None) -> List[Finding]:
    """The free space where checkpoints will be written.

    folder: the --save-dir, which may not exist yet; checkpoints: files whose size tells how large new ones get;
    command: of the training, which tells how many are kept.
    """
    place = os.path.abspath(folder)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        return [wrong(f"{place} is no folder, so {folder} cannot be written to", "give another --save-dir")]
    if not os.access(place, os.W_OK | os.X_OK):
        return [wrong(f"{place} cannot be written to", "give another --save-dir")]
    free = shutil.disk_usage(place).free
    if free < _NOTHING or not _has_room_for_files(place):
        return [wrong(f"{folder}: the disk is full, {_size(free)} free", "make room, or give another --save-dir")]
    size = max((os.path.getsize(path) for path in checkpoints if os.path.isfile(path)), default=0)
    kept = kept_checkpoints(command) if command is not None else None
    said = f"{folder}: {_size(free)} free"
    if not size:
        enough = free > _GIB
        return [fine(said)] if enough else [warning(said, "make room: a checkpoint of a large model takes GBs")]
    if free < size:
        said = f"{said}, and a checkpoint takes some {_size(size)}"
        return [wrong(said, "make room, or give another --save-dir")]
    # one more is there while it is written
    if kept is None:
        if command is not None:
            return [
                warning(
                    f"{said}, and every checkpoint of some {_size(size)} is kept: room for {free // size:,}",
                    "add --no-epoch-checkpoints, and --keep-interval-updates N beside --save-interval-updates",
                )
            ]
        kept = 2
    needed = (kept + 1) * size
    said = f"{said}, {_size(needed)} needed ({kept} checkpoints of some {_size(size)}, and one being written)"
    return [fine(said)] if free > needed else [wrong(said, "make room, or give another --save-dir")]


def kept_checkpoints(command: Command) -> Optional[int]:
    """How many checkpoint files of different content a training keeps at most; None if that has no limit."""
    kept = 2  # last and best, which may be older than the others
    for name, is_written in (
        ("keep-interval-updates", command["save-interval-updates"] not in ("", "0")),
        ("keep-last-epochs", "no-epoch-checkpoints" not in command),
    ):
        if is_written:
            number = whole_number(command[name])
            if number is None:
                return None
            kept += number
    return kept + (whole_number(command["keep-best-checkpoints"]) or 0)


def _has_room_for_files(place: str) -> bool:
    """Some file systems count files, others say 0 of 0."""
    counted = os.statvfs(place)
    return counted.f_favail > 0 or counted.f_files == 0


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count = count / 1024
    return ""


def check_locks(folders: Sequence[str]) -> List[Finding]:
    """Folders that another run writes to."""
    return [
        wrong(f"another run writes to {folder} ({holder})", "wait until it has ended, or give another folder")
        for folder, holder in ((folder, holder_of(folder)) for folder in sorted(set(folders)))
        if holder is not None
    ]
