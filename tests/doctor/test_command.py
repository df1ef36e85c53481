"""crossinit_fairseq/doctor/command.py: each pain of fairseq that a command can bring has a rule and a cure."""

import argparse
import os
import pathlib
import shlex

import pytest
import torch

import crossinit_fairseq
from crossinit_fairseq.checkpoint_files import read_header, save_checkpoint_file
from crossinit_fairseq.doctor.command import (
    Machine,
    check_command,
    check_origin,
    command_of,
    read_command,
)
from crossinit_fairseq.doctor.findings import WARNING, WRONG
from crossinit_fairseq.doctor.machine import kept_checkpoints
from crossinit_fairseq.errors import InputError

FORK, OFFICIAL, GPU = Machine(), Machine(torch=(1, 13), fork=False), Machine(gpus=1)
TRAIN = "fairseq-train data --user-dir . --data-buffer-size 0 --required-batch-size-multiple 1 --max-tokens 9 "
GENERATE = "fairseq-generate data --user-dir . --required-batch-size-multiple 1 "
DENOISING = (
    TRAIN.replace("data ", "data:data ") + "--task multilingual_denoising --skip-invalid-size-inputs-valid-test "
)


def judged(words, machine=FORK):
    return check_command(read_command(shlex.split(words)), machine)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK", "SLURM_JOB_NODELIST", "SLURM_STEP_NODELIST"):
        monkeypatch.delenv(name, raising=False)
    for name, arch, more in (
        ("mbart.pt", "mbart_base", {"max_source_positions": 128, "max_target_positions": 128}),
        ("xlm.pt", "xlm_tiny_3", {}),
    ):
        model = argparse.Namespace(_name=arch, arch=arch, **more)
        save_checkpoint_file({"cfg": {"model": model, "task": {"_name": "x", "data": "d"}}, "model": {}}, name)


@pytest.mark.parametrize(
    "words",
    [
        TRAIN + "--task crossinit_unmt --lr 1e-3 0.5 --fp16-scale -1 --seed 4294967295 --update-freq 2,1",
        GENERATE + "--model-overrides \"{'data': 'x'}\" --replace-unk --lm-path mbart.pt",
        GENERATE + "--replace-unk mbart.pt",
        DENOISING,
        TRAIN + "--task audio_finetuning --criterion ctc --optimizer-overrides {} --eval-bleu-args {}",
    ],
)
@pytest.mark.parametrize("machine", [FORK, OFFICIAL, GPU])
def test_a_command_without_pain(words, machine):
    assert judged(words, machine) == []


def test_preprocessing_loads_no_checkpoint_and_makes_no_batches():
    assert judged("fairseq-preprocess --only-source --srcdict dict.txt --trainpref train.en --destdir data/en") == []


