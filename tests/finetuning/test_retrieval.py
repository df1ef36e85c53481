"""crossinit_fairseq/finetuning/retrieval.py and models/layer_states.py, and crossinit-retrieve."""

import json

import numpy as np
import pytest
import torch

from crossinit_fairseq.cli import predict, retrieve, retrieve_states
from crossinit_fairseq.cli.command import load_checkpoint
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.retrieval import (
    dictionary_hits,
    read_aligned,
    read_translations,
    retrieval_hits,
)
from tests.conftest import load
from tests.finetuning import toy


def test_a_rotated_copy_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    left = rng.normal(size=(50, 8))
    assert all(found.tolist() == [True] * 50 for found in retrieval_hits(left, 3 * left))
    found = retrieval_hits(left, rng.normal(size=(50, 8)))
    assert max(hits.mean() for hits in found) <= 0.2


def test_csls_marks_a_hub_down():
    # right row 1 is near to everything: by the cosine alone it would be nearest to both left rows
    left = np.array([[1.0, 0.2], [1.0, 0.9]])
    right = np.array([[1.0, -0.4], [1.0, 0.5]])
    cosines = (left / np.linalg.norm(left, axis=1)[:, None]) @ (right / np.linalg.norm(right, axis=1)[:, None]).T
    assert cosines.argmax(1).tolist() == [1, 1]
    assert retrieval_hits(left, right, neighbours=2)[0].tolist() == [True, True]


def test_any_translation_counts():
    right = np.eye(3)
    left = right[[0, 1, 2]]
    assert dictionary_hits(left, right, [{0, 2}, {0}, {2}], 1).tolist() == [True, False, True]


def test_the_two_directions_are_told_apart():
    left, right = [
        np.array([[np.cos(np.radians(angle)), np.sin(np.radians(angle))] for angle in angles])
        for angles in ((0, 10, 40), (5, 100, 20))
    ]
    # means of the cosines: rows .587 .660 .753, columns .937 .109 .955. Twice a cosine less the column's mean: left row
    # 0
    # 1.06 -.46 .92, row 1 1.06 -.11 1.02, row 2 .70 .89 .92; less the row's: right row 0 1.41 1.33 .89, row 1 -.93 -.66
    # .25, row 2 1.29 1.31 1.13
    forward, backward = retrieval_hits(left, right, neighbours=3)
    assert forward.tolist() == [True, False, True] and backward.tolist() == [True, False, False]


def test_sides_that_are_swapped_are_said(tmp_path, caplog):
    for name, text in (("en", "a house\nthe cat\n"), ("ne", "घर\nबिरालो\n"), ("en-ne", "house घर\ncat बिरालो\n")):
        (tmp_path / name).write_text(text, "utf-8")
    read_aligned({"en": str(tmp_path / "en"), "ne": str(tmp_path / "ne")})
    read_translations(str(tmp_path / "en-ne"), ("en", "ne"))
    assert not caplog.records
    read_aligned({"en": str(tmp_path / "ne"), "ne": str(tmp_path / "en")})
    assert [message[len(str(tmp_path)) + 1 :] for message in caplog.messages] == [
        "ne: most letters are Devanagari: is this text en?",
        "en: most letters are Latin: is this text ne?",
    ]
    caplog.clear()
    read_translations(str(tmp_path / "en-ne"), ("ne", "de"))
    assert [message.split(", ")[1] for message in caplog.messages] == [
        "words on the left: most letters are Latin: is this text ne?",
        "words on the right: most letters are Devanagari: is this text de?",
    ]


