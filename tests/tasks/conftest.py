"""What several of these test files need."""

import numpy as np
import pytest

from tests.conftest import toy_sentences, write_split
from tests.tasks.in_process import translate


@pytest.fixture(scope="session")
def checkpoint(data_folder, tmp_path_factory):
    """A checkpoint of crossinit_unmt, of two updates."""
    folder = tmp_path_factory.mktemp("translation")
    translate(data_folder, folder, "--max-update 2 --disable-validation")
    return folder / "checkpoint_last.pt"


@pytest.fixture(scope="session")
def three_languages(tmp_path_factory):
    """Monolingual text of aa (40 sentences), bb (40) and cc (10)."""
    from fairseq.data import Dictionary

    folder, rng = tmp_path_factory.mktemp("three"), np.random.default_rng(0)
    symbols = [f"\u2581{letter}{k}" for letter in "abc" for k in range(60)]
    symbols += "s t . [aa] [bb] [cc] <mask>".split()
    (folder / "dict.txt").write_text("".join(symbol + " 1\n" for symbol in symbols), encoding="utf-8")
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    for language, count in (("aa", 40), ("bb", 40), ("cc", 10)):
        (folder / language).mkdir()
        write_split(dictionary, folder / language / "train", toy_sentences(rng, language, count))
        write_split(dictionary, folder / language / "valid", toy_sentences(rng, language, 5))
    return folder
