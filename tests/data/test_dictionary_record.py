"""crossinit_fairseq/data/dictionary_record.py"""

import shutil

import pytest
import torch

from crossinit_fairseq.data.dictionary import pieces_of, read_symbols
from crossinit_fairseq.data.dictionary_record import (
    NAME,
    check_checkpoint,
    check_record,
    record_of,
)
from crossinit_fairseq.errors import InputError
from tests.helpers import dictionary_of, write_sentencepiece_model

ONE = dictionary_of("abc", ["en", "ro"])
OTHER = dictionary_of("abc", ["ro", "en"])
TOKENS = ["[en]", "[ro]"]


def save(path, **state):
    torch.save(dict({"model": {"w": torch.ones(3, 4), "h": torch.ones(2).half()}, "cfg": None}, **state), str(path))
    return str(path)


def write_dictionary(folder, dictionary):
    folder.mkdir(exist_ok=True)
    (folder / "dict.txt").write_text("".join(symbol + " 1\n" for symbol in dictionary.symbols[4:]), encoding="utf-8")


def said(caplog):
    """What was warned of since the last call."""
    messages = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return messages


def test_the_same_symbols_in_the_same_order(caplog):
    check_record(record_of(ONE.symbols, TOKENS), dictionary_of("abc", ["en", "ro"]).symbols, "data")
    assert said(caplog) == []
    check_record(None, ONE.symbols, "data", "a.pt")
    assert said(caplog) == [
        "a.pt: which dictionary it was trained with is not known (it has no record of it); it is taken to be "
        "data/dict.txt, symbol by symbol"
    ]
    assert record_of(ONE.symbols, TOKENS)["languages"] == {"[en]": 7, "[ro]": 8}


def test_another_order_is_told_by_its_language_tokens():
    with pytest.raises(InputError) as caught:
        check_record(record_of(ONE.symbols, TOKENS), OTHER.symbols, "data", "first.pt")
    assert str(caught.value) == (
        "first.pt was trained with another dictionary than data/dict.txt (10 and 10 symbols; [en] is row 7 there and "
        "row 8 here, [ro] is row 8 there and row 7 here); all stages must share one, in the same order"
    )
    with pytest.raises(InputError, match=r"10 and 9 symbols; \[ro\] is row 8 there and missing here"):
        check_record(record_of(ONE.symbols, TOKENS), dictionary_of("abc", ["en"]).symbols, "data")
    with pytest.raises(InputError, match=r"\(10 and 10 symbols\)"):
        check_record(record_of(ONE.symbols, TOKENS), dictionary_of("abd").symbols, "data")


def test_a_file_that_cannot_be_read_is_left_to_loading(tmp_path, caplog):
    (tmp_path / "text").write_text("no checkpoint")
    torch.save({"a": 1}, str(tmp_path / "old.pt"), _use_new_zipfile_serialization=False)
    for name in ("text", "old.pt", "missing"):
        check_checkpoint(str(tmp_path / name), ONE.symbols, "data", TOKENS)
        (message,) = said(caplog)
        assert message.startswith(f"{tmp_path / name}: which dictionary it was trained with is not known")


def test_a_checkpoint_of_our_tasks(tmp_path, caplog):
    path = save(tmp_path / "a.pt", task_state={NAME: record_of(ONE.symbols, TOKENS)})
    check_checkpoint(path, ONE.symbols, "data", TOKENS)
    assert said(caplog) == []
    with pytest.raises(InputError, match="a.pt was trained with another dictionary than data/dict.txt"):
        check_checkpoint(path, OTHER.symbols, "data", TOKENS)


