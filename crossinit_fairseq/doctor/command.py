"""A command of fairseq, or what a checkpoint says of the one that made it, judged by what is known to go wrong."""

import os
import shlex
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

from crossinit_fairseq.checkpoint_files import read_header
from crossinit_fairseq.checkpoint_origin import options_of
from crossinit_fairseq.command_line import without_variables
from crossinit_fairseq.doctor import hydra, training
from crossinit_fairseq.doctor.findings import Finding, warning, wrong
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.text_files import whole_number
from crossinit_fairseq.without_gpus import why_not_a_tpu, why_not_these_processes, why_not_this_precision

_BART_OPTIONS = ("share-all-embeddings", "encoder-learned-pos", "decoder-learned-pos", "layernorm-embedding")
_RESETS = ("reset-optimizer", "reset-dataloader", "reset-meters", "reset-lr-scheduler")


@dataclass(frozen=True)
class Command:
    """program: such as fairseq-train, "" for a checkpoint; data: data folders; options: {name without dashes: value};
    words: all that follows the program.

    A flag's value is "". Options of Hydra (`task.data=...`) count by their last part, underscores as dashes; what the
    words do not say is as its YAML file says.
    """

    program: str
    data: Tuple[str, ...] = ()
    options: Dict[str, str] = field(default_factory=dict)
    words: Tuple[str, ...] = ()

    def __getitem__(self, name: str) -> str:
        """The value of an option, "" when it is not given."""
        return self.options.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.options


@dataclass(frozen=True)
class Machine:
    """What the rules ask of the installation. torch: its version; fork: ve-fairseq or fairseq-fixed; gpus: how many."""

    torch: Tuple[int, ...] = (2, 13)
    fork: bool = True
    gpus: int = 0


def read_command(words: Sequence[str]) -> Command:
    """The words of a command line. Raises InputError when it is none of fairseq's."""
    words = without_variables(words)[1]
    program = os.path.basename(words[0]) if words else ""
    if not program.startswith("fairseq-"):
        raise InputError(
            f"{''.join(words[:1])!r} is no command of fairseq: give `-- fairseq-train DATA-BIN ...`, as it is run"
        )
    data: List[str] = []
    options: Dict[str, str] = {}
    name = None
    for word in words[1:]:
        if word.startswith("-") and not _is_number(word):
            name, equals, value = word.lstrip("-").partition("=")
            name = {"s": "source-lang", "t": "target-lang", "a": "arch"}.get(name, name).replace("_", "-")
            options[name] = value
            if equals:
                name = None
        elif program == "fairseq-hydra-train" and "=" in word:
            key, _, value = word.partition("=")
            options[hydra.option_of(key)] = value
        elif name is not None:
            options[name] = f"{options[name]} {word}".strip()
        else:
            data += word.split(os.pathsep)
    if program == "fairseq-hydra-train":
        options = {**command_of({"cfg": hydra.given_values(options)}).options, **options}
    if not data and "data" in options:
        data = options["data"].split(os.pathsep)
    return Command(program, tuple(data), options, tuple(words[1:]))


def command_of(header: Dict[str, Any]) -> Command:
    """What a checkpoint says of the options it was trained with. header: see checkpoint_files.read_header."""
    options = options_of(header)
    return Command("", tuple(filter(None, options.get("data", "").split(os.pathsep))), options)


def check_command(command: Command, machine: Machine) -> List[Finding]:
    """Findings of all rules."""
    return [finding for rule in _RULES for finding in rule(command, machine)]


def check_origin(header: Dict[str, Any], machine: Machine) -> List[Finding]:
    """Findings on what made a checkpoint, as far as it matters to what follows. header: see command_of."""
    command = command_of(header)
    findings = list(_back_translation(command, machine))
    model = (header.get("cfg") or {}).get("model")
    names = model if isinstance(model, dict) else getattr(model, "__dict__", {})
    if "bart" in command["arch"] and model is not None and not names.get("task"):
        findings.append(
            warning(
                "a BART model reads the name of its task from its own options, and Hydra did not put it there: this "
                "checkpoint does not load (`invalid argument task`)",
                "train with a task of this package, or with fairseq-train",
            )
        )
    return findings


