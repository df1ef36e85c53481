"""crossinit_fairseq/tasks/lexicons.py: the option --lexicon, and a lexicon in the sub-tokens of a data folder."""

import logging

import pytest

from crossinit_fairseq.data.datasets.fixed_dictionary import load_dictionary
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.tasks import lexicons
from crossinit_fairseq.tasks.lexicons import lexicon_tokens, parse_lexicons, training_words


def write(path, languages, lines):
    path.write_text(f"# languages: {languages}\n" + "".join(line + "\n" for line in lines), "utf-8")
    return path


def test_lexicons_of_an_option(tmp_path):
    romanian = write(tmp_path / "ro.tsv", "en ro", ["file\tfișier"])
    nepali = write(tmp_path / "ne.tsv", "en ne", ["file\tफाइल"])
    languages = ["en", "ne", "ro", "zh-CN"]
    got = parse_lexicons(f"ro-en={romanian}, en-ne={nepali},", languages)
    assert list(got) == [("ro", "en"), ("en", "ne")]
    assert got["ro", "en"].translations() == {"fișier": "file"}, "turned around"
    chinese = write(tmp_path / "zh.tsv", "en zh-CN", ["file\t文件"])
    assert list(parse_lexicons(f"en-zh-CN={chinese}", languages)) == [("en", "zh-CN")]
    assert parse_lexicons("", languages) == parse_lexicons(None, languages) == {}


def test_a_lexicon_that_is_not_to_be_trusted_is_said(tmp_path, caplog):
    good = write(tmp_path / "good.tsv", "en ro", ["# trusted: yes", "file\tfișier"])
    bad = write(tmp_path / "bad.tsv", "en ne", ["# trusted: no", "file\tफाइल"])
    parse_lexicons(f"en-ro={good},ne-en={bad}", ["en", "ne", "ro"])
    (record,) = caplog.records
    assert record.levelname == "WARNING" and f"the lexicon {bad} is not to be trusted" in record.message


@pytest.mark.parametrize(
    "option, told",
    [
        ("en-ro", "--lexicon takes SOURCE-TARGET=FILE"),
        ("ro={file}", "--lexicon takes SOURCE-TARGET=FILE"),
        ("en-ro=", "--lexicon takes SOURCE-TARGET=FILE"),
        ("en-de={file}", "languages en-de, but this run has en, ne, ro"),
        ("en-en={file}", "of two languages"),
        ("en-ro={file},ro-en={file}", "names ro-en twice"),
        ("en-ro={file}.no", "does not exist"),
        ("en-ne={file}", "is a lexicon of en and ro, not of en and ne"),
    ],
)
def test_refused(tmp_path, option, told):
    path = write(tmp_path / "lexicon.tsv", "en ro", ["file\tfișier"])
    with pytest.raises(InputError, match=told):
        parse_lexicons(option.format(file=path), ["en", "ne", "ro"])


def test_words_in_the_sub_tokens_of_the_training_text(data_folder, tmp_path, caplog):
    dictionary = load_dictionary([str(data_folder)], ["aa", "bb"])
    words = training_words(str(data_folder), ["aa", "bb"], dictionary)
    # words of two sub-tokens (3, 17, ... and 10, 24, ...: see tests/conftest.py), one word of neither text
    path = write(tmp_path / "lexicon.tsv", "aa bb", ["a0\tb0", "a3s\tb3s", "a10t\tb1", "a99\tb2"])
    (lexicon,) = parse_lexicons(f"aa-bb={path}", ["aa", "bb"]).values()
    with caplog.at_level(logging.INFO):
        got = lexicon_tokens(lexicon, words, dictionary)
    texts = [[" ".join(dictionary.symbols[token] for token in side) for side in pair[:2]] for pair in got.pairs]
    assert texts == [["▁a0", "▁b0"], ["▁a3 s", "▁b3 s"], ["▁a10 t", "▁b1"]]
    assert "4 pairs; 7 of its words occur in the training text, 1 do not" in caplog.text


def test_only_the_languages_of_lexicons_are_counted(data_folder, monkeypatch):
    dictionary, counted = load_dictionary([str(data_folder)], ["aa", "bb"]), []
    monkeypatch.setattr(lexicons, "from_binarised", lambda paths, *more: counted.append(paths[0][-8:]) or more[1])
    # all of the run are named: their tokens are no words
    assert training_words(str(data_folder), ["aa", "bb"], dictionary, wanted=["bb"]) == {"bb": ["aa", "bb"]}
    assert counted == ["bb/train"]


def test_a_lexicon_of_other_words_is_refused(data_folder, tmp_path):
    dictionary = load_dictionary([str(data_folder)], ["aa", "bb"])
    words = training_words(str(data_folder), ["aa", "bb"], dictionary)
    path = write(tmp_path / "lexicon.tsv", "aa bb", ["file\tfișier", "a0\tfișier"])
    (lexicon,) = parse_lexicons(f"aa-bb={path}", ["aa", "bb"]).values()
    with pytest.raises(InputError, match="no pair of the lexicon aa-bb has both of its words in the training text"):
        lexicon_tokens(lexicon, words, dictionary)
