"""--bt-ahead of the task crossinit_unmt: what is translated when, by which model, and over a stop."""

import re

import pytest
import torch

from crossinit_fairseq.data.datasets.update_groups import OrderedItems
from crossinit_fairseq.generation.search import Search
from tests.conftest import load, weights
from tests.tasks.in_process import translate
from tests.tasks.unmt_training import Training

# of the 400 sentences of either language, 13 batches are an epoch
AHEAD = "--bt-ahead 3 --disable-validation --save-interval-updates 1"


def equal(one, other):
    return [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("more", ["", "--update-freq 2 --sampling-alpha 0.5 --bt-sampling --num-workers 2"])
def test_resuming_inside_a_group_changes_no_bit(data_folder, tmp_path, more):
    translate(data_folder, tmp_path / "whole", AHEAD, more, "--max-update 5")
    whole = weights(tmp_path / "whole" / "checkpoint_last.pt")
    for update in (1, 2, 3, 4) if not more else (2,):
        start = tmp_path / "whole" / f"checkpoint_1_{update}.pt"
        translate(data_folder, tmp_path / str(update), AHEAD, more, "--max-update 5 --restore-file", [str(start)])
        assert equal(whole, weights(tmp_path / str(update) / "checkpoint_last.pt")), update
    kept = [
        len(load(tmp_path / "whole" / f"checkpoint_1_{n}.pt")["extra_state"]["train_iterator"]["ahead"])
        for n in (1, 2, 3)
    ]
    assert kept == ([4, 2, 0] if more else [2, 1, 0]), "the translations of the items to come, not of those gone"


def test_a_run_that_began_without_groups_ends_its_epoch_without_them(data_folder, tmp_path):
    options = "--disable-validation --save-interval-updates 2"
    translate(data_folder, tmp_path / "whole", options, "--max-update 4")
    translate(data_folder, tmp_path / "parts", options, "--max-update 2")
    translate(data_folder, tmp_path / "parts", options, "--max-update 4 --bt-ahead 3")
    assert equal(*(weights(tmp_path / name / "checkpoint_last.pt") for name in ("whole", "parts")))


class Ahead(Training):
    """Training on groups of three items; `searches` counts what the model was asked to write."""

    def __init__(self, data, monkeypatch, **options):
        super().__init__(data, bt_ahead=3, update_freq=[1], bt_max_len_a=0.0, bt_max_len_b=6, **options)
        iterator = self.task.get_batch_iterator(self.data, max_sentences=8)
        assert isinstance(iterator, OrderedItems)
        self.searches, search = [], Search.__call__

        def counted(search_itself, model, requests, max_len=None):
            self.searches[-1] += sum(len(request.source) for request in requests)
            return search(search_itself, model, requests, max_len)

        monkeypatch.setattr(Search, "__call__", counted)

    def step(self, item, update=0, **options):
        self.searches.append(0)
        return super().step(item, update, **options)


def test_a_group_is_translated_by_the_model_as_it_is_before_its_first_update(three_languages, monkeypatch):
    training = Ahead(three_languages, monkeypatch)
    # 5 updates of 8 sentences of each language (cc, of 10, comes again and again, with 2 in every other)
    sizes = [sum(len(batch["clean"]) for batch in training.data[item]["batches"]) for item in range(5)]
    task, batch = training.task, training.data[2]["batches"][1]
    request = task.back_translation.request(batch, task.directions.source_of("bb", batch["turn"]), False, ())
    expected = task.search(training.model, [request], max_len=62)[0] if training.searches.append(0) is None else None
    training.searches.clear()
    for item in range(5):
        training.step(item, item)
        with torch.no_grad():  # an update
            for parameter in training.model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        if item == 0:
            kept = task.step.ahead.take(2, 1, batch["clean"])
            assert kept.translation.tolist() == expected.tolist()
    assert training.searches == [sum(sizes[:3]), 0, 0, sum(sizes[3:]), 0]
    assert task.step.ahead.state_dict() == {}


def test_logs_and_losses_are_those_of_translating_alone_while_the_model_stays(three_languages, monkeypatch):
    """The weights stay, so ahead or not the translations are the same, and with them what is learnt."""
    training, alone = Ahead(three_languages, monkeypatch), Training(three_languages, bt_max_len_a=0.0, bt_max_len_b=6)
    for item in range(4):
        (loss, size, logs), (other, other_size, other_logs) = training.step(item), alone.step(item)
        assert loss == pytest.approx(float(other)) and size == other_size and list(logs) == list(other_logs)
        timed = [key for key in logs if key.endswith("/seconds")]
        assert len(timed) == 6 and all(logs[key] == pytest.approx(other_logs[key]) for key in logs if key not in timed)


def test_weights_restrictions_and_lexicons_are_of_each_update_its_own(three_languages, monkeypatch):
    training = Ahead(three_languages, monkeypatch, lambda_bt="0:0,1:1,2:1", restrict_vocab_updates=2)
    asked, ahead = [], training.task.back_translation.ahead
    training.task.back_translation.ahead = lambda model, requests: (
        asked.extend(request.allowed is not None for request in requests) or ahead(model, requests)
    )
    training.task.back_translation.by_words = lambda source, target, update: source == "cc"
    training.task.back_translation.word_by_word = lambda clean, source, target, seed: clean
    for item in range(3):
        training.step(item, item)
    # nothing for update 0; aa and bb of update 1, restricted, and of update 2, not; cc is the lexicon's
    assert asked == [True, True, False, False]
    assert training.searches[0] == 32 and training.searches[1:] == [0, 0]


def test_a_translation_that_is_missing_is_made_when_its_update_comes(three_languages, monkeypatch):
    training = Ahead(three_languages, monkeypatch)
    size = sum(len(batch["clean"]) for batch in training.data[1]["batches"])
    training.step(1)
    assert training.searches == [size]


def test_a_process_without_a_batch_translates_nothing(three_languages, monkeypatch):
    training = Ahead(three_languages, monkeypatch)
    training.step(0, ignore_grad=True)
    assert training.searches == [0]


def test_at_least_one_update(data_folder, tmp_path):
    done = translate(data_folder, tmp_path, "--bt-ahead 0 --max-update 1", check=False)
    assert done.returncode == 1
    assert re.search("^crossinit_fairseq: error: --bt-ahead is 0; it must be 1 or more updates$", done.stdout, re.M)
