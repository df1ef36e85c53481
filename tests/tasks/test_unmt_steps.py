"""crossinit_fairseq/tasks/crossinit_unmt.py: which directions a step learns, when, from what, and what it refuses."""

import numpy as np
import pytest
import torch

from crossinit_fairseq.generation.search import Search
from crossinit_fairseq.tasks.crossinit_unmt import CrossInitUnmtTask
from crossinit_fairseq.tasks.crossinit_unmt_config import CrossInitUnmtConfig
from tests.conftest import weights
from tests.helpers import tiny_model
from tests.tasks.in_process import translate
from tests.tasks.unmt_training import Training


def test_schedules_hand_worked(three_languages):
    task = Training(three_languages, lambda_dae="0:1,100000:0.1", lambda_bt="0:0,1000:1").task
    # straight lines: half-way from 1 to 0.1 is 0.55, a quarter of the way from 0 to 1 is 0.25
    expected = {0: (1, 0), 250: (0.9978, 0.25), 1000: (0.991, 1), 50000: (0.55, 1), 100000: (0.1, 1), 900000: (0.1, 1)}
    for update, (dae, bt) in expected.items():
        found = task.step.weights(update)
        assert (found["dae"], found["bt"]) == (pytest.approx(dae, abs=1e-4), pytest.approx(bt)), update


def test_only_the_directions_asked_for_are_learnt(three_languages):
    training = Training(three_languages, directions="bb-aa,aa-bb,cc-aa,aa-cc")
    for item in range(4):
        training.step(item)
    pairs = [(language, other) for language, other, _ in training.generated]
    # to learn bb-aa, aa is translated into bb; Aa is learnt from both in turn, the others from aa alone
    assert pairs == [("aa", "bb"), ("bb", "aa"), ("cc", "aa"), ("aa", "cc"), ("bb", "aa"), ("cc", "aa")] * 2


def test_a_language_that_no_direction_leads_to_is_denoised_only(three_languages):
    training = Training(three_languages, directions="cc-aa")
    _, _, logs = training.step(0)
    assert [(language, other) for language, other, _ in training.generated] == [("aa", "cc")]
    assert logs["dae_nsentences"] == 3 * 8 and 0 < logs["bt_nsentences"] <= 8


def test_sampling_alpha_gives_languages_their_share(three_languages):
    # 40, 40 and 10 sentences: at alpha 0.5, 2 to 2 to 1
    data = Training(three_languages, max_sentences=1, sampling_alpha=0.5).data
    languages = [batch["language"] for item in range(len(data)) for batch in data[item]["batches"]]
    counts = [languages.count(language) for language in ("aa", "bb", "cc")]
    assert len(data) == 34 and all(abs(count - share) <= 1 for count, share in zip(counts, (40.8, 40.8, 20.4)))


@pytest.mark.parametrize("limit, expected", [(0, [False] * 4), (2, [True, True, False, False]), (-1, [True] * 4)])
def test_generated_tokens_are_restricted_for_the_first_updates(three_languages, limit, expected):
    training = Training(three_languages, restrict_vocab_updates=limit, directions="aa-bb")
    for update in range(4):
        training.step(0, update)
    assert [restrict for _, _, restrict in training.generated] == expected


def test_a_restricted_step_writes_only_tokens_of_its_language(three_languages):
    def share(limit):
        logs = Training(three_languages, restrict_vocab_updates=limit).step(0)[2]
        written, own = (
            sum(value for key, value in logs.items() if key.endswith("/" + field)) for field in ("written", "in_target")
        )
        assert written > 50
        return own / written

    assert share(-1) == 1 and share(0) < 0.9


def test_a_process_without_a_batch_learns_nothing_and_logs_the_same(three_languages):
    training = Training(three_languages)
    _, size, logs = training.step(1, ignore_grad=True)
    assert size == 0 and not training.generated
    assert all(gradient is not None and not gradient.any() for gradient in training.gradients().values())
    assert list(logs) == list(training.step(0)[2])


def test_when_nothing_can_be_generated_nothing_is_learnt(three_languages, monkeypatch):
    training = Training(three_languages, lambda_dae="0")
    eos = training.task.special_tokens.eos
    monkeypatch.setattr(
        Search,
        "__call__",
        lambda self, model, requests, *unused: [one.source.new_full((len(one.source), 1), eos) for one in requests],
    )
    _, size, logs = training.step(0)
    assert size == 0 and not any(gradient.any() for gradient in training.gradients().values())
    assert sum(value for key, value in logs.items() if key.endswith("/empty_batches")) == 3
    assert list(logs) == list(Training(three_languages).step(0)[2])


