"""What reaches the optimizer in an update, at every number of processes: which inputs, with what weight."""

import pytest
import torch
from fairseq import options, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf

from tests.conftest import weights
from tests.tasks.denoising import denoise, denoise_in_two_processes
from tests.toy_runs import COMMON, TASKS

BATCH = 8


def loaded(task, data):
    """A task with its training text."""
    words = [str(data)] + TASKS[task].options.split() + COMMON.split()
    cfg = convert_namespace_to_omegaconf(options.parse_args_and_arch(options.get_training_parser(), words))
    got = tasks.setup_task(cfg.task)
    got.build_model(cfg.model)  # crossinit_pretrain lays its draws out for it
    got.load_dataset("train")
    return got


def updates_of(task, processes):
    """For each update of an epoch the samples of all processes, None where one has none."""
    got = []
    for process in range(processes):
        iterator = task.get_batch_iterator(
            task.datasets["train"], max_sentences=BATCH, num_shards=processes, shard_id=process, seed=3, epoch=1
        )
        got.append([sample or None for sample in iterator.next_epoch_itr(shuffle=True)])
    assert len({len(samples) for samples in got}) == 1, "no process waits for another"
    return list(zip(*got))


def sizes(sample):
    """How many inputs a sample has: one number, in translation one for each language."""
    if sample is None:
        return []
    if "batches" in sample:
        return [batch["denoise"]["nsentences"] for batch in sample["batches"]]
    return [int(torch.as_tensor(sample["nsentences"]).sum())]


@pytest.mark.parametrize("name", [name for name in sorted(TASKS) if not TASKS[name].fine_tuned])
def test_each_process_brings_a_batch_of_its_own(name, data_folder):
    task = loaded(name, data_folder)
    alone = updates_of(task, 1)
    inputs = sum(sum(sizes(sample)) for (sample,) in alone)
    languages = 2 if name == "crossinit_unmt" else 1
    for processes in (1, 2, 3, 8, 64):
        got = updates_of(task, processes)
        counts = [sum((sizes(sample) for sample in update), []) for update in got]
        # update after update, all processes but those that are left without in the last one
        full = [count for count in counts if len(count) == processes * languages]
        assert len(full) >= len(got) - 1
        if name == "crossinit_pretrain":
            # draws are made as needed: 5 updates an epoch on any number of processes, each of 8 draws of every process
            assert [sum(count) for count in counts] == [BATCH * processes] * 5
            continue
        # an epoch is the same text, whatever the number of processes; the more there are, the fewer its updates
        assert sum(map(sum, counts)) == inputs and len(got) == -(-len(alone) // processes)
        # but for the last batch of a group of inputs, of which there may be one, every batch is full
        assert sum(size != BATCH for count in counts for size in count) <= languages
        assert all(size <= BATCH for count in counts for size in count)


def test_processes_see_draws_of_their_own(data_folder):
    task = loaded("crossinit_pretrain", data_folder)
    (first, second) = updates_of(task, 2)[0]
    one, other = (sample["net_input"]["spans"] for sample in (first, second))
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_the_validation_draws_are_the_same_on_any_number_of_processes(data_folder):
    task = loaded("crossinit_pretrain", data_folder)
    task.load_dataset("valid")
    for processes in (1, 2, 3):
        task.get_batch_iterator(task.datasets["valid"], max_sentences=BATCH, num_shards=processes, shard_id=0)
        assert len(task.datasets["valid"]) == 2


def test_two_processes_learn_what_one_learns_with_update_freq_2(data_folder, tmp_path):
    """Gradients are averaged over all tokens of an update, not over processes: longer text weighs more."""
    silent = (
        "--dropout 0 --attention-dropout 0 --activation-dropout 0 --max-update 2 --optimizer sgd --disable-validation"
    )
    denoise_in_two_processes(data_folder, tmp_path / "two", silent)
    denoise(data_folder, tmp_path / "one", silent, "--update-freq 2")
    two, one = (weights(tmp_path / name / "checkpoint_last.pt") for name in ("two", "one"))
    denoise(data_folder, tmp_path / "half", silent, "--update-freq 1")
    half = weights(tmp_path / "half" / "checkpoint_last.pt")
    table = "encoder.embed_tokens.weight"
    assert all(torch.allclose(one[key], two[key], atol=1e-6) for key in one)
    assert not torch.allclose(one[table], half[table], atol=1e-6)