def _user_dir(command: Command, machine: Machine) -> Iterator[Finding]:
    folder = command["user-dir"]
    if command.program == "fairseq-preprocess":  # it loads no checkpoint
        return
    if not folder:
        make = wrong if machine.torch >= (2, 6) else warning
        yield make(
            "--user-dir is not given: the repairs of this package are not loaded, and with torch 2.6 and later "
            "checkpoints do not load",
            f"add --user-dir {_package()} to every command, stock tasks included",
        )
    elif not os.path.isdir(folder):
        yield wrong(f"--user-dir {folder} is no folder from here", f"give --user-dir {_package()}")


def _back_translation(command: Command, machine: Machine) -> Iterator[Finding]:
    if command["task"] == "online_backtranslation":
        yield wrong(
            "task online_backtranslation: fairseq-generate starts from </s>, so that the output may be of either "
            "language; its noise acts on sub-tokens and is the same in every epoch; --eval-bleu fails on shapes; its "
            "language tokens stand in another order than those of pre-training",
            "use --task crossinit_unmt, for generation too",
        )


def _last_batch(command: Command, machine: Machine) -> Iterator[Finding]:
    multiple = command["required-batch-size-multiple"] or "8"
    if command.program == "fairseq-preprocess":  # it makes no batches
        return
    if machine.fork and multiple != "1":
        make = wrong if command.program in ("fairseq-generate", "fairseq-validate", "fairseq-eval-lm") else warning
        yield make(
            f"this fairseq drops the last batch when it is no multiple of {multiple} sentences: up to "
            f"{multiple} less one go missing",
            "add --required-batch-size-multiple 1",
        )


def _sticking_beam(command: Command, machine: Machine) -> Iterator[Finding]:
    beam = any(part in command["eval-bleu-args"] for part in ('"beam": ', "'beam': "))
    if "bart" in command["arch"] and "eval-bleu" in command and beam and not command["task"].startswith("crossinit"):
        yield warning(
            "a beam over 1 stays in the cross-attention of BART: after the validation, training crashes or attends to "
            "the wrong sentences",
            "give --eval-bleu-args '{\"beam\": 1}'",
        )


def _starting_files(command: Command, machine: Machine) -> Iterator[Finding]:
    for name in ("restore-file", "finetune-from-model", "path"):
        for path in filter(None, command[name].split(os.pathsep)):
            if path != "checkpoint_last.pt" and not os.path.isfile(path):
                ignored = "; fairseq alone would ignore that and start from nothing" if name == "restore-file" else ""
                yield wrong(f"--{name} {path}: there is no such file{ignored}", "give the path of a checkpoint")
    resets = [name for name in _RESETS if name in command]
    if "finetune-from-model" in command and resets:
        yield wrong(
            f"--finetune-from-model excludes --{resets[0]}: it resets all by itself", f"leave --{resets[0]} out"
        )
    if "finetune-from-model" in command and command["restore-file"] not in ("", "checkpoint_last.pt"):
        yield wrong("--finetune-from-model excludes --restore-file", "leave --restore-file out")
    if "restore-file" in command and resets and len(resets) < len(_RESETS):
        left = " ".join(f"--{name}" for name in _RESETS if name not in resets)
        yield warning(
            "with some of the four resets the old position in the epoch, or the old learning rate, stays", f"add {left}"
        )


def _data_buffer(command: Command, machine: Machine) -> Iterator[Finding]:
    if command.program in ("fairseq-train", "fairseq-hydra-train") and command["data-buffer-size"] != "0":
        yield warning(
            "with a data buffer, fairseq may end in an abort (exit status 134) after it is done",
            "add --data-buffer-size 0",
        )


def _denoising(command: Command, machine: Machine) -> Iterator[Finding]:
    if command["task"] != "multilingual_denoising":
        return
    if len(command.data) == 1:
        yield warning(
            "multilingual_denoising sorts sentences by length in the first epoch only, and a stopped run may not go "
            "on from where it was, when it has one data folder",
            f"use --task crossinit_denoising, or give it twice: {command.data[0]}{os.pathsep}{command.data[0]}",
        )
    if machine.fork and command["bpe"] == "sentencepiece" and "sentencepiece-model" not in command:
        yield wrong("--bpe sentencepiece fails on a model that is not set (file ??? not found)", "leave --bpe out")
    if "skip-invalid-size-inputs-valid-test" not in command:
        yield warning(
            "one validation sentence that is longer than the model ends the run (`Size of sample is invalid`)",
            "add --skip-invalid-size-inputs-valid-test",
        )
    if not machine.fork and "user-dir" not in command:
        yield wrong(
            "the official fairseq defines --max-source-positions twice for this task", f"add --user-dir {_package()}"
        )


