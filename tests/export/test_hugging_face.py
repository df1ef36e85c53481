"""Embeddings in folders of Hugging Face's models."""

import json
import os
import shutil
import socket

import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export import HuggingFaceModel
from tests.export.conftest import XLM_TOKENS

KINDS = ("mbart", "xlm-roberta", "xlm")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **more):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def copy(models, tmp_path):
    """A function from a kind to a copy of its folder."""
    return lambda kind: shutil.copytree(str(models[kind][0]), str(tmp_path / kind))


def symbols_for(kind, pieces):
    """A dictionary in another order than the model's tokens, with strangers in it and tokens missing."""
    if kind == "xlm":
        words = ["cat", "c@@", "the", "th@@", "strange", "a"]
    else:
        words = list(reversed(pieces.pieces[2:])) + ["\u2581strange", "[ro]", "[en_XX]"]
    return ["<s>", "<pad>", "</s>", "<unk>"] + words + ["<mask>"]


# the symbols of tokens that are not written alike
COUNTERPART = {
    "mbart": {"en_XX": "[en_XX]", "ro_RO": "[ro]"},
    "xlm-roberta": {},
    "xlm": {"the</w>": "the", "th": "th@@", "cat</w>": "cat", "c": "c@@", "a</w>": "a", "<special1>": "<mask>"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_replaced_by_symbol(kind, models, pieces, transformers, tmp_path):
    folder, tokens = models[kind]
    symbols = symbols_for(kind, pieces)
    values = torch.randn(len(symbols), 8)
    model = HuggingFaceModel(str(folder))
    assert model.tokens == {token: k for k, token in enumerate(tokens)} and model.tied_output is True
    assert model.replace(*_insert(model.counterparts(symbols), values)) == 0
    model.save(str(tmp_path / "new"))

    kind_of_model = type(model.model)
    old, new = (kind_of_model.from_pretrained(str(path)).eval() for path in (folder, tmp_path / "new"))
    before, after = old.get_input_embeddings().weight, new.get_input_embeddings().weight
    row_of = {symbol: row for row, symbol in enumerate(symbols)}
    replaced = 0
    for number in range(len(before)):
        token = tokens[number] if number < len(tokens) else None
        symbol = COUNTERPART[kind].get(token, token)
        if symbol in row_of:
            assert torch.equal(after[number], values[row_of[symbol]]), token
            replaced += 1
        else:
            assert torch.equal(after[number], before[number]), token
    assert replaced == len(symbols) - 1 - (kind == "xlm-roberta") * 2  # the stranger; XLM-R has no languages
    assert new.get_output_embeddings().weight is after or torch.equal(new.get_output_embeddings().weight, after)
    # everything else is as it was
    others = [name for name, value in old.state_dict().items() if value.shape != before.shape]
    assert others and all(torch.equal(old.state_dict()[name], new.state_dict()[name]) for name in others)
    with torch.no_grad():
        words = torch.tensor([[0, 5, 6, 2]])
        logits = new(input_ids=words).logits
        assert logits.shape == (1, 4, len(before)) and torch.isfinite(logits).all()
        assert not torch.equal(logits, old(input_ids=words).logits)
    if kind == "mbart":
        assert torch.equal(new.model.encoder.embed_tokens.weight, after)
        assert torch.equal(new.model.decoder.embed_tokens.weight, after)


def _insert(counterparts, values):
    ids, rows = counterparts
    return ids, values, rows


@pytest.mark.parametrize("kind", KINDS)
def test_the_new_folder_is_whole(kind, models, transformers, tmp_path):
    folder, tokens = models[kind]
    HuggingFaceModel(str(folder)).save(str(tmp_path / "new"))
    kept = {"xlm": ["vocab.json", "merges.txt"]}.get(kind, ["sentencepiece.bpe.model"])
    for name in kept:
        assert (tmp_path / "new" / name).read_bytes() == (folder / name).read_bytes()
    assert not (tmp_path / "new" / "tf_model.h5").exists()
    again = HuggingFaceModel(str(tmp_path / "new"))
    assert again.tokens == {token: k for k, token in enumerate(tokens)}
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    if kind != "xlm":
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(tmp_path / "new"))
        assert tokens[tokenizer("the cat").input_ids[0]].startswith("\u2581" if kind == "mbart" else "<s>")


@pytest.mark.parametrize("kind", ["mbart", "xlm-roberta"])
def test_tokenizer_json_serves_too(kind, copy, models, transformers):
    folder = copy(kind)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    os.remove(folder + "/sentencepiece.bpe.model")
    assert HuggingFaceModel(folder).tokens == {token: k for k, token in enumerate(models[kind][1])}


def test_pytorch_model_bin_and_narrow_types(copy, transformers):
    folder = copy("mbart")
    model = transformers.MBartForConditionalGeneration.from_pretrained(folder).half()
    model.save_pretrained(folder)
    torch.save(model.state_dict(), folder + "/pytorch_model.bin")
    os.remove(folder + "/model.safetensors")
    loaded = HuggingFaceModel(folder)
    assert loaded.embeddings.dtype == torch.float16
    assert loaded.replace([0, 1], torch.full((2, 8), 1 / 3), [0, 1]) == 2
    loaded.save(folder + "-new")
    again = HuggingFaceModel(folder + "-new")
    assert again.embeddings.dtype == torch.float16 and again.embeddings[0, 0] == torch.tensor(1 / 3).half()


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_that_is_not_tied_stays(kind, copy, transformers, tmp_path):
    if kind == "mbart" and int(transformers.__version__.split(".")[0]) < 5:
        pytest.skip("transformers 4 does not read back the untied mBART that it writes; it is refused")
    folder = copy(kind)
    model = HuggingFaceModel(folder).model
    model.config.tie_word_embeddings = False
    untied = type(model)(model.config)
    untied.save_pretrained(folder)
    loaded = HuggingFaceModel(folder)
    assert loaded.tied_output is False
    before = loaded.model.get_output_embeddings().weight.detach().clone()
    values = torch.randn(1, 8)
    loaded.replace([5], values, [0])
    loaded.save(str(tmp_path / "new"))
    again = HuggingFaceModel(str(tmp_path / "new"))
    assert torch.equal(again.embeddings[5], values[0])
    assert torch.equal(again.model.get_output_embeddings().weight, before)
    if kind == "mbart":  # both sides read the new row, whether or not they still share a table
        assert torch.equal(again.model.get_encoder().embed_tokens.weight[5], values[0])
        assert torch.equal(again.model.get_decoder().embed_tokens.weight[5], values[0])


def test_the_bare_model(copy, transformers, tmp_path):
    folder = copy("xlm-roberta")
    transformers.XLMRobertaModel(HuggingFaceModel(folder).model.config).save_pretrained(folder)
    loaded = HuggingFaceModel(folder)
    assert type(loaded.model).__name__ == "XLMRobertaModel" and loaded.tied_output is None


def edit(folder, name, **changes):
    with open(folder + "/" + name, encoding="utf-8") as stream:
        content = json.load(stream)
    content.update(changes)
    with open(folder + "/" + name, "w", encoding="utf-8") as stream:
        json.dump(content, stream)


def test_bad_folders(copy, tmp_path, models):
    def refused(folder, said):
        with pytest.raises(InputError, match=said) as error:
            HuggingFaceModel(str(folder))
        assert "\n" not in str(error.value)

    refused("facebook/mbart-large-cc25", "is no folder: give the folder of a model, downloaded before")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "config.json cannot be read: No such file")
    (tmp_path / "empty" / "config.json").write_text("{")
    refused(tmp_path / "empty", "config.json is no JSON")
    (tmp_path / "empty" / "config.json").write_text("[]")
    refused(tmp_path / "empty", "config.json is no JSON object")
    (tmp_path / "empty" / "config.json").write_text('{"model_type": "bert"}')
    refused(tmp_path / "empty", "holds a model of type 'bert'; only mbart, xlm, xlm-roberta")

    folder = copy("mbart")
    os.remove(folder + "/sentencepiece.bpe.model")
    refused(folder, "has no tokenizer: it needs tokenizer.json or sentencepiece.bpe.model")
    (tmp_path / "mbart" / "sentencepiece.bpe.model").write_bytes(b"nonsense")
    refused(folder, "the tokenizer in .* cannot be loaded")
    os.remove(folder + "/model.safetensors")
    refused(folder, "the model in .* cannot be loaded")

    folder = copy("xlm")
    edit(folder, "vocab.json", more=99)
    refused(folder, f"numbers tokens up to 99, the model has {len(XLM_TOKENS)} rows")
    edit(folder, "vocab.json", more="x")
    refused(folder, "is no vocabulary of XLM")
    edit(folder, "config.json", n_layers=2)
    refused(folder, "the weights in .* lack 16 of what XLMWithLMHeadModel needs, such as transformer.attentions.1.")


def test_bad_tables_and_places(models, tmp_path):
    model = HuggingFaceModel(str(models["xlm"][0]))
    with pytest.raises(InputError, match="has embeddings of dimension 8, the checkpoint's have 7"):
        model.replace([0], torch.zeros(1, 7), [0])
    with pytest.raises(InputError, match="exists already"):
        model.save(str(models["xlm"][0]))
    with pytest.raises(InputError, match="is no folder to make new in"):
        model.save(str(tmp_path / "no" / "new"))
    (tmp_path / "new").mkdir()
    model.save(str(tmp_path / "new"))  # an empty folder will do


def test_a_write_that_fails_leaves_nothing(models, tmp_path, monkeypatch):
    model = HuggingFaceModel(str(models["xlm"][0]))

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copy", fail)
    with pytest.raises(InputError, match="cannot be written: No space left"):
        model.save(str(tmp_path / "new"))
    assert not list(tmp_path.iterdir())
