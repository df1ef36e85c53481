"""crossinit-lexicon induce: what it counts, what it hands to the search, and what it writes and says."""

import json
import pathlib
import shutil

import numpy as np
import pytest

pytest.importorskip("polars")

from crossinit_fairseq.cli.lexicon import main
from crossinit_fairseq.lexicon import Lexicon, Pair, induction

CAPTIONS = pathlib.Path(__file__).parents[3] / "shared" / "data" / "multi30k"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    (tmp_path / "en.txt").write_text("The cat sees the dog.\nA cat sleeps\n", encoding="utf-8")
    (tmp_path / "more.en.txt").write_text("the dog\n", encoding="utf-8")
    (tmp_path / "ro.txt").write_text("Pisica vede câinele\npisica doarme\n", encoding="utf-8")
    return tmp_path


class Search:
    """Stands in for `induce`: remembers what it is given, finds cat-pisica and, one-way, dog-pisica."""

    def __init__(self):
        self.trusted, self.agreement = True, 0.25
        self.pairs = [Pair("cat", "pisica", 0.9, (2, 2)), Pair("dog", "pisica", 0.5, (2, 2), "forward")]

    def __call__(self, left, right, settings, seeds=None, **_):
        self.left, self.right, self.settings, self.seeds = left, right, settings, seeds
        lexicon = Lexicon(left.language, right.language, self.pairs, {"restarts": "3"})
        return induction.Induction(lexicon, self.agreement, self.trusted, report=["all is well"])


@pytest.fixture
def search(monkeypatch):
    got = Search()
    monkeypatch.setattr(induction, "induce", got)
    return got


TEXT = ["induce", "--workers", "1", "--text", "en=en.txt", "--text", "ro=ro.txt"]


def test_text(search, capsys):
    assert main(TEXT + ["--text", "en=more.*.txt", "-o", "lex.tsv"]) == 0
    assert (search.left.language, search.right.language, search.seeds) == ("en", "ro", None)
    # the stands 3 times, cat and dog 2, then in the order of the alphabet
    assert search.left.words == ["the", "cat", "dog", "a", "sees", "sleeps"] and search.left.total == 10
    assert search.left.counts.tolist() == [3, 2, 2, 1, 1, 1]
    assert search.settings == induction.InductionSettings()
    lexicon = Lexicon.load("lex.tsv", ("en", "ro"))
    assert lexicon.pairs == [Pair("cat", "pisica", 0.9, (2, 2))] and lexicon.lowercase
    for key, value in {
        "restarts": "3",
        "running words en": "10",
        "running words ro": "5",
        "trusted": "yes",
        "agreement": "0.2500",
    }.items():
        assert lexicon.settings[key] == value
    out, err = capsys.readouterr()
    assert out == "" and err == "all is well\nlex.tsv: 1 pairs of words of en and ro\n"


def test_all_pairs_to_standard_output_with_a_warning(search, capsys):
    search.trusted = False
    assert main(TEXT + ["--all", "--keep-case", "--window", "2", "--words", "200", "--seed", "7"]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("cat\tpisica\t0.9000\t2\t2\tmutual\ndog\tpisica\t0.5000\t2\t2\tforward\n")
    assert "# lowercase: no\n" in out and "# trusted: no\n" in out and "# window: 2\n" in out
    assert err.count("this lexicon is not to be trusted: ") == 1 and "(agreement 25%)" in err
    assert search.left.words == ["cat", "A", "The", "dog", "sees", "sleeps", "the"] and search.left.total == 8
    assert (search.settings.words, search.settings.seed) == (200, 7)
    # 1/distance, 2 words to either side: The cat sees the dog, A cat sleeps
    assert search.left.window.toarray()[0].tolist() == [0, 1, 1, 0, 1, 1, 1 / 2]


def test_one_start_says_that_nothing_is_known_of_others(search, capsys):
    search.trusted, search.agreement = None, None
    assert main(TEXT + ["--restarts", "1"]) == 0
    out, err = capsys.readouterr()
    assert "# trusted: unknown\n" in out and "# agreement" not in out and "not to be trusted" not in err


def test_binarised(data_folder, search):
    # the toy folder's words end in `.`, and some have a second sub-token: `a3 s` is the word a3s
    search.pairs = [Pair("a1", "b1")]
    assert main(["induce", str(data_folder), "--langs", "aa,bb", "--workers", "1", "-o", "lex.tsv"]) == 0
    assert (search.left.language, search.right.language) == ("aa", "bb")
    assert search.left.words[0] == "a0" and "a3s" in search.left.words and "." not in search.left.words
    assert search.left.total == search.left.counts.sum() == int(Lexicon.load("lex.tsv").settings["running words aa"])
    assert np.all(np.diff(search.left.counts) <= 0)
    assert main(["induce", str(data_folder), "--langs", "bb,aa", "--workers", "1", "-o", "lex.tsv"]) == 0
    assert Lexicon.load("lex.tsv").source == "bb"


@pytest.mark.skipif(not CAPTIONS.is_dir(), reason="needs the captions of ../shared/data/multi30k")
def test_captions(in_a_folder, capsys):
    # 9,000 English captions and the French ones of 9,000 other pictures; judged by the aligned captions of both
    lines = {code: (CAPTIONS / f"train.{code}").read_text("utf-8").split("\n")[:18000] for code in ("en", "fr")}
    for name, these in [("en", lines["en"][:9000]), ("fr", lines["fr"][9000:])] + [
        (f"both.{code}", lines[code]) for code in lines
    ]:
        (in_a_folder / name).write_text("\n".join(these) + "\n", encoding="utf-8")
    small = ["--words", "1000", "--learn-words", "1000", "--restarts", "2", "--workers", "1"]
    assert main(["induce", "--text", "en=en", "--text", "fr=fr", "-o", "lex.tsv"] + small) == 0
    err = capsys.readouterr().err
    assert "agreement of 2 restarts" in err and "not to be trusted" not in err
    judge = ["--aligned", "en=both.en", "--aligned", "fr=both.fr", "--json", "figures.json"]
    assert main(["evaluate", "lex.tsv"] + judge) == 0
    figures = json.loads((in_a_folder / "figures.json").read_text("utf-8"))
    # pairs of equal rank have 0.2 on captions, all of it from a, un
    assert figures["token_precision"] > 0.65 and figures["pairs"] > 400
    assert figures["directions"]["fr-en"]["mutual"]["by_running_words"] > 0.6
    translations = Lexicon.load("lex.tsv").translations()
    assert translations["man"] == "homme" and translations["with"] == "avec"


def test_a_cluster_counts_the_same(search):
    pytest.importorskip("dask.distributed")
    assert main(TEXT + ["-o", "here.tsv"]) == 0
    here = search.left
    assert main(TEXT + ["--dask", "local", "-o", "there.tsv"]) == 0
    assert open("here.tsv").read() == open("there.tsv").read()
    assert search.left.words == here.words and (search.left.window != here.window).nnz == 0


def test_seeds(in_a_folder, search, capsys):
    (in_a_folder / "seeds.txt").write_text("Cat pisica\nzebra zebră\nthe\tcâinele\n", encoding="utf-8")
    assert main(TEXT + ["--seeds", "seeds.txt", "-o", "lex.tsv"]) == 0
    assert search.seeds == [("cat", "pisica"), ("the", "câinele")]
    assert "seeds.txt: 2 of 3 pairs have both words in the text\n" in capsys.readouterr().err
    assert Lexicon.load("lex.tsv").settings["seeds"] == "2 pairs of seeds.txt"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            TEXT + ["--seeds", "other.txt"],
            "no pair of other.txt has both of its words in the text: is it of these lang",
        ),
        (
            TEXT + ["--seeds", "turned.txt"],
            "2 of 3 pairs of turned.txt are in the text the other way round, 0 this way: its columns are ro, en, turn",
        ),
        (
            ["induce", "--workers", "1", "--text", "en=en.txt", "--text", "ro=both.txt", "--seeds", "turned.txt"],
            "2 of 3 pairs of turned.txt are in the text the other way round, 1 this way: its columns are ro, en, turn",
        ),
        (
            ["induce", "bin", "--langs", "en,ro", "-o", "bin/dict.txt"],
            "bin/dict.txt is read and would be overwritten",
        ),
        (["induce", "bin", "--langs", "en,ro", "-o", "bin/en/train.bin"], "bin/en/train.bin is read and would be"),
        (TEXT + ["--rank-weight", "1e307"], "--rank-weight is 1e+307; it must be from 0 to 100"),
        (TEXT + ["-o", "en.txt"], "en.txt is read and would be overwritten"),
        (TEXT + ["--text", "en=mo*.txt", "-o", "more.en.txt"], "more.en.txt is read and would be overwritten"),
        (TEXT + ["--seeds", "one.txt", "-o", "one.txt"], "one.txt is read and would be overwritten"),
        (TEXT + ["--seeds", "one.txt"], "line 1 of one.txt is not two words separated by a tab or a blank"),
        (TEXT + ["--seeds", "no.txt"], "no.txt cannot be read"),
        (TEXT + ["-o", "no/lex.tsv"], "no folder to write lex.tsv to"),
        (["induce", "--text", "en=en.txt", "--text", "ro=no.txt"], "no.txt does not exist"),
        (["induce", "--workers", "1", "--text", "en=en.txt", "--text", "ro=empty.txt"], "the text of ro holds no word"),
        (["induce", "--text", "en=en.txt", "--text", "ro=en.txt"], "en.txt is given for both languages"),
        (
            ["induce", "--workers", "1", "--text", "en=en.txt", "--text", "ro=copy.txt"],
            "the texts of en and ro have the same words, each as often: it is one text twice",
        ),
        (["induce", "--text", "en=en.txt", "--text", "r=ro.txt", "--workers", "1"], "'r' is no language code"),
        (["induce", "no-folder", "--langs", "en,ro"], "no-folder is no folder: give a data folder with dict.txt"),
        (TEXT + ["--words", "3"], "--words is 3; it must be 200 or more"),
        (["induce", ".", "--langs", "en,ro"], "dict.txt cannot be read"),
    ],
)
def test_bad_input(arguments, message, in_a_folder, search, capsys):
    texts = {"other": "uno eins", "turned": "pisica cat\nvede sees\ncat dog", "one": "cat", "empty": "\n"}
    texts["both"] = "pisica vede dog"  # a word of both languages fits a pair that is turned
    texts["copy"] = "a cat SLEEPS. the cat sees the dog"
    for name, text in texts.items():
        (in_a_folder / (name + ".txt")).write_text(text + "\n", encoding="utf-8")
    (in_a_folder / "bin" / "en").mkdir(parents=True)
    for name in ("dict.txt", "en/train.bin"):
        (in_a_folder / "bin" / name).write_text("x", encoding="utf-8")
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("crossinit-lexicon: error: ") and message in err and err.count("\n") == 1


