"""crossinit_fairseq/unmt/training_step.py: gradients"""

import contextlib
from dataclasses import replace

import pytest
import torch
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion
from fairseq.distributed import ModuleProxyWrapper
from fairseq.optim.dynamic_loss_scaler import DynamicLossScaler
from fairseq.optim.fp16_optimizer import FP16Optimizer
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from crossinit_fairseq.models.finite import FiniteWatch
from crossinit_fairseq.unmt.training_step import KINDS, WeightedSample, accumulate_gradients
from tests.helpers import dictionary_of, is_kept, special_tokens_of, tiny_model

DICTIONARY = dictionary_of("abcdefgh")
SPECIAL_TOKENS = special_tokens_of(DICTIONARY)
EOS = 2


class _Task:
    target_dictionary = DICTIONARY


CRITERION = LabelSmoothedCrossEntropyCriterion(_Task(), sentence_avg=False, label_smoothing=0.1)


class Backward:
    """As much of an optimizer as a step of learning needs."""

    def backward(self, loss):
        loss.backward()


def sample_of(*sentences, **more):
    rows = SPECIAL_TOKENS.collate([SPECIAL_TOKENS.add(torch.tensor(list(row) + [EOS]), "en") for row in sentences])
    return dict(SPECIAL_TOKENS.training_sample(rows, rows, "en"), **more)


SAMPLES = [
    WeightedSample("dae", "en", 1.0, sample_of([4, 5, 6])),
    WeightedSample("bt", "en", 0.5, sample_of([7, 8], [9, 10])),
    WeightedSample("dae", "ro", 1.0, sample_of([11, 4])),
]


def model_of(seed=1, **options):
    torch.manual_seed(seed)
    return tiny_model(DICTIONARY, **options)


def gradients(model):
    return {name: parameter.grad for name, parameter in model.named_parameters() if is_kept(name)}


def data_parallel(model):
    """As fairseq wraps a model on GPUs; the official version has parameters that nothing uses."""
    unused = not all(is_kept(name) for name, _ in model.named_parameters())
    return ModuleProxyWrapper(DistributedDataParallel(model, find_unused_parameters=unused))


def one_by_one(samples):
    """The sum of the samples' weighted gradients, each made with a model of its own."""
    sums = {}
    for one in samples:
        model = model_of()
        (CRITERION(model, one.sample)[0] * one.weight).backward()
        for name, gradient in gradients(model).items():
            sums[name] = sums.get(name, 0) + gradient
    return sums


def test_gradients_add_up():
    model = model_of()
    loss, size, logs = accumulate_gradients(model, CRITERION, Backward(), SAMPLES, FiniteWatch())
    expected = one_by_one(SAMPLES)
    for name, gradient in gradients(model).items():
        assert torch.allclose(gradient, expected[name], atol=1e-6), name
    losses = [CRITERION(model_of(), one.sample)[0].item() for one in SAMPLES]
    # 6 + (5 + 5) + 5 target tokens, <s>, </s> and the language's among them
    assert size == 21 and float(loss) == pytest.approx(losses[0] + 0.5 * losses[1] + losses[2], rel=1e-5)
    assert (logs["sample_size"], logs["dae_sample_size"], logs["bt_sample_size"]) == (21, 11, 10)
    assert float(logs["bt_loss"]) == pytest.approx(losses[1], rel=1e-5), "the loss as it is, without its weight"
    assert float(logs["dae_loss"]) == pytest.approx(losses[0] + losses[2], rel=1e-5)


def test_logs_have_the_same_keys_and_kinds_of_values_whatever_the_samples():
    """fairseq sums logs over processes by place, numbers and tensors apart."""

    def shape(samples):
        logs = accumulate_gradients(model_of(), CRITERION, Backward(), samples, FiniteWatch())[2]
        return [(key, torch.is_tensor(value)) for key, value in logs.items()]

    shapes = [shape(samples) for samples in (SAMPLES, SAMPLES[:1], SAMPLES[1:2], [replace(SAMPLES[0], weight=0.0)])]
    assert all(each == shapes[0] for each in shapes) and len(shapes[0]) == 3 * len(
        CRITERION(model_of(), SAMPLES[0].sample)[2]
    )
    assert {"{}_{}".format(kind, "ntokens") for kind in KINDS} <= {key for key, _ in shapes[0]}


