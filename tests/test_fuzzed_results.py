"""Every reader of the rooms export, analysis, finetuning and data, and of checkpoints and runs, with damaged files.

bash scripts/test.sh -m long tests/test_fuzzed_results.py       2,000 files for each reader, 50 cuts
"""

import io
import json
import os

import numpy as np
import pytest
import torch

from crossinit_fairseq.analysis.concepts import read_concepts
from crossinit_fairseq.analysis.statements import read_mlama
from crossinit_fairseq.analysis.training_logs import read_curve
from crossinit_fairseq.checkpoint_files import check_whole, load_checkpoint_file, newest_whole, read_header
from crossinit_fairseq.cli import compare_scores
from crossinit_fairseq.cli.compare_recipes import last_update_of
from crossinit_fairseq.data.dictionary import read_entries
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.hugging_face import _read_json
from crossinit_fairseq.export.tables import EmbeddingTable
from crossinit_fairseq.export.word2vec import read_word2vec
from crossinit_fairseq.finetuning.nli_files import read_pairs
from crossinit_fairseq.finetuning.predictions import read_answers, read_labels
from crossinit_fairseq.finetuning.qa_files import read_questions
from crossinit_fairseq.finetuning.retrieval import read_translations
from crossinit_fairseq.run_summary import minutes_so_far, stage_minutes
from tests.damaged_files import cut, fuzz

NLI = "premise\thypo\tentailment\na b\tc\tneutral\nd\te f\tcontradiction\n"
ANSWER = {"text": "b", "answer_start": 2}
QA = json.dumps(
    {"data": [{"paragraphs": [{"context": "a b c", "qas": [{"id": "1", "question": "q", "answers": [ANSWER]}]}]}]}
)
LOG = 'x | INFO | valid | {"epoch": 1, "valid_loss": "2.5", "valid_num_updates": "10"}\n' + "".join(
    f'x | INFO | train_inner | {{"epoch": 1, "loss": "{9 - k}", "num_updates": "{k}"}}\n' for k in (5, 10, 15)
)
RETRIEVED = json.dumps(
    {
        "sentences": {"en-de": [0.5, 1.0]},
        "words": {"en-de": [0.5, 0.5]},
        "hits": {"sentences": {"en-de": ["1001", "1111"]}, "words": {"en-de": ["10", "01"]}},
    }
)


def checkpoint():
    stream = io.BytesIO()
    torch.save({"model": {"w": torch.arange(9.0)}, "optimizer_history": [{"num_updates": 3}], "cfg": None}, stream)
    return stream.getvalue()


def safetensors():
    library = pytest.importorskip("safetensors.torch")
    return library.save({"embeddings": torch.ones(2, 3)}, {"symbols": '["a", "b"]'})


def _safetensors(path):
    from crossinit_fairseq.export.safetensors_file import read_safetensors

    read_safetensors(str(path))


def _checkpoint(path):
    for read in (load_checkpoint_file, read_header, check_whole):
        read(str(path))


def _newest(path):
    os.rename(str(path), str(path.parent / "checkpoint_last.pt"))
    newest_whole(str(path.parent))


def _of_a_run(path):
    """Notes of minutes, and logs, of a run that is looked at while it goes on."""
    stages = path.parent / "stages"
    stages.mkdir()
    (stages / "table.minutes").write_bytes(path.read_bytes())
    minutes_so_far(str(path.parent))
    last_update_of(str(path))
    stage_minutes(str(path.parent), ["table"])


def _retrieved(path):
    (path.parent / "retrieval").mkdir()
    os.rename(str(path), str(path.parent / "retrieval" / "scores.json"))
    scored = compare_scores._retrieved(str(path.parent), str(path.parent), "a")
    assert scored


def _mlama(path):
    (path.parent / "en").mkdir()
    os.rename(str(path), str(path.parent / "en" / "P1.jsonl"))
    read_mlama(str(path.parent), ["en"])


def _embeddings(path):
    table = read_word2vec(str(path))
    assert isinstance(table, EmbeddingTable) and np.isfinite(table.values.numpy()).all()