def test_accumulated_gradients_are_those_of_both_batches(data_folder, tmp_path):
    """--update-freq 2, plain gradient descent: the step is the sum of two batches' gradients by all their tokens."""
    options = (
        "--optimizer sgd --dropout 0 --attention-dropout 0 --activation-dropout 0 --disable-validation --max-update 1"
    )
    translate(data_folder, tmp_path / "start", options, "--lr 0")
    translate(data_folder, tmp_path / "both", options, "--lr 0.5 --update-freq 2")
    start, both = (weights(tmp_path / name / "checkpoint_last.pt") for name in ("start", "both"))
    assert any(not torch.equal(start[name], both[name]) for name in start)

    training = Training(data_folder, langs="aa,bb")
    config = training.task.cfg
    config.seed = 3
    training.task.load_dataset("train")
    data = training.data = training.task.datasets["train"]
    data.batch_by_size(data.ordered_indices(), max_tokens=300)
    model = training.model = tiny_model(
        training.task.dictionary,
        embed_dim=16,
        **{
            side + "_" + name: size
            for side in ("encoder", "decoder")
            for name, size in (("embed_dim", 16), ("ffn_embed_dim", 32), ("attention_heads", 2), ("layers", 1))
        },
    )
    model.load_state_dict(start, strict=False)  # the official version has copies of some
    # fairseq deals the items out in an order of its own
    from fairseq.data import data_utils

    order = [[item] for item in range(len(data))]
    with data_utils.numpy_seed(3 + 1):
        np.random.shuffle(order)
    sizes = [training.step(item)[1] for (item,) in order[:2]]
    for name, gradient in training.gradients().items():
        expected = start[name] - 0.5 * gradient / sum(sizes)
        assert torch.allclose(both[name], expected, atol=1e-6), name


def test_a_loss_that_is_no_number_stops_before_the_update(data_folder, tmp_path):
    done = translate(data_folder, tmp_path, "--lr 1e38 --max-update 9 --disable-validation", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    (error,) = [line for line in done.stdout.splitlines() if line.startswith("crossinit_fairseq: error: ")]
    assert "the loss is nan in update 2, denoising of language aa, sentences " in error
    assert not list(tmp_path.glob("*.pt")), "no checkpoint of a spoilt model"


def test_options_that_cannot_be_used(three_languages):
    for options, told in (
        ({"sampling_alpha": -1.0}, "--sampling-alpha"),
        ({"directions": "aa-xx"}, "aa-xx.* aa, bb, cc"),
        ({"langs": "aa"}, "two languages"),
        ({"lambda_dae": "a lot"}, "--lambda-dae is 'a lot'"),
        ({"lambda_bt": "9:1,3:0"}, "--lambda-bt is '9:1,3:0'"),
        ({"lambda_bt": "-1"}, "--lambda-bt is '-1'; weights must be 0 or more"),
        ({"lambda_dae": "0:1,5:nan"}, "--lambda-dae is '0:1,5:nan'; weights must be 0 or more"),
        ({"sampling_alpha": float("nan")}, "--sampling-alpha is nan"),
        ({"bt_max_len_b": -50}, "--bt-max-len-b is -50; it must be 0 or more"),
        ({"restrict_vocab_updates": -7}, "--restrict-vocab-updates is -7; it must be 0 or more, or -1"),
        ({"bt_beam": 4, "bt_sampling": True}, "either sampling or a beam of 4"),
        ({"bt_temperature": 0.0}, "the temperature is 0"),
    ):
        with pytest.raises(SystemExit, match="crossinit_fairseq: error: .*" + told):
            Training(three_languages, **options)


def test_generation_of_one_direction_of_a_model_of_three_languages(three_languages):
    """The hub interface builds its task from the options of training."""
    config = CrossInitUnmtConfig()
    config.data, config.directions = str(three_languages), "aa-bb,bb-aa,cc-aa"
    config.source_lang, config.target_lang = "aa", "bb"
    assert CrossInitUnmtTask.setup_task(config).languages == ["aa", "bb"]


def test_training_takes_no_source_and_target(three_languages):
    config = CrossInitUnmtConfig()
    config.data, config.source_lang, config.target_lang = str(three_languages), "aa", "bb"
    task = CrossInitUnmtTask.setup_task(config)
    with pytest.raises(SystemExit, match="training takes no -s and -t"):
        task.begin_epoch(1, None)
