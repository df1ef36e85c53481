"""crossinit_fairseq/doctor/options.py, against fairseq's own parser."""

import argparse
import ast
import contextlib
import pathlib
import re
import shlex
from types import SimpleNamespace

import pytest
from fairseq.dataclass.utils import gen_parser_from_dataclass

from crossinit_fairseq import doctor
from crossinit_fairseq.checkpoint_files import save_checkpoint_file
from crossinit_fairseq.doctor import options
from crossinit_fairseq.doctor.findings import WARNING, WRONG, is_said
from crossinit_fairseq.doctor.options import check_options
from tests import program_server
from tests.conftest import USER_DIR

TRAIN = (
    f"fairseq-train data --user-dir {USER_DIR} --optimizer adam --lr 1e-3 --fp16-scale-tolerance=-1 --num-workers 0 "
)


@pytest.fixture(autouse=True)
def forked(monkeypatch):
    """Its process is forked, four seconds sooner each; test_checkpoints.py starts it."""
    monkeypatch.setattr(options, "sys", SimpleNamespace(executable=program_server.python()))


@pytest.mark.parametrize(
    "words",
    [
        TRAIN + "--task crossinit_unmt --arch mbart_base --bt-ahead 4 --criterion label_smoothed_cross_entropy "
        "--label-smoothing 0.1 --max-source-positions 40",
        f"fairseq-generate data --user-dir {USER_DIR} --task crossinit_unmt -s en -t ro --generation-vocab target "
        "--path a.pt --num-workers 0",
        f"fairseq-validate data --user-dir {USER_DIR} --task crossinit_unmt --path no.pt --num-workers 0",
        "fairseq-preprocess --only-source --srcdict {data}/dict.txt --trainpref {data}/dict.txt --destdir new",
        "fairseq-score --what --ever",
        f"fairseq-train data --user-dir {USER_DIR}-not",
    ],
)
def test_nothing_is_said_of_what_fairseq_takes_or_of_what_is_found_elsewhere(words, data_folder, tmp_path):
    save_checkpoint_file({"model": {}}, str(tmp_path / "a.pt"))
    words = words.replace(" data ", f" {data_folder} ").replace("-s en -t ro", "-s aa -t bb")
    words = words.replace("{data}", str(data_folder)).replace("a.pt", str(tmp_path / "a.pt"))
    assert check_options(shlex.split(words)) == []


def test_what_the_task_refuses_is_wrong(data_folder):
    words = TRAIN.replace(" data ", f" {data_folder} ") + "--task crossinit_unmt --arch mbart_base --langs aa,cc"
    (finding,) = check_options(shlex.split(words + " --criterion cross_entropy"))
    assert finding.level == WRONG and finding.what.startswith("fairseq-train would end: language 'cc' has no binarised")
    # unless it is said already, in the same words or of the same file
    file = "fairseq-train would end: a/dict.txt lacks <mask>: append"
    assert is_said(finding.what, ["x", finding.what[len("fairseq-train would end: ") :]])
    assert is_said(file, ["a/dict.txt is UTF-16"]) and is_said(file, ["a/dict.txt lacks <mask>: write"])
    assert not is_said(file, ["a/dict.tx", "b/dict.txt lacks <mask>"]) and not is_said("dict.txt lacks", ["dict.txt"])


def test_what_was_looked_at_in_part_is_said(data_folder, tmp_path):
    save_checkpoint_file({"model": {}, "cfg": {"task": {}}}, str(tmp_path / "a.pt"))
    words = f"fairseq-generate {data_folder} --user-dir {USER_DIR} --task crossinit_unmt -s aa -t bb --num-workers 0"
    (finding,) = check_options([*words.split(), "--path", str(tmp_path / "a.pt")])
    assert finding.level == WARNING and finding.remedy
    assert finding.what == "what fairseq-generate does first was looked at in part, as it ended in KeyError: 'model'"