def test_a_checkpoint_of_a_stock_task_is_known_by_its_data_folder(tmp_path, caplog):
    write_dictionary(tmp_path / "bin", ONE)
    path = save(tmp_path / "a.pt", task_state={}, cfg={"task": {"data": "{0}:{0}".format(tmp_path / "bin")}})
    check_checkpoint(path, ONE.symbols, "data", TOKENS)
    with pytest.raises(InputError, match=r"\[en\] is row 7 there and row 8 here"):
        check_checkpoint(path, OTHER.symbols, "data", TOKENS)
    # the task added its language tokens and <mask> to a shorter dict.txt
    write_dictionary(tmp_path / "bin", dictionary_of("abc", []))
    (tmp_path / "bin" / "dict.txt").write_text("a 1\nb 1\nc 1\n")
    check_checkpoint(path, ONE.symbols, "data", TOKENS)
    assert said(caplog) == []
    (tmp_path / "bin" / "dict.txt").unlink()
    check_checkpoint(path, OTHER.symbols, "data", TOKENS)
    (message,) = said(caplog)
    assert "it has no record of it, and" in message and f"{tmp_path / 'bin' / 'dict.txt'}" in message


def test_nothing_to_tell_passes_with_a_warning(tmp_path, caplog):
    check_checkpoint(save(tmp_path / "a.pt"), ONE.symbols, "data", TOKENS)
    (message,) = said(caplog)
    assert "(it names neither dictionary nor data folder); it is taken to be data/dict.txt" in message


def test_a_sentencepiece_model_that_cannot_be_read_is_said(tmp_path, caplog):
    (tmp_path / "dict.txt").write_text("b 1\na 2\n")
    checkpoint = save(tmp_path / "a.pt")
    check_checkpoint(checkpoint, ONE.symbols, str(tmp_path), TOKENS)
    (message,) = said(caplog)  # without a model nothing can be said of it
    assert "dictionary nor data folder" in message
    (tmp_path / "spm.model").write_bytes(b"cut short")
    check_checkpoint(checkpoint, ONE.symbols, str(tmp_path), TOKENS)
    _, message = said(caplog)
    assert message.startswith(f"{tmp_path}/spm.model is no SentencePiece model: give the .model file of one; whether ")
    assert message.endswith(
        f"{tmp_path}/dict.txt is in the order of its pieces, as it should be for {checkpoint}, is not known"
    )


@pytest.fixture(scope="module")
def spm_model(tmp_path_factory):
    """The path of a SentencePiece model, and its pieces."""
    path = tmp_path_factory.mktemp("model") / "other.model"
    return str(path), pieces_of(write_sentencepiece_model(path))


@pytest.mark.parametrize(
    "order, counts, right",
    [
        (range(6), [1] * 6, True),  # of the pieces, as XLM-R's and mBART's
        (range(6), [3, 9, 2, 4, 4, 1], True),
        ([0, 2, 3, 5], [1] * 4, True),  # a part of them
        ([5, 0, 3, 1, 2, 4], [90, 70, 70, 8, 2, 0], True),  # by count, as roberta's
        ([0, 2, 1, 3, 4, 5], [1] * 6, False),
        ([5, 0, 3, 1, 2, 4], [90, 70, 71, 8, 2, 0], False),
    ],
)
def test_a_downloaded_checkpoint_wants_a_dictionary_in_a_known_order(tmp_path, spm_model, order, counts, right):
    model, pieces = spm_model
    lines = [f"{pieces[k]} {count}\n" for k, count in zip(order, counts)]
    lines.insert(2, "[en] 99\n")  # no piece: it may stand anywhere
    (tmp_path / "dict.txt").write_text("".join(lines), encoding="utf-8")
    checkpoint = save(tmp_path / "a.pt")
    symbols = read_symbols(str(tmp_path / "dict.txt"))
    check_checkpoint(checkpoint, symbols, str(tmp_path), TOKENS)  # no model, so no order is known
    for pieces_option in (model, None):
        if pieces_option is None:
            shutil.copy(model, tmp_path / "spm.model")
        if right:
            check_checkpoint(checkpoint, symbols, str(tmp_path), TOKENS, pieces_option)
            continue
        with pytest.raises(InputError, match="neither in the order of counts, .* Take the dict.txt that was published"):
            check_checkpoint(checkpoint, symbols, str(tmp_path), TOKENS, pieces_option)
    # what has a record is compared with that alone
    recorded = save(tmp_path / "b.pt", task_state={NAME: record_of(symbols, [])})
    check_checkpoint(recorded, symbols, str(tmp_path), TOKENS, model)
