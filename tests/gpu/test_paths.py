"""What runs in its own way on a GPU, against references; without a GPU the same on the CPU, as a rehearsal."""

import copy

import numpy as np
import pytest
import torch
from scipy import sparse

from crossinit_fairseq.alignment import RankedTable, SpanPlan, sigmoid_objective
from crossinit_fairseq.generation import search
from crossinit_fairseq.generation.growing_decoder import GrowingDecoder
from crossinit_fairseq.generation.pooled_requests import PooledRequests
from crossinit_fairseq.generation.search import Search, TranslationRequest
from crossinit_fairseq.lexicon.nearest_on_device import best_on_device, nearest_on_device
from crossinit_fairseq.lexicon.similarity import Priors, best_of_vectors, nearest_of_vectors
from crossinit_fairseq.spans import SpanSampler
from tests.generation.models import EOS, PAD, SPECIAL_TOKENS, generate_as_fairseq, random_model, random_source, strip
from tests.helpers import ranked_words
from tests.tasks.unmt_training import Training

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
# CPUs have learnt half precision in the course of time
OLD = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 1)
HALF = [torch.bfloat16, torch.float16] if CUDA else [] if OLD else [torch.bfloat16]
pytestmark = pytest.mark.gpu


def test_greedy_search_is_fairseqs():
    """Eight steps at a time without a look at what has ended; more steps than that."""
    for seed in range(4):
        model = random_model("bart", seed, end_bias=1.0).to(DEVICE)
        source = random_source(seed, 9, 7).to(DEVICE)
        (got,) = Search(SPECIAL_TOKENS, max_len_a=1.3, max_len_b=9)(model, [TranslationRequest(source, "ro")])
        assert strip(got.cpu()) == generate_as_fairseq_on(model, source, 1.3, 9)


def generate_as_fairseq_on(model, source, a, b):
    """On the CPU: fairseq's generator is the reference, not what is tried."""
    return generate_as_fairseq(copy.deepcopy(model).cpu(), source.cpu(), "ro", a, b)


@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_half_precision_writes_what_fairseqs_decoder_writes(dtype, monkeypatch):
    written = {}
    for name in ("ours", "fairseq's"):
        if name != "ours":
            monkeypatch.setattr(
                search, "_decoder_for", lambda model, steps: GrowingDecoder(model.decoder, model.encoder)
            )
        written[name] = []
        for seed in range(6):
            model = random_model("bart", seed, end_bias=1.0).to(DEVICE, dtype)
            request = TranslationRequest(random_source(seed, 9, 7).to(DEVICE), "ro")
            written[name] += strip(Search(SPECIAL_TOKENS)(model, [request])[0].cpu())
    same = [one == other for one, other in zip(written["ours"], written["fairseq's"])]
    # rounding may turn a sentence from where two tokens are as probable
    assert np.mean(same) > 0.7 and all(row[-1] == EOS for row in written["ours"])


def test_translations_ahead_are_those_of_each_batch():
    model = random_model("bart", 3, end_bias=1.0).to(DEVICE)
    requests = [
        TranslationRequest(random_source(seed, 5, longest).to(DEVICE), "ro")
        for seed, longest in ((1, 4), (2, 9), (3, 6))
    ]
    search_eight = Search(SPECIAL_TOKENS, max_len_a=0, max_len_b=8)
    pool = PooledRequests(requests, PAD, 60)
    got = pool.unpool([search_eight(model, [one for one, _ in portion]) for portion in pool.portions])
    alone = [search_eight(model, [one])[0].cpu() for one in requests]
    assert [strip(one) for one in got] == [strip(one) for one in alone]


def test_step_of_crossinit_waits_for_nothing_and_is_that_of_the_cpu():
    rng = np.random.default_rng(0)
    words = [ranked_words([rng.integers(0, 50, rng.integers(1, 4)).tolist() for _ in range(80)]) for _ in range(2)]
    draws = SpanSampler([80, 80], 10, 60, seed=0).draw(16, 1, 0)
    losses, gradients = [], []
    for device, dtype in ((torch.device("cpu"), torch.float64), (DEVICE, torch.float32)):
        table = torch.nn.Parameter(torch.randn(50, 8, generator=torch.Generator().manual_seed(0)).to(device, dtype))
        ranked = RankedTable(words, 60, 50).to(device)
        plan = SpanPlan(**{name: tensor.to(device) for name, tensor in ranked.plan(draws).tensors().items()})
        if device.type == "cuda":
            torch.cuda.synchronize()
            torch.cuda.set_sync_debug_mode("error")
        try:
            loss = sigmoid_objective(ranked(table, plan)).loss.sum()
            loss.backward()
        finally:
            if device.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")
        losses.append(float(loss))
        gradients.append(table.grad.cpu().double())
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-5)


def test_partners_of_words_are_those_of_the_cpu():
    random = np.random.default_rng(0)
    left, right = (random.normal(size=(words, 40)).astype(np.float32) for words in (900, 1100))
    left, right = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (left, right))
    spelling = sparse.random(900, 1100, 0.01, random_state=0, format="csr", dtype=np.float32)
    priors = Priors(random.normal(size=900), random.normal(size=1100), 0.1, spelling, 0.6)
    expected = nearest_of_vectors(left, right, priors)
    found = nearest_on_device(left, right, priors, 10, DEVICE.type)
    assert np.mean(found.forward == expected.forward) > 0.99 and np.mean(found.backward == expected.backward) > 0.99
    np.testing.assert_allclose(found.forward_score, expected.forward_score, atol=1e-4)
    np.testing.assert_allclose(found.backward_score, expected.backward_score, atol=1e-4)
    expected = best_of_vectors(left, right, priors, 10, 20)
    found = best_on_device(left, right, priors, 10, 20, DEVICE.type)
    # but for rounding where two scores are nearly equal
    assert abs(found.astype(bool) != expected.astype(bool)).sum() < 0.01 * expected.nnz
    both = found.multiply(expected.astype(bool)) - expected.multiply(found.astype(bool))
    np.testing.assert_allclose(both.data, 0, atol=1e-4)


def to_device(sample):
    if torch.is_tensor(sample):
        return sample.to(DEVICE)
    if isinstance(sample, dict):
        return {key: to_device(value) for key, value in sample.items()}
    return [to_device(one) for one in sample] if isinstance(sample, list) else sample


def test_a_step_of_translation_is_that_of_the_cpu(three_languages):
    expected = Training(three_languages).step(0)
    training = Training(three_languages)
    training.model.to(DEVICE)
    sample = to_device(training.data[0])
    loss, size, logs = training.task.train_step(sample, training.model, training.criterion, training, 0)
    assert float(loss) == pytest.approx(float(expected[0]), rel=1e-3) and size == expected[1]
    assert list(logs) == list(expected[2])
