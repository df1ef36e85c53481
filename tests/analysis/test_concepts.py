import numpy as np
import pytest

from crossinit_fairseq.analysis.concepts import (
    Concept,
    WordRanks,
    compare_ranks,
    correlation,
    read_concepts,
    tied_ranks,
)
from crossinit_fairseq.analysis.controls import is_evidence
from crossinit_fairseq.errors import InputError
from tests.analysis.spaces import rank_table

RANKS = {
    "en": WordRanks(rank_table("en", [f"e{k}" for k in range(100)])),
    "de": WordRanks(rank_table("de", [f"d{k}" for k in range(100)])),
}


def mapping(prefix, order):
    return {Concept(str(at), f"C{at}"): [f"{prefix}{k}", "absent"] for at, k in enumerate(order)}


def test_concepts_of_like_rank_are_evidence_and_of_any_rank_are_none():
    straight = compare_ranks(RANKS, ("en", "de"), {"en": mapping("e", range(50)), "de": mapping("D", range(50))}, 1)
    assert straight.finding.value == pytest.approx(1) and is_evidence([straight.finding])
    assert straight.ranks[7].tolist() == [8, 8] and straight.missing == 0 and len(straight.concepts) == 50
    order = np.random.default_rng(3).permutation(50)
    mixed = compare_ranks(RANKS, ("en", "de"), {"en": mapping("e", range(50)), "de": mapping("d", order)}, 1)
    assert not is_evidence([mixed.finding])


def test_spearman_by_hand():
    # ranks 1 2 3 4 5 against 2 1 4 3 5: rho = 1 - 6 * (1 + 1 + 1 + 1 + 0) / (5 * 24) = 0.8
    concepts = {"en": mapping("e", range(5)), "de": mapping("d", [1, 0, 3, 2, 4])}
    assert compare_ranks(RANKS, ("en", "de"), concepts, 1).finding.value == pytest.approx(0.8)
    assert tied_ranks(np.array([7, 3, 7, 1])).tolist() == [3.5, 2, 3.5, 1]
    assert correlation(np.array([1.0, 1.0]), np.array([1.0, 2.0])) == 0


def test_the_most_frequent_word_counts_and_absent_concepts_are_counted():
    concepts = {
        "en": {Concept("1", "A"): ["e9", "E2"], Concept("2", "B"): ["nothing"], **mapping("e", range(3))},
        "de": {Concept("1", "A"): ["d5"], Concept("2", "B"): ["d1"], **mapping("d", range(3))},
    }
    found = compare_ranks(RANKS, ("en", "de"), concepts, 1)
    assert found.ranks[0].tolist() == [3, 6] and found.missing == 1


def test_mappings_of_other_languages_are_refused():
    with pytest.raises(InputError, match="only 0 of the 5 concepts of en and de"):
        compare_ranks(RANKS, ("en", "de"), {"en": mapping("x", range(5)), "de": mapping("d", range(5))}, 1)


def test_a_mapping_of_concepticon(tmp_path):
    path = tmp_path / "map.tsv"
    path.write_text("ID\tGLOSS\tPRIORITY\n2924\tA LITTLE///Etwas\t1\n2924\tA LITTLE///ein wenig\t2\n", encoding="utf-8")
    assert read_concepts(str(path)) == {Concept("2924", "A LITTLE"): ["Etwas", "ein wenig"]}
    path.write_text("ID\tGLOSS\tPRIORITY\nhouse casa\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2 of .* is not `ID<TAB>GLOSS///word`"):
        read_concepts(str(path))
    path.write_text("ID\tGLOSS\tPRIORITY\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds no concept"):
        read_concepts(str(path))
