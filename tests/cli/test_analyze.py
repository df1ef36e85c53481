"""crossinit-analyze on hand-made tables, in one process; what it refuses; and the page in headless Chromium."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import torch

from crossinit_fairseq.analysis.study import Study
from crossinit_fairseq.cli.analyze import main
from crossinit_fairseq.data.dictionary import read_symbols
from crossinit_fairseq.export.tables import EmbeddingTable
from crossinit_fairseq.export.word2vec import write_word2vec
from tests.analysis.spaces import rank_table, table_words
from tests.finetuning import toy

pytest.importorskip("matplotlib")
COUNT = 120


def write_table(path, vectors):
    symbols = [f"{letter}{k}" for letter in "ed" for k in range(COUNT)]
    write_word2vec(EmbeddingTable(symbols, torch.from_numpy(vectors).float(), "made"), str(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """good.vec: words and their translations (10 ranks on) are near; flat.vec: every cosine is 1."""
    folder, rng = tmp_path_factory.mktemp("analyze"), np.random.default_rng(0)
    english = rng.standard_normal((COUNT, 12))
    english[73] = english[70] - english[71] + english[72]  # king - man + woman = queen
    german = np.roll(english, 10, axis=0) + 0.1 * rng.standard_normal((COUNT, 12))
    write_table(folder / "good.vec", np.concatenate([english, german]))
    write_table(folder / "flat.vec", np.outer(np.arange(1, 2 * COUNT + 1), np.ones(12)))
    for language, letter in (("en", "e"), ("de", "d")):
        code = {"de": "deu_Latn"}.get(language, language)  # any code of the language will do
        rank_table(code, [f"{letter}{k}" for k in range(COUNT)]).save(str(folder / f"{language}.tsv"))
        lines = ["ID\tGLOSS\tPRIORITY"] + [f"{k}\tC{k}///{letter}{k}\t1" for k in range(COUNT)]
        (folder / f"map-{language}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "mlama" / language).mkdir(parents=True)
        shift = 10 if language == "de" else 0
        statements = [
            {"lineid": k, "obj_label": f"{letter}{k + shift}", "sub_label": f"{letter}{k + 1 + shift}"}
            for k in range(0, 40, 2)
        ]
        text = "".join(json.dumps(one) + "\n" for one in statements)
        (folder / "mlama" / language / "P1.jsonl").write_text(text, encoding="utf-8")
    pairs = [f"e{k} d{(k + 10) % COUNT}" for k in range(0, COUNT, 2)] + ["absent fehlt"]
    (folder / "en-de.txt").write_text("\n".join(pairs) + "\n", encoding="utf-8")
    valid = [{"valid_num_updates": str(k), "valid_loss": str(3 - k / 100)} for k in (20, 40)]
    (folder / "log").write_text("".join(f"| valid | {json.dumps(one)}\n" for one in valid), encoding="utf-8")
    return folder


def arguments(folder, *tables):
    ranks = [f"--ranks={language}={folder}/{language}.tsv" for language in ("en", "de")]
    return [*(f"{name}={folder}/{name}.vec" for name in tables), *ranks]


@pytest.fixture(scope="module")
def out(folder):
    options = [f"--concepts={language}={folder}/map-{language}.tsv" for language in ("en", "de")]
    options += ["--analogy=en=e70,e71,e72,e73", "--analogy=de=d80,d81,d82,d83", f"--statements={folder}/mlama"]
    options += [f"--translations=en-de={folder}/en-de.txt", f"--logs=span 10={folder}/log", f"--out={folder}/out"]
    assert main(arguments(folder, "good", "flat") + options) == 0
    return folder / "out"


def test_every_figure_has_its_verdict(out):
    claims = json.loads((out / "report.json").read_text(encoding="utf-8"))["claims"]
    # 1 of concepts, 16 mixes of the analogy, 1 of statements, 2 of retrieval, 1 of shape, of two tables, 2 of shape
    # kept
    assert len(claims) == 1 + 2 * (16 + 1 + 2 + 1) + 2
    verdicts = {(claim["what"], claim["table"]): claim["verdict"] for claim in claims}
    # a collapsed table's cosines are 1 and no evidence
    flat = {what: verdict for (what, table), verdict in verdicts.items() if table == "flat"}
    assert len(flat) == 22 and all(verdict.startswith("no evidence") for verdict in flat.values())
    assert verdicts["P@1 by cosine, en to de", "good"] == "evidence: above every control"
    assert verdicts["cos(e70 - e71 + e72, d83 (de))", "good"] == "evidence: above every control"
    assert verdicts["Spearman's rho of concepts' ranks, en-de", "ranks alone"] == "evidence: above every control"
    assert all(finding["controls"] for claim in claims for finding in claim["findings"])


def test_coverage_is_said(out):
    text = (out / "report.md").read_text(encoding="utf-8")
    assert "60 of 61 words are judged (98%)" in text and "not in the vocabulary: absent." in text
    # the reasons stand once, in the summary: beside all controls there is no room
    assert "| flat | no evidence | " in text and "| no evidence: reached by" in text
    assert "valid loss by updates; at the end: span 10 2.6 after 40." in text


def test_words_found_by_rank(out):
    sections = json.loads((out / "report.json").read_text(encoding="utf-8"))["sections"]
    found = next(section for section in sections if section["title"] == "Words found from en to de")
    table = next(part for part in found["parts"] if isinstance(part, dict) and "by rank" in part.get("table", ""))
    # 60 words are judged, ranks 1, 3, ..., 119: of the first hundred 50
    rows = {(row["table"], row["metric"]): row for row in table["rows"]}
    assert rows["good", "cosine"]["1\u2013100 (50)"] == rows["good", "CSLS"]["101\u2013500 (10)"] == 1
    assert rows["flat", "cosine"]["1\u2013100 (50)"] == 0 and len(rows) == 4


def test_tables_of_the_same_rows_have_the_same_untrained_controls():
    rng = np.random.default_rng(1)
    first, second, wide = (
        table_words({language: rng.standard_normal((30, dimension)) for language in ("aa", "bb")})
        for dimension in (8, 8, 9)
    )
    study = Study(["first", "second", "wide"], [first, second, wide])
    assert study.untrained[1] is study.untrained[0]
    assert [space.dimension for space in study.untrained[2]] == [9, 9]


@pytest.mark.parametrize(
    "change, message",
    [
        (["--ranks=en=map-en.tsv"], "--ranks names en twice"),
        (["--ranks=en:en.tsv"], "--ranks takes LANG=FILE, not en:en.tsv"),
        (["--analogy=a,b,c,d"], "--analogy takes LANG=A,B,C,D, not a,b,c,d"),
        (["--logs=log"], "--logs takes NAME=FILE, not log"),
        (["--ranks=fr=en.tsv"], "en.tsv is the rank table of en, not of fr"),
        (["--ranks=ro=de.tsv"], "de.tsv is the rank table of deu_Latn, not of ro"),
        (["--translations=en-ro=en-de.txt"], "'en-ro' is no pair of languages"),
        (["--translations=de-en=en-de.txt"], "none of its 61 words has a translation in the vocabulary"),
        (["--analogy=fr=a,b,c,d"], "--analogy fr: there are no --ranks of fr"),
        (["--analogy=en=a,b,c"], "'a,b,c' is not four words"),
        (["--concepts=en=map-en.tsv"], "give mappings of two at least"),
        (["--logs=x=en-de.txt"], "holds none of"),
        (["--statements=nowhere"], "cannot be read"),
        (["--sentencepiece-model=en.tsv"], "is no SentencePiece model"),
        (["x=checkpoint.pt"], "give its --dict"),
        (["--out=en.tsv"], "is a file: name a folder"),
    ],
)
def test_bad_input_ends_with_one_sentence(folder, capsys, monkeypatch, change, message):
    monkeypatch.chdir(folder)
    tables = [one for one in change if not one.startswith("-")]
    options = [one for one in change if one.startswith("-")]
    out = [] if change[0].startswith("--out") else ["--out=bad"]
    assert main(tables + arguments(folder, "good") + out + options) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(said) == 1 and message in said[0]
    assert not (folder / "bad").exists()


def test_a_model_of_other_text_than_the_tables(tmp_path, capsys):
    toy.data_folder(tmp_path)
    symbols = read_symbols(str(tmp_path / "dict.txt"))[4:]
    table = EmbeddingTable(symbols, torch.randn(len(symbols), 8), "made")
    write_word2vec(table, str(tmp_path / "t.vec"))
    rank_table("aa", [f"a{k}" for k in range(toy.WORDS)]).save(str(tmp_path / "aa.tsv"))
    words = [str(tmp_path / "t.vec"), f"--ranks=aa={tmp_path}/aa.tsv", f"--out={tmp_path}/out"]
    assert main([*words, f"--sentencepiece-model={tmp_path}/spm.model"]) == 0
    assert main([*words, f"--sentencepiece-model={toy.foreign_model(tmp_path)}"]) == 1
    assert "foreign.model is not the SentencePiece model that the text of" in capsys.readouterr().err


def test_what_could_not_be_measured_is_said_on_the_terminal(folder, capsys):
    for language in ("en", "de"):
        foreign = (folder / f"map-{language}.tsv").read_text(encoding="utf-8").replace("///", "///x").split("\n")
        known = (folder / f"map-{language}.tsv").read_text(encoding="utf-8").split("\n")
        (folder / f"foreign-{language}.tsv").write_text("\n".join(known[:5] + foreign[5:]), encoding="utf-8")
    options = [f"--concepts={language}={folder}/foreign-{language}.tsv" for language in ("en", "de")]
    options += ["--analogy=en=e70,e71,e72,absent", f"--translations=en-de={folder}/en-de.txt", f"--out={folder}/gaps"]
    assert main(arguments(folder, "good") + options) == 0
    said = capsys.readouterr().err
    assert "en to de; 60 of 61 words of the dictionary can be judged" in said
    assert "1 of 4 words of the analogies are not in the vocabulary: absent (en)." in said
    assert "en-de: 4 concepts, 116 have no ranked word in one language; are the mappings" in said


def test_one_language_alone(folder, capsys):
    one = [f"good={folder}/good.vec", f"--ranks=en={folder}/en.tsv", f"--out={folder}/one"]
    assert main(one + ["--cldr"]) == 1
    assert "give --ranks of two at least" in capsys.readouterr().err
    assert main(one + ["--analogy=en=e70,e71,e72,e73"]) == 0
    claims = json.loads((folder / "one" / "report.json").read_text(encoding="utf-8"))["claims"]
    assert [claim["verdict"] for claim in claims] == ["evidence: above every control"]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_LOOK = """<script>
