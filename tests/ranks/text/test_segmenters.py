"""Words of languages without spaces."""

import sys

import pytest

pytest.importorskip("polars")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import count_text
from crossinit_fairseq.ranks.text.segmenters import IcuSegmenter, SubTokens, _batches


@pytest.mark.parametrize(
    "language, text, words",
    [
        ("zh", "我们在北京，我们iPhone手机", {"我们": 2, "在": 1, "北京": 1, "iPhone": 1, "手机": 1}),
        ("zh_CN", "𠮷北京·北京", {"北京": 2, "𠮷": 1}),
        ("ja", "東京に、東京で", {"東京": 2, "に": 1, "で": 1}),
        ("th", "กินข้าว กินปลา", {"กิน": 2, "ข้าว": 1, "ปลา": 1}),
        ("lo", "ຄົນລາວ", {"ຄົນ": 1, "ລາວ": 1}),
        ("km", "ខ្ញុំចង់", {"ខ្ញុំ": 1, "ចង់": 1}),
        ("my", "မြန်မာစကား", {"မြန်မာ": 1, "စကား": 1}),
    ],
)
def test_icu(language, text, words, tmp_path):
    pytest.importorskip("icu4py.breakers")
    path = tmp_path / "t"
    path.write_bytes(text.encode("utf-8"))
    table = count_text(str(path), language)
    assert dict(zip(table.words, table.counts.tolist())) == words
    assert table.settings["segmenter"] == "IcuSegmenter"
    cut = count_text(str(path), language, workers=2, block=1)
    assert (cut.words, cut.counts.tolist()) == (table.words, table.counts.tolist())


def test_batches_hold_every_run_once(monkeypatch):
    monkeypatch.setattr("crossinit_fairseq.ranks.text.segmenters._BATCH", 5)
    runs = ["abc", "de", "f", "ghijklm", "n"]
    assert list(_batches(runs)) == [(0, ["abc", "de"]), (2, ["f", "ghijklm"]), (4, ["n"])]


def test_without_the_library(monkeypatch, tmp_path):
    for name in list(sys.modules):
        if name.split(".")[0] == "icu4py":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "icu4py", None)
    (tmp_path / "t").write_bytes(b"x")
    with pytest.raises(InputError, match="words of th needs a segmenter: pip install 'crossinit_fairseq\\[segment\\]'"):
        count_text(str(tmp_path / "t"), "th")


def test_sub_tokens(tmp_path):
    import sentencepiece

    text = tmp_path / "t"
    text.write_bytes("กินข้าว กินปลา\n".encode("utf-8") * 30)
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(tmp_path / "m"), vocab_size=20, hard_vocab_limit=False, minloglevel=2
    )
    model = SubTokens(str(tmp_path / "m.model"))
    pieces, origins = model.segment(["กินข้าว", "กินปลา"])
    assert "".join(pieces) == "กินข้าวกินปลา" and origins == sorted(origins) and set(origins) == {0, 1}
    table = count_text(str(text), "th", segmenter=model)
    assert table.settings["segmenter"] == "SubTokens"
    # the lines are alike, so every piece is counted a multiple of 30 times
    assert table.total == 30 * len([piece for piece in pieces if any(c.isalnum() for c in piece)])
    with pytest.raises(InputError, match="t is no SentencePiece model"):
        SubTokens(str(text))
    with pytest.raises(InputError, match="nothing.model does not exist"):
        SubTokens("nothing.model")


def test_icu_keeps_positions_across_batches(monkeypatch):
    pytest.importorskip("icu4py.breakers")
    monkeypatch.setattr("crossinit_fairseq.ranks.text.segmenters._BATCH", 3)
    assert IcuSegmenter("zh").segment(["北京", "手机北京", "我们"]) == (["北京", "手机", "北京", "我们"], [0, 1, 1, 2])
