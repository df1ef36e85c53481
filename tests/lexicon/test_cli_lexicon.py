"""The command crossinit-lexicon."""

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from crossinit_fairseq.cli.lexicon import main
from crossinit_fairseq.lexicon import Lexicon, Pair

PAIRS = [
    Pair("cat", "pisică", 0.81, (20, 15)),
    Pair("the", "un", 0.5, (1060, 50)),
    Pair("dog", "pisică", 0.4, (8, 15), "forward"),
    Pair("dog", "câine", 0.3, (8, 9), "backward"),
]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    Lexicon("en", "ro", PAIRS, {"lowercase": "yes", "running words en": "2176"}).save("lex.tsv")
    (tmp_path / "en-ro.txt").write_text("Cat pisica\ncat pisică\ndog\tcâine\ncow vacă\n", encoding="utf-8")
    (tmp_path / "a=b.tsv").write_text("cat pisica\n", encoding="utf-8")
    return tmp_path


def test_show(capsys):
    assert main(["show", "lex.tsv"]) == 0
    assert capsys.readouterr().out == (
        "en   ro      score  count  count  found\n"
        "the  un      0.500  1,060  50     mutual\n"
        "cat  pisică  0.810  20     15     mutual\n"
        "dog  pisică  0.400  8      15     forward\n"
        "dog  câine   0.300  8      9      backward\n"
        "\n"
        "4 pairs of words of en and ro, 2 of them mutual\n"
    )
    assert main(["show", "lex.tsv", "--pairs", "2", "--ranks"]) == 0
    assert capsys.readouterr().out == (
        "en   ro      score  count  count  rank  rank\n"
        "the  un      0.500  1,060  50     1     1\n"
        "cat  pisică  0.810  20     15     2     2\n"
        "\n"
        "4 pairs of words of en and ro, 2 of them mutual\n"
    )


def test_show_what_was_made_by_hand(in_a_folder, capsys):
    # escape codes, and marks that turn the direction, never reach the terminal; joiners belong to Indic words
    text = "# languages: en ne\nb\x1b[31m\tर\u094d\u200dय\u202e\na\x9b2J\tb\n"
    (in_a_folder / "hand.tsv").write_text(text, encoding="utf-8")
    assert main(["show", "hand.tsv"]) == 0
    assert capsys.readouterr().out == (
        "en         ne        score\n"
        "b\\x1b[31m  र\u094d\u200dय\\u202e  1.000\n"
        "a\\x9b2J    b         1.000\n"
        "\n"
        "2 pairs of words of en and ne\n"
    )
    (in_a_folder / "hand.tsv").write_text("# languages: en\x1b[2J ne\na\tb\n", encoding="utf-8")
    assert main(["show", "hand.tsv"]) == 1
    told = capsys.readouterr()
    assert "is no language code" in told.err and "\x1b" not in told.out + told.err


def test_show_warns(capsys):
    Lexicon("en", "ro", PAIRS[:1], {"trusted": "no"}).save("lex.tsv")
    assert main(["show", "lex.tsv"]) == 0
    assert "\n1 pairs of words of en and ro; this lexicon is not to be trusted: " in capsys.readouterr().out
    Lexicon("en", "ro", PAIRS[:1], {"trusted": "unknown"}).save("one.tsv")
    assert main(["show", "one.tsv"]) == 0
    assert "\n1 pairs of words of en and ro; from one start, and whether another " in capsys.readouterr().out