@pytest.mark.parametrize(
    "words, machine, level, what, remedy",
    [
        (TRAIN.replace("--user-dir .", ""), FORK, WRONG, "--user-dir is not", "add --user-dir /"),
        (TRAIN.replace("--user-dir .", ""), OFFICIAL, WARNING, "--user-dir is not", "add --user-dir /"),
        (TRAIN.replace("-dir .", "-dir crossinit_fairseq"), FORK, WRONG, "is no folder from here", "give --user-dir /"),
        (TRAIN.replace("--max-tokens 9", ""), FORK, WRONG, "not told how large a batch is", "add --max-tokens or"),
        (TRAIN.replace("--max-tokens 9", "--task crossinit_pretrain"), FORK, WRONG, "not told how large", "add"),
        (TRAIN + "--criterion crossinit --batch-size 1 --objective infonce", FORK, WRONG, "are none", "256"),
        (TRAIN + "--criterion crossinit --batch-size 1 --lexicon a-b=f", FORK, WRONG, "there are none", "256"),
        (TRAIN + "--seed -1", FORK, WRONG, "--seed -1 ends the run", "give another"),
        (GENERATE + "--seed=4294967296", FORK, WRONG, "--seed 4294967296 ends the run", "give another"),
        ("fairseq-hydra-train task._name=multilingual_denoising task.data=/d", FORK, WRONG,
         "looks for a key that there is not", "use --task crossinit_denoising"),
        ("fairseq-hydra-train task.data=d common.user_dir=. dataset.data_buffer_size=0", FORK, WRONG,
         "data=d is relative", "give /"),
        (TRAIN + "--task online_backtranslation", FORK, WRONG, "starts from </s>", "use --task crossinit_unmt"),
        (GENERATE + "--task online_backtranslation", FORK, WRONG, "starts from </s>", "use --task crossinit_unmt"),
        (GENERATE.replace("multiple 1", "multiple 8"), FORK, WRONG, "drops the last batch", "-multiple 1"),
        ("fairseq-generate data --user-dir .", FORK, WRONG, "drops the last batch", "-multiple 1"),
        (TRAIN.replace("multiple 1", "multiple 8"), FORK, WARNING, "drops the last batch", "-multiple 1"),
        (TRAIN + "--arch mbart_base --eval-bleu --eval-bleu-args '{\"beam\": 5}'", FORK, WARNING,
         "a beam over 1 stays", "beam"),
        (TRAIN + "--restore-file no.pt", FORK, WRONG, "no such file; fairseq alone would ignore that", "give the path"),
        (TRAIN + "--finetune-from-model no.pt", FORK, WRONG, "no.pt: there is no such file", "give the path"),
        (TRAIN + "--finetune-from-model mbart.pt --reset-optimizer", FORK, WRONG, "excludes --reset-optimizer",
         "leave"),
        (TRAIN + "--finetune-from-model mbart.pt --restore-file xlm.pt", FORK, WRONG, "excludes --restore-file",
         "leave"),
        (TRAIN + "--restore-file mbart.pt --reset-optimizer", FORK, WARNING, "old position",
         "add --reset-dataloader --reset-meters"),
        (TRAIN.replace("--data-buffer-size 0", ""), FORK, WARNING, "exit status 134", "--data-buffer-size 0"),
        (DENOISING.replace("data:data", "data"), FORK, WARNING, "has one data folder", "give it twice: data:data"),
        (DENOISING + "--bpe sentencepiece", FORK, WRONG, "a model that is not set", "leave --bpe out"),
        (DENOISING.replace("--skip-invalid-size-inputs-valid-test", ""), FORK, WARNING, "Size of sample",
         "--skip-invalid"),
        (DENOISING.replace("--user-dir .", ""), OFFICIAL, WRONG, "--max-source-positions twice", "add --user-dir"),
        (TRAIN + "--task cross_lingual_lm --criterion legacy_masked_lm_loss", FORK, WRONG, "fails on its dictionary",
         "crossinit_mlm"),
        (TRAIN + "--task masked_lm --criterion legacy_masked_lm_loss", FORK, WRONG, "cross_lingual_lm only",
         "masked_lm"),
        (TRAIN + "--arch mbart_base --criterion masked_lm", FORK, WRONG, "does not go with --arch mbart_base",
         "xlm_tiny_3"),
        (TRAIN + "--task crossinit_pretrain --arch xlm_base --criterion crossinit", FORK, WRONG, "does not have",
         "xlm_tiny_3"),
        (TRAIN + "--arch transformer --finetune-from-model mbart.pt --share-all-embeddings", FORK, WRONG,
         "does not take mbart.pt", "add --encoder-learned-pos --decoder-learned-pos --layernorm-embedding "
         "--activation-fn gelu --max-source-positions 128"),
        (TRAIN + "--arch transformer --finetune-from-model xlm.pt", FORK, WRONG, "takes nothing from xlm.pt",
         "xlm_translation"),
        (TRAIN + "--fp16", FORK, WRONG, "--fp16 needs a GPU", "leave it out, or give --bf16"),
        ("fairseq-hydra-train common.fp16=true", FORK, WRONG, "--fp16 needs a GPU", "leave it out, or give --bf16"),
        (TRAIN + "--task crossinit_unmt --arch transformer_from_pretrained_xlm", FORK, WRONG, "MaskedLMDictionary",
         "xlm_translation"),
        (TRAIN.replace("--user-dir .", "") + "--bf16", GPU, WRONG, "looks for a TPU, on a GPU too", "add --user-dir"),
        (TRAIN + "--fp16 --amp", GPU, WRONG, "--fp16 and --amp exclude each other", "leave one of them out"),
        (TRAIN + "--bf16 --rescale", GPU, WRONG, "--rescale needs full precision", "leave --bf16 out"),
        (TRAIN + "--fp16 --rescale", GPU, WRONG, "--rescale needs full precision", "leave --fp16 out"),
        (TRAIN + "--distributed-init-method tcp://a:1", FORK, WRONG, "nothing would be trained",
         "add --distributed-no-spawn"),
        (TRAIN + "--distributed-world-size 2", FORK, WRONG, "one process for each GPU, and torch sees none here",
         "`torchrun --nproc_per_node 2 --no_python fairseq-train ...`"),
        (TRAIN + "--task translation --best-checkpoint-metric bleu --maximize-best-checkpoint-metric", FORK, WRONG,
         "bleu: validation does not log it", "add --eval-bleu"),
        (TRAIN + "--best-checkpoint-metric bleu", FORK, WARNING, "of the lowest bleu is kept as the best",
         "add --maximize-best-checkpoint-metric"),
        (TRAIN + "--maximize-best-checkpoint-metric", FORK, WARNING, "of the highest loss is kept as the best",
         "leave --maximize-best-checkpoint-metric out"),
        (TRAIN + "--patience 3 --disable-validation", FORK, WARNING, "--patience does nothing", "or it out"),
        (TRAIN + "--update-freq 0", FORK, WRONG, "--update-freq 0 ends the run", "give 1 or more"),
        (TRAIN + "--update-freq 2,0", FORK, WRONG, "--update-freq 2,0 ends the run", "give 1 or more"),
        ("fairseq-hydra-train optimization.update_freq=[0]", FORK, WRONG, "-freq [0] ends the run", "give 1 or more"),
        (TRAIN + "--save-interval 0", FORK, WRONG, "--save-interval 0 ends the run", "give 1 or more"),
        (TRAIN + "--task crossinit_unmt --arch transformer_lm_big", FORK, WRONG, "big is a decoder alone", "another"),
        (TRAIN + "--task crossinit_unmt --arch hubert", FORK, WRONG, "--arch hubert reads or writes speech", "another"),
        (TRAIN + "--task translation --criterion ctc", FORK, WRONG, "--criterion ctc is of speech", "smoothed"),
        (GENERATE + "--model-overrides \"{'a': \"", FORK, WRONG, "{'a': is no dictionary of Python", "{'dropout'"),
        (GENERATE + "--model-overrides 3", FORK, WRONG, "overrides 3 is no dictionary of Python", "in quotes"),
        (TRAIN + "--optimizer-overrides lr", FORK, WRONG, "overrides lr is no dictionary of Python", "in quotes"),
        (TRAIN + "--eval-bleu --eval-bleu-args beam", FORK, WRONG, "args beam is no object of JSON", '{"beam": 1}'),
        (GENERATE + "--replace-unk no.txt", FORK, WRONG, "no.txt: there is no such file", "leave it out"),
        (GENERATE + "--lm-path no.pt", FORK, WRONG, "no.pt: there is no such file", "of a language model"),
        (GENERATE + "--constraints", FORK, WRONG, "--constraints fails", "leave --constraints out"),
        (GENERATE + "--diverse-beam-groups 2", FORK, WRONG, "--diverse-beam-groups fails", "leave --diverse"),
    ],
)  # fmt: skip
def test_each_pain_is_seen_before_it_is_felt(words, machine, level, what, remedy):
    found = judged(words, machine)
    assert any(level == one.level and what in one.what and remedy in one.remedy for one in found), found