def test_files(tmp_path):
    for name, text in (("a", "x\ny\n\n"), ("b", "u\nv\nw\n"), ("c", "u\n"), ("d", "cat Katze\ncat Kater\ndog Hund\n")):
        (tmp_path / name).write_text(text, "utf-8")
    assert read_aligned({"en": str(tmp_path / "a"), "de": str(tmp_path / "b")}) == {"en": ["x", "y"], "de": ["u", "v"]}
    with pytest.raises(InputError, match="not aligned"):
        read_aligned({"en": str(tmp_path / "a"), "de": str(tmp_path / "c")})
    with pytest.raises(InputError, match="two languages"):
        read_aligned({"en": str(tmp_path / "a")})
    assert read_translations(str(tmp_path / "d")) == (["cat", "dog"], ["Katze", "Kater", "Hund"], [{0, 1}, {2}])
    with pytest.raises(InputError, match="line 1 of .*a is not two words .*'x'"):
        read_translations(str(tmp_path / "a"))
    # what crossinit-lexicon writes is a dictionary too; what crossinit-ranks writes has counts in its second column
    (tmp_path / "l").write_text("# languages: en de\ncat\tKatze\t0.9\t5\t4\tmutual\n", "utf-8")
    assert read_translations(str(tmp_path / "l")) == (["cat"], ["Katze"], [{0}])
    (tmp_path / "r").write_text("# language: en\ncat\t5\n", "utf-8")
    with pytest.raises(InputError, match="is the rank table of en"):
        read_translations(str(tmp_path / "r"))


def test_options_that_are_no_dictionary(tmp_path, capsys):
    (tmp_path / "d").write_text("cat Katze\n", "utf-8")
    given = f"--words=en-de={tmp_path}/d"
    for words, told in [
        (["--words=en-de"], "--words takes SRC-TGT=FILE, such as en-de=en-de.txt, not 'en-de'"),
        ([given, given], "--words names en-de twice"),
    ]:
        assert retrieve.main([str(tmp_path), "--path", "no.pt", *words]) == 1
        assert told in capsys.readouterr().err


def test_means_are_of_the_text_alone():
    from crossinit_fairseq.models.layer_states import mean_states

    states = torch.arange(12.0).view(1, 6, 2)  # rows (0, 1), (2, 3), (4, 5), ...
    found = mean_states([states, 2 * states], 1, torch.tensor([2]))
    assert found.tolist() == [[[3.0, 4.0]], [[6.0, 8.0]]]