READERS = {
    "word2vec": ("3 2\na 1 2\nb 0.5 -1e-3\n\u2581c 3 4\n", _embeddings),
    "safetensors": (safetensors, _safetensors),
    "checkpoint": (checkpoint, _checkpoint),
    "newest checkpoint": (checkpoint, _newest),
    "dictionary": ("\u2581a 3\nb 2\n[en] 1\n", lambda path: read_entries(str(path))),
    "configuration": (
        '{"model_type": "mbart", "architectures": ["A"]}',
        lambda path: _read_json(str(path.parent), path.name),
    ),
    "log": (LOG, lambda path: read_curve("a", str(path))),
    "notes of a run": ("0.5\n", _of_a_run),
    "log of a run": (LOG, _of_a_run),
    "retrieval": (RETRIEVED, _retrieved),
    "mLAMA": ('{"obj_label": "a", "sub_label": "b", "uuid": 1}\n' * 2, _mlama),
    "Concepticon": ("ID\tENGLISH\tN\n1\tDOG///chien\t1\n2\tCAT///chat\t1\n", lambda path: read_concepts(str(path))),
    "NLI": (NLI, lambda path: read_pairs(str(path), "en")),
    "questions": (QA, lambda path: read_questions(str(path))),
    "labels": ("neutral\nentailment\n", lambda path: read_labels(str(path), 2)),
    "answers": ('{"1": "a", "2": "b"}', lambda path: read_answers(str(path))),
    "pairs of words": ("a b\nc d\n", lambda path: read_translations(str(path))),
}
WHOLE_IS_REFUSED = {"log of a run"}  # which is no note of minutes


def reader_of(name):
    whole, read = READERS[name]
    return (whole() if callable(whole) else whole), read


@pytest.mark.parametrize("name", sorted(set(READERS) - WHOLE_IS_REFUSED))
def test_the_whole_file_is_read(name, tmp_path):
    whole, read = reader_of(name)
    (tmp_path / "file").write_bytes(whole if isinstance(whole, bytes) else whole.encode("utf-8"))
    read(tmp_path / "file")


@pytest.mark.parametrize("name", sorted(READERS))
def test_damaged_files(name):
    fuzz(*reader_of(name), count=30)
    cut(*reader_of(name), count=3)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(READERS))
def test_many_damaged_files(name):
    fuzz(*reader_of(name), count=2000)
    cut(*reader_of(name), count=50)


DEEP = "[" * 100000


@pytest.mark.parametrize(
    "name, content",
    [
        ("word2vec", "\u00b2 1\na 1\n"),
        ("word2vec", "1" * 5000 + " 1\na 1\n"),
        ("configuration", DEEP),
        (
            "log",
            LOG
            + 'x | INFO | valid | {"valid_loss": 1, "valid_num_updates": Infinity}\n'
            + "x | valid | {"
            + DEEP
            + "}\n",
        ),
        ("notes of a run", "\udcff"),
        ("notes of a run", '| train | {"num_updates": 1e999}\n| train | {"a": ' + DEEP + "}\n"),
        ("retrieval", DEEP),
        ("retrieval", "{}"),
        ("retrieval", '{"sentences": {}, "words": {}, "hits": {}}'),
        ("mLAMA", DEEP),
    ],
)
def test_numbers_that_are_none_and_json_that_is_too_deep(name, content, tmp_path):
    (tmp_path / "file").write_bytes(content.encode("utf-8", "surrogateescape"))
    if name == "log":  # lines that are damaged are counted, and the others read
        assert read_curve("a", str(tmp_path / "file")).damaged == 2
    else:
        with pytest.raises(InputError):
            READERS[name][1](tmp_path / "file")


def test_symbols_of_safetensors_that_are_too_deep(tmp_path):
    library = pytest.importorskip("safetensors.torch")
    library.save_file({"embeddings": torch.ones(2, 3)}, str(tmp_path / "file"), {"symbols": DEEP})
    with pytest.raises(InputError, match="no readable .safetensors file"):
        _safetensors(tmp_path / "file")
