"""tasks/best_metric.py: what validation logs is known when training begins, and another metric is refused."""

import re

import pytest
from fairseq.logging import metrics

from crossinit_fairseq.best_metric import SPEED, logged_by_criterion, which_way
from crossinit_fairseq.tasks.base import CrossInitTask
from crossinit_fairseq.tasks.best_metric import BestMetric
from tests.conftest import load, toy_data_folder
from tests.tasks.in_process import run
from tests.toy_runs import COMMON, TASKS

SHORT = COMMON.replace("--disable-validation", "--max-update 1 --num-workers 0 --no-epoch-checkpoints")


@pytest.fixture(scope="module")
def unaligned(tmp_path_factory):
    """The toy data without aligned text in `valid`; `test` keeps it."""
    folder = toy_data_folder(tmp_path_factory.mktemp("unaligned"))
    for path in folder.glob("valid.aa-bb.*"):
        path.unlink()
    return folder


def trained(task, data, save_dir, options=""):
    words = ["--save-dir", str(save_dir), *TASKS[task].options.format(data=data).split()]
    if "--criterion" in options:
        del words[words.index("--label-smoothing") : words.index("--label-smoothing") + 2]
    return run("train", [str(data)], words, SHORT, options.format(data=data))


@pytest.mark.parametrize(
    "task, options",
    [
        *((task, "") for task in TASKS),
        ("crossinit_denoising", "--sentence-avg"),
        ("crossinit_unmt", "--report-accuracy"),
        ("crossinit_unmt", "--valid-round-trip 5 --valid-round-trip-vocab all"),
        ("crossinit_xnli", "--valid-files aa={data}/valid.tsv,bb={data}/valid.tsv"),
        ("crossinit_qa", "--valid-files aa={data}/valid.json,bb={data}/valid.json"),
    ],
)
def test_what_is_known_is_what_is_logged(task, options, data_of, tmp_path, monkeypatch):
    """One update and a validation of each task, compared with fairseq's meters."""
    seen = []

    def after_split(self, stats):
        seen.append((self.task.validation_metrics("valid"), set(stats)))

    monkeypatch.setattr(BestMetric, "after_split", after_split)
    if "--valid-files" in options:
        monkeypatch.setitem(
            TASKS, task, TASKS[task]._replace(options=re.sub(r"--valid-files \S+", "", TASKS[task].options))
        )
    done = trained(task, data_of(task), tmp_path, options)
    assert done.returncode == 0, done.stdout[-2000:]
    ((known, logged),) = seen
    # of what an untrained model writes nothing, no share is copied
    assert logged <= known and all(name.startswith(("copied", "in_target")) for name in known - logged)


@pytest.mark.parametrize("task", ["crossinit_denoising", "crossinit_qa"])  # the others: test_rehearsal.py
def test_a_metric_that_is_not_logged(task, data_of, tmp_path):
    data = data_of(task)
    done = trained(task, data, tmp_path, "--best-checkpoint-metric nosuch")
    assert done.returncode == 1
    said = done.stdout.splitlines()[-1]
    assert "error: --best-checkpoint-metric nosuch: validation does not log it; give one of" in said
    assert ("logs: loss, " in said) and not SPEED.intersection(said.split(": ")[-1].split(", "))


def test_why_there_is_no_bleu(unaligned, tmp_path):
    bleu = "--best-checkpoint-metric {} --maximize-best-checkpoint-metric --valid-subset "
    done = trained("crossinit_unmt", unaligned, tmp_path, bleu.format("bleu") + "valid")
    assert done.returncode == 1 and "not log it, as there is no aligned text to validate on; give" in done.stdout
    # the first split alone counts, and the others need not log it; fairseq would end there
    done = trained("crossinit_unmt", unaligned, tmp_path, bleu.format("round_trip_bleu") + "valid")
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_first_split_alone_counts(data_folder, tmp_path):
    for path in list(data_folder.glob("??/valid.*")):
        copy = tmp_path / path.parent.name / path.name.replace("valid", "other")
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    for path in data_folder.glob("**/*"):
        if path.is_file():
            (tmp_path / path.relative_to(data_folder)).write_bytes(path.read_bytes())
    options = "--valid-subset valid,other --best-checkpoint-metric bleu --maximize-best-checkpoint-metric"
    done = trained("crossinit_unmt", tmp_path, tmp_path / "out", options)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "does not log it" not in done.stdout
    assert (tmp_path / "out" / "checkpoint_best.pt").exists()