def test_command(tmp_path, capsys, caplog):
    """A model whose two languages share their vectors finds every line again; batches do not change that."""
    from tests.tasks.in_process import run

    data = toy.data_folder(tmp_path)
    toy.nli_file(data / "train.tsv", "aa", 20, 1)
    options = "--task crossinit_xnli --criterion sentence_prediction --batch-size 8 --max-length 40 --max-update 1"
    files = f"--arch xlm_tiny_3 --train-files aa={data}/train.tsv --valid-files aa={data}/train.tsv"
    done = run("train", [str(data), "--save-dir", str(data / "ck")], options, files, toy.TRAINING, toy.SIZES)
    assert done.returncode == 0, done.stdout[-2000:]
    saved = load(data / "ck" / "checkpoint_last.pt")
    saved["model"]["body.encoder.sentence_encoder.segment_embeddings.weight"].zero_()
    torch.save(saved, str(data / "ck" / "checkpoint_last.pt"))
    rng = np.random.default_rng(5)
    lines = [" ".join(toy.words(rng, "aa", rng.integers(3, 12))) for _ in range(30)]
    (data / "lines").write_text("\n".join(lines) + "\n", "utf-8")
    (data / "words").write_text("".join(f"a{k} a{k}\n" for k in range(10)), "utf-8")
    command = [str(data), "--path", str(data / "ck" / "checkpoint_last.pt"), "--json", str(data / "out.json")]
    command += [f"--sentences={language}={data}/lines" for language in ("aa", "bb")] + [f"--words=aa-bb={data}/words"]
    capsys.readouterr()
    assert retrieve.main(command) == 0
    assert capsys.readouterr().out.split()[:5] == ["table", "layer", "0", "layer", "1"]
    first = json.loads((data / "out.json").read_text("utf-8"))
    # without the language's embedding both sides are the same text
    hits = first.pop("hits")
    assert first == {"sentences": {"aa-bb": [100.0] * 3}, "words": {"aa-bb": [100.0] * 3}}
    assert hits == {"sentences": {"aa-bb": ["1" * 60] * 3}, "words": {"aa-bb": ["1" * 10] * 3}}
    first["hits"] = hits
    assert retrieve.main(command + ["--max-tokens", "50"]) == 0
    assert json.loads((data / "out.json").read_text("utf-8")) == first
    with pytest.raises(SystemExit):
        retrieve.main(command[:3])
    # rows of other words, equally many, would give figures all the same: of a task that does not look itself, too
    other = data / "other"
    other.mkdir()
    symbols = (data / "dict.txt").read_text("utf-8").splitlines()
    (other / "dict.txt").write_text("\n".join([symbols[1], symbols[0], *symbols[2:]]) + "\n", "utf-8")
    with pytest.raises(
        InputError, match="checkpoint_last.pt was trained with another dictionary than .*other/dict.txt"
    ):
        load_checkpoint(str(data / "ck" / "checkpoint_last.pt"), data=str(other), pieces=str(data / "spm.model"))
    # of another task: said before that task asks for its own text
    task = saved["cfg"]["task"]
    (task if isinstance(task, dict) else vars(task))["_name"] = "crossinit_pretrain"
    torch.save(saved, str(data / "pretrained.pt"))
    predicting = [str(data), "--path", str(data / "pretrained.pt"), f"--text=aa={data}/train.tsv", "--out"]
    capsys.readouterr()
    assert predict.main(predicting + [str(data / "out")]) == 1
    assert "pretrained.pt was not fine-tuned, but trained by crossinit_pretrain: give one" in capsys.readouterr().err
    assert predict.main(predicting + [str(data / "lines")]) == 1
    assert "lines is a file: name a folder" in capsys.readouterr().err
    # the table's mean is of the pieces of the text alone, by a plain loop
    states = retrieve_states.States(str(data), str(data / "ck" / "checkpoint_last.pt"), None, 50)
    table = saved["model"]["body.encoder.sentence_encoder.embed_tokens.weight"]
    caplog.clear()
    assert states.of(["a1", "\u200b"], "aa")[0][1] == pytest.approx(table[2].numpy())
    assert "aa: no token is left of 1 of 2 texts; </s> stands for each" in caplog.text
    for text, found in zip(lines[:5], states.of(lines[:5], "aa")[0]):
        rows = states.pieces.encode(text).tolist()
        assert found == pytest.approx((sum(table[row] for row in rows) / len(rows)).numpy(), abs=1e-6)


def test_inputs_are_of_the_form_of_the_checkpoint(tmp_path):
    """That of fine-tuning, though the dictionary ends in language tokens, of which xlm would be made."""
    from tests.tasks.in_process import run

    data = toy.data_folder(tmp_path)
    toy.nli_file(data / "train.tsv", "aa", 20, 1)
    options = "--task crossinit_xnli --criterion sentence_prediction --batch-size 8 --max-length 40 --max-update 1"
    files = f"--arch roberta --train-files aa={data}/train.tsv --valid-files aa={data}/train.tsv --form roberta"
    done = run("train", [str(data), "--save-dir", str(data / "ck")], options, files, toy.TRAINING, toy.SIZES)
    assert done.returncode == 0, done.stdout[-2000:]
    states = retrieve_states.States(str(data), str(data / "ck" / "checkpoint_last.pt"), None, 50)
    assert states.form.name == "roberta" and states.form.single([5, 6], "aa").languages is None
    assert states.of(["a1 a2"], "aa").shape[:2] == (3, 1)


def test_the_command_looks_at_the_script_of_words(tmp_path, caplog):
    (tmp_path / "words").write_text("house casa\ncat pisica\n", encoding="utf-8")
    given = [str(tmp_path), "--path", str(tmp_path / "none.pt"), "--words", f"ne-ro={tmp_path}/words"]
    assert retrieve.main(given) == 1  # for want of a checkpoint, later
    assert "words, words on the left: most letters are Latin: is this text ne?" in caplog.text
