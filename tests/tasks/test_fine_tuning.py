"""The tasks crossinit_xnli and crossinit_qa, crossinit-predict and crossinit-score on what they say."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from crossinit_fairseq.cli import predict, retrieve, score
from crossinit_fairseq.cli.command import load_checkpoint
from crossinit_fairseq.finetuning.nli_files import read_pairs
from crossinit_fairseq.finetuning.predictions import read_labels
from crossinit_fairseq.finetuning.qa_files import read_questions
from tests.conftest import load, write_split
from tests.finetuning import toy
from tests.tasks.in_process import run

XNLI = "--task crossinit_xnli --criterion sentence_prediction --batch-size 16 --max-length 40"
QA = (
    "--task crossinit_qa --criterion span_prediction --batch-size 16 --max-length 40 --max-question-length 8 "
    "--doc-stride 8"
)
XLM = "--arch xlm_tiny_3 " + toy.SIZES


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = toy.data_folder(tmp_path_factory.mktemp("toy"))
    toy.nli_file(folder / "train.tsv", "aa", 320, 1)
    toy.nli_file(folder / "shuffled.tsv", "aa", 320, 1, shuffled=True)
    for language, seed in (("aa", 2), ("bb", 3)):
        toy.nli_file(folder / f"valid.{language}.tsv", language, 60, seed)
        toy.qa_file(folder / f"valid.{language}.json", language, 8, seed)
    toy.qa_file(folder / "train.json", "aa", 40, 1, length=20)
    toy.marked_qa_file(folder / "marked.json", "aa", 160, 1)
    toy.marked_qa_file(folder / "marked_shuffled.json", "aa", 160, 1, shuffled=True)
    toy.marked_qa_file(folder / "marked_valid.json", "aa", 40, 2)
    return folder


def fine_tune(data, save_dir, task, *options, train="train", check=True, arch=XLM):
    end = "tsv" if task == XNLI else "json"
    files = {
        "--train-files": f"aa={data}/{train}.{end}",
        "--valid-files": f"aa={data}/valid.aa.{end},bb={data}/valid.bb.{end}",
    }
    files = [word for option in files if option not in " ".join(options) for word in (option, files[option])]
    done = run("train", [str(data), "--save-dir", str(save_dir)], task, files, arch, toy.TRAINING, *options)
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done


def logged(done, key):
    """The values of a key in the lines of validation, in their order."""
    lines = re.findall(r"\| valid \| (\{.*\})", done.stdout)
    return [float(json.loads(line)[key]) for line in lines if key in json.loads(line)]


@pytest.fixture(scope="module")
def xnli(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("xnli")
    return folder, fine_tune(data, folder, XNLI, "--max-epoch 5")


def test_xnli_learns_what_can_be_learnt(xnli):
    assert logged(xnli[1], "valid_accuracy")[-1] >= 95
    assert len(logged(xnli[1], "valid_accuracy_bb")) == 5


def test_xnli_learns_nothing_from_shuffled_labels(data, tmp_path):
    done = fine_tune(data, tmp_path, XNLI, "--max-epoch 5", train="shuffled")
    assert logged(done, "valid_accuracy")[-1] <= 60


@pytest.mark.parametrize("train, least, most", [("marked", 95, 100), ("marked_shuffled", 0, 30)])
def test_answers_are_learnt_where_they_can_be(data, tmp_path, train, least, most):
    """A piece tells the first word of an answer and another the last one; in the control nothing tells them."""
    valid = f"--valid-files aa={data}/marked_valid.json"
    done = fine_tune(data, tmp_path, QA, valid, "--max-epoch 4 --lr 0.005", train=train)
    assert least <= logged(done, "valid_em")[-1] <= most


def test_predictions_are_those_of_validation_and_are_scored(data, xnli, tmp_path, capsys):
    out = tmp_path / "predictions"
    text = [f"--text={language}={data}/valid.{language}.tsv" for language in ("aa", "bb")]
    arguments = [str(data), "--path", str(xnli[0] / "checkpoint_last.pt"), "--out", str(out), *text]
    assert predict.main(arguments + ["--max-tokens", "90"]) == 0
    right = []
    for language in ("aa", "bb"):
        pairs = read_pairs(f"{data}/valid.{language}.tsv", language)
        found = read_labels(str(out / f"{language}.txt"), len(pairs))
        right.append(100 * np.mean([label == pair.label for label, pair in zip(found, pairs)]))
    assert right == pytest.approx(
        [logged(xnli[1], "valid_accuracy")[-1], logged(xnli[1], "valid_accuracy_bb")[-1]], abs=0.06
    )
    capsys.readouterr()
    references = [f"--reference={language}={data}/valid.{language}.tsv" for language in ("aa", "bb")]
    # pairs that were trained on may share an id
    rows = (data / "train.tsv").read_text("utf-8").splitlines()
    header = "pairID\tpremise\thypothesis\tlabel"
    (tmp_path / "train.tsv").write_text("\n".join([header, *("7\t" + row for row in rows)]) + "\n", "utf-8")
    options = ["--task", "xnli", *references, "--train", f"aa={tmp_path}/train.tsv", "--json", str(tmp_path / "a.json")]
    assert score.main(options + [f"mine={out},{out}"]) == 0
    table = capsys.readouterr().out
    assert "majority class" in table and "word overlap" in table and f"{right[1]:.2f} \u00b1 0.00" in table
    saved = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert saved["systems"]["mine"]["accuracy"]["languages"]["bb"]["seeds"] == pytest.approx([right[1]] * 2)


@pytest.mark.parametrize("task", [XNLI, QA], ids=["xnli", "qa"])
def test_resume_is_exact(data, tmp_path, task):
    """Stopped at the end of the first epoch, and within the second; read by no worker, and then by two, which were
    stopped themselves. tests/test_resuming.py resumes with none."""
    per_epoch = 10 if task == XNLI else None
    options = "--batch-size 32 --disable-validation --dropout 0.1"
    fine_tune(data, tmp_path / "whole", task, f"{options} --max-epoch 2")
    whole = load(tmp_path / "whole" / "checkpoint_last.pt")
    updates = whole["optimizer_history"][-1]["num_updates"]
    assert per_epoch is None or updates == 2 * per_epoch
    for end, workers in ((updates // 2, 0), (updates // 2 + 2, 2), (updates, 2)):
        done = fine_tune(data, tmp_path / "parts", task, f"{options} --max-update {end} --num-workers {workers}")
        assert end == updates // 2 or "loaded checkpoint" in done.stdout.lower()
    again = load(tmp_path / "parts" / "checkpoint_last.pt")
    assert again["optimizer_history"][-1]["num_updates"] == updates
    for name, value in whole["model"].items():
        assert torch.equal(value, again["model"][name]), name
    for key, state in whole["last_optimizer_state"]["state"].items():
        assert all(
            torch.equal(state[k], again["last_optimizer_state"]["state"][key][k]) for k in ("exp_avg", "exp_avg_sq")
        )


def test_masked_lm_checkpoint_is_the_start_unchanged(data, tmp_path):
    import sentencepiece
    from fairseq.data import Dictionary

    model, rng = sentencepiece.SentencePieceProcessor(model_file=str(data / "spm.model")), np.random.default_rng(0)
    for language in ("aa", "bb"):
        (data / language).mkdir()
        for split in ("train", "valid"):
            text = [" ".join(model.encode(" ".join(toy.words(rng, language, 8)), out_type=str)) for _ in range(20)]
            write_split(Dictionary.load(str(data / "dict.txt")), data / language / split, text)
    mlm = (
        "--task crossinit_mlm --criterion masked_lm --langs aa,bb --tokens-per-sample 40 --batch-size 8 --max-update 2"
    )
    done = run("train", [str(data), "--save-dir", str(tmp_path / "mlm")], mlm, XLM, toy.TRAINING)
    assert done.returncode == 0, done.stdout[-3000:]
    start = tmp_path / "mlm" / "checkpoint_last.pt"
    for task in (XNLI, QA):
        folder = tmp_path / task.split()[1]
        fine_tune(data, folder, task, f"--finetune-from-model {start} --max-update 1 --lr 0 --disable-validation")
        model, before = load(folder / "checkpoint_last.pt")["model"], load(start)["model"]
        assert all(torch.equal(value, model["body." + name]) for name, value in before.items())


OTHERS = {
    "roberta": "--encoder-layers 1 --encoder-embed-dim 16 --encoder-ffn-embed-dim 16 --encoder-attention-heads 2 "
    "--max-positions 64",
    "mbart_base": "--encoder-layers 1 --encoder-embed-dim 16 --encoder-ffn-embed-dim 16 --encoder-attention-heads 2 "
    "--decoder-layers 1 --decoder-embed-dim 16 --decoder-ffn-embed-dim 16 --decoder-attention-heads 2 "
    "--max-source-positions 64",
    "masked_lm": "--encoder-layers 1 --encoder-embed-dim 16 --encoder-ffn-embed-dim 16 --encoder-attention-heads 2 "
    "--max-positions 64",
}


@pytest.mark.parametrize("arch", list(OTHERS))
def test_other_encoders(data, tmp_path, arch):
    form = "--form roberta" if arch == "roberta" else ""
    for task in (XNLI, QA):
        folder = tmp_path / task.split()[1]
        fine_tune(data, folder, task, f"--max-update 2 {form}", arch=f"--arch {arch} {OTHERS[arch]}")
        end = "tsv" if task == XNLI else "json"
        arguments = [str(data), "--path", str(folder / "checkpoint_last.pt"), "--out", str(folder / "out")]
        assert predict.main([*arguments, f"--text=aa={data}/valid.aa.{end}"]) == 0


def test_a_dictionary_without_mask_as_that_of_xlm_r(data, tmp_path):
    """fairseq adds <mask> to it when it trains roberta; what was fine-tuned predicts, and is looked into."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "spm.model").write_bytes((data / "spm.model").read_bytes())
    lines = (data / "dict.txt").read_text("utf-8").splitlines()
    text = [line for line in lines if line.split(" ")[0] not in ("[aa]", "[bb]", "<mask>")]
    (folder / "dict.txt").write_text("\n".join(text) + "\n", "utf-8")
    assert len(text) == len(lines) - 3
    files = f"--train-files aa={data}/train.tsv --valid-files aa={data}/valid.aa.tsv"
    arch = f"--arch roberta {OTHERS['roberta']}"
    fine_tune(folder, tmp_path / "ck", XNLI, files, "--max-update 1", arch=arch)
    checkpoint = str(tmp_path / "ck" / "checkpoint_last.pt")
    # no language is unknown to it
    command = [str(folder), "--path", checkpoint, f"--text=fr={data}/valid.aa.tsv", "--out", str(tmp_path / "out")]
    assert predict.main(command) == 0 and len(read_labels(str(tmp_path / "out" / "fr.txt"), 60)) == 60
    words = tmp_path / "words"
    words.write_text("a1 b1\na2 b2\n", "utf-8")
    assert retrieve.main([str(folder), "--path", checkpoint, f"--words=aa-bb={words}"]) == 0
    (folder / "dict.txt").write_text("\n".join([text[1], text[0], *text[2:]]) + "\n", "utf-8")
    assert predict.main(command) == 1


