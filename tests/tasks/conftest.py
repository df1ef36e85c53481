"""What several of these test files need."""

import shutil

import numpy as np
import pytest
from fairseq.data import Dictionary

from tests.conftest import toy_sentences, write_split
from tests.tasks.denoising import sentences_of
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


@pytest.fixture
def with_long_sentences(data_folder, tmp_path):
    """One sentence of 70 sub-tokens and an empty one in the training and in the validation text of bb."""
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    for split in ("train", "valid"):
        lines = [
            " ".join(dictionary[token] for token in sentence[:-1]) for sentence in sentences_of(folder, "bb", split)
        ]
        write_split(dictionary, folder / "bb" / split, lines + ["", " ".join(["\u2581b3"] * 70)])
    return folder
