"""Token tables of checkpoints."""

import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export import Checkpoint, EmbeddingTable
from tests.export.conftest import save_checkpoint
from tests.helpers import dictionary_of, tiny_model


@pytest.mark.parametrize(
    "kind, names",
    [
        ("bart", ["encoder.embed_tokens", "decoder.embed_tokens", "decoder.output_projection"]),
        ("transformer", ["encoder.embed_tokens", "decoder.embed_tokens", "decoder.output_projection"]),
        ("roberta", ["encoder.sentence_encoder.embed_tokens", "encoder.lm_head"]),
        ("masked_lm", ["encoder.sentence_encoder.embed_tokens"]),
    ],
)
def test_models_of_fairseq(tmp_path, kind, names):
    dictionary = dictionary_of(["\u2581a", "b"])
    state = tiny_model(
        dictionary, kind, **({"share_all_embeddings": True} if kind == "transformer" else {})
    ).state_dict()
    checkpoint = Checkpoint(save_checkpoint(tmp_path / "c.pt", state))
    assert checkpoint.names() == [name + ".weight" for name in names]
    table = checkpoint.table(dictionary.symbols)
    assert table.symbols == dictionary.symbols and torch.equal(table.values, state[names[0] + ".weight"])


def test_shared_names(shared):
    checkpoint = Checkpoint(shared.path)
    assert checkpoint.names() == checkpoint.names("decoder.embed_tokens.weight") == shared.names
    assert torch.equal(checkpoint.table(shared.symbols).values, shared.table)


def test_unshared_names(unshared):
    checkpoint = Checkpoint(unshared.path)
    with pytest.raises(
        InputError, match="choose one by --table encoder.embed_tokens.weight or decoder.embed_tokens.weight"
    ):
        checkpoint.names()
    assert checkpoint.names("encoder.embed_tokens.weight") == ["encoder.embed_tokens.weight"]
    both = ["decoder.embed_tokens.weight", "decoder.output_projection.weight"]
    assert checkpoint.names("decoder.output_projection.weight") == both
    assert torch.equal(checkpoint.table(unshared.symbols, both[0]).values, unshared.decoder)
    with pytest.raises(InputError, match="has no token table x; it has encoder.embed_tokens.weight, decoder"):
        checkpoint.names("x")


def test_replace_all_names_and_drop_what_belongs_to_the_old_table(tmp_path, unshared):
    checkpoint = Checkpoint(unshared.path)
    values = torch.randn(3, 8)
    assert checkpoint.replace([9, 4], values, [0, 2], "decoder.embed_tokens.weight") == 0
    checkpoint.save(str(tmp_path / "new.pt"))
    state = torch.load(str(tmp_path / "new.pt"), weights_only=False)
    wanted = unshared.decoder.clone()
    wanted[9], wanted[4] = values[0], values[2]
    assert torch.equal(state["model"]["decoder.embed_tokens.weight"], wanted)
    assert torch.equal(state["model"]["decoder.output_projection.weight"], wanted)
    assert torch.equal(state["model"]["encoder.embed_tokens.weight"], unshared.encoder)
    assert "last_optimizer_state" not in state and state["optimizer_history"] == [{"num_updates": 3}]
    assert state["extra_state"] == {"val_loss": 1.5}


def test_narrow_tables_round_and_say_so(tmp_path):
    path = save_checkpoint(tmp_path / "half.pt", {"encoder.embed_tokens.weight": torch.zeros(5, 2).half()})
    checkpoint = Checkpoint(path)
    assert checkpoint.replace([0, 1, 2], torch.tensor([[0.5, 1], [1 / 3, 1], [2, 2 + 1e-6]]), [0, 1, 2]) == 2
    with pytest.raises(InputError, match="values too large for float16"):
        checkpoint.replace([0], torch.tensor([[1e6, 0]]), [0])
    with pytest.raises(InputError, match="has dimension 2, the new embeddings have 3"):
        checkpoint.replace([0], torch.zeros(1, 3), [0])


def test_bad_checkpoints(tmp_path, shared):
    with pytest.raises(InputError, match="is no file: give a checkpoint"):
        Checkpoint(str(tmp_path / "none.pt"))
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(InputError, match="text.pt is no checkpoint of fairseq, or its beginning is damaged"):
        Checkpoint(str(tmp_path / "text.pt"))
    torch.save({"weights": 1}, str(tmp_path / "other.pt"))
    with pytest.raises(InputError, match="it holds no model"):
        Checkpoint(str(tmp_path / "other.pt"))
    with pytest.raises(InputError, match="has no token table"):
        Checkpoint(save_checkpoint(tmp_path / "a.pt", {"encoder.layers.0.weight": torch.zeros(3, 3)}))
    with pytest.raises(InputError, match="has 10 rows but the dictionary has 9 symbols"):
        Checkpoint(shared.path).table(shared.symbols[:-1])
    broken = torch.zeros(10, 2)
    broken[5, 1] = float("nan")
    broken = Checkpoint(save_checkpoint(tmp_path / "nan.pt", {"encoder.embed_tokens.weight": broken}))
    with pytest.raises(InputError, match="the row of 'b' is not finite"):
        broken.table(shared.symbols)


def test_tables_are_whole():
    with pytest.raises(InputError, match="f has 2 rows but 1 symbols"):
        EmbeddingTable(["a"], torch.zeros(2, 2), "f")
    with pytest.raises(InputError, match="f has the symbol 'a' twice"):
        EmbeddingTable(["a", "a"], torch.zeros(2, 2), "f")
    with pytest.raises(InputError, match=r"no table of embeddings but a tensor of shape \[2, 2\] and type int64"):
        EmbeddingTable(["a", "b"], torch.zeros(2, 2, dtype=torch.long), "f")
    with pytest.raises(InputError, match=r"shape \[2\]"):
        EmbeddingTable(["a", "b"], torch.zeros(2), "f")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, shared, monkeypatch):
    (tmp_path / "new.pt").write_text("old")

    def fail(state, stream):
        stream.write(b"half of it")
        raise OSError(28, "No space left on device")

    checkpoint = Checkpoint(shared.path)
    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(InputError, match="new.pt cannot be written: No space left on device"):
        checkpoint.save(str(tmp_path / "new.pt"))
    assert (tmp_path / "new.pt").read_text() == "old" and not list(tmp_path.glob("*.part"))
