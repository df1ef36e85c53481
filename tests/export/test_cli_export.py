"""The command crossinit-export."""

import os
import shutil
import subprocess
import sys

import pytest
import torch

from crossinit_fairseq.cli.export import main
from tests.conftest import TINY_MODEL, crossinit, load, train
from tests.export.conftest import save_checkpoint, write_dictionary


def bits(path, name):
    return load(path)["model"][name]


@pytest.fixture(params=["safetensors", "vec"])
def suffix(request):
    if request.param == "safetensors":
        pytest.importorskip("safetensors")
    return request.param


def test_there_and_back(shared, tmp_path, capsys, suffix):
    file, new = str(tmp_path / ("t." + suffix)), str(tmp_path / "new.pt")
    assert main([shared.path, "--dict", shared.dict, "--to", file]) == 0
    out, err = capsys.readouterr()
    assert out == "" and err == file + ": 10 rows of 8 float32\n"
    other = {name: torch.zeros(10, 8) for name in shared.names}
    into = save_checkpoint(tmp_path / "zeros.pt", other)
    assert main(["--from", file, "--into", into, "--dict", shared.dict, "-o", new]) == 0
    assert capsys.readouterr().err == "{}: 10 of 10 rows replaced in {}; no optimizer state\n".format(
        new, ", ".join(shared.names)
    )
    for name in shared.names:
        assert torch.equal(bits(new, name), shared.table)
    assert "last_optimizer_state" not in load(new) and "last_optimizer_state" in load(into)


def test_symbols_in_another_order(shared, tmp_path, capsys, suffix):
    file, new = str(tmp_path / ("t." + suffix)), str(tmp_path / "new.pt")
    assert main([shared.path, "--dict", shared.dict, "--to", file]) == 0
    words = ["<mask>", "new", "[ro]", "\u2581the", "newer", "b"]
    reordered = write_dictionary(tmp_path / "other.txt", words)
    before = torch.randn(10, 8)
    into = save_checkpoint(tmp_path / "into.pt", {"encoder.embed_tokens.weight": before})
    capsys.readouterr()
    assert main(["--from", file, "--into", into, "--dict", reordered, "-o", new]) == 0
    after = bits(new, "encoder.embed_tokens.weight")
    for row, symbol in enumerate(["<s>", "<pad>", "</s>", "<unk>"] + words):
        wanted = before[row] if "new" in symbol else shared.table[shared.symbols.index(symbol)]
        assert torch.equal(after[row], wanted), symbol
    assert capsys.readouterr().err == (
        f"{new}: 8 of 10 rows replaced in encoder.embed_tokens.weight; no optimizer state\n"
        f"  2 symbols are not in {file} and keep their rows: new newer\n"
        f"  2 rows of {file} are of no symbol in the dictionary: \u2581a [en]\n"
    )


def test_unshared_tables(unshared, tmp_path, capsys):
    new, decoder = str(tmp_path / "new.pt"), str(tmp_path / "d.vec")
    assert main([unshared.path, "--dict", unshared.dict, "--to", decoder]) == 1
    assert "has 2 token tables: choose one by --table" in capsys.readouterr().err
    table = ["--table", "decoder.embed_tokens.weight", "--dict", unshared.dict]
    assert main([unshared.path, "--to", decoder] + table) == 0
    assert main(["--from", decoder, "--into", unshared.path, "-o", new, "--dict", unshared.dict]) == 1
    table[1] = "encoder.embed_tokens.weight"
    assert main(["--from", decoder, "--into", unshared.path, "-o", new] + table) == 0
    for name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.output_projection.weight"):
        assert torch.equal(bits(new, name), unshared.decoder)