def test_evaluate(capsys):
    assert main(["evaluate", "lex.tsv", "--dict", "en-ro.txt", "--json", "figures.json"]) == 0
    assert capsys.readouterr().out == (
        "en-ro, by en-ro.txt\n"
        "                     right  of  by words  by running words\n"
        "P@1                  1      2   50.0%     71.4%\n"
        "P@5                  2      2   100.0%    100.0%\n"
        "mutual pairs         1      1   100.0%    100.0%\n"
        "P@1, ranks 1 to 100  1      2   50.0%     71.4%\n"
        "coverage: 2 of the 3 words of the dictionary have a translation (66.7%)\n"
        "coverage: 50.0% of the running words of the text have a translation\n"
        "1 of the 2 judged words have more than one candidate\n"
        "not judged, since the dictionary does not have them: 1 words, 97.4% of the running words\n"
        "\n"
    )
    figures = json.loads(open("figures.json", encoding="utf-8").read())
    assert (figures["languages"], figures["pairs"], figures["mutual_pairs"]) == (["en", "ro"], 4, 2)
    assert figures["token_precision"] == 1.0 and list(figures["directions"]) == ["en-ro"]
    one = figures["directions"]["en-ro"]
    assert one["at_1"] == {
        "judged": 2,
        "right": 1,
        "judged_running": 28,
        "right_running": 20,
        "by_types": 0.5,
        "by_running_words": 20 / 28,
    }
    assert one["coverage"] == 2 / 3 and one["text_covered"] == 0.5 and one["bands"][0]["last"] == 100


def test_evaluate_both_directions(in_a_folder, capsys):
    def directions(*arguments):
        assert main(["evaluate", "lex.tsv", "--json", "figures.json"] + list(arguments)) == 0
        capsys.readouterr()
        figures = json.loads((in_a_folder / "figures.json").read_text("utf-8"))
        return {name: (one["at_1"]["right"], one["at_1"]["judged"]) for name, one in figures["directions"].items()}

    # ro: câine was chosen by dog alone, so that direction holds câine-dog and pisică-cat
    assert directions("--dict", "en-ro.txt", "--reverse") == {"en-ro": (1, 2), "ro-en": (2, 2)}
    (in_a_folder / "ro-en.txt").write_text("câine cat\nun a\n", encoding="utf-8")
    assert directions("--dict", "ro=ro-en.txt", "--dict", "en-ro.txt") == {"en-ro": (1, 2), "ro-en": (0, 2)}
    assert directions("--dict", "ro=ro-en.txt") == {"ro-en": (0, 2)}
    assert directions("--dict", "ro=ro-en.txt", "--reverse") == {"ro-en": (0, 2), "en-ro": (0, 1)}


def test_evaluate_says_when_the_dictionary_is_of_other_words(in_a_folder, capsys):
    def said(*words):
        (in_a_folder / "d.txt").write_text("".join(f"{word} x\n" for word in words), encoding="utf-8")
        assert main(["evaluate", "lex.tsv", "--dict", "d.txt"]) == 0
        return capsys.readouterr().err

    others = [f"w{number}" for number in range(99)]
    assert said("cat", "dog", *others[:98]) == said("cat", *others[:49]) == ""  # 2 of 100, 1 of 50
    hint = "crossinit-lexicon: hardly a word of d.txt is in lex.tsv: are its words of en first, then of ro?\n"
    assert said("cat", *others) == said("pisică") == hint


def test_evaluate_by_aligned_text(in_a_folder, capsys):
    (in_a_folder / "a.en").write_text("The cat\nthe dog\na cat\na dog\n" * 5, encoding="utf-8")
    (in_a_folder / "a.ro").write_text("o pisică\no câine\nun pisică\nun câine\n" * 5, encoding="utf-8")
    assert main(["evaluate", "lex.tsv", "--aligned", "ro=a.ro", "--aligned", "en=a.en", "--json", "figures.json"]) == 0
    out = capsys.readouterr().out
    # the is o; cat is right: 20 of 1060 + 20 running words
    assert "en-ro, by 20 aligned sentences" in out and "mutual pairs         1      2   50.0%     1.9%" in out
    figures = json.loads((in_a_folder / "figures.json").read_text("utf-8"))
    assert figures["token_precision"] == 20 / 1080
    assert figures["directions"]["ro-en"]["mutual"]["right_running"] == 15


def test_translate(monkeypatch, capsys):
    text = "The CAT, the zebra.\n\u2028Dog!".encode("utf-8")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    assert main(["translate", "lex.tsv", "--from", "en", "--to", "ro"]) == 0
    assert capsys.readouterr().out == "Un PISICĂ, un zebra.\n\u2028Pisică!"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO("Câine\n".encode("utf-8"))))
    assert main(["translate", "lex.tsv", "--from", "ro", "--to", "en"]) == 0
    assert capsys.readouterr().out == "Dog\n"


