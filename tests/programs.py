"""Run a program as a user does."""

import os
import subprocess


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