@pytest.mark.parametrize(
    "options, message",
    [
        ("--valid-files bb=X", "--valid-files has no file of aa"),
        ("--valid-files aa=X,fr=X", "no embedding for the language fr: dict.txt names aa, bb"),
        ("--train-files aa=nowhere.tsv", "nowhere.tsv cannot be read"),
        ("--train-files nowhere.tsv", "give LANG=FILE"),
        ("--max-length 5", "--max-length is 5"),
        ("--max-length 100", "--max-length is 100 but the model has 64 positions"),
        ("--pieces nowhere.model", "nowhere.model is missing"),
        (
            "--best-checkpoint-metric accuracy_bb --maximize-best-checkpoint-metric",
            "never by bb, which is only read: give accuracy",
        ),
    ],
)
def test_bad_options_are_one_sentence(data, tmp_path, options, message):
    options = options.replace("=X", f"={data}/valid.aa.tsv")
    done = fine_tune(data, tmp_path, XNLI, "--max-update 1", options, check=False)
    assert done.returncode == 1 and message in done.stdout.split("crossinit_fairseq: error: ")[1]


def test_a_model_reads_the_language_of_each_token(data, xnli):
    model, _ = load_checkpoint(str(xnli[0] / "checkpoint_last.pt"), data=str(data), pieces=None)
    tokens, lengths = torch.tensor([[0, 5, 6, 2, 7, 2]]), torch.tensor([6])
    mixed = torch.tensor([[0, 0, 0, 0, 1, 1]])
    with torch.no_grad():
        found = model.features(tokens, lengths, mixed)
        assert torch.equal(found, model.body(tokens, mixed, features_only=True)[0])
        assert not torch.allclose(found, model.features(tokens, lengths, 0 * mixed), atol=1e-4)