def test_translate_says_when_hardly_a_word_is_known(capsys, monkeypatch):
    def said(text, *options):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode("utf-8"))))
        assert main(["translate", *options]) == 0
        return capsys.readouterr()

    forth, back = ("--from", "en", "--to", "ro"), ("--from", "ro", "--to", "en")
    assert said("the cat\n", "lex.tsv", *forth).err == ""
    # written by hand, it does not say which language comes first
    with open("hand.tsv", "w", encoding="utf-8") as stream:
        stream.write("cat\tpisică\ndog\tcâine\n")
    assert said("cat dog\n", "hand.tsv", *forth) == ("pisică câine\n", "")
    out, err = said("pisică câine\n", "hand.tsv", *back)
    assert out == "pisică câine\n"
    assert err.startswith("crossinit-lexicon: 0 of 2 words had a translation: is the text ro? does hand.tsv have the")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["show", "no.tsv"], "no.tsv cannot be read: No such file"),
        (["show", "en-ro.txt"], "line 1 of en-ro.txt is not `word<TAB>word`"),
        (["translate", "lex.tsv", "--from", "en", "--to", "fr"], "lex.tsv is a lexicon of en and ro, not of en and fr"),
        (["evaluate", "lex.tsv", "--dict", "no.txt"], "no.txt cannot be read"),
        (["evaluate", "lex.tsv", "--dict", "fr=en-ro.txt"], "--dict takes LANG=FILE with LANG en or ro, not 'fr=en-ro"),
        (["evaluate", "lex.tsv", "--dict", "a=b.txt"], "a=b.txt cannot be read"),
        (["evaluate", "lex.tsv", "--dict", "en-ro.txt", "--dict", "en=en-ro.txt"], "--dict takes one dictionary a dir"),
        (["evaluate", "lex.tsv", "--dict", "en-ro.txt", "--json", "no/f.json"], "no folder to write f.json to"),
        (
            ["evaluate", "lex.tsv", "--dict", "en-ro.txt", "--json", "lex.tsv"],
            "lex.tsv is read and would be overwritten",
        ),
        (
            ["evaluate", "lex.tsv", "--dict", "en=a=b.tsv", "--json", "a=b.tsv"],
            "a=b.tsv is read and would be overwritten",
        ),
        (["evaluate", "lex.tsv", "--dict", "en-ro.txt", "--json", "en-ro.txt"], "en-ro.txt is read and would be"),
        (["evaluate", "lex.tsv", "--aligned", "en=lex.tsv"], "--aligned takes a file of en and one of ro"),
        (["evaluate", "lex.tsv", "--aligned", "fr=lex.tsv"], "--aligned takes LANG=FILE with LANG en or ro, not 'fr="),
        (["evaluate", "lex.tsv", "--aligned", "en=lex.tsv", "--aligned", "ro=en-ro.txt"], "line by line they must"),
    ],
)
def test_bad_input(arguments, message, capsys):
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("crossinit-lexicon: error: ") and message in err and err.count("\n") == 1


def test_text_that_is_not_utf8(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"cat\nna\xefve\n")))
    assert main(["translate", "lex.tsv", "--from", "en", "--to", "ro"]) == 1
    assert "standard input is not UTF-8 in line 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "required: COMMAND"),
        (["translate", "lex.tsv", "--from", "en"], "required: --to"),
        (["evaluate", "lex.tsv"], "one of the arguments --dict --aligned is required"),
        (["evaluate", "lex.tsv", "--dict", "d", "--aligned", "en=a"], "not allowed with argument"),
        (["evaluate", "lex.tsv", "--aligned", "en=a", "--reverse"], "--reverse takes one --dict"),
        (["show", "--pairs", "0", "lex.tsv"], "0 is not 1 or more"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_as_a_program(in_a_folder):
    run = [sys.executable, "-m", "crossinit_fairseq.cli.lexicon"]
    done = subprocess.run(run + ["show", "no.tsv"], stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "no.tsv cannot be read" in done.stderr