def test_a_weight_of_zero_counts_nothing():
    model = model_of()
    loss, size, logs = accumulate_gradients(
        model, CRITERION, Backward(), [replace(SAMPLES[0], weight=0.0)], FiniteWatch()
    )
    assert (float(loss), size) == (0, 0) and all(float(value) == 0 for value in logs.values())
    assert all(gradient is not None and not gradient.any() for gradient in gradients(model).values())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_before_the_backward_pass(value):
    model = model_of()
    bad = sample_of([4], [5], id=torch.tensor([70, 30]))

    def criterion(model, sample):
        loss, size, log = CRITERION(model, sample)
        return loss * (value if sample is bad else 1), size, log

    watch = FiniteWatch()
    watch.begin(model, 41)
    with pytest.raises(SystemExit) as caught:
        accumulate_gradients(model, criterion, Backward(), [WeightedSample("bt", "ro", 1.0, bad)] + SAMPLES, watch)
    assert f"error: the loss is {value} in update 42, back-translation of language ro, sentences 30, 70 of" in str(
        caught.value
    )
    assert all(gradient is None for gradient in gradients(model).values())


def test_many_sentences_are_not_all_named():
    with pytest.raises(SystemExit, match="sentences 0, 1, .*, 19 and 5 more of its training text"):
        accumulate_gradients(
            model_of(),
            lambda model, sample: (torch.tensor(float("nan")), 1, {}),
            Backward(),
            [WeightedSample("dae", "en", 1.0, sample_of(*[[4]] * 25))],
            FiniteWatch(),
        )


# --- several processes


@pytest.fixture
def process_group(tmp_path):
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_processes_exchange_gradients_once(process_group):
    """In torch's own wrapper, which fairseq uses on GPUs: after the last backward pass, the sum of all."""
    inner = model_of()
    wrapped = data_parallel(inner)
    sent = []

    def exchange(state, bucket):
        sent.append(bucket.buffer().clone())
        future = torch.futures.Future()
        future.set_result(bucket.buffer())
        return future

    wrapped.module.register_comm_hook(None, exchange)
    accumulate_gradients(wrapped, CRITERION, Backward(), SAMPLES, FiniteWatch())
    expected = one_by_one(SAMPLES)
    for name, gradient in gradients(inner).items():
        assert torch.allclose(gradient, expected[name], atol=1e-6), name
    parameters = sum(parameter.numel() for parameter in inner.parameters())
    assert sum(len(bucket) for bucket in sent) == parameters, "every gradient was sent, and sent once"


def test_gradient_accumulation_exchanges_nothing_before_its_last_batch(process_group):
    inner = model_of()
    wrapped = data_parallel(inner)
    sent = []

    def exchange(state, bucket):
        sent.append(bucket)
        future = torch.futures.Future()
        future.set_result(bucket.buffer())
        return future

    wrapped.module.register_comm_hook(None, exchange)
    with wrapped.no_sync():  # as fairseq's trainer does
        accumulate_gradients(wrapped, CRITERION, Backward(), SAMPLES, FiniteWatch())
        assert not sent
    accumulate_gradients(wrapped, CRITERION, Backward(), SAMPLES[:1], FiniteWatch())
    expected = one_by_one(SAMPLES + SAMPLES[:1])
    assert sent and all(torch.allclose(g, expected[name], atol=1e-6) for name, g in gradients(inner).items())


# --- half precision: fairseq's optimizer on the CPU, where its programs refuse it


def fairseq_fp16(model, scale):
    optimizer = FP16Optimizer.__new__(FP16Optimizer)
    optimizer._multiply_factor, optimizer._needs_sync = 1.0, True
    optimizer.scaler = None if scale is None else DynamicLossScaler(init_scale=scale)
    optimizer.fp16_params = list(model.parameters())
    optimizer.fp32_params = FP16Optimizer.build_fp32_params(None, optimizer.fp16_params, flatten=False)
    return optimizer


@pytest.mark.parametrize("dtype, scale", [(torch.float16, 128.0), (torch.bfloat16, None)])
def test_half_precision_and_loss_scaling(dtype, scale):
    model = model_of().to(dtype)
    with contextlib.ExitStack() as stack:
        if dtype is torch.float16 and torch.__version__ < "2.3":
            stack.enter_context(pytest.raises(RuntimeError, match="not implemented for 'Half'"))
        optimizer = fairseq_fp16(model, scale)
        loss, size, logs = accumulate_gradients(model, CRITERION, optimizer, SAMPLES, FiniteWatch())
        assert loss.dtype == torch.float32 and size == 21 and torch.isfinite(logs["bt_loss"])
        optimizer._sync_fp16_grads_to_fp32()
        expected = one_by_one(SAMPLES)
        for (name, _), parameter in zip(model.named_parameters(), optimizer.fp32_params):
            if not is_kept(name):
                continue
            assert parameter.grad.dtype == torch.float32
            error = (parameter.grad / (scale or 1) - expected[name]).norm() / (expected[name].norm() + 1e-3)
            assert error < 0.1, name
