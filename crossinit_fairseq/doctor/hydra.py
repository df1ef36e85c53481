"""What fairseq-hydra-train is told: by a YAML file, and by the words that change it."""

import os
from typing import Any, Dict, Iterator, Mapping, Sequence

from omegaconf import OmegaConf

from crossinit_fairseq.doctor.findings import Finding, wrong
from crossinit_fairseq.errors import InputError, first_line

# fairseq gives all keys of the other groups itself; those of these are the file's alone
_OF_THE_FILE = ("task", "model", "criterion", "optimizer", "lr_scheduler", "bpe", "tokenizer", "scoring")
_PATHS = ("data", "user-dir", "save-dir", "finetune-from-model", "restore-file")


def read_file(options: Mapping[str, str]) -> Dict[str, Dict[str, Any]]:
    """The groups of the YAML file that --config-dir and --config-name name: {group: {key: value}}.

    Empty where there is no such file. Raises InputError where it cannot be read. options: {name: value}.
    """
    path = _path(options)
    if not os.path.isfile(path):
        return {}
    try:
        found = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except Exception as error:  # of the system, of the YAML library or of omegaconf
        raise InputError(f"{path} cannot be read as YAML ({first_line(error)})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no groups of keys, such as `task:`")
    return {str(key): group for key, group in found.items() if isinstance(group, dict)}


def _path(options: Mapping[str, str]) -> str:
    """Of the YAML file; "" where none is named."""
    name = options.get("config-name", "")
    if not name:
        return ""
    return os.path.join(options.get("config-dir", ""), name if name.endswith((".yaml", ".yml")) else name + ".yaml")


def given_values(options: Mapping[str, str]) -> Dict[str, Dict[str, Any]]:
    """The same without what stands for another value: ``???`` is to be given, ``${...}`` is that of another key. None
    where the file cannot be read, which check_words says."""
    try:
        groups = read_file(options)
    except InputError:
        return {}
    return {
        name: {key: value for key, value in group.items() if not str(value).startswith(("???", "${"))}
        for name, group in groups.items()
    }


def option_of(key: str) -> str:
    """The option of fairseq-train that a key stands for: "arch" for ``model._name``, "max-update" for
    ``optimization.max_update``."""
    group, _, name = key.lstrip("+").rpartition(".")
    if name == "_name":
        name = {"model": "arch"}.get(group, group)
    return name.replace("_", "-")


def check_words(program: str, words: Sequence[str], options: Mapping[str, str], fork: bool) -> Iterator[Finding]:
    """Findings on a command line, none if the program is not Hydra's. words: all that follows it; options: {name:
    value}, the file's too; fork: whether fairseq is ve-fairseq or fairseq-fixed."""
    if program != "fairseq-hydra-train":
        return
    if fork and options.get("task") == "multilingual_denoising":
        yield wrong(
            "under Hydra multilingual_denoising looks for a key that there is not (common.train_subset)",
            "use --task crossinit_denoising, or fairseq-train",
        )
    for name in _PATHS:
        path = options.get(name, "")
        if path and not os.path.isabs(path) and path != "checkpoint_last.pt":
            yield wrong(
                f"{name}={path} is relative, and Hydra changes to a folder of its own", f"give {os.path.abspath(path)}"
            )
    path = _path(options)
    if (
        options.get("config-dir") and path and not os.path.isfile(path)
    ):  # without a folder, one of fairseq's own is meant
        yield wrong(f"there is no file {path}", "give the folder and the name of a YAML file")
    try:
        groups = read_file(options)
    except InputError as error:
        yield wrong(str(error), "mend it: what it says of the run was not looked at")
        return
    for word in words if groups else ():
        key, equals, value = word.partition("=")
        group, dot, name = key.partition(".")
        if equals and dot and group in _OF_THE_FILE and name not in groups.get(group, {}):
            yield wrong(f"{key} is no key of the YAML file, and Hydra changes only those", f"give +{key}={value}")