@pytest.mark.parametrize("kind", ["mbart", "xlm-roberta"])
def test_hugging_face_there_and_back(kind, models, pieces, tmp_path, capsys):
    from crossinit_fairseq.export import HuggingFaceModel

    # a dictionary as this project makes them: the pieces, the languages, <mask>; the first piece is missing, one is new
    words = pieces.pieces[1:] + ["\u2581strange", "[en]", "[ro]", "<mask>"]
    dictionary = write_dictionary(tmp_path / "dict.txt", words)
    symbols = ["<s>", "<pad>", "</s>", "<unk>"] + words
    table = torch.randn(len(symbols), 8)
    checkpoint = save_checkpoint(tmp_path / "c.pt", {"encoder.embed_tokens.weight": table})
    new = str(tmp_path / "new")
    assert main([checkpoint, "--dict", dictionary, "--hugging-face", str(models[kind][0]), "-o", new]) == 0
    said = capsys.readouterr().err.splitlines()
    rows = len(models[kind][1]) + 1
    count = len(pieces.pieces) - 1 + 5 + (2 if kind == "mbart" else 0)
    assert said[0].startswith(f"{new}: {count} of the {rows} rows of {models[kind][0]} (")
    assert said[1].startswith(
        f"  {rows - count} rows have no counterpart in the dictionary and keep their values: \u2581 "
    )
    strangers = ["\u2581strange"] if kind == "mbart" else ["\u2581strange", "[en]", "[ro]"]
    assert said[2] == "  {} symbols of the dictionary have no counterpart in the model: {}".format(
        len(strangers), " ".join(strangers)
    )
    assert len(said) == 3
    model = HuggingFaceModel(new)
    assert torch.equal(model.embeddings[model.tokens["<mask>"]], table[-1])

    zeros = save_checkpoint(tmp_path / "zeros.pt", {"encoder.embed_tokens.weight": torch.zeros_like(table)})
    assert main(["--from", new, "--into", zeros, "--dict", dictionary, "-o", str(tmp_path / "back.pt")]) == 0
    back = bits(tmp_path / "back.pt", "encoder.embed_tokens.weight")
    kept = [row for row, symbol in enumerate(symbols) if symbol in strangers]
    assert not back[kept].any()
    others = [row for row in range(len(symbols)) if row not in kept]
    assert torch.equal(back[others], table[others])
    assert f"  {len(kept)} symbols are not in {new} and keep their rows" in capsys.readouterr().err
    absurd, folder = save_checkpoint(tmp_path / "absurd.pt", {"encoder.embed_tokens.weight": 1e30 * table}), new + "2"
    assert main([absurd, "--dict", dictionary, "--hugging-face", str(models[kind][0]), "-o", folder]) == 0
    assert main(["--from", folder, "--into", zeros, "--dict", dictionary, "-o", str(tmp_path / "no.pt")]) == 1
    assert "are so large that their squares are no numbers" in capsys.readouterr().err

    assert main([checkpoint, "--dict", dictionary, "--hugging-face", str(models[kind][0]), "-o", new]) == 1
    assert "exists already" in capsys.readouterr().err


def test_untied_and_rounded_is_said(models, tmp_path, capsys):
    from crossinit_fairseq.export import HuggingFaceModel

    folder = shutil.copytree(str(models["xlm"][0]), str(tmp_path / "xlm"))
    model = HuggingFaceModel(folder).model
    model.config.tie_word_embeddings = False
    type(model)(model.config).half().save_pretrained(folder)
    dictionary = write_dictionary(tmp_path / "dict.txt", ["the", "e"])
    checkpoint = save_checkpoint(tmp_path / "c.pt", {"encoder.embed_tokens.weight": torch.full((6, 8), 1 / 3)})
    assert main([checkpoint, "--dict", dictionary, "--hugging-face", folder, "-o", str(tmp_path / "new")]) == 0
    said = capsys.readouterr().err
    assert "  6 rows were rounded to float16\n" in said and "the output layer is not tied" in said


