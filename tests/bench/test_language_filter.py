"""scripts/bench/language_filter.py: the counts, of lines whose language is plain."""

import json
import pathlib
import sys

import pytest

pytest.importorskip("py3langid")
pytest.importorskip("sacremoses")

from tests.programs import run

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench" / "language_filter.py"
ENGLISH = "The ministers of both countries met again in the evening to talk about trade.\n"
ROMANIAN = "Miniștrii celor două țări s-au întâlnit din nou seara pentru a vorbi despre comerț.\n"


def test_counts_of_two_texts(tmp_path):
    # 4 lines of English, one of which is short and one no text at all; an English line in the Romanian text
    (tmp_path / "en").write_text(ENGLISH * 2 + "Yes.\n1 2 3\n", encoding="utf-8")
    (tmp_path / "ro").write_text(ROMANIAN * 3 + ENGLISH + "\u0434\u0430 \u043d\u0435\u0442\n", encoding="utf-8")
    given = [f"en={tmp_path / 'en'}", f"ro={tmp_path / 'ro'}", "--json", tmp_path / "f.json"]
    done = run(sys.executable, SCRIPT, *given)
    assert done.returncode == 0, done.stderr
    english, romanian = json.loads((tmp_path / "f.json").read_text())
    nothing = {"another language": 0, "another script": 0}
    assert (english["lines"], english["judged"], english["dropped"]) == (3, 2, nothing)
    assert english["caught"] == {"ro": 2}
    # the Cyrillic line is under 20 letters: dropped for its script, and not judged
    assert (romanian["lines"], romanian["judged"]) == (5, 4)
    assert romanian["dropped"] == {"another language": 1, "another script": 1} and romanian["caught"] == {"en": 3}
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["text", "lines", "judged", "language", "script", "as", "en", "as", "ro"]
    assert rows[2][1:] == ["5", "4", "20.00%", "20.00%", "75.0%"]  # 1 of 5, 1 of 5, 3 of 4


@pytest.mark.parametrize("given, told", [("en", "give LANG=FILE"), ("en=none", "none does not exist")])
def test_what_is_no_text(given, told):
    done = run(sys.executable, SCRIPT, given)
    assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr
