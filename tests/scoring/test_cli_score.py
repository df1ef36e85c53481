"""The command crossinit-score (cli/score.py, cli/score_table.py, scoring/results.py and published.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossinit_fairseq.cli.score import main
from tests.scoring.generate_output import write_generate

DATA = Path(__file__).parents[3] / "shared/data/test"
EN = ["The house on the hill is old .", "My brother reads a book every day .", "We leave tomorrow ."]
RO = [
    "Casa de pe deal este veche .",
    "Fratele meu cite\u0219te o carte \u00een fiecare zi .",
    "Plec\u0103m m\u00e2ine .",
]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, lines in (("test.en", EN), ("test.ro", RO)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_generate(tmp_path / "out", RO[:2] + ["Plec\u0103m <unk> ."], EN, RO)
    (tmp_path / "copy").write_text("\n".join([EN[0], EN[1], ""]) + "\n", encoding="utf-8")
    return tmp_path


TO_RO = "--pair en-ro --reference test.ro".split()
TO_EN = "--pair ro-en --reference test.en".split()


@pytest.mark.parametrize("task", ["translation", "xnli"])
def test_a_name_that_is_not_utf8(in_a_folder, task, capsys):
    name = os.fsdecode(b"old\xff")
    if task == "xnli":
        (in_a_folder / name).mkdir()
        (in_a_folder / name / "en.txt").write_text("neutral\n")
        (in_a_folder / "nli.tsv").write_text("a\tb\tneutral\n")
        options = "--task xnli --reference en=nli.tsv".split()
    else:
        (in_a_folder / "out").rename(in_a_folder / name)
        options = TO_RO
    assert main([*options, "--json", "scores.json", name]) == 0
    found = json.loads((in_a_folder / "scores.json").read_text("utf-8"))["systems"]
    assert name in found or name in [system["name"] for system in found]


def test_two_systems(capsys):
    pytest.importorskip("sacremoses")
    arguments = TO_RO + "--source test.en --json en-ro.json --bootstrap 20 new=out old=copy".split()
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == ["new", "old", "\u2020mBART25", "\u2020bi-mBART", "\u2020bi-mBART+CrossInit"]
    rows = {line[7:].split("  ")[0].strip(): line.split() for line in lines[1:9]}
    assert lines[1].startswith("en-ro  BLEU ") and rows["BLEU"][-2:] == ["32.9", "35.1"]
    assert rows["BLEU, ro no diacritics"][-1] == "35.0" and "(p" in rows["chrF2"]
    assert rows["empty lines"][-2:] == ["0", "1"] and rows["lines with <unk>"][-2:] == ["1", "0"]
    # of the reference's 7 + 9 + 3 words only the three full stops stand in the source too
    assert rows["copied lines (reference 0.0%)"][-2:] == ["0.0%", "66.7%"]
    assert rows["copied words (reference 15.8%)"][-1] == "100.0%"
    assert "p of the difference from new; 20 bootstrap samples, seed 12345" in out and "no match for small runs" in out

    result = json.loads(Path("en-ro.json").read_text("utf-8"))
    scores = result["systems"]
    assert (
        result["pair"] == "en-ro"
        and result["sentences"] == 3
        and result["outputs"]["new"]["kind"] == "fairseq-generate"
    )
    assert (
        set(scores["old"]["bleu"]) == {"score", "signature", "mean", "ci", "p_value"}
        and "p_value" not in scores["new"]["bleu"]
    )
    assert "|bs:20|seed:12345|" in scores["new"]["bleu"]["signature"] and scores["new"]["bleu"]["signature"] in out
    assert [row["bleu"] for row in result["published"]] == [35.0, 32.9, 35.1]


def test_both_directions_in_one_table(capsys):
    assert main(TO_RO + ["--json", "a.json", "--bootstrap", "0", "--metrics", "bleu", "new=out", "copy"]) == 0
    assert main(TO_EN + ["--json", "b.json", "--bootstrap", "0", "new=test.en"]) == 0
    assert "mBART25: Liu" in capsys.readouterr().out
    assert main(["--table", "a.json", "b.json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # mBART's 35.0 is of another scoring, which was not asked for
    assert lines[0].split() == ["new", "copy", "\u2020bi-mBART", "\u2020bi-mBART+CrossInit", "\u2020mBART25"]
    assert lines[1].split()[:2] == ["en-ro", "BLEU"] and lines[1].split()[-2:] == ["32.9", "35.1"]
    assert "empty" in lines[2] and "<unk>" in lines[3]
    assert lines[4].split() == ["ro-en", "BLEU", "100.00", "31.5", "32.2", "30.5"]
    assert "\u00b1" not in "".join(lines)


def test_other_pairs_have_no_published_figures(capsys, in_a_folder):
    assert main(["--pair", "de-en", "--reference", "test.en", "--bootstrap", "0", "test.en"]) == 0
    assert "\u2020" not in capsys.readouterr().out


def test_warns_of_the_wrong_language(capsys, in_a_folder):
    pytest.importorskip("py3langid")
    for name, lines in (("test.en", EN), ("test.ro", RO)):
        (in_a_folder / name).write_text("\n".join(lines * 20) + "\n", encoding="utf-8")
    assert main(TO_RO + ["--bootstrap", "0", "--metrics", "bleu", "bad=test.en"]) == 0
    assert "bad reads as en, not as ro" in capsys.readouterr().out


def test_chinese(in_a_folder, capsys):
    for name, text in (("h", "\u6211\u4eec\u53bb\u5317\u4eac"), ("r", "\u6211\u4eec\u53bb\u5317\u4eac")):
        (in_a_folder / name).write_text("\ufeff" + text + "\n", encoding="utf-8")
    arguments = ["--pair", "eng_Latn-zho_Hans", "--reference", "r", "--bootstrap", "0", "h"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "BLEU   100.00" in out and "|tok:zh|" in out and err == ""
    assert main(arguments + ["--tokenizer", "char"]) == 0
    assert "|tok:char|" in capsys.readouterr().out
    assert main(arguments + ["--tokenizer", "nonsense"]) == 1
    assert "sacreBLEU has no tokeniser nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["test.ro", "test.en", "out", "plain"])
def test_a_byte_order_mark_changes_no_score(in_a_folder, capsys, name):
    (in_a_folder / "plain").write_text("\n".join(RO) + "\n", encoding="utf-8")
    write_generate(in_a_folder / "out", RO, EN, RO)
    (in_a_folder / name).write_bytes(b"\xef\xbb\xbf" + (in_a_folder / name).read_bytes())
    assert main(TO_RO + ["--source", "test.en", "--bootstrap", "0", "--json", "x.json", "out", "plain"]) == 0
    for scores in json.loads(Path("x.json").read_text("utf-8"))["systems"].values():
        assert [scores[key]["score"] for key in ("bleu", "chrf")] == pytest.approx([100, 100])
    (in_a_folder / name).write_bytes((in_a_folder / name).read_text("utf-8-sig").encode("utf-16"))
    assert main(TO_RO + ["--source", "test.en", "out", "plain"]) == 1
    assert f"{name} is UTF-16: convert it" in capsys.readouterr().err


def test_japanese_without_mecab_says_so(in_a_folder, monkeypatch, capsys):
    monkeypatch.setattr("crossinit_fairseq.scoring.metrics.find_spec", lambda name: None)
    (in_a_folder / "r").write_text("\u732b\u304c\u5ea7\u3063\u305f\n", encoding="utf-8")
    assert main(["--pair", "en-ja", "--reference", "r", "--bootstrap", "0", "r"]) == 0
    out, err = capsys.readouterr()
    assert "|tok:char|" in out and err == (
        "without MeCab, BLEU of ja counts characters, not words: pip install 'crossinit_fairseq[mecab]'\n"
    )


def test_entities(in_a_folder, capsys):
    write_generate(in_a_folder / "e", ["&quot;" + line for line in EN])
    (in_a_folder / "r").write_text("".join('"' + line + "\n" for line in EN), encoding="utf-8")
    assert main(["--pair", "ro-en", "--reference", "r", "--bootstrap", "0", "e"]) == 0
    out = capsys.readouterr().out
    assert "100.00" in out and "e has entities such as &quot; in 3 sentences" in out


def test_missing_library(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    assert main(TO_RO + ["--bootstrap", "0", "out"]) == 0
    out = capsys.readouterr().out
    assert (
        "BLEU, ro no diacritics: not computed: BLEU of Romanian without diacritics needs sacremoses: pip install" in out
    )
    assert main(TO_RO + ["--metrics", "bleu_ro_no_diacritics", "out"]) == 1
    assert "needs sacremoses" in capsys.readouterr().err


def test_damaged_files_of_scores(in_a_folder, capsys):
    """Each key left out, and each value of another type, at every depth: the table as it was, or one sentence."""
    assert (
        main(
            TO_RO + ["--source", "test.en", "--json", "x.json", "--bootstrap", "5", "--metrics", "bleu", "out", "copy"]
        )
        == 0
    )
    whole = json.loads(Path("x.json").read_text("utf-8"))
    capsys.readouterr()

    def places(value, path=()):
        yield path
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield from places(value[key], path + (key,))

    said = set()
    for path in [path for path in places(whole) if path]:
        for change in ("left out", None, [], "x", {"a": 1}, -1e400):
            damaged = json.loads(json.dumps(whole))
            inside = damaged
            for key in path[:-1]:
                inside = inside[key]
            if change == "left out":
                del inside[path[-1]]
            else:
                inside[path[-1]] = change
            Path("x.json").write_text(json.dumps(damaged), "utf-8")
            status = main(["--table", "x.json"])
            err = capsys.readouterr().err
            assert (status, err) == (0, "") or (status == 1 and err.count("\n") == 1 and "x.json" in err), (
                path,
                change,
            )
            said.add(err[:60])
    assert any("was damaged or edited" in err for err in said) and any("is no file of scores" in err for err in said)


def test_bad_input_is_one_sentence(in_a_folder, capsys):
    def refused(said, *arguments):
        assert main(list(arguments)) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("crossinit-score: error: ") and err.count("\n") == 1 and said in err

    before = sorted(path.name for path in in_a_folder.iterdir())
    refused("none cannot be read", *TO_RO, "none")
    refused("none.ro cannot be read", "--pair", "en-ro", "--reference", "none.ro", "out")
    refused("'xx' is no language code", "--pair", "en-xx", "--reference", "test.ro", "out")
    refused("no metric nonsense for ro", *TO_RO, "--metrics", "nonsense", "out")
    refused("two systems are called out", *TO_RO, "out=out", "out")
    refused("names no system", *TO_RO, "=out")
    refused("no folder to write", *TO_RO, "--json", "no/x.json", "out")
    refused("would be overwritten", *TO_RO, "--json", "out", "out")
    refused("other direction", *TO_EN, "out")
    refused("test.ro is no file of scores, nor any JSON (Expecting value", "--table", "test.ro")
    for content in ("[" * 100000, "9" * 5000, "\u00b2", "{\0}"):
        (in_a_folder / "x.json").write_text(content)
        refused("x.json", "--table", "x.json")
    (in_a_folder / "x.json").write_text("[]")
    refused("x.json is no file of scores", "--table", "x.json")
    (in_a_folder / "x.json").unlink()
    (in_a_folder / "short").write_text("a\nb\n")
    refused("short has 2 lines, the reference has 3", *TO_RO, "short")
    refused("short has 2 lines, test.ro has 3", *TO_RO, "--source", "short", "out")
    (in_a_folder / "short").unlink()
    assert sorted(path.name for path in in_a_folder.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    ["out", "--pair en-ro out", "--table x.json --pair en-ro", "--pair en-ro --reference test.ro --seed=-1 out", ""],
)
def test_wrong_usage(arguments):
    with pytest.raises(SystemExit) as error:
        main(arguments.split())
    assert error.value.code == 2


def test_as_a_program():
    command = [sys.executable, "-m", "crossinit_fairseq.cli.score"]
    done = subprocess.run(command + ["--help"], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    assert "crossinit-score --pair en-ro --reference test.ro" in done.stdout


@pytest.mark.parametrize(
    "pair, file, keys, wanted",
    [
        ("en-ro", "newstest2016.en-ro.ro", "bleu,chrf,bleu_ro_no_diacritics", [62.87, 81.49, 63.04]),
        ("en-ne", "flores.devtest.ne-en.ne", "bleu,chrf,bleu_flores", [60.60, 82.06, 61.04]),
    ],
)
def test_golden_scores(pair, file, keys, wanted):
    """The reference without each seventh word. The scripts of Moses and sacreBLEU's command give the same."""
    pytest.importorskip("sacremoses")
    pytest.importorskip("indicnlp")
    if not (DATA / file).exists():
        pytest.skip("needs the text in ../shared/data")
    lines = (DATA / file).read_text("utf-8").split("\n")[:-1]
    shortened = [" ".join(w for k, w in enumerate(line.split()) if k % 7 != 3) for line in lines]
    Path("short").write_text("\n".join(shortened) + "\n", encoding="utf-8")
    options = ["--bootstrap", "0", "--json", "j.json", "--metrics", keys]
    assert main(["--pair", pair, "--reference", str(DATA / file), "short"] + options) == 0
    scores = json.loads(Path("j.json").read_text("utf-8"))["systems"]["short"]
    assert [round(score["score"], 2) for score in scores.values()] == wanted
