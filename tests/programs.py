"""Run a program as a user does, or load it as a module."""

import importlib
import os
import pathlib
import subprocess
import sys
from types import ModuleType
from typing import List

import pytest


def run(*command, **environment):
    """Run a command; more variables of its environment by keyword. Returns subprocess.run's result, output str."""
    return subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        encoding="utf-8",
        env=dict(os.environ, **environment),
    )


def modules_of(folder: pathlib.Path, *names: str) -> List[ModuleType]:
    """Programs of a folder outside of the package, as modules; they find one another there by their bare names.

    They are loaded afresh at each call, and are known by these names for as long as it lasts: several folders have a
    `text.py`.
    """
    neighbours = [path.stem for path in pathlib.Path(folder).glob("*.py")]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        for name in neighbours:
            patch.delitem(sys.modules, name, raising=False)
        try:
            return [importlib.import_module(name) for name in names]
        finally:
            for name in neighbours:
                sys.modules.pop(name, None)