def test_another_dictionary_is_refused(data, xnli, tmp_path):
    for name in ("spm.model", "train.tsv", "valid.aa.tsv", "valid.bb.tsv"):
        (tmp_path / name).write_bytes((data / name).read_bytes())
    lines = (data / "dict.txt").read_text("utf-8").splitlines()
    (tmp_path / "dict.txt").write_text("\n".join([lines[1], lines[0]] + lines[2:]) + "\n", "utf-8")
    done = fine_tune(
        tmp_path, tmp_path / "ck", XNLI, f"--max-update 1 --restore-file {xnli[0]}/checkpoint_last.pt", check=False
    )
    assert done.returncode == 1 and "another dictionary" in done.stdout
    # where nothing but the task's part of the checkpoint is compared
    options = f"--task crossinit_xnli --path {xnli[0]}/checkpoint_last.pt --batch-size 16 --num-workers 0"
    done = run("validate", [str(tmp_path)], options)
    assert done.returncode == 1 and "another dictionary" in done.stdout
    command = [str(tmp_path), "--path", str(xnli[0] / "checkpoint_last.pt"), "--out", str(tmp_path / "o")]
    assert predict.main(command + [f"--text=aa={data}/valid.aa.tsv"]) == 1


def test_qa_validation_is_what_is_predicted_and_scored(data, tmp_path, capsys):
    done = fine_tune(data, tmp_path, QA, "--max-update 4")
    out = tmp_path / "out"
    text = [f"--text={name}={data}/valid.{name[:2]}.json" for name in ("aa", "bb", "bb-aa")]
    assert predict.main([str(data), "--path", str(tmp_path / "checkpoint_last.pt"), "--out", str(out), *text]) == 0
    assert list(json.loads((out / "bb-aa.json").read_text("utf-8"))) == [f"q{k}" for k in range(8)]
    command = [str(data), "--path", str(tmp_path / "checkpoint_last.pt"), "--out", str(out)]
    assert predict.main([*command, f"--text=aa={data}/valid.aa.tsv"]) == 1
    assert "(the checkpoint is of crossinit_qa, which reads questions)" in capsys.readouterr().err
    references = [f"--reference={name}={data}/valid.{name[:2]}.json" for name in ("aa", "bb", "bb-aa")]
    options = ["--task", "mlqa", *references, "--rules", "squad", "--json", str(tmp_path / "a.json"), f"mine={out}"]
    assert score.main(options) == 0
    assert "rules: squad" in capsys.readouterr().out
    saved = json.loads((tmp_path / "a.json").read_text("utf-8"))["systems"]["mine"]
    for key in ("f1", "em"):
        found = saved[key]["languages"]
        assert found["aa"]["mean"] == pytest.approx(logged(done, f"valid_{key}")[-1], abs=0.01)
        assert found["bb"]["mean"] == pytest.approx(logged(done, f"valid_{key}_bb")[-1], abs=0.01)
    assert len(read_questions(f"{data}/valid.aa.json")) == 8


