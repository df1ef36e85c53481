"""crossinit_fairseq/run_summary.py"""

import json

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.run_summary import minutes_so_far, stage_minutes, write_summary


def test_minutes_of_the_stages_that_ran(tmp_path):
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "text.minutes").write_text("1.25\n")
    (tmp_path / "stages" / "score.minutes").write_text("0.5\n")
    assert stage_minutes(str(tmp_path), ("text", "table", "score")) == {"text": 1.25, "score": 0.5, "total": 1.75}
    assert minutes_so_far(str(tmp_path)) == 1.75 and minutes_so_far(str(tmp_path / "stages")) is None
    (tmp_path / "stages" / "text.minutes").write_text("")
    with pytest.raises(InputError, match="text.minutes holds no number of minutes"):
        stage_minutes(str(tmp_path), ("text",))
    assert minutes_so_far(str(tmp_path)) == 0.5


def test_a_summary_is_there_whole(tmp_path):
    path = write_summary(str(tmp_path), {"bleu": 1.5, "text": "ș"})
    with open(path, encoding="utf-8") as stream:
        assert json.load(stream) == {"bleu": 1.5, "text": "ș"}
    with pytest.raises(TypeError):
        write_summary(str(tmp_path), {"bleu": object()})
    assert [one.name for one in tmp_path.iterdir()] == ["summary.json"]
    with open(path, encoding="utf-8") as stream:
        assert json.load(stream)["bleu"] == 1.5