def test_what_cannot_be_known_is_said_at_the_first_validation(data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(CrossInitTask, "validation_metrics", lambda self, split: None)
    options = "--best-checkpoint-metric nosuch --patience 1 --max-update 2 --save-interval-updates 1"
    done = trained("crossinit_mlm", data_folder, tmp_path, options)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (
        "--best-checkpoint-metric nosuch: validation does not log it; give one of what it logs: loss, " in done.stdout
    )
    assert (tmp_path / "checkpoint_last.pt").exists() and not (tmp_path / "checkpoint_best.pt").exists()


@pytest.fixture
def sometimes(monkeypatch):
    """A metric that the first and the third validation log, as 5 and as 4, and the others do not. Returns the numbers
    of the validations."""
    seen, reduce_metrics, begin = [], CrossInitTask.reduce_metrics, BestMetric.begin_validation

    def begin_validation(self):
        seen.append(len(seen) + 1)
        begin(self)

    def reduce_and_more(self, logging_outputs, criterion):
        reduce_metrics(self, logging_outputs, criterion)
        if not criterion.training and seen[-1] % 2:
            metrics.log_scalar("sometimes", {1: 5.0, 3: 4.0}[seen[-1]])

    known = CrossInitTask.validation_metrics
    monkeypatch.setattr(BestMetric, "begin_validation", begin_validation)
    monkeypatch.setattr(CrossInitTask, "reduce_metrics", reduce_and_more)
    monkeypatch.setattr(CrossInitTask, "validation_metrics", lambda self, split: known(self, split) | {"sometimes"})
    return seen


SOMETIMES = "--best-checkpoint-metric sometimes --save-interval-updates 1 --patience 2 --max-update "


def test_what_is_logged_only_sometimes(sometimes, data_folder, tmp_path):
    """As are the shares of copied words (crossinit_unmt), of which there is none where nothing was written."""
    done = trained("crossinit_mlm", data_folder, tmp_path, SOMETIMES + "2")
    assert done.returncode == 0, done.stdout[-2000:]
    (said,) = [line for line in done.stdout.splitlines() if "WARNING" in line and "sometimes" in line]
    assert "sometimes: this validation has not logged it" in said and "not called the best, which stays 5.0" in said
    assert updates_of(tmp_path / "checkpoint_best.pt") == 1 and updates_of(tmp_path / "checkpoint_last.pt") == 2
    # a run that goes on from one that had nothing to measure: the third validation is better, the fourth is none
    done = trained("crossinit_mlm", data_folder, tmp_path, SOMETIMES + "4")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "which stays 4.0" in done.stdout and '"valid_best_sometimes": "4"' in done.stdout
    assert updates_of(tmp_path / "checkpoint_best.pt") == 3 and updates_of(tmp_path / "checkpoint_last.pt") == 4
    assert sometimes == [1, 2, 3, 4]


def updates_of(path):
    return load(path)["optimizer_history"][-1]["num_updates"]


def test_the_worst_as_the_best_is_said(data_folder, tmp_path):
    done = trained("crossinit_mlm", data_folder, tmp_path, "--maximize-best-checkpoint-metric")
    assert done.returncode == 0 and "WARNING" in done.stdout
    assert "the checkpoint of the highest loss is kept as the best, and the lower the better: leave" in done.stdout


@pytest.mark.parametrize("metric", ["loss", "nll_loss", "ppl", "coarse_loss", "pair_loss", "loss_de"])
def test_less_is_better(metric):
    assert "highest" in which_way(metric, True).why and which_way(metric, False) is None


@pytest.mark.parametrize(
    "metric", ["bleu", "bleu_de-en", "round_trip_bleu", "round_trip_de-en", "accuracy", "accuracy_de", "f1", "em_de"]
)
def test_more_is_better(metric):
    assert "lowest" in which_way(metric, False).why and which_way(metric, True) is None


@pytest.mark.parametrize("metric", ["directions", "copied_de-en", "norm", "wps"])
def test_nobody_knows_which_is_better(metric):
    assert which_way(metric, False) is which_way(metric, True) is None


def test_a_criterion_that_is_not_known():
    assert logged_by_criterion(None) is None
