"""crossinit_fairseq/tasks/rehearsal.py: it ends as the run would, and passes what the run would go on with."""

import argparse
import contextlib
import shutil
import sys
import tempfile

import pytest
import torch
from fairseq import options
from fairseq.criterions.sentence_prediction import SentencePredictionConfig
from fairseq.dataclass.utils import convert_namespace_to_omegaconf

from crossinit_fairseq import without_gpus
from crossinit_fairseq.data.dictionary_record import NAME, record_of
from crossinit_fairseq.tasks.rehearsal import _no_memory, rehearse, rehearse_preprocessing
from tests.finetuning import toy
from tests.tasks.test_starting_checkpoints import LANGUAGES, build_model
from tests.toy_runs import COMMON, TASKS

DENOISING = "crossinit_denoising"


def parsed(program, words):
    maker = {"train": "get_training_parser", "generate": "get_generation_parser"}.get(
        program, "get_interactive_generation_parser"
    )
    return convert_namespace_to_omegaconf(options.parse_args_and_arch(getattr(options, maker)(), words))


def rehearse_training(task, data, *given):
    words = [str(data)] + TASKS[task].options.format(data=data).split() + COMMON.split() + " ".join(given).split()
    rehearse("fairseq-train", parsed("train", words))


@pytest.fixture
def data(data_folder, tmp_path):
    """A copy to be changed."""
    shutil.copytree(str(data_folder), str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("task", list(TASKS))
def test_what_would_run_passes_and_writes_nothing(task, data_of, tmp_path):
    data = data_of(task)
    rehearse_training(task, data, f"--save-dir {tmp_path}/new")
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(torch.device, "__enter__"), reason="torch before 2.0 builds models with their memory")
@pytest.mark.parametrize("task", [DENOISING, "crossinit_mlm"])
def test_models_take_no_memory(task, data_folder):
    with _no_memory():
        model = build_model(task, data_folder)
    assert all(parameter.is_meta for parameter in model.parameters())