def test_bad_input_is_one_sentence(shared, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    common = ["--dict", shared.dict]

    def refused(said, *arguments):
        assert main(list(arguments)) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("crossinit-export: error: ") and err.count("\n") == 1 and said in err

    refused("is no file: give a checkpoint", "none.pt", *common, "--to", "t.vec")
    refused("none.txt cannot be read", shared.path, "--dict", "none.txt", "--to", "t.vec")
    refused("is no folder to write t.vec to", shared.path, *common, "--to", "no/t.vec")
    os.mkdir("folder.vec")
    refused("is a folder: name a file", shared.path, *common, "--to", "folder.vec")
    refused("is no folder: give the folder", shared.path, *common, "--hugging-face", "no/model", "-o", "new")
    refused("none.vec cannot be read", "--from", "none.vec", "--into", shared.path, *common, "-o", "new.pt")
    (tmp_path / "t.vec").write_text("1 2\nb 1 2\n")
    put = ["--from", "t.vec", "--into", shared.path, *common, "-o"]
    refused("has dimension 8, the new embeddings have 2", *put, "new.pt")
    refused("is read and would be overwritten", *put, shared.path)
    refused("is read and would be overwritten", *put, "t.vec")
    (tmp_path / "t.vec").write_text("2 8\n<s>" + 8 * " 1" + "\nstrange" + 8 * " 1" + "\n")
    refused("nothing but special symbols in common: is it the right dictionary?", *put, "new.pt")
    assert sorted(os.listdir()) == ["dict.txt", "folder.vec", "shared.pt", "t.vec"]


def test_whole_words_for_pieces_of_sentencepiece(tmp_path, capsys):
    """The dictionary has `e` as it is, and all of `the`, `e` and `of` with the mark of SentencePiece."""
    dictionary = write_dictionary(tmp_path / "dict.txt", ["\u2581the", "\u2581of", "\u2581e", "e"])
    checkpoint = save_checkpoint(tmp_path / "c.pt", {"encoder.embed_tokens.weight": torch.zeros(8, 2)})
    words, new = tmp_path / "words.vec", str(tmp_path / "new.pt")
    put = ["--from", str(words), "--into", checkpoint, "--dict", dictionary, "-o", new]
    words.write_text("2 2\nthe 1 2\nof 1 2\n", encoding="utf-8")
    assert main(put) == 1
    hint = "words of the file stand in the dictionary with \u2581 before them: write \u2581the for the"
    assert f"in common; 2 {hint}" in capsys.readouterr().err and not os.path.exists(new)
    words.write_text("3 2\nthe 1 2\ne 1 2\nof 1 2\n", encoding="utf-8")
    assert main(put) == 0
    assert f"  3 {hint}\n" in capsys.readouterr().err
    words.write_text("2 2\n\u2581the 1 2\ne 1 2\n", encoding="utf-8")
    assert main(put[:-1] + [str(tmp_path / "pieces.pt")]) == 0
    assert "before them" not in capsys.readouterr().err


def test_a_library_that_is_missing(shared, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert main([shared.path, "--dict", shared.dict, "--to", str(tmp_path / "t.safetensors")]) == 1
    assert "pip install 'crossinit_fairseq[export]'" in capsys.readouterr().err
    (tmp_path / "config.json").write_text('{"model_type": "xlm"}')
    new = str(tmp_path / "new")
    assert main([shared.path, "--dict", shared.dict, "--hugging-face", str(tmp_path), "-o", new]) == 1
    assert "pip install 'crossinit_fairseq[export]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, said",
    [
        ("", "required: --dict"),
        ("c.pt --to t.vec", "required: --dict"),
        ("--dict d", "give a CHECKPOINT to export from"),
        ("c.pt --dict d", "give one of --to FILE and --hugging-face FOLDER"),
        ("c.pt --dict d --to t.vec --hugging-face x -o y", "give one of --to"),
        ("c.pt --dict d --to t.txt", "--to takes a name that ends in .safetensors or .vec: t.txt"),
        ("c.pt --dict d --to t.vec -o y", "-o is for"),
        ("c.pt --dict d --hugging-face x", "--hugging-face needs -o NEW"),
        ("--dict d --from t.vec -o y", "an import takes all of"),
        ("--dict d --into c.pt -o y", "an import takes all of"),
        ("--dict d --from t.vec --into c.pt", "an import takes all of"),
        ("c.pt --dict d --from t.vec --into c.pt -o y", "--from and --into go with neither"),
        (
            "--dict d --from t.txt --into c.pt -o y",
            "--from takes a file .safetensors or .vec, or a model folder: t.txt",
        ),
    ],
)
def test_wrong_usage_exits_with_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_help_and_module():
    command = [sys.executable, "-m", "crossinit_fairseq.cli.export", "--help"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, encoding="utf-8"
    )
    assert done.returncode == 0 and "crossinit-export --from my-mbart --into" in done.stdout


def test_fairseq_takes_the_new_checkpoint(data_folder, tmp_path):
    """A real checkpoint of the CrossInit stage goes through a file and starts the next stage."""
    crossinit(data_folder, tmp_path / "crossinit", "--max-update 1 --seed 4")
    crossinit(data_folder, tmp_path / "other", "--max-update 1 --seed 5")
    first, second = (str(tmp_path / stage / "checkpoint_last.pt") for stage in ("crossinit", "other"))
    dictionary, table, new = str(data_folder / "dict.txt"), str(tmp_path / "t.vec"), str(tmp_path / "new.pt")
    assert main([first, "--dict", dictionary, "--to", table]) == 0
    assert main(["--from", table, "--into", second, "--dict", dictionary, "-o", new]) == 0
    names = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.output_projection.weight"]
    assert not torch.equal(bits(first, names[0]), bits(second, names[0]))
    assert all(torch.equal(bits(new, name), bits(first, names[0])) for name in names)
    norm = "encoder.layers.0.fc1.weight"
    assert torch.equal(bits(new, norm), bits(second, norm))
    train(
        data_folder,
        tmp_path / "mbart",
        "--task multilingual_denoising --criterion cross_entropy --arch mbart_base --langs aa,bb --add-lang-token "
        "--tokens-per-sample 32 --mask 0.3 --mask-length span-poisson --replace-length 1 --max-tokens 256 --lr 0 "
        "--max-update 1 --finetune-from-model " + new,
        TINY_MODEL,
    )
    assert torch.equal(bits(tmp_path / "mbart" / "checkpoint_last.pt", names[0]), bits(first, names[0]))