def test_swapped_texts_are_said(in_a_folder, search, capsys):
    (in_a_folder / "ne.txt").write_text("बिरालो देख्छ\n", encoding="utf-8")
    given = ["induce", "--workers", "1", "--text", "en=ne.txt", "--text", "ne=en.txt", "-o", "lex.tsv"]
    assert main(given) == 0
    err = capsys.readouterr().err
    for language, letters in (("en", "Devanagari"), ("ne", "Latin")):
        assert f"crossinit-lexicon: most letters of {language} are {letters}: are the two texts swapped?\n" in err
    assert main(TEXT + ["-o", "lex.tsv"]) == 0
    assert "swapped" not in capsys.readouterr().err


def test_no_mutual_pair(search, capsys):
    search.pairs = search.pairs[1:]
    assert main(TEXT + ["-o", "lex.tsv"]) == 1
    assert "no two words are each other's best translation" in capsys.readouterr().err


def test_text_of_another_dictionary(data_folder, tmp_path, capsys):
    lines = (data_folder / "dict.txt").read_text("utf-8").splitlines(True)
    shutil.copytree(str(data_folder), str(tmp_path / "data"))
    (tmp_path / "data" / "bb" / "dict.txt").write_text("".join(lines[1:2] + lines[:1] + lines[2:]), "utf-8")
    assert main(["induce", str(tmp_path / "data"), "--langs", "aa,bb", "--workers", "1"]) == 1
    assert "bb was binarised with another dictionary than" in capsys.readouterr().err


def test_a_language_without_text(data_folder, search, capsys):
    assert main(["induce", str(data_folder), "--langs", "aa,ro", "--workers", "1"]) == 1
    assert "train.idx is missing: binarise the text" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["induce"], "text of 2 languages is needed, not of none: give --text en=FILE --text ro=FILE, or DATA-BIN"),
        (["induce", "--text", "en=en.txt", "--text", "en=more.en.txt"], "text of 2 languages is needed, not of en"),
        (["induce", "--text", "en.txt"], "--text takes LANG=FILE, not 'en.txt'"),
        (["induce", "data-bin", "--langs", "en"], "--langs takes two languages of DATA-BIN, such as en,ro, not 'en'"),
        (["induce", "data-bin", "--langs", "en,en"], "--langs takes two languages of DATA-BIN"),
        (["induce", "data-bin", "--langs", "en,ro", "--text", "en=en.txt"], "give either DATA-BIN or --text"),
        (["induce", "data-bin", "--langs", "en,ro", "--dask", "local"], "--dask is for --text"),
        (TEXT + ["--langs", "en,ro"], "--langs names the languages of DATA-BIN"),
        (TEXT + ["--lowercase", "--keep-case"], "not allowed with argument"),
        (TEXT + ["--anchors", "luck"], "invalid choice: 'luck'"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["induce"], ["show"], ["evaluate"], ["translate"]])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(command + ["--help"])
    out = capsys.readouterr().out
    assert exit_.value.code == 0 and "usage: crossinit-lexicon" in out and "examples:" in out or not command
    if command == ["induce"]:
        for name in induction.InductionSettings.__dataclass_fields__:
            assert "--" + name.replace("_", "-") in out