const images = [...document.images];
const said = {width: innerWidth, page: document.documentElement.scrollWidth,
  drawn: images.filter(image => image.complete && image.naturalWidth > 100).length,
  images: images.length, alts: images.filter(image => image.alt.length > 20).length,
  loaded: performance.getEntriesByType('resource').filter(entry => !entry.name.startsWith('data:')).length};
document.body.innerHTML = '<p id="said">' + JSON.stringify(said) + '</p>';
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_is_legible_on_a_phone(out, tmp_path):
    page = (out / "report.html").read_text(encoding="utf-8")
    # a window of Chromium is 500 pixels wide at least, a frame is as wide as it is told; images load before the script
    looked = tmp_path / "looked.html"
    looked.write_text(page.replace("</body>", "<script>onload = () => {" + _LOOK[9:-9] + "}</script></body>"), "utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(f'<iframe src="{looked.as_uri()}" width="360" height="700" style="border:0"></iframe>', "utf-8")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--allow-file-access-from-files",
        "--virtual-time-budget=5000",
    ]
    shown = tmp_path / "shown.html"
    shown.write_text(
        "<script>onload = () => setTimeout(() => { document.title = 'x'; document.body.textContent = "
        "document.querySelector('iframe').contentDocument.getElementById('said').textContent; }, 500)</script>"
        + frame.read_text("utf-8"),
        "utf-8",
    )
    command = [CHROMIUM, *options, f"--user-data-dir={tmp_path}/profile", "--dump-dom", shown.as_uri()]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    said = re.search(r"\{\"width.*?\}", done.stdout)
    assert said, done.stdout[-500:] + done.stderr[-1500:]
    found = json.loads(said.group())
    assert found["width"] == 360 and found["page"] <= 360
    assert found["images"] == found["drawn"] == found["alts"] == 4
    assert found["loaded"] == 0