def test_ways_around_are_taken_for_such():
    flags = (
        "--share-all-embeddings --encoder-learned-pos --decoder-learned-pos --layernorm-embedding --activation-fn gelu"
    )
    sizes = "--max-source-positions 128 --max-target-positions 128"
    assert judged(TRAIN + f"--arch transformer --finetune-from-model mbart.pt {flags} {sizes}") == []
    assert judged(TRAIN + "--arch xlm_translation --finetune-from-model xlm.pt") == []
    assert judged(TRAIN + "--restore-file mbart.pt") == []
    assert judged(TRAIN + "--fp16", GPU) == [] and judged(GENERATE + "--path mbart.pt") == []
    hydra = f"fairseq-hydra-train task.data=/d common.user_dir={os.getcwd()} dataset.data_buffer_size=0"
    assert judged(hydra + " dataset.required_batch_size_multiple=1 common.fp16=false") == []
    assert judged(GENERATE + "--fp16") == [], "translating in half precision works on CPUs too"
    several = TRAIN + "--distributed-world-size 2 "
    assert judged(several + "--distributed-init-method tcp://a:1 --distributed-no-spawn") == []
    assert judged(several, GPU) == [] and judged(TRAIN + "--distributed-world-size 1") == []


def test_processes_that_something_else_has_started(monkeypatch):
    several = TRAIN + "--distributed-world-size 2 "
    monkeypatch.setenv("SLURM_JOB_NODELIST", "a,b")
    assert judged(several) == []
    monkeypatch.delenv("SLURM_JOB_NODELIST")
    for name in ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK"):
        assert judged(several)
        monkeypatch.setenv(name, "2")
    assert judged(several) == []


YAML = """
common: {user_dir: USER_DIR}
task: {_name: online_backtranslation, data: "???", langs: null, seed: "${common.seed}"}
model: {_name: mbart_base, dropout: 0.1}
dataset: {data_buffer_size: 0, required_batch_size_multiple: 1}
checkpoint: {restore_file: relative.pt}
"""


