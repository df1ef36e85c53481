import base64
import json
import re

import pytest

from crossinit_fairseq.analysis.pictures import bars, curves
from crossinit_fairseq.analysis.report import Picture, Report, Table, show
from crossinit_fairseq.analysis.training_logs import Curve

PNG = b"\x89PNG\r\n\x1a\n rest"


def report():
    got = Report("Title & <b>", ["About"])
    section = got.section("Part")
    table = Table(
        "Cap", ("word", "value"), [("<i>|x*\n", 0.12345), ("\u202eno", None), ("n", float("nan")), ("k", 12345)]
    )
    section.parts += ["Text", table, Picture("one", 'A "picture"', PNG)]
    return got


def test_the_page_needs_no_network_and_no_script_and_escapes_what_text_holds():
    page = report().html()
    assert "<b>" not in page and "<i>" not in page and "<script" not in page
    assert not re.search(r"https?://|<link|@import", page)
    assert base64.b64encode(PNG).decode() in page and 'alt="A &quot;picture&quot;"' in page
    assert '<td>&lt;i&gt;|x*</td><td class="number">0.123</td>' in page
    assert "\u202e" not in page and 'name="viewport"' in page


def test_files_hold_the_same(tmp_path):
    report().write(str(tmp_path / "out"))
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["figures", "report.html", "report.json", "report.md"]
    assert (out / "figures" / "one.png").read_bytes() == PNG
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))
    rows = found["sections"][0]["parts"][1]["rows"]
    assert rows[0]["value"] == 0.12345 and rows[1]["value"] is rows[2]["value"] is None
    markdown = (out / "report.md").read_text(encoding="utf-8")
    assert "| &lt;i>\\|x\\* | 0.123 |" in markdown and '![A "picture"](figures/one.png)' in markdown


@pytest.mark.parametrize("cell, wanted", [(12345, "12,345"), (0.12345, "0.123"), (123.456, "123.5"), (1234.5, "1,234")])
def test_numbers_are_rounded_for_people(cell, wanted):
    assert show(cell) == wanted


def test_a_column_has_always_as_many_decimals():
    table = Table("", ("start", "BLEU", "p"), [("a", 12.3456, 0.0394), ("b", 100.0, None)], {"BLEU": 2})
    assert table.shown() == [["a", "12.35", "0.039"], ["b", "100.00", "\u2013"]]


def test_pictures_are_png():
    pytest.importorskip("matplotlib")
    assert curves([Curve("a", "loss", [1, 2], [3.0, 2.0])], "loss", "title").startswith(PNG[:8])
    assert bars(["x"], {"a": [1.0], "b": [None]}, "P@1", "t").startswith(PNG[:8])