@pytest.mark.parametrize(
    "words, what",
    [
        # of another task, another architecture, another criterion; of a program that has no training
        (TRAIN + "--task crossinit_denoising --arch mbart_base --bt-ahead 4", "the criterion takes --bt-ahead 4"),
        (TRAIN + "--task crossinit_unmt --arch transformer --max-positions 9", "the criterion takes --max-positions 9"),
        (TRAIN + "--task crossinit_unmt --arch mbart_base --label-smoothing 0.1", "takes --label-smoothing 0.1"),
        (f"fairseq-generate data --user-dir {USER_DIR} --task crossinit_unmt --max-update 3", "takes --max-update 3"),
        # what is of Transformers alone; where the task needs one, that is all that is to be said
        (
            TRAIN + "--task crossinit_unmt --arch lstm --encoder-attention-heads 2",
            "--arch lstm is no Transformer: --task ",
        ),
        (TRAIN + "--task crossinit_unmt --arch=fconv --share-all-embeddings", "unmt cannot train it"),
        (
            TRAIN + "--task crossinit_unmt --arch lightconv --encoder-layers 1",
            "--arch lightconv is no Transformer: --ta",
        ),
        (TRAIN + "--task crossinit_xnli -a lstm --encoder-attention-heads 2", "--task crossinit_xnli cannot train it"),
        (
            TRAIN + "--task crossinit_denoising --arch fconv --encoder-ffn-embed-dim 32 --share-all-embeddings",
            "no Transformer and does not take --encoder-ffn-embed-dim 32 --share-all-embeddings",
        ),
        (TRAIN + "--task crossinit_unmt", "is told no architecture"),
        (TRAIN + "--task crossinit_umnt", "refuses its options: argument --task: invalid choice: 'crossinit_umnt'"),
        (TRAIN + "--task crossinit_unmt --max-update many", "--max-update: invalid int value: 'many'"),
    ],
)
def test_what_fairseq_refuses_is_wrong(words, what):
    (finding,) = check_options(shlex.split(words))
    assert finding.level == WRONG and what in finding.what and finding.remedy
    assert "\n" not in finding.what and len(finding.what) < 200


def _options_of_fairseq():
    """All of its programs, and of every task, architecture, criterion and so on, ours too."""
    from fairseq import options
    from fairseq.models import ARCH_MODEL_REGISTRY
    from fairseq.registry import REGISTRIES
    from fairseq.tasks import TASK_REGISTRY

    import crossinit_fairseq.tasks  # noqa: F401

    found = set()
    for maker in ("training", "generation", "interactive_generation", "validation", "preprocessing"):
        found.update(getattr(options, f"get_{maker}_parser")()._option_string_actions)
    classes = [*TASK_REGISTRY.values(), *ARCH_MODEL_REGISTRY.values()]
    classes += [one for registry in REGISTRIES.values() for one in registry["registry"].values()]
    for one in classes:
        parser = argparse.ArgumentParser(add_help=False, conflict_handler="resolve", allow_abbrev=False)
        with contextlib.suppress(Exception):  # what some architectures of others need is not installed
            if hasattr(one, "add_args"):
                one.add_args(parser)
            elif getattr(one, "__dataclass", None) is not None:
                gen_parser_from_dataclass(parser, one.__dataclass())
        found.update(parser._option_string_actions)
    return found


def test_every_option_that_the_doctor_names_exists():
    named = {}
    for path in sorted(pathlib.Path(doctor.__file__).parent.glob("*.py")):
        texts = [node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)]
        for text in filter(lambda one: isinstance(one, str), texts):
            named.update({option: path.name for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*\w", text)})
    assert len(named) > 30 and "--required-batch-size-multiple" in named
    # of pip, crossinit-prepare and Hydra; --reset- is the beginning of four
    others = {"--force-reinstall", "--no-build-isolation", "--no-deps", "--model", "--config-dir", "--config-name"}
    known = _options_of_fairseq()
    assert {option: name for option, name in named.items() if option not in known | others} == {}
    from crossinit_fairseq.doctor.command import _BART_OPTIONS, _RESETS

    assert {f"--{name}" for name in _BART_OPTIONS + _RESETS} <= known