@pytest.mark.parametrize(
    "task, more, said",
    [
        ("crossinit_unmt", "--langs aa,cc", "language 'cc' has no binarised text"),
        ("crossinit_unmt", "--encoder-learned-pos", "--start-as-copier finds a position by its sinusoids"),
        ("crossinit_pretrain", "--start-as-copier", "--start-as-copier"),
        ("crossinit_pretrain", "--ranks aa=no.tsv", "no.tsv"),
        ("crossinit_pretrain", "--ranks aa={data}/dict.txt", "--ranks needs --sentencepiece-model"),
        ("crossinit_pretrain", "--span 60", r"the span \(60\) must be at least 1 and at most"),
        (
            "crossinit_pretrain",
            "--span 60 --max-rank 90",
            "language aa has 60 distinct words, too few for a span of 60",
        ),
        ("crossinit_unmt", "-s aa -t bb", "there is no aligned text train.aa-bb"),
        (
            "crossinit_denoising",
            "--encoder-attention-heads 3",
            "of --arch mbart_base cannot be made: .*divisible by num",
        ),
        ("crossinit_mlm", "--adam-betas 0.9-", "--optimizer adam cannot be made: invalid syntax"),
        ("crossinit_mlm", "--lr-scheduler triangular --max-lr 0.001", "--lr-scheduler triangular cannot be made: "),
        ("crossinit_xnli", "--train-files ,", "nothing to train on: give --train-files"),
        ("crossinit_xnli", "--train-files aa=no.tsv", "no.tsv"),
        ("crossinit_qa", "--train-files aa={data}/train.tsv", "train.tsv is no JSON"),
        ("crossinit_xnli", "--train-files cc={data}/train.tsv", "no embedding for the language cc"),
        ("crossinit_qa", "--max-length 70", "--max-length is 70 but the model has"),
        ("crossinit_pretrain", "--criterion cross_entropy", "trains with --criterion crossinit, not with cross_entr"),
        ("crossinit_qa", "--criterion sentence_prediction", "with --criterion span_prediction, not with sentence_pr"),
        ("crossinit_unmt", "--arch cmlm_transformer", "--arch cmlm_transformer has none that it knows: give --arch tr"),
        ("crossinit_denoising", "--arch cmlm_transformer", r"cannot train --arch cmlm_transformer \(.*tgt_tokens"),
        ("crossinit_unmt", "--criterion ctc", "--criterion ctc does not go with --task crossinit_unmt: give --criter"),
        ("crossinit_denoising", "--criterion nat_loss", "nat_loss does not go with --task crossinit_denoising: give"),
        ("crossinit_unmt", "--best-checkpoint-metric nosuch", "nosuch: validation does not log it.*round_trip_bleu"),
        ("crossinit_pretrain", "--best-checkpoint-metric ppl", "ppl: validation does not log it.*coarse_loss"),
        (
            "crossinit_xnli",
            "--report-mcc",
            "--report-mcc does not go with --task crossinit_xnli, whose labels are three",
        ),
        ("crossinit_xnli", "--report-acc-and-f1", "--report-acc-and-f1 does not go with --task crossinit_xnli, whose"),
        ("crossinit_xnli", "--report-pearson-and-spearman", "--report-pearson-and-spearman does not go with --task"),
        ("crossinit_xnli", "--regression-target", "--regression-target does not go with --task crossinit_xnli, whose"),
        (
            "crossinit_xnli",
            "--classification-head-name x",
            "--classification-head-name x: --task crossinit_xnli has one",
        ),
        ("crossinit_unmt", "--label-smoothing 1.5", "--label-smoothing is 1.5; it is a share, from 0 to below 1"),
        ("crossinit_unmt", "--label-smoothing -1", "--label-smoothing is -1; it is a share, from 0 to below 1"),
        (
            "crossinit_denoising",
            "--criterion latency_augmented_label_smoothed_cross_entropy",
            "--criterion latency_augmented_label_smoothed_cross_entropy cannot be made: Please make sure SimulEval is",
        ),
        ("crossinit_unmt", "--criterion vocab_parallel_cross_entropy", "cannot be made: Please install the megatron"),
        ("crossinit_unmt", "--criterion adaptive_loss", "adaptive_loss cannot train without --adaptive-softmax-cutoff"),
        (
            "crossinit_denoising",
            "--adaptive-softmax-cutoff 20,50",
            "cutoff cannot train with another criterion than ad",
        ),
        ("crossinit_unmt", "--criterion crossinit", "--criterion crossinit is of --task crossinit_pretrain: give --ta"),
    ],
)
def test_what_a_task_refuses(task, more, said, data_of, tmp_path):
    if more.startswith("--report") and not hasattr(SentencePredictionConfig, more[2:].replace("-", "_")):
        pytest.skip(f"this fairseq has no {more}")
    data = data_of(task)
    words = TASKS[task].options.format(data=data).split()
    for name in more.split()[::2]:  # in the place of what it has
        if name in words and name != "--start-as-copier":
            del words[words.index(name) : words.index(name) + 2]
    if more.startswith("--criterion"):
        words = " ".join(words).replace("--rescale ", "").replace("--label-smoothing 0.1 ", "").split()
    common = COMMON.replace("--disable-validation", "") if "metric" in more else COMMON
    words = [str(data)] + words + common.split() + more.format(data=data).split() + ["--save-dir", str(tmp_path)]
    with pytest.raises(SystemExit, match=said):
        rehearse("fairseq-train", parsed("train", words))


def test_no_optimizer(data_folder, tmp_path):
    words = [str(data_folder)] + (TASKS[DENOISING].options + " " + COMMON).replace("--optimizer adam", "").split()
    with pytest.raises(SystemExit, match="--optimizer is not given"):
        rehearse("fairseq-train", parsed("train", [*words, "--save-dir", str(tmp_path)]))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")
