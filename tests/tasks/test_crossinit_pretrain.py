"""The task crossinit_pretrain by itself: architectures, resuming, rescaling, data-parallel training, bad input."""

import hashlib
import re
import shutil

import pytest
import torch
from fairseq.logging import metrics
from fairseq.trainer import Trainer

from crossinit_fairseq.criterions.crossinit import CrossInitCriterion
from crossinit_fairseq.tasks.crossinit_pretrain import CrossInitPretrainConfig, CrossInitPretrainTask
from tests.conftest import TINY_MODEL, crossinit, load
from tests.tasks.in_process import run
from tests.toy_runs import in_two_processes

TABLE = "encoder.embed_tokens.weight"


@pytest.mark.parametrize(
    "arch, options, tables",
    [
        ("transformer", "", {"encoder.embed_tokens.weight"}),
        ("transformer", "unshared", {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}),
        (
            "roberta",
            "--encoder-layers 1 --encoder-embed-dim 16 --encoder-ffn-embed-dim 32 --encoder-attention-heads 2 "
            "--tokens-per-sample 64",
            {"encoder.sentence_encoder.embed_tokens.weight"},
        ),
        (
            "masked_lm",
            "--encoder-layers 1 --encoder-embed-dim 16 --encoder-ffn-embed-dim 32 --encoder-attention-heads 2 "
            "--tokens-per-sample 64",
            {"encoder.sentence_encoder.embed_tokens.weight"},
        ),
    ],
)
def test_architectures(data_folder, tmp_path, arch, options, tables):
    if options == "unshared":
        done = crossinit(
            data_folder,
            tmp_path,
            "--langs aa,bb --lr 0.01 --max-update 2 --encoder-layers 1 --decoder-layers 1",
            "--encoder-embed-dim 16 --decoder-embed-dim 16 --encoder-attention-heads 2 --decoder-attention-heads 2",
            arch="transformer_iwslt_de_en",
        )
    else:
        done = crossinit(data_folder, tmp_path, "--langs aa,bb --lr 0.01 --max-update 2", options, arch=arch)
    named = re.search(r"aligning aa, bb over (.*)", done.stdout).group(1)
    assert set(named.split(", ")) == tables
    assert tables <= set(load(tmp_path / "checkpoint_last.pt")["model"])


def test_rescaling_keeps_directions_and_restores_the_scale(data_folder, tmp_path):
    options = "--langs aa,bb --lr 0.02 --max-update 12"
    crossinit(data_folder, tmp_path / "initial", "--langs aa,bb --lr 0 --max-update 1")
    crossinit(data_folder, tmp_path / "plain", options)
    crossinit(data_folder, tmp_path / "rescaled", options, "--rescale")
    initial, plain, rescaled = (
        load(tmp_path / name / "checkpoint_last.pt")["model"][TABLE] for name in ("initial", "plain", "rescaled")
    )
    words = (initial != plain).any(1)
    rms = [table[words].pow(2).mean().sqrt().item() for table in (initial, plain, rescaled)]
    assert rms[1] > 2 * rms[0], "norms grow, or this test shows nothing"
    assert rms[2] == pytest.approx(rms[0], rel=1e-4)
    assert torch.allclose(rescaled[words], plain[words] * (rms[0] / rms[1]), rtol=1e-4)
    assert torch.equal(rescaled[~words], initial[~words])


def leaves(value):
    """The tensors in a nested dict, in the order of their keys."""
    if torch.is_tensor(value):
        return [value]
    return [leaf for key in sorted(value) for leaf in leaves(value[key])] if isinstance(value, dict) else []


def digest(tensors):
    return hashlib.sha256(b"".join(tensor.detach().numpy().tobytes() for tensor in tensors)).hexdigest()


def watched(stock):
    """Trainer.train_step that prints what a process learns from and what it has learnt."""

    def train_step(self, samples, **options):
        log = stock(self, samples, **options)
        drawn = digest(leaf for sample in samples for leaf in leaves(sample["net_input"]))
        print("WORKER", self.get_num_updates(), drawn, digest(self.model.parameters()))
        return log

    return train_step


