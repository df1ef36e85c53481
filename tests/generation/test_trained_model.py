"""The search beside fairseq's on a model that was trained, in single and half precision."""

import copy

import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.sequence_generator import SequenceGenerator

from crossinit_fairseq.generation.search import Search, TranslationRequest
from tests.generation.models import strip
from tests.tasks.in_process import run
from tests.toy_runs import COMMON, TASKS

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
# of torch before 2.1, half precision on a CPU lacks operations
NEW = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 1)
pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def trained(data_folder, tmp_path_factory):
    """(task, model) after 60 updates, by when a toy model is sure of most of what it writes."""
    folder = tmp_path_factory.mktemp("trained")
    options = "--max-update 60 --max-tokens 200 --num-workers 0 --no-epoch-checkpoints"
    done = run("train", [str(data_folder), "--save-dir", str(folder)], TASKS["crossinit_unmt"].options, COMMON, options)
    assert done.returncode == 0, done.stdout[-3000:]
    given = {"source_lang": "aa", "target_lang": "bb"}
    path = str(folder / "checkpoint_last.pt")
    (model,), _, task = checkpoint_utils.load_model_ensemble_and_task([path], arg_overrides=given)
    task.load_dataset("test")
    return task, model.eval()


def by_fairseq(task, model, source):
    generator = SequenceGenerator([model], task.dictionary, beam_size=1, max_len_a=1.3, max_len_b=6, max_len=10000)
    sample = {"net_input": {"src_tokens": source, "src_lengths": source.ne(task.special_tokens.pad).sum(1)}}
    begin = source.new_full((len(source), 1), task.special_tokens.bos)
    language = task.special_tokens.languages["bb"]
    found = generator.generate([model], sample, prefix_tokens=begin, bos_token=language)
    return [hypotheses[0]["tokens"].tolist()[1:] for hypotheses in found]


@pytest.mark.parametrize(
    "dtype, least",
    [(torch.float32, 1.0), (torch.float16, 0.9), (torch.bfloat16, 0.75)],
    ids=["single", "fp16", "bf16"],
)
def test_writes_what_fairseq_writes(trained, dtype, least):
    if dtype != torch.float32 and not (CUDA or NEW):
        pytest.skip("half precision wants a GPU, or torch 2.1")
    task, model = trained
    model = copy.deepcopy(model).to(DEVICE, dtype)
    dataset = task.datasets["test"]
    source = task.special_tokens.collate([dataset[i]["source"] for i in range(len(dataset))]).to(DEVICE)
    ours = strip(Search(task.special_tokens)(model, [TranslationRequest(source, "bb")])[0].cpu())
    theirs = by_fairseq(task, model, source)
    assert len({tuple(row) for row in ours}) > 10, "sentences unlike each other"
    assert np.mean([one == other for one, other in zip(ours, theirs)]) >= least
