"""crossinit_fairseq/preparation/identification.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)

pytest.importorskip("py3langid")

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from crossinit_fairseq.preparation.identification import CANDIDATES, Identifier

from .conftest import ENGLISH, ROMANIAN

LIBRARY = LanguageIdentifier.from_pickled_model(MODEL_FILE)
LIBRARY.set_languages(CANDIDATES)
OURS = Identifier(CANDIDATES)


@given(st.lists(st.text(st.sampled_from("the și ăhaus नेहै\n\x00я漢"), max_size=40), max_size=6))
def test_as_the_library_does_it(lines):
    scores = OURS.scores(lines)
    assert scores.shape == (len(lines), len(CANDIDATES))
    for line, row in zip(lines, scores):
        expected = LIBRARY.nb_classprobs(LIBRARY.instance2fv(line))
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-2)


def test_two_languages():
    identifier = Identifier(["ro", "en"])
    found = identifier.scores([ENGLISH, ROMANIAN]).argmax(axis=1)
    assert [identifier.languages[k] for k in found] == ["en", "ro"]


def test_all_languages_of_the_model():
    assert len(Identifier().languages) == 97
    with pytest.raises(ValueError, match="xx"):
        Identifier(["en", "xx"])