def test_two_processes_train_one_table(data_folder, tmp_path):
    """Data-parallel training over gloo (fairseq uses torch's own wrapper on GPUs only): each process draws pairs of its
    own, all of them count, and after every update both have the same weights."""
    options = (
        "--optimizer adam --lr 0.01 --num-workers 0 --data-buffer-size 0 --log-format json --log-interval 1 "
        "--no-epoch-checkpoints --task crossinit_pretrain --criterion crossinit --arch mbart_base --langs aa,bb "
        "--span 10 --max-rank 40 --batch-size 8 --updates-per-epoch 8 --max-update 3 --valid-batches 2"
    )

    def training(rank, distributed):
        Trainer.train_step = watched(Trainer.train_step)
        return run("train", [str(data_folder), "--save-dir", str(tmp_path)], options, TINY_MODEL, distributed)

    ends = in_two_processes(training, tmp_path)
    assert [status for status, _ in ends] == [0, 0], ends[0][1][-2000:]
    one, other = (re.findall(r"^WORKER (\d) (\w+) (\w+)$", log, re.M) for _, log in ends)
    assert [update for update, _, _ in one] == [update for update, _, _ in other] == ["1", "2", "3"]
    assert [table for _, _, table in one] == [table for _, _, table in other]
    assert len({drawn for _, drawn, _ in one + other}) == 6 and len({table for _, _, table in one}) == 3
    # 8 pairs of each process
    assert '"bsz": "16"' in ends[0][1]


