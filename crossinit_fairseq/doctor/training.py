"""What ends a command in a traceback of fairseq, or lets a training do what nobody wants, by its options."""

import ast
import json
import os
import re
from typing import TYPE_CHECKING, Any, Iterator

from crossinit_fairseq.best_metric import which_way
from crossinit_fairseq.doctor.findings import Finding, warning, wrong
from crossinit_fairseq.text_files import whole_number

_FILES = {"lm-path": "a checkpoint of a language model", "replace-unk": "a dictionary of `word translation` lines"}
_DECODER_ALONE = re.compile(r"(transformer|lstm|fconv|lightconv)_u?lm|hf_gpt2|gpt2")
_SPEECH = re.compile(
    r"s2|unity_|xm_transformer|wav2vec|hubert|multires_hubert|tacotron|fastspeech|tts_|convtransformer|speech_dlm"
)
_EXAMPLE = {
    "model-overrides": "\"{'dropout': 0.1}\"",
    "optimizer-overrides": "\"{'lr': [0.001]}\"",
    "eval-bleu-args": "'{\"beam\": 1}'",
}

if TYPE_CHECKING:  # which has these rules among its own
    from crossinit_fairseq.doctor.command import Command


def check_training(command: "Command", machine: Any) -> Iterator[Finding]:
    """Findings of all rules here."""
    yield from _seed(command)
    yield from _values(command)
    yield from _files(command)
    if command.program == "fairseq-train":
        yield from _batch_size(command)
    if command.program in ("fairseq-train", "fairseq-hydra-train"):
        yield from _best_metric(command)
        yield from _numbers(command)
        yield from _criterion(command)
        yield from _architecture(command)


def _batch_size(command: "Command") -> Iterator[Finding]:
    sizes = command.options.keys() & {"max-tokens", "batch-size", "max-sentences"}
    if command.program == "fairseq-train" and not sizes:
        yield wrong("fairseq is not told how large a batch is", "add --max-tokens or --batch-size")
    alone = command["criterion"] == "crossinit" and command["batch-size"] == "1"
    if alone and ("lexicon" in command or command["objective"] == "infonce"):
        yield wrong("the other draws of a batch are the Negatives, and there are none", "give --batch-size 256")


def _seed(command: "Command") -> Iterator[Finding]:
    seed = command["seed"]
    if command.program != "fairseq-preprocess" and not _is_seed(seed):
        yield wrong(f"--seed {seed} ends the run: numpy takes 0 to {(1 << 32) - 1}", "give another --seed")


def _best_metric(command: "Command") -> Iterator[Finding]:
    metric = command["best-checkpoint-metric"] or "loss"
    given = {name for name in ("disable-validation", "eval-bleu", "maximize-best-checkpoint-metric") if name in command}
    given = {name for name in given if command[name].lower() != "false"}
    if "disable-validation" in given:
        if command["patience"] not in ("", "-1", "0"):
            yield warning("--patience does nothing without validation", "leave --disable-validation or it out")
        return
    refusal = which_way(metric, "maximize-best-checkpoint-metric" in given)
    if refusal:
        yield warning(*refusal)
    if metric == "bleu" and "eval-bleu" not in given and command["task"].startswith("translation"):
        yield wrong("--best-checkpoint-metric bleu: validation does not log it", "add --eval-bleu")


def _numbers(command: "Command") -> Iterator[Finding]:
    for name in ("update-freq", "save-interval", "validate-interval", "log-interval"):
        numbers = command[name].replace(",", " ").replace("[", " ").replace("]", " ").split()
        if any(whole_number(number.lstrip("-")) is not None and int(number) < 1 for number in numbers):
            when = "at once" if name == "update-freq" else "later, with what was not saved lost"
            yield wrong(f"--{name} {command[name]} ends the run in a traceback, {when}", "give 1 or more")


def _criterion(command: "Command") -> Iterator[Finding]:
    criterion, task = command["criterion"], command["task"]
    of_speech = task.startswith(("audio", "speech", "hubert", "multires_hubert", "text_to_speech"))
    if criterion in ("ctc", "wav2vec", "hubert") and not of_speech and not task.startswith("crossinit_"):
        yield wrong(f"--criterion {criterion} is of speech", "give --criterion label_smoothed_cross_entropy")


def _architecture(command: "Command") -> Iterator[Finding]:
    """Those of which fairseq reads the configuration itself, before any task sees it, and ends in a traceback."""
    arch = command["arch"]
    if command["task"].startswith("crossinit_") and (_DECODER_ALONE.match(arch) or _SPEECH.match(arch)):
        what = "reads or writes speech" if _SPEECH.match(arch) else "is a decoder alone"
        yield wrong(f"--arch {arch} {what}: --task {command['task']} cannot train it", "give another --arch")


def _values(command: "Command") -> Iterator[Finding]:
    """What fairseq reads as a dictionary of Python, or of JSON."""
    for name, read, what in (
        ("model-overrides", ast.literal_eval, "dictionary of Python"),
        ("optimizer-overrides", ast.literal_eval, "dictionary of Python"),
        ("eval-bleu-args", json.loads, "object of JSON"),
    ):
        try:
            right = not command[name] or isinstance(read(command[name]), dict)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            right = False
        if not right:
            yield wrong(
                f"--{name} {command[name]} is no {what}", f"give it in quotes, such as --{name} {_EXAMPLE[name]}"
            )


def _files(command: "Command") -> Iterator[Finding]:
    for name in ("lm-path", "replace-unk"):  # the latter alone has a meaning of its own
        path = command[name]
        if path and not os.path.isfile(path):
            yield wrong(f"--{name} {path}: there is no such file", f"give the path of {_FILES[name]}, or leave it out")


def _is_seed(text: str) -> bool:
    """True also of what is no number, which fairseq refuses itself."""
    try:
        return 0 <= float(text) < 1 << 32
    except ValueError:
        return True