@pytest.mark.parametrize("task", [XNLI, QA])
def test_two_examples_to_train_on_may_have_one_id(data, tmp_path, task):
    if task == XNLI:
        first, second, *_ = (data / "train.tsv").read_text("utf-8").split("\n")
        text = f"pairID\tpremise\thypothesis\tlabel\n7\t{first}\n7\t{second}\n"
        (tmp_path / "train.tsv").write_text(text, "utf-8")
        files = f"--train-files aa={tmp_path}/train.tsv"
    else:
        questions = json.loads((data / "train.json").read_text("utf-8"))
        for article in questions["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    question["id"] = "7"
        (tmp_path / "train.json").write_text(json.dumps(questions), "utf-8")
        files = f"--train-files aa={tmp_path}/train.json"
    fine_tune(data, tmp_path / "ck", task, files, "--max-update 1")


def test_texts_of_which_no_token_is_left(data, xnli, tmp_path):
    """Left out of training; read and answered in validation and prediction; counted, everywhere."""
    rows = "a1 a2\t a3\tneutral\na1\t\u200b \tneutral\n\u200b\ta1\tentailment\n"
    (tmp_path / "blank.tsv").write_text(rows, "utf-8")
    blank = f"{tmp_path}/blank.tsv"
    files = f"--train-files aa={blank} --valid-files aa={blank}"
    done = fine_tune(data, tmp_path / "ck", XNLI, files, "--max-update 1")
    assert "blank.tsv: left out 2 that have no label or no token" in done.stdout
    assert "blank.tsv: 2 of 3 pairs have a text of which no token is left" in done.stdout
    command = [str(data), "--path", str(xnli[0] / "checkpoint_last.pt"), f"--text=aa={blank}"]
    assert predict.main([*command, "--out", str(tmp_path / "out")]) == 0
    assert len(read_labels(str(tmp_path / "out" / "aa.txt"), 3)) == 3


def test_languages_of_paragraphs_and_of_questions(data, tmp_path, monkeypatch, capsys):
    asked = []

    def answers(model, questions, language, question_language, max_tokens):
        asked.append((language, question_language))
        return {question.id: "" for question in questions}

    task = SimpleNamespace(name="crossinit_qa", predict=answers)
    monkeypatch.setattr(predict, "load_fine_tuned", lambda *unused: (task, None))
    text = [f"--text={name}={data}/valid.bb.json" for name in ("bb", "bb-aa")]
    assert predict.main([str(data), "--path", "x.pt", "--out", str(tmp_path), *text]) == 0
    assert asked == [("bb", "bb"), ("bb", "aa")]
    # the same by two options
    one = [str(data), "--path", "x.pt", "--out", str(tmp_path / "two"), f"--text={data}/valid.bb.json"]
    assert predict.main([*one, "--context-lang", "bb", "--question-lang", "aa"]) == 0
    assert predict.main([*one, "--context-lang", "bb", "--question-lang", "bb"]) == 0
    assert asked[2:] == [("bb", "aa"), ("bb", "bb")]
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["bb-aa.json", "bb.json"]
    capsys.readouterr()
    assert predict.main([*one, "--context-lang", "bb"]) == 1
    assert "--context-lang and --question-lang go together" in capsys.readouterr().err
    assert predict.main([*one, "--context-lang", "bb", "--question-lang", "aa", "--text", "x.json"]) == 1
    assert "are of one file" in capsys.readouterr().err
    assert predict.main([*one, "--context-lang", "../b", "--question-lang", "aa"]) == 1
    assert "../b" in capsys.readouterr().err


def test_wrong_usage_of_scores(capsys):
    for arguments in (["--task", "xnli"], ["--task", "mlqa", "--reference", "en=a", "--train", "en=b", "x"]):
        with pytest.raises(SystemExit) as raised:
            score.main(arguments)
        assert raised.value.code == 2
    assert score.main(["--task", "xnli", "--reference", "en=/nowhere.tsv", "x"]) == 1
    assert "/nowhere.tsv" in capsys.readouterr().err
