import json

import numpy as np
import pytest

from crossinit_fairseq.analysis.controls import is_evidence, verdict
from crossinit_fairseq.analysis.statements import Statement, cldr_statements, measure_statements, read_mlama
from crossinit_fairseq.analysis.words import Space
from crossinit_fairseq.errors import InputError
from tests.analysis.spaces import collapsed, random_vectors, two_languages

WORDS = two_languages()
STATEMENTS = {
    ("capital", str(k)): {"aa": Statement(f"a{k}", f"a{k + 50}"), "bb": Statement(f"b{k + 2}", f"b{k + 52}")}
    for k in range(20)
}


def exact():
    """Objects and subjects differ from their translations by one vector of the statement: the analogy holds exactly."""
    vectors = {"aa": random_vectors(1), "bb": random_vectors(2)}
    for k in range(20):
        shift = random_vectors(100 + k)[0] * 2
        vectors["bb"][k + 2] = vectors["aa"][k] + shift
        vectors["bb"][k + 52] = vectors["aa"][k + 50] + shift
    return Space("exact", vectors)


def test_exact_statements_are_evidence():
    (result,) = measure_statements(WORDS, exact(), STATEMENTS, [], 1)
    assert result.pair == "aa-bb" and result.count == 40 and result.left_out == result.same == 0
    assert result.cosine[0].value == pytest.approx(1) and result.l2 == pytest.approx(0, abs=1e-9)
    assert is_evidence(result.cosine), verdict(result.cosine)


def test_a_collapsed_table_is_no_evidence():
    (result,) = measure_statements(WORDS, collapsed(), STATEMENTS, [], 1)
    assert result.cosine[0].value == pytest.approx(1)
    assert verdict(result.cosine).startswith("no evidence: reached by objects of other statements (1), the first")


def test_slow_reference():
    space = Space("random", {"aa": random_vectors(1), "bb": random_vectors(2)})
    (result,) = measure_statements(WORDS, space, STATEMENTS, [Space("rank-only table", exact().vectors)], 1)
    cosines, distances = [], []
    for k in range(20):
        one, two = space.vectors["aa"], space.vectors["bb"]
        for left, right in (
            (one[k] - one[k + 50] + two[k + 52], two[k + 2]),
            (two[k + 2] - two[k + 52] + one[k + 50], one[k]),
        ):
            cosines.append(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
            distances.append(np.linalg.norm(left - right))
    assert result.cosine[0].value == pytest.approx(np.mean(cosines))
    assert result.l2 == pytest.approx(np.mean(distances))
    assert result.cosine[0].controls[-1].value == pytest.approx(1)
    assert not is_evidence(result.cosine)


def test_what_is_left_out_is_counted():
    statements = {
        ("r", "1"): {"aa": Statement("a1", "a2"), "bb": Statement("b1", "nowhere")},
        ("r", "2"): {"aa": Statement("a1", "a2"), "bb": Statement("A1", "b2")},
        ("r", "3"): {"aa": Statement("a1", "a2")},
    }
    (result,) = measure_statements(WORDS, exact(), statements, [], 1)
    assert (result.count, result.left_out, result.same, result.cosine) == (0, 1, 1, [])


def test_names_of_several_words_are_their_mean():
    statements = dict(STATEMENTS)
    statements["capital", "x"] = {"aa": Statement("a1 a3", "a7"), "bb": Statement("b1", "b7 b8 b9")}
    (result,) = measure_statements(WORDS, exact(), statements, [], 1)
    assert result.count == 42


def test_mlama_files(tmp_path):
    for language, names in (("en", ("Paris", "France")), ("de", ("Paris", "Frankreich"))):
        (tmp_path / language).mkdir()
        line = {"obj_label": names[0], "sub_label": names[1], "uuid": "u1", "predicate_id": "P36"}
        (tmp_path / language / "P36.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert read_mlama(str(tmp_path), ["en", "de"]) == {
        ("P36", "u1"): {"en": Statement("Paris", "France"), "de": Statement("Paris", "Frankreich")}
    }
    with pytest.raises(InputError, match="hi cannot be read"):
        read_mlama(str(tmp_path), ["hi"])
    (tmp_path / "de" / "P36.jsonl").write_text('{"obj_label": 3}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1 of .*P36.jsonl is no statement of mLAMA"):
        read_mlama(str(tmp_path), ["de"])
    (tmp_path / "xx").mkdir()
    with pytest.raises(InputError, match="holds no statement of xx"):
        read_mlama(str(tmp_path), ["xx"])


def test_statements_of_cldr():
    pytest.importorskip("babel")
    found = cldr_statements(["en", "ro_RO"])
    assert found["city", "RO"] == {
        "en": Statement("Bucharest", "Romania"),
        "ro_RO": Statement("București", "România"),
    }
    assert found["language", "FR"]["en"] == Statement("French", "France")
    assert found["currency", "JP"]["ro_RO"].object == "yen japonez"
    with pytest.raises(InputError, match="CLDR has no names in xx"):
        cldr_statements(["xx"])