def copied(data_folder, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    return folder


def break_nothing(folder):
    pass


def remove_language(folder):
    shutil.rmtree(str(folder / "bb"))


def cut_index(folder):
    path = folder / "bb" / "train.idx"
    path.write_bytes(path.read_bytes()[:-5])


def drop_symbol(symbol):
    def drop(folder):
        path = folder / "dict.txt"
        lines = path.read_text("utf-8").splitlines()
        path.write_text("".join(line + "\n" for line in lines if line.split()[0] != symbol), encoding="utf-8")

    return drop


def remove_dictionary(folder):
    (folder / "dict.txt").unlink()


@pytest.mark.parametrize(
    "harm, options, told",
    [
        (remove_language, "--langs aa,bb", ["bb", "train.idx", "this folder has aa"]),
        (break_nothing, "--langs aa,xx", ["xx", "this folder has aa, bb"]),
        (break_nothing, "--langs aa", ["two languages or more", "aa"]),
        (break_nothing, "--langs aa,bb --span 39 --max-rank 38", ["--span", "39", "38"]),
        (break_nothing, "--langs aa,bb --span 5000 --max-rank 9000", ["language aa", "distinct words", "5,000"]),
        (cut_index, "--langs aa,bb", ["bb", "train.idx", "binarise this text again"]),
        (drop_symbol("<mask>"), "--langs aa,bb", ["dict.txt", "<mask>"]),
        (drop_symbol("[bb]"), "--langs aa,bb", ["dict.txt", "[bb]"]),
        (remove_dictionary, "--langs aa,bb", ["dict.txt", "missing"]),
    ],
)
def test_bad_input_is_one_sentence_before_training(data_folder, tmp_path, harm, options, told):
    folder = copied(data_folder, tmp_path)
    harm(folder)
    done = crossinit(folder, tmp_path / "out", options, "--lr 0.01 --max-update 1", check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    errors = [line for line in done.stdout.splitlines() if line.startswith("crossinit_fairseq: error: ")]
    assert len(errors) == 1
    for part in told:
        assert part in errors[0]
    assert not list((tmp_path / "out").glob("*.pt"))


def task_of(data_folder):
    config = CrossInitPretrainConfig()
    config.data, config.langs, config.seed, config.train_subset = str(data_folder), "aa,bb", 1, "train"
    config.span, config.max_rank = 10, 40
    return CrossInitPretrainTask.setup_task(config)


def test_a_model_without_token_embedding_is_refused(data_folder, monkeypatch):
    monkeypatch.setattr(CrossInitPretrainTask, "build_fairseq_model", lambda *arguments: torch.nn.Linear(3, 3))
    with pytest.raises(SystemExit, match=r"error: the architecture \(Linear\) has no token embedding"):
        task_of(data_folder).build_model(None)


def test_rescaling_with_half_precision_is_refused():
    class HalfPrecision:
        fp32_optimizer = None

    with pytest.raises(SystemExit, match="--rescale cannot be used with --fp16, --bf16 or --amp"):
        CrossInitPretrainTask._torch_optimizer(HalfPrecision())


def test_a_checkpoint_of_another_dictionary_is_refused(data_folder, tmp_path):
    crossinit(data_folder, tmp_path / "first", "--langs aa,bb --lr 0.01 --max-update 1")
    folder = copied(data_folder, tmp_path)
    with open(str(folder / "dict.txt"), "a", encoding="utf-8") as stream:
        stream.write("one_more 1\n")
    done = crossinit(
        folder,
        tmp_path / "second",
        "--langs aa,bb --lr 0.01 --max-update 1",
        f"--finetune-from-model {tmp_path}/first/checkpoint_last.pt",
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert "(130 and 131 symbols)" in done.stdout


def test_ends_when_the_validation_loss_is_flat(data_folder, tmp_path):
    done = crossinit(
        data_folder,
        tmp_path,
        "--langs aa,bb --lr 0.01 --max-update 4000 --updates-per-epoch 20 --flatness 0.05",
        "--patience 2 --best-checkpoint-metric coarse_loss",
    )
    losses = [float(loss) for loss in re.findall('"valid_loss": "([^"]*)"', done.stdout)]
    coarse = [float(loss) for loss in re.findall('"valid_coarse_loss": "([^"]*)"', done.stdout)]
    assert "early stop since valid performance hasn't improved for last 2 runs" in done.stdout
    assert coarse == pytest.approx([round(loss / 0.05) * 0.05 for loss in losses], abs=1e-5)
    # it became flat because it had fallen, and only then
    assert 3 < len(losses) < 100 and losses[-1] < 0.2 * losses[0]
    assert len(set(coarse)) == len(coarse) - 2 and len(set(coarse[-3:])) == 1


def logged(directions):
    """What the criterion logs of one batch of 4 draws."""
    return {
        "loss": 4.0, "positive": 0.0, "negative": 0.0, "accuracy": 2.0, "norm": 1.0, "cos_within": 0.0,
        "cos_across": 0.0, "directions": directions,
        "sample_size": 4, "nsentences": 4, "ntokens": 8, "batches": 1,
    }  # fmt: skip


def test_a_collapsed_table_is_reported_once_and_only_at_validation(data_folder, caplog):
    task = task_of(data_folder)
    criterion = CrossInitCriterion(task, "sigmoid", 1.0)
    with metrics.aggregate(new_root=True):
        task.reduce_metrics([logged(1.2)], criterion.train())
        task.reduce_metrics([logged(1.2), logged(2.9)], criterion.eval())  # 2.05 on average
        assert "collapsed" not in caplog.text
        task.reduce_metrics([logged(1.2), logged(2.7)], criterion)
        task.reduce_metrics([logged(1.2)], criterion)
    (message,) = [record.getMessage() for record in caplog.records if "collapsed" in record.getMessage()]
    assert "1.95 directions" in message


@pytest.mark.parametrize(
    "options, told",
    [
        ("--flatness 0", "--flatness must be above 0, not 0.0"),
        ("--updates-per-epoch 0", "--updates-per-epoch is 0; it must be 1 or more"),
        ("--valid-batches -1", "--valid-batches is -1; it must be 1 or more"),
    ],
)
def test_numbers_out_of_range_are_refused(data_folder, tmp_path, options, told):
    done = crossinit(data_folder, tmp_path, "--langs aa,bb --lr 0.01", options, check=False)
    assert done.returncode == 1 and "error: " + told in done.stdout.splitlines()[-1]
