"""A toy data folder of two languages, and fairseq's programs run on it as a user runs them."""

import pathlib
import re
import signal
import subprocess

import numpy as np
import pytest
import torch

import crossinit_fairseq
import tests.helpers  # noqa: F401  (the hypothesis profile, for a file that is run alone too)
from tests import program_server

USER_DIR = pathlib.Path(crossinit_fairseq.__file__).parent
TINY_MODEL = (
    "--encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 16 --decoder-embed-dim 16 --encoder-ffn-embed-dim 32 "
    "--decoder-ffn-embed-dim 32 --encoder-attention-heads 2 --decoder-attention-heads 2 --share-all-embeddings "
    "--max-source-positions 64 --max-target-positions 64 --dropout 0.1"
).split()
WORDS = 60

# tests send it; under nohup it is ignored, here and in every program that is started
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items):
    """No limit of time (pyproject.toml) on tests that are long."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(0))


def toy_sentences(rng, language, count):
    """Sentences of words a0, a1, ... (b0, b1, ...), the first ones most often; some words have a second sub-token."""
    chances = 1 / np.arange(2, WORDS + 2)
    sentences = []
    for _ in range(count):
        words = rng.choice(WORDS, size=rng.integers(2, 9), p=chances / chances.sum())
        pieces = ["\u2581{}{}{}".format(language[0], k, {3: " s", 10: " t"}.get(k % 14, "")) for k in words]
        sentences.append(" ".join(pieces + ["."]))
    return sentences


def write_split(dictionary, prefix, sentences):
    """Write prefix.bin and prefix.idx as fairseq-preprocess does."""
    from fairseq.data import indexed_dataset

    builder = indexed_dataset.make_builder(str(prefix) + ".bin", impl="mmap", vocab_size=len(dictionary))
    for sentence in sentences:
        builder.add_item(dictionary.encode_line(sentence, add_if_not_exist=False).long())
    builder.finalize(str(prefix) + ".idx")


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    return toy_data_folder(tmp_path_factory.mktemp("data-bin"))


@pytest.fixture(scope="session")
def fine_tuning(tmp_path_factory):
    """See toy_runs.fine_tuning_folder."""
    from tests.toy_runs import fine_tuning_folder  # which imports this file

    return fine_tuning_folder(tmp_path_factory.mktemp("fine-tuning"))


@pytest.fixture(scope="session")
def data_of(data_folder, fine_tuning):
    """A function of a task: the folder that it is trained on."""
    from tests.toy_runs import TASKS

    return lambda task: fine_tuning if TASKS[task].fine_tuned else data_folder


def toy_data_folder(folder):
    """dict.txt of 126 symbols (130 with fairseq's own); monolingual train, valid; aligned valid, test of 21 pairs."""
    from fairseq.data import Dictionary

    rng = np.random.default_rng(0)
    symbols = [f"\u2581{letter}{k}" for letter in "ab" for k in range(WORDS)] + "s t . [aa] [bb] <mask>".split()
    (folder / "dict.txt").write_text("".join(symbol + " 1\n" for symbol in symbols), encoding="utf-8")
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    for language in ("aa", "bb"):
        (folder / language).mkdir()
        write_split(dictionary, folder / language / "train", toy_sentences(rng, language, 400))
        write_split(dictionary, folder / language / "valid", toy_sentences(rng, language, 30))
    aligned = toy_sentences(rng, "aa", 21)
    for split in ("valid", "test"):
        write_split(dictionary, folder / (split + ".aa-bb.aa"), aligned)
        write_split(dictionary, folder / (split + ".aa-bb.bb"), [s.replace("\u2581a", "\u2581b") for s in aligned])
    return folder


def fairseq(program, *arguments, check=True):
    """Run a program of fairseq; arguments are strings to be split, or lists. Returns what subprocess.run returns."""
    command = [str(program_server.environment() / "bin" / ("fairseq-" + program.replace("_", "-")))]
    for argument in arguments:
        command += argument.split() if isinstance(argument, str) else argument
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, encoding="utf-8"
    )
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done


def train(data, save_dir, *arguments, **options):
    """fairseq-train."""
    return fairseq(
        "train",
        [str(data), "--user-dir", str(USER_DIR), "--save-dir", str(save_dir)],
        "--optimizer adam --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints --log-format json "
        "--log-interval 1 --seed 3 --required-batch-size-multiple 1",
        *arguments,
        **options,
    )


def crossinit(data, save_dir, *arguments, arch="mbart_base", **options):
    """fairseq-train --task crossinit_pretrain."""
    return train(
        data,
        save_dir,
        "--task crossinit_pretrain --criterion crossinit --span 10 --max-rank 40 --batch-size 8 --updates-per-epoch 5 "
        "--valid-batches 2 --arch " + arch,
        TINY_MODEL if arch in ("mbart_base", "transformer") else [],
        *arguments,
        **options,
    )


def weights(path):
    """The parameters in a checkpoint, by name.

    The official fairseq also saves copies (`in_proj_weight`, `fc1_bias`, ...) that it fills at every loading.
    """
    copies = re.compile(r"(in_proj|out_proj|fc1|fc2)_(weight|bias)$")
    return {name: value for name, value in load(path)["model"].items() if not copies.search(name)}


def load(path):
    """A checkpoint as a dict, on the CPU."""
    return torch.load(str(path), map_location="cpu", **({"weights_only": False} if torch.__version__ >= "1.13" else {}))
