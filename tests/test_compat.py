"""Each shim is needed still: a test here fails when fairseq or torch has made one idle, so that it can go."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest
import torch

from crossinit_fairseq import compat
from crossinit_fairseq.checkpoint_origin import sentence_of_misfit
from tests.conftest import USER_DIR, load
from tests.finetuning import toy
from tests.helpers import dictionary_of, tiny_model
from tests.tasks.in_process import run
from tests.toy_runs import COMMON, TASKS, trained


def fresh(code, *arguments):
    """Run Python in a process that has not imported crossinit_fairseq."""
    return subprocess.run(
        [sys.executable, "-c", code] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )


SAVE = (
    "import torch, numpy, argparse; torch.save({'cfg': {'model': {}, 'task': {}, 'common': {}, 'criterion': {}}, "
    "'args': None, 'model': {}, 'n': numpy.float64(1), "
    "'extra_state': {'epoch': 1, 'train_iterator': {'epoch': 1}}, "
    "'optimizer_history': [{'optimizer_name': '', 'num_updates': 0, 'lr_scheduler_state': {}}], "
    "'namespace': argparse.Namespace(a=1)}, %r)"
)
LOAD = "from fairseq.checkpoint_utils import load_checkpoint_to_cpu as load; print(load(%r)['namespace'].a)"


def test_whole_checkpoints_load_with_the_shim_only(tmp_path):
    path = str(tmp_path / "checkpoint.pt")
    assert fresh(SAVE % path).returncode == 0
    stock = fresh(LOAD % path)
    if compat._torch_version() < (2, 6):
        assert stock.returncode == 0, "before torch 2.6 nothing is to be mended"
    else:
        assert "weights_only" in stock.stdout, "the stock loader works again"
    shimmed = fresh("import crossinit_fairseq\n" + LOAD % path)
    assert shimmed.returncode == 0 and shimmed.stdout.strip().endswith("1")


def test_torch_itself_is_left_alone():
    import fairseq.checkpoint_utils

    assert torch.load is not _TRUSTING_LOAD
    assert fairseq.checkpoint_utils.torch.Tensor is torch.Tensor


_TRUSTING_LOAD = compat._TrustingTorch.load


def test_broadcast_of_objects_is_shimmed_too():
    import fairseq.distributed.utils

    if compat._torch_version() >= (2, 6):
        assert isinstance(fairseq.distributed.utils.torch, compat._TrustingTorch)


def test_denoising_with_bart_is_refused_by_the_official_fairseq_only(tmp_path):
    from fairseq.tasks.denoising import DenoisingTask

    command = [sys.executable, "-m", "fairseq_cli.train", str(tmp_path), "--task", "multilingual_denoising"]
    command += "--arch mbart_base --max-source-positions 8 --max-tokens 9".split()
    stock = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True).stdout
    conflict = "conflicting option string: --max-source-positions"
    if getattr(DenoisingTask, "__dataclass", None) is None:
        assert conflict in stock, "the official task agrees with BART: remove let_denoising_share_options"
    else:
        assert conflict not in stock and not hasattr(DenoisingTask.add_args, "shares")
    command += ["--user-dir", str(USER_DIR)]
    ours = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True).stdout
    # options are read; what is missing is the dictionary
    assert conflict not in ours and "dict.txt" in ours


def test_stock_help_still_stops_short():
    command = [sys.executable, "-m", "fairseq_cli.train", "--help", "--task", "multilingual_denoising"]
    stock = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True).stdout
    assert "--poisson-lambda" not in stock, "fairseq lists a task's options by itself: remove list_all_options_in_help"
    ours = subprocess.run(
        command + ["--user-dir", str(USER_DIR)], stdout=subprocess.PIPE, universal_newlines=True
    ).stdout
    assert "--poisson-lambda" in ours


def test_help_shim_is_not_installed_without_help(monkeypatch):
    import argparse

    monkeypatch.setattr(sys, "argv", ["fairseq-train", "data", "--task", "translation"])
    before = argparse.ArgumentParser.print_help
    compat.list_all_options_in_help()
    assert argparse.ArgumentParser.print_help is before


def test_bfloat16_needs_no_tpu_with_the_shim_only(data_folder, tmp_path, monkeypatch):
    from fairseq.distributed import utils

    def status():
        try:
            words = TASKS["crossinit_denoising"].options
            return run("train", [str(data_folder)], words, COMMON, "--max-update 2 --bf16 --cpu --no-save").returncode
        except AttributeError as error:
            return str(error)

    assert status() == 0
    monkeypatch.setattr(utils, "call_main", utils.call_main.without_tpu)
    assert "xla_device" in status(), "fairseq no longer looks for a TPU"


@pytest.mark.skipif(importlib.util.find_spec("torch_xla") is not None, reason="there is a library for TPUs")
@pytest.mark.parametrize("task", list(TASKS))
def test_a_tpu_that_is_not_there_is_a_sentence(task, data_of, tmp_path):
    done = trained(task, data_of(task), tmp_path, "--max-update 1 --num-workers 0 --tpu")
    said = "error: --tpu needs torch_xla, which is not installed: leave it out, to train on GPUs or CPUs"
    assert done.returncode == 1 and said in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("options", ["--fp16 --bf16", "--memory-efficient-fp16 --bf16", "--fp16 --tpu"])
def test_precisions_that_exclude_each_other_are_a_sentence_with_the_shim_only(
    options, data_folder, tmp_path, monkeypatch
):
    import fairseq.options

    def status():
        return trained("crossinit_mlm", data_folder, tmp_path, "--max-update 1 --num-workers 0", options)

    done = status()
    assert done.returncode == 1 and "--fp16 goes with neither --bf16 nor --tpu: leave" in done.stdout.splitlines()[-1]
    monkeypatch.setattr(fairseq.options, "parse_args_and_arch", fairseq.options.parse_args_and_arch.stock)
    with pytest.raises(ValueError, match="Cannot combine --fp16 and --tpu"):
        status()


def test_several_processes_in_bfloat16_are_those_of_gpus(monkeypatch):
    """fairseq would look for the TPU before it begins them."""
    from fairseq.dataclass.configs import FairseqConfig
    from fairseq.distributed import utils
    from omegaconf import OmegaConf

    begun = []
    monkeypatch.setattr(utils, "distributed_main", lambda device, main, cfg, kwargs: begun.append(cfg.common.tpu))
    cfg = OmegaConf.structured(FairseqConfig())
    cfg.common.bf16 = cfg.common.tpu = True
    for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1", "WORLD_SIZE": "2", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    utils.call_main(cfg, None)
    assert begun == [False]


def test_a_checkpoint_of_another_architecture_is_a_sentence_with_the_shim_only(data_folder, tmp_path, monkeypatch):
    from fairseq.trainer import Trainer

    def started(task, folder, *options):
        words = TASKS[task].options
        return run(
            "train", [str(data_folder), "--save-dir", str(tmp_path / folder)], words, COMMON, "--max-update 1", *options
        )

    assert started("crossinit_mlm", "xlm", "--num-workers 0").returncode == 0
    xlm = tmp_path / "xlm" / "checkpoint_last.pt"
    start = ["--finetune-from-model", str(xlm)]
    done = started("crossinit_denoising", "other", start)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert (
        f"crossinit_fairseq: error: {xlm} (--arch xlm_tiny_3) does not fit --arch mbart_base: the checkpoint holds no "
        "encoder.embed_tokens.weight; give the architecture, the sizes and the data folder that it was trained with"
    ) in done.stdout.splitlines()[-1]
    # what this package refuses by itself names the file too
    done = started("crossinit_mlm", "deeper", start, "--encoder-layers 2")
    assert f"error: {xlm} (--arch xlm_tiny_3): the checkpoint holds no encoder." in done.stdout.splitlines()[-1]
    # nor does it go on with another optimizer
    done = started("crossinit_mlm", "xlm", "--optimizer sgd --max-update 2")
    said = f"error: {xlm} was saved by FairseqAdam, and this run has SGD, so it cannot go on from there: give the --opt"
    assert done.returncode == 1 and said in done.stdout.splitlines()[-1]
    for name in ("stock", "says_why"):  # two shims, one around the other
        monkeypatch.setattr(Trainer, "load_checkpoint", getattr(Trainer.load_checkpoint, name))
    with pytest.raises(Exception, match="please ensure that the architectures match"):
        started("crossinit_denoising", "other", start)
    with pytest.raises(AssertionError, match="Optimizer does not match"):
        started("crossinit_mlm", "xlm", "--optimizer sgd --max-update 2")


@pytest.mark.parametrize(
    "kind, options, said",
    [
        (
            "bart",
            {"encoder_embed_dim": 16, "decoder_embed_dim": 16},
            r"tokens.weight is \[11, 16\] in the .* \[11, 8\]",
        ),
        ("bart", {"encoder_layers": 2}, "the checkpoint's encoder.layers.1.* has no place in it"),
        ("transformer", {}, "the checkpoint holds no encoder.embed_positions.weight"),
        ("xlm", {"encoder_layers": 2, "encoder_ffn_embed_dim": 20}, "the checkpoint holds no encoder.embed_tokens"),
    ],
)
def test_what_does_not_fit(kind, options, said):
    dictionary = dictionary_of("abcd")
    with pytest.raises((RuntimeError, KeyError)) as caught:
        tiny_model(dictionary).load_state_dict(tiny_model(dictionary, kind, **options).state_dict())
    sentence = sentence_of_misfit("x.pt", "bart", caught.value)
    assert re.search(said, sentence) and "\n" not in sentence


def test_a_new_run_has_its_own_hours_with_the_shim_only(data_folder, tmp_path, monkeypatch):
    from fairseq.trainer import Trainer

    def updates(name, *options):
        """How many a run makes that would end at 3, or after an hour."""
        folder, words = tmp_path / name, TASKS["crossinit_denoising"].options
        ends = "--stop-time-hours 1 --max-update 3 --num-workers 0"
        done = run("train", [str(data_folder), "--save-dir", str(folder)], words, COMMON, ends, *options)
        assert done.returncode == 0, done.stdout[-3000:]
        return load(folder / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"]

    assert updates("first") == 3
    long = load(tmp_path / "first" / "checkpoint_last.pt")
    long["extra_state"]["previous_training_time"] = 7200
    torch.save(long, str(tmp_path / "long.pt"))
    start = ["--finetune-from-model", str(tmp_path / "long.pt")]
    assert updates("with", start) == 3
    # a run that goes on goes on with its hours
    assert updates("on", ["--restore-file", str(tmp_path / "long.pt")], "--max-update 6") == 4
    monkeypatch.setattr(Trainer, "load_checkpoint", Trainer.load_checkpoint.stock)
    assert updates("without", start) == 1, "fairseq no longer counts the hours of another run"


def test_half_a_surrogate_pair_is_unknown_with_the_shim_only(tmp_path, monkeypatch, caplog):
    from fairseq.data.encoders.sentencepiece_bpe import SentencepieceBPE, SentencepieceConfig

    toy.data_folder(tmp_path)
    bpe = SentencepieceBPE(SentencepieceConfig(sentencepiece_model=str(tmp_path / "spm.model")))
    assert bpe.encode("a0 \udce9") == bpe.encode("a0 \ufffd")
    assert r"a sentence is not UTF-8: a0 \udce9; what is not is unknown" in caplog.text
    monkeypatch.setattr(SentencepieceBPE, "encode", SentencepieceBPE.encode.stock)
    with pytest.raises((RuntimeError, UnicodeEncodeError)):
        bpe.encode("a0 \udce9")


@pytest.mark.skipif(compat._torch_version() < (2, 6), reason="the libraries of the official fairseq give none of them")
def test_warnings_of_newer_names_are_shown_to_who_asks_for_warnings_only(data_folder, tmp_path):
    command = [sys.executable, "-m", "fairseq_cli.train", str(data_folder), "--user-dir", str(USER_DIR)]
    command += (TASKS["crossinit_denoising"].options + " " + COMMON).replace("--disable-validation", "").split()
    command += ["--num-workers", "0", "--max-update", "1", "--save-dir"]
    # a library that other tests import may have set it for them
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    quiet, asked = (
        subprocess.run(
            [command[0], *options, *command[1:], str(tmp_path / name)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        ).stdout
        for name, options in (("quiet", ()), ("asked", ("-W", "default")))
    )
    for _, begins in compat._NEWER_NAMES:
        assert re.search("Warning: " + begins, asked), f"no longer given, so remove it: {begins}"
        assert not re.search(begins, quiet)
    assert "done training" in quiet and "done training" in asked
    # whatever started the program, and whatever level of logging that came with
    for name, options in (("quiet", ()), ("asked", ("-W", "default"))):
        words = ["-m", "fairseq_cli.generate", str(data_folder), "--user-dir", str(USER_DIR)]
        words += "--task crossinit_denoising --langs aa,bb --add-lang-token --gen-subset valid --path".split()
        words.append(str(tmp_path / name / "checkpoint_last.pt"))
        said = subprocess.run(
            [sys.executable, *options, *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        ).stdout
        for noise in ("validated against ConfigStore", "DEBUG:hydra"):
            assert (noise in said) == (name == "asked"), said[:3000]