def test_the_file_of_hydra_is_read_and_only_its_keys_can_be_changed(tmp_path):
    (tmp_path / "run.yaml").write_text(YAML.replace("USER_DIR", str(tmp_path)))
    hydra = f"fairseq-hydra-train --config-dir {tmp_path} --config-name run task.data=/d "
    command = read_command(shlex.split(hydra + "model.dropout=0.3"))
    assert command.data == ("/d",) and command["arch"] == "mbart_base" and command["dropout"] == "0.3"
    assert "seed" not in command and "langs" not in command
    found = {one.what.split(":")[0].split(",")[0]: one for one in judged(hydra + "model.dropout=0.3 dataset.x=1")}
    assert list(found) == [
        "restore-file=relative.pt is relative", "task online_backtranslation", "--restore-file relative.pt"
    ]  # fmt: skip
    words = "task._name=crossinit_unmt checkpoint.restore_file=/c.pt model.encoder_layers=2 +model.decoder_layers=2"
    (finding,) = [one for one in judged(f"{hydra} {words}") if "/c.pt" not in one.what]
    assert finding.level == WRONG and finding.what.startswith("model.encoder_layers is no key of the YAML file")
    assert finding.remedy == "give +model.encoder_layers=2"
    ours = pathlib.Path(crossinit_fairseq.__file__).parents[1] / "examples" / "config"
    words = (
        f"--config-dir {ours} --config-name unmt_paper common.user_dir={tmp_path} task.data=/d task.langs=\"'en,ro'\""
    )
    assert judged(f"fairseq-hydra-train {words} checkpoint.save_dir=/c common.fp16=true model.dropout=0", GPU) == []
    # a file that cannot be read is said, and the words are looked at all the same
    for content, said in (
        ("[1]", "run.yaml holds no groups of keys"),
        ("a: [", "run.yaml cannot be read as YAML (while parsing"),
        (b"\xff\xfe", "run.yaml cannot be read as YAML ("),
        ("", None),
        ("task: ${nope}\nmodel: text", None),
    ):
        (tmp_path / "run.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        assert read_command(shlex.split(hydra)).data == ("/d",)
        found = [one for one in judged(hydra) if "run.yaml" in one.what]
        assert [one.level for one in found] == ([WRONG] if said else []) and all(said in one.what for one in found)
    (tmp_path / "run.yaml").unlink()
    assert f"there is no file {tmp_path}/run.yaml" in [one.what for one in judged(hydra)]
    assert [
        one.what for one in judged("fairseq-hydra-train --config-name config task.data=/d") if "no file" in one.what
    ] == []


def test_what_a_command_says():
    words = "OMP_NUM_THREADS=1 /venv/bin/fairseq-train a:b --lr 1e-3 -0.5 --fp16 --arch=xlm -s en --lambda-dae 0:1,5:0"
    command = read_command(shlex.split(words))
    assert (command.program, command.data) == ("fairseq-train", ("a", "b"))
    assert command.options == {
        "lr": "1e-3 -0.5", "fp16": "", "arch": "xlm", "source-lang": "en", "lambda-dae": "0:1,5:0"
    }  # fmt: skip
    for words in ("python train.py", "", "A=1"):
        with pytest.raises(InputError, match="is no command of fairseq: give `-- fairseq-train"):
            read_command(shlex.split(words))


def test_what_a_checkpoint_says():
    model = argparse.Namespace(_name="mbart_base", task="crossinit_unmt")
    cfg = {
        "model": model,
        "task": {"_name": "online_backtranslation", "data": "a:b"},
        "common": {"fp16": True, "seed": None},
    }
    save_checkpoint_file({"cfg": cfg, "weight": torch.zeros(2)}, "a.pt")
    command = command_of(read_header("a.pt"))
    assert command.data == ("a", "b") and command["fp16"] == "" and "fp16" in command and "seed" not in command
    (finding,) = check_origin(read_header("a.pt"), FORK)
    assert finding.level == WRONG and "starts from </s>" in finding.what
    assert (
        command_of({}).options == {}
        and command_of({"args": argparse.Namespace(arch="mbart_large")})["arch"] == "mbart_large"
    )


def test_a_bart_that_hydra_made_by_a_stock_task():
    """Its model's options have no task."""
    header = {"cfg": {"model": argparse.Namespace(_name="mbart_base"), "task": {"_name": "multilingual_denoising"}}}
    assert "does not load" in check_origin(header, FORK)[0].what
    header["cfg"]["model"].task = "crossinit_unmt"
    assert check_origin(header, FORK) == []


@pytest.mark.parametrize(
    "options, kept",
    [
        ("--no-epoch-checkpoints", 2),
        ("", None),
        ("--keep-last-epochs 3", 5),
        ("--no-epoch-checkpoints --save-interval-updates 100", None),
        ("--no-epoch-checkpoints --save-interval-updates 100 --keep-interval-updates 4 --keep-best-checkpoints 2", 8),
    ],
)
def test_how_many_checkpoints_are_kept(options, kept):
    assert kept_checkpoints(read_command(shlex.split("fairseq-train d " + options))) == kept
