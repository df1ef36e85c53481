"""Embeddings as .safetensors."""

import json

import pytest
import torch

pytest.importorskip("safetensors")

import safetensors
import safetensors.torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export import EmbeddingTable, read_safetensors, write_safetensors

SYMBOLS = ["<s>", "\u2581a b", 'quo"te', "\u2028"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_every_bit_comes_back(tmp_path, dtype):
    path, values = str(tmp_path / "t.safetensors"), torch.randn(4, 3).to(dtype)
    values[0] = torch.tensor([-0.0, 1e-7, 5e-324 if dtype == torch.float64 else 1e-40])
    write_safetensors(EmbeddingTable(SYMBOLS, values, "here"), path)
    table = read_safetensors(path)
    assert table.symbols == SYMBOLS and table.values.dtype == dtype
    assert torch.equal(table.values.view(torch.uint8), values.view(torch.uint8))
    assert oct((tmp_path / "t.safetensors").stat().st_mode)[-3:] == oct(_made(tmp_path / "x").st_mode)[-3:]
    # what the help promises to others
    with safetensors.safe_open(path, framework="np" if dtype != torch.bfloat16 else "pt") as opened:
        assert json.loads(opened.metadata()["symbols"]) == SYMBOLS and list(opened.keys()) == ["embeddings"]


def _made(path):
    path.write_text("")
    return path.stat()


def test_a_view_is_written(tmp_path):
    values = torch.randn(3, 4).t()
    write_safetensors(EmbeddingTable(SYMBOLS, values, "here"), str(tmp_path / "t.safetensors"))
    assert torch.equal(read_safetensors(str(tmp_path / "t.safetensors")).values, values)


def save(path, tensors, **metadata):
    safetensors.torch.save_file(tensors, str(path), metadata=metadata)


def test_bad_files(tmp_path):
    path = tmp_path / "t.safetensors"
    with pytest.raises(InputError, match="is no file"):
        read_safetensors(str(path))
    path.write_bytes(b"hello, this is text")
    with pytest.raises(InputError, match="is no readable .safetensors"):
        read_safetensors(str(path))
    one, two = torch.zeros(2, 2), torch.zeros(2, 2)
    save(path, {"embeddings": one}, symbols='["a", "b"]')
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="is no readable .safetensors"):
        read_safetensors(str(path))
    for tensors, metadata in [
        ({"embeddings": one}, {}),
        ({"weight": two}, {"symbols": '["a", "b"]'}),
        ({"embeddings": one}, {"symbols": '{"a": 1}'}),
        ({"embeddings": one}, {"symbols": "[1, 2]"}),
    ]:
        save(path, tensors, **metadata)
        with pytest.raises(InputError, match="is not of crossinit-export"):
            read_safetensors(str(path))
    save(path, {"embeddings": one}, symbols="a b")
    with pytest.raises(InputError, match="is no readable .safetensors"):
        read_safetensors(str(path))
    save(path, {"embeddings": one}, symbols='["a"]')
    with pytest.raises(InputError, match="has 2 rows but 1 symbols"):
        read_safetensors(str(path))
    save(path, {"embeddings": torch.full((1, 2), float("inf"))}, symbols='["a"]')
    with pytest.raises(InputError, match="not finite"):
        read_safetensors(str(path))
    with pytest.raises(InputError, match="cannot be written: No such file"):
        write_safetensors(EmbeddingTable(["a", "b"], one, "here"), str(tmp_path / "no" / "t.safetensors"))
