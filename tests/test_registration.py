"""fairseq knows of the package as soon as both are imported, and is not imported for less."""

import os
import sys

import pytest

from tests.programs import run

REGISTERED = """
from fairseq.criterions import CRITERION_REGISTRY
from fairseq.models import ARCH_MODEL_REGISTRY
from fairseq.tasks import TASK_REGISTRY
assert {"crossinit_pretrain", "crossinit_denoising", "crossinit_mlm", "crossinit_unmt"} <= set(TASK_REGISTRY)
assert {"xlm_tiny_3", "xlm_mlm_xnli15_1024", "xlm_translation"} <= set(ARCH_MODEL_REGISTRY)
assert "crossinit" in CRITERION_REGISTRY
"""
ROOMS = ("criterions.crossinit", "models.alignment_model", "tasks.crossinit_unmt", "unmt.training_step")
NO_FAIRSEQ = """
import sys, importlib.abc
class NoFairseq(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("fairseq", "fairseq_cli"):
            raise ImportError("no fairseq here")
sys.meta_path.insert(0, NoFairseq())
"""


def done(code):
    """Run Python in a process of its own that must succeed."""
    ended = run(sys.executable, "-c", code)
    assert ended.returncode == 0, ended.stderr


def said(code, **environment):
    """Run Python in a process of its own that must fail. Returns what it says."""
    ended = run(sys.executable, "-c", code, **environment)
    assert ended.returncode == 1
    return ended.stderr


@pytest.mark.parametrize(
    "first",
    [
        "import crossinit_fairseq, fairseq",
        "import fairseq, crossinit_fairseq",
        "import crossinit_fairseq; import fairseq.tasks",
    ],
)
def test_registered_in_either_order(first):
    done(first + REGISTERED)


def test_a_user_dir_needs_no_hook():
    done("import sys; sys.modules['wrapt'] = None\nimport fairseq, crossinit_fairseq" + REGISTERED)


@pytest.mark.parametrize("module", ROOMS)
def test_registered_with_the_first_module_that_needs_fairseq(module):
    done("import crossinit_fairseq." + module + REGISTERED)


@pytest.mark.parametrize("module", ["ranks", "scoring", "errors", "complete_files", "cli.ranks", "cli.score"])
def test_counting_and_scoring_wait_for_neither_fairseq_nor_torch(module):
    done(f"import sys, crossinit_fairseq.{module}\nassert not {{'fairseq', 'torch'}} & set(sys.modules)")


@pytest.mark.parametrize("module", ["ranks", "spans", "alignment", "scoring", "export", "errors"])
def test_rooms_that_know_no_fairseq_work_without_it(module):
    done(NO_FAIRSEQ + "import crossinit_fairseq." + module)


@pytest.mark.parametrize("module", ROOMS)
def test_no_fairseq_says_what_to_install(module):
    assert "pip install ve-fairseq" in said(NO_FAIRSEQ + "import crossinit_fairseq." + module)


def test_a_fairseq_that_does_not_suit_this_python_says_what_to_install(tmp_path):
    # the official one's ValueError on Python 3.11
    (tmp_path / "fairseq").mkdir()
    (tmp_path / "fairseq" / "__init__.py").write_text("raise ValueError('mutable default CommonConfig')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    error = said("import crossinit_fairseq.tasks", PYTHONPATH=path)
    assert "mutable default CommonConfig" in error and "pip uninstall fairseq" in error