def test_a_folder_too_long_for_workers(data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/" + 75 * "x")
    save = f"--save-dir {tmp_path}/new --num-workers"
    rehearse_training(DENOISING, data_folder, save, "0")
    with pytest.raises(SystemExit, match="the folder for temporary files, /xxx.* 76 bytes"):
        rehearse_training(DENOISING, data_folder, save, "1")


@pytest.fixture(scope="module")
def start(data_folder, tmp_path_factory):
    """What a run of crossinit_denoising saves, as far as it is looked at."""
    path = tmp_path_factory.mktemp("start") / "checkpoint_last.pt"
    model = build_model(DENOISING, data_folder)
    symbols = [line.split(" ")[0] for line in (data_folder / "dict.txt").read_text("utf-8").splitlines()]
    history = {"criterion_name": "CrossEntropyCriterion", "optimizer_name": "FairseqAdam", "num_updates": 2}
    words = [str(data_folder)] + TASKS[DENOISING].options.split() + COMMON.split()
    state = {
        "model": model.state_dict(),
        "cfg": {"model": parsed("train", words).model, "task": {"_name": DENOISING}},
        "optimizer_history": [history],
        "last_optimizer_state": {"state": {}},
        "task_state": {NAME: record_of(["<s>", "<pad>", "</s>", "<unk>"] + symbols, LANGUAGES)},
    }
    torch.save(state, str(path))
    return path


@pytest.mark.parametrize("how", ["--save-dir {folder}", "--restore-file {path}", "--finetune-from-model {path}"])
@pytest.mark.parametrize(
    "more, said, is_of_optimizer",
    [
        ("", None, False),
        ("--encoder-layers 2", "the checkpoint holds no encoder.layers.1", False),
        ("--max-source-positions 65", r"embed_positions.weight is \[66, 16\] in the checkpoint and \[67, 16\]", False),
        ("--optimizer sgd", "was saved by FairseqAdam, and this run has SGD, so it cannot go on", True),
        ("--fp16 --fp16-no-flatten-grads", "saved by FairseqAdam, and this run has FP16Optimizer", True),
        ("--memory-efficient-fp16", "this run has MemoryEfficientFP16Optimizer", True),
        ("--criterion label_smoothed_cross_entropy", "this run has LabelSmoothedCrossEntropyCriterion", True),
    ],
)
def test_a_checkpoint_to_start_from(how, more, said, is_of_optimizer, data_folder, start, tmp_path):
    if "fp16" in more and not without_gpus._computes_in_half():
        said, is_of_optimizer = "needs a GPU", False  # whatever it starts from
    given = [how.format(folder=start.parent, path=start), more]
    given += [] if "save-dir" in how else ["--save-dir", str(tmp_path)]
    if said is None or (is_of_optimizer and "finetune" in how):
        rehearse_training(DENOISING, data_folder, *given)
        return
    with pytest.raises(SystemExit, match=said):
        rehearse_training(DENOISING, data_folder, *given)
    if is_of_optimizer and "restore" in how:
        rehearse_training(DENOISING, data_folder, *given, "--reset-optimizer")


def test_text_to_validate_on(data, tmp_path):
    (data / "bb" / "valid.idx").unlink()
    save = f"--save-dir {tmp_path}/new"
    rehearse_training(DENOISING, data, save)  # COMMON has --disable-validation
    words = [str(data)] + (TASKS[DENOISING].options + " " + COMMON.replace("--disable-validation", "")).split()
    with pytest.raises(SystemExit, match="bb/valid.idx is missing"):
        rehearse("fairseq-train", parsed("train", words + save.split()))


def test_translating(data, start, tmp_path):
    options = f"--task crossinit_unmt -s aa -t bb --path {start}".split()
    words = [str(data)] + TASKS["crossinit_mlm"].options.split() + COMMON.split()
    torch.save({"cfg": {"model": parsed("train", words).model}, "model": {}}, str(tmp_path / "mlm.pt"))
    torch.save({"args": argparse.Namespace(), "model": {}}, str(tmp_path / "of_before.pt"))  # of fairseq before 0.10
    torch.save({"cfg": {}, "args": argparse.Namespace(), "model": {}}, str(tmp_path / "emptied.pt"))
    for path in (tmp_path / "of_before.pt", tmp_path / "emptied.pt"):
        rehearse("fairseq-generate", parsed("generate", [str(data)] + options[:-1] + [str(path)]))
    rehearse("fairseq-generate", parsed("generate", [str(data)] + options))
    rehearse("fairseq-interactive", parsed("interactive", [str(data)] + options))
    for more, said in (
        ("--gen-subset test1", "there is no aligned text test1.aa-bb"),
        (f"--bpe sentencepiece --sentencepiece-model {toy.foreign_model(tmp_path)}", "foreign.model is not the Sent"),
        ("--path no.pt", "no.pt"),
        ("--max-tokens 4", "exceed max_tokens=4: give a higher --max-tokens"),
        (f"--path {tmp_path}/mlm.pt", "needs an encoder-decoder architecture such as mbart_base"),
    ):
        words = [word for word in options if "--path" not in more or word not in ("--path", str(start))]
        with pytest.raises(SystemExit, match=said):
            rehearse("fairseq-generate", parsed("generate", [str(data)] + words + more.split()))
    for more, said in (("--input no.txt", "--input no.txt: there is no such file"), ("-t", "say which language to tr")):
        words = options + more.split() if more != "-t" else [word for word in options if word not in ("-t", "bb")]
        with pytest.raises(SystemExit, match=said):
            rehearse("fairseq-interactive", parsed("interactive", [str(data)] + words))
    for task in ("crossinit_denoising", "crossinit_mlm", "crossinit_pretrain"):
        with pytest.raises(SystemExit, match=f"--task {task} does not translate: give --task crossinit_unmt"):
            rehearse("fairseq-interactive", parsed("interactive", [str(data), "--task", task, "--path", str(start)]))
    with pytest.raises(SystemExit, match="--path is not given"):
        rehearse("fairseq-interactive", parsed("interactive", [str(data)] + options[:-2]))
    shutil.rmtree(str(data / "aa"))
    rehearse("fairseq-generate", parsed("generate", [str(data)] + options))
    with pytest.raises(SystemExit, match="language 'aa' has no binarised text"):
        rehearse("fairseq-generate", parsed("generate", [str(data)] + options + ["--generation-vocab", "target"]))


@pytest.mark.parametrize(
    "words, said",
    [
        ("--only-source --srcdict {d}/dict.txt --trainpref {d}/dict.txt", None),
        ("-s txt -t idx --trainpref {d}/dict", "--trainpref: there is no file .*dict.idx"),
        ("-s txt --only-source --validpref {d}/dict,{d}/no", "--validpref: there is no file .*no.txt"),
        ("--only-source --srcdict {d}/no.txt --trainpref {d}/dict.txt", "--srcdict: there is no file .*no.txt"),
    ],
)
def test_what_is_to_be_binarised(words, said, data_folder):
    given = options.get_preprocessing_parser().parse_args(words.format(d=data_folder).split())
    if said is None:
        rehearse_preprocessing(given)
        return
    with pytest.raises(SystemExit, match=said):
        rehearse_preprocessing(given)


def test_validating(data_folder):
    words = f"{data_folder} --task crossinit_unmt --langs aa,bb --valid-subset".split()
    for split, ends in (("valid", False), ("no", True)):
        given = options.parse_args_and_arch(options.get_validation_parser(), [*words, split, "--path", "x"])
        with pytest.raises(SystemExit) if ends else contextlib.nullcontext():
            rehearse("fairseq-validate", convert_namespace_to_omegaconf(given))
    words = [str(data_folder), *"--task crossinit_pretrain --span 10 --max-rank 40 --path x".split()]
    given = options.parse_args_and_arch(options.get_validation_parser(), words)
    with pytest.raises(SystemExit, match="--task crossinit_pretrain validates while it trains"):
        rehearse("fairseq-validate", convert_namespace_to_omegaconf(given))


def test_stock_tasks_need_room_for_their_workers_too(data_folder, monkeypatch):
    words = [str(data_folder), *"--task translation -s aa -t bb --path x".split()]
    rehearse("fairseq-generate", parsed("generate", words))
    monkeypatch.setattr(tempfile, "tempdir", "/" + 107 * "x")
    with pytest.raises(SystemExit, match="the folder for temporary files, /xxx"):
        rehearse("fairseq-generate", parsed("generate", words))
