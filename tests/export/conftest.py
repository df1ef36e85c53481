"""Checkpoints, a SentencePiece model, and tiny random models of Hugging Face, all made on the spot."""

import importlib.util
import json
import shutil
from types import SimpleNamespace

import pytest
import torch

LANGUAGES = ("en", "ro")


def save_checkpoint(path, tables, **more):
    """A file as fairseq writes it: {name: tensor} as its model. Returns the path as str."""
    state = {
        "cfg": None,
        "model": dict(tables),
        "optimizer_history": [{"num_updates": 3}],
        "extra_state": {"val_loss": 1.5, "ema": {"x": 1}, "ema_fp32_params": {"x": 1}},
        "last_optimizer_state": {"state": {0: {"exp_avg": torch.ones(2)}}},
    }
    state.update(more)
    torch.save(state, str(path))
    return str(path)


def write_dictionary(path, symbols):
    """dict.txt of these symbols. Returns the path as str."""
    path.write_text("".join(symbol + " 1\n" for symbol in symbols), encoding="utf-8")
    return str(path)


@pytest.fixture
def shared(tmp_path):
    """A checkpoint of one table of 4 + 6 rows under three names; symbols are those of the table."""
    table = torch.randn(10, 8, generator=torch.Generator().manual_seed(1))
    tables = {
        "encoder.embed_tokens.weight": table,
        "encoder.embed_positions.weight": torch.randn(10, 8),
        "decoder.embed_tokens.weight": table,
        "decoder.output_projection.weight": table,
    }
    words = ["\u2581a", "b", "\u2581the", "[en]", "[ro]", "<mask>"]
    return SimpleNamespace(
        path=save_checkpoint(tmp_path / "shared.pt", tables),
        dict=write_dictionary(tmp_path / "dict.txt", words),
        symbols=["<s>", "<pad>", "</s>", "<unk>"] + words,
        table=table,
        names=["encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.output_projection.weight"],
    )


@pytest.fixture
def unshared(tmp_path, shared):
    """A checkpoint of a table for each of encoder and decoder, the second tied to the output."""
    encoder, decoder = torch.randn(10, 8), torch.randn(10, 8)
    tables = {
        "encoder.embed_tokens.weight": encoder,
        "decoder.embed_tokens.weight": decoder,
        # equal, but not the same storage, as a checkpoint written from a GPU has it
        "decoder.output_projection.weight": decoder.clone(),
    }
    path = save_checkpoint(tmp_path / "unshared.pt", tables)
    return SimpleNamespace(path=path, dict=shared.dict, symbols=shared.symbols, encoder=encoder, decoder=decoder)


@pytest.fixture(scope="session")
def transformers():
    """The library as the package imports it, or skip."""
    pytest.importorskip("safetensors")
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed")
    from crossinit_fairseq.export.hugging_face import import_transformers

    return import_transformers()


@pytest.fixture(scope="session")
def pieces(tmp_path_factory):
    """A tiny SentencePiece model: its file, and its pieces without <unk>, <s>, </s>."""
    import sentencepiece

    prefix = tmp_path_factory.mktemp("pieces") / "spm"
    text = ["the cat sat on the mat with a dog", "pisica sta pe covor cu un caine", "a small house", "casa mica"] * 20
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_prefix=str(prefix), vocab_size=60, minloglevel=2, hard_vocab_limit=False
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(prefix) + ".model")
    return SimpleNamespace(
        file=str(prefix) + ".model", pieces=[model.id_to_piece(k) for k in range(3, model.get_piece_size())]
    )


MBART_CODES = (
    "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX "
    "ro_RO ru_RU si_LK tr_TR vi_VN zh_CN"
).split()
XLM_TOKENS = (
    "<s> </s> <pad> <unk> <special0> <special1> <special2> the</w> th e</w> cat</w> c a</w> zebra</w> \u00e9</w>"
).split()


@pytest.fixture(scope="session")
def models(transformers, pieces, tmp_path_factory):
    """Folders of three models, {kind: (path, list of str, the tokens by number)}; width 8. Change copies only."""
    torch.manual_seed(7)
    # mBART and XLM-R get a row more than the tokenizer has tokens
    own, sides = ["<s>", "<pad>", "</s>", "<unk>"], {}
    for side in ("encoder", "decoder"):
        sides.update({side + "_layers": 1, side + "_attention_heads": 2, side + "_ffn_dim": 16})
    mbart = own + pieces.pieces + MBART_CODES + ["<mask>"]
    xlmr = own + pieces.pieces + ["<mask>"]
    got = {
        "mbart": transformers.MBartForConditionalGeneration(
            transformers.MBartConfig(vocab_size=len(mbart) + 1, d_model=8, max_position_embeddings=32, **sides)
        ),
        "xlm-roberta": transformers.XLMRobertaForMaskedLM(
            transformers.XLMRobertaConfig(
                vocab_size=len(xlmr) + 1,
                hidden_size=8,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                max_position_embeddings=40,
            )
        ),
        "xlm": transformers.XLMWithLMHeadModel(
            transformers.XLMConfig(
                vocab_size=len(XLM_TOKENS), emb_dim=8, n_layers=1, n_heads=2, max_position_embeddings=32
            )
        ),
    }
    tokens = {"mbart": mbart, "xlm-roberta": xlmr, "xlm": XLM_TOKENS}
    folders = {}
    for kind, model in got.items():
        folder = tmp_path_factory.mktemp(kind)
        model.save_pretrained(str(folder))
        if kind == "xlm":
            (folder / "vocab.json").write_text(json.dumps({t: k for k, t in enumerate(XLM_TOKENS)}), encoding="utf-8")
            (folder / "merges.txt").write_text("t h\n", encoding="utf-8")
        else:
            shutil.copy(pieces.file, str(folder / "sentencepiece.bpe.model"))
        (folder / "tf_model.h5").write_bytes(b"old weights")
        folders[kind] = (folder, tokens[kind])
    return folders