def _masked_lm(command: Command, machine: Machine) -> Iterator[Finding]:
    arch, task, criterion = command["arch"], command["task"], command["criterion"]
    if task == "cross_lingual_lm" and machine.fork:
        yield wrong("task cross_lingual_lm fails on its dictionary with this fairseq", "use --task crossinit_mlm")
    if criterion == "legacy_masked_lm_loss" and task != "cross_lingual_lm":
        yield wrong(
            "--criterion legacy_masked_lm_loss goes with --task cross_lingual_lm only", "use --criterion masked_lm"
        )
    if criterion == "masked_lm" and arch and not arch.startswith(("roberta", "xlm", "masked_lm")):
        yield wrong(
            f"--criterion masked_lm does not go with --arch {arch}", "use --arch xlm_tiny_3, roberta_base or masked_lm"
        )
    if arch == "transformer_from_pretrained_xlm" and task != "translation_from_pretrained_xlm":
        yield wrong(f"--arch {arch} asks its task for a MaskedLMDictionary", "use --arch xlm_translation")
    if arch == "xlm_base" and task.startswith("crossinit") and task != "crossinit_mlm":
        yield wrong("--arch xlm_base asks the task for what it does not have", "use --arch xlm_tiny_3")


def _other_architecture(command: Command, machine: Machine) -> Iterator[Finding]:
    """Starting a plain Transformer from a BART or an XLM."""
    path, arch = command["finetune-from-model"], command["arch"]
    if not arch.startswith("transformer") or not os.path.isfile(path):
        return
    try:
        theirs = command_of(read_header(path))
    except InputError:
        return
    if "bart" in theirs["arch"]:
        missing = [f"--{name}" for name in _BART_OPTIONS if name not in command]
        missing += [] if command["activation-fn"] == "gelu" else ["--activation-fn gelu"]
        for name in ("max-source-positions", "max-target-positions"):
            if theirs[name] and command[name] != theirs[name]:
                missing.append(f"--{name} {theirs[name]}")
        if missing:
            yield wrong(f"--arch {arch} does not take {path}, which is of {theirs['arch']}", f"add {' '.join(missing)}")
    elif theirs["arch"].startswith(("xlm", "roberta", "masked_lm")):
        yield wrong(
            f"--arch {arch} takes nothing from {path}, which is of {theirs['arch']}", "use --arch xlm_translation"
        )


def _half_precision(command: Command, machine: Machine) -> Iterator[Finding]:
    trains = command.program in ("fairseq-train", "fairseq-hydra-train")
    given = {name for name, value in command.options.items() if value.lower() != "false"}
    for refusal in (why_not_this_precision(given if trains else (), machine.gpus > 0), why_not_a_tpu(given)):
        if refusal:
            yield wrong(*refusal)
    for name in ("bf16", "memory-efficient-bf16"):
        if name in command and "user-dir" not in command:
            yield wrong(f"--{name} looks for a TPU, on a GPU too", f"add --user-dir {_package()}, which mends it")
    for name in ("fp16", "bf16", "amp"):
        if name in command and "rescale" in command:
            yield wrong("--rescale needs full precision", f"leave --{name} out of the alignment")


def _processes(command: Command, machine: Machine) -> Iterator[Finding]:
    if machine.gpus:
        return
    processes = whole_number(command["distributed-world-size"]) or 1
    init_method = command["distributed-init-method"]
    refusal = why_not_these_processes(processes, init_method, "distributed-no-spawn" in command)
    if refusal:
        yield wrong(*refusal)


def _generation(command: Command, machine: Machine) -> Iterator[Finding]:
    if command.program in ("fairseq-generate", "fairseq-interactive"):
        for name in ("constraints", "diverse-beam-groups"):
            if name in command and command[name] not in ("-1", "0"):
                yield wrong(f"--{name} fails in fairseq's own code", f"leave --{name} out")


_RULES: List[Callable[[Command, Machine], Iterator[Finding]]] = [
    _user_dir,
    lambda command, machine: hydra.check_words(command.program, command.words, command.options, machine.fork),
    _back_translation,
    _last_batch,
    _sticking_beam,
    _starting_files,
    _data_buffer,
    _denoising,
    _masked_lm,
    _other_architecture,
    _half_precision,
    _processes,
    training.check_training,
    _generation,
]


def _package() -> str:
    return shlex.quote(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _is_number(word: str) -> bool:
    try:
        float(word)
        return True
    except ValueError:
        return False
