"""tasks/crossinit_denoising.py: what it reads, that it resumes exactly, and where its checkpoints load."""

import argparse
import functools
import hashlib
import json
import logging
import os
import re
import shutil
import socket

import pytest
import torch
from fairseq.data import Dictionary
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.options import get_training_parser, parse_args_and_arch
from fairseq.tasks import setup_task
from fairseq.trainer import Trainer

from crossinit_fairseq.checkpoint_files import load_checkpoint_file
from crossinit_fairseq.data.bart_noise import NoiseLaw
from crossinit_fairseq.tasks.crossinit_denoising import CrossInitDenoisingTask
from crossinit_fairseq.tasks.crossinit_denoising_config import CrossInitDenoisingConfig, noise_law
from tests.conftest import TINY_MODEL, load, weights, write_split
from tests.helpers import is_kept
from tests.tasks.in_process import run, translate
from tests.toy_runs import check_same, ended, forked

BOS, PAD, EOS, AA, BB, MASK = 0, 1, 2, 127, 128, 129
# 800 sentences of about 8 sub-tokens: 5 updates an epoch
OPTIONS = (
    "--task crossinit_denoising --criterion cross_entropy --arch mbart_base --langs aa,bb --add-lang-token "
    "--max-tokens 2000 --optimizer adam --lr 0.003 --num-workers 0 --data-buffer-size 0 --log-format json "
    "--log-interval 1 --seed 3 --required-batch-size-multiple 1"
)


def task_of(data, **options):
    cfg = CrossInitDenoisingConfig(data=str(data), add_lang_token=True)
    cfg.seed, cfg.train_subset = 5, "train"
    for key, value in options.items():
        setattr(cfg, key, value)
    return CrossInitDenoisingTask.setup_task(cfg)


def loaded(data, split="train", epoch=1, **options):
    task = task_of(data, **options)
    task.load_dataset(split, epoch=epoch)
    task.datasets[split].set_epoch(epoch)
    return task.datasets[split]


def denoise(data, save_dir, *options, check=True):
    done = run("train", [str(data), "--save-dir", str(save_dir)], OPTIONS, TINY_MODEL, *options)
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done


def sentences_of(data, language, split="train"):
    from fairseq.data import data_utils

    dictionary = Dictionary.load(str(data / "dict.txt"))
    return [s.tolist() for s in data_utils.load_indexed_dataset(str(data / language / split), dictionary, "mmap")]


# --- inputs


def test_options_stand_for_the_law_and_default_to_that_of_mbart(data_folder):
    assert noise_law(task_of(data_folder).cfg) == NoiseLaw(mask=0.35, mask_length="span-poisson", poisson_lambda=3.5)
    law = noise_law(task_of(data_folder, mask=0.2, replace_length=-1, permute_sentences=1.0).cfg)
    assert law == NoiseLaw(mask=0.2, replace_length=-1, permute_sentences=1.0)


@pytest.mark.parametrize("with_token", [True, False])
def test_inputs_are_sentences_with_special_tokens(data_folder, with_token):
    dataset = loaded(data_folder, multilang_sampling_alpha=1.0, add_lang_token=with_token)
    targets = [dataset[k].target.tolist() for k in range(len(dataset))]
    aa, bb = (AA, BB) if with_token else (EOS, EOS)
    expected = [[BOS] + sentence + [aa] for sentence in sentences_of(data_folder, "aa")]
    assert targets == expected + [[BOS] + sentence + [bb] for sentence in sentences_of(data_folder, "bb")]
    sources = [dataset[k].source.tolist() for k in range(len(dataset))]
    assert {(source[0], source[-1]) for source in sources} == {(BOS, aa), (BOS, bb)}
    masks = sum(source.count(MASK) for source in sources)
    assert masks / len(sources) > 1 and not any(MASK in target for target in targets)


def test_sub_tokens_are_masked_with_their_word(data_folder):
    # the sub-tokens s and t only ever follow the start of a word
    dictionary = Dictionary.load(str(data_folder / "dict.txt"))
    s, t, stop = map(dictionary.index, "st.")

    def torn(**options):
        dataset = loaded(data_folder, langs="aa", mask_length="word", mask=0.5, **options)
        sources = [dataset[k].source.tolist() for k in range(len(dataset))]
        return sum(a == MASK and b in (s, t, stop) for source in sources for a, b in zip(source, source[1:]))

    assert torn() == 0
    assert torn(no_whole_word_mask_langs="aa") > 50


def test_blocks_of_several_sentences(data_folder):
    dataset = loaded(
        data_folder, sample_break_mode="complete", tokens_per_sample=40, multilang_sampling_alpha=1.0, langs="bb"
    )
    blocks = [dataset[k].target.tolist() for k in range(len(dataset))]
    assert sum((block[1:-1] for block in blocks), []) == sum(sentences_of(data_folder, "bb"), [])
    assert all(len(block) <= 40 and block[-2:] == [EOS, BB] for block in blocks)
    assert sum(len(block) for block in blocks) / len(blocks) > 30


def test_validation_is_by_language_and_always_the_same(data_folder):
    def sources(epoch):
        dataset = loaded(data_folder, "valid", epoch)
        return [(dataset[k][0], dataset[k][1].source.tolist()) for k in range(len(dataset))]

    assert sources(1) == sources(2) and len(sources(1)) == 60
    dataset = loaded(data_folder, "valid")
    batches = [dataset.collater([dataset[k] for k in batch]) for batch in dataset.batch_by_size(None, max_tokens=100)]
    for batch in batches:
        assert {int(row[0]) for row in batch["net_input"]["prev_output_tokens"]} == {
            AA if batch["group"] == "aa" else BB
        }


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


def test_sentences_that_are_too_long_end_no_run(with_long_sentences, tmp_path):
    done = denoise(with_long_sentences, tmp_path / "run", "--max-update 2 --tokens-per-sample 512")
    for split, count in (("train", 402), ("valid", 32)):
        told = rf"bb/{split}: skipped 1 empty and 1 sentences of more than 61 sub-tokens, of {count}"
        assert re.search(told, done.stdout), "64 positions hold <s>, 61 sub-tokens, </s> and [bb]"


@pytest.mark.parametrize("options", [dict(insert=1.0, mask=1.0, poisson_lambda=0.1), dict(insert=0.9)])
def test_noise_makes_no_input_longer_than_the_model(data_folder, options):
    dataset = loaded(data_folder, tokens_per_sample=20, **options)
    assert max(len(dataset[k].source) for k in range(len(dataset))) == 20


def test_text_with_control_symbols_is_left_out(data_folder, tmp_path, caplog):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    write_split(dictionary, folder / "aa" / "train", ["\u2581a1 \u2581a2", "\u2581a1 <mask>", "[bb] \u2581a2"])
    with caplog.at_level(logging.WARNING):
        dataset = loaded(folder, langs="aa")
    assert len(dataset) == 1 and "2 of 3 sentences hold control symbols" in caplog.text


# --- training


@pytest.fixture(scope="module")
def whole(data_folder, tmp_path_factory):
    """Twelve updates, three epochs, with a checkpoint after each. Returns (folder, log)."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, denoise(data_folder, folder, "--max-update 12 --save-interval-updates 1").stdout


def checkpoint_after(folder, updates):
    """The file that was saved after that many updates."""
    inside = list(folder.glob(f"checkpoint_*_{updates}.pt"))
    return inside[0] if inside else folder / f"checkpoint{updates // 5}.pt"


def check_end(one, other):
    states = [load_checkpoint_file(str(path / "checkpoint_last.pt")) for path in (one, other)]
    for state in states:
        state["optimizer_history"] = state["optimizer_history"][-1:]  # has an entry for each start
    check_same(*states)


@pytest.mark.parametrize("updates", [2, 5, 11])
def test_resuming_changes_no_bit(data_folder, whole, tmp_path, updates):
    """Within an epoch, at its end, and before the last update; tests/test_resuming.py has more."""
    saved = checkpoint_after(whole[0], updates)
    assert load(saved)["optimizer_history"][-1]["num_updates"] == updates
    shutil.copy(str(saved), str(tmp_path / "checkpoint_last.pt"))
    denoise(data_folder, tmp_path, "--max-update 12 --save-interval-updates 1")
    check_end(tmp_path, whole[0])


def test_resuming_with_two_workers_changes_no_bit(data_folder, whole, tmp_path):
    shutil.copy(str(checkpoint_after(whole[0], 7)), str(tmp_path / "checkpoint_last.pt"))
    denoise(data_folder, tmp_path, "--max-update 12 --save-interval-updates 1 --num-workers 2")
    check_end(tmp_path, whole[0])


def test_shards_are_read_in_turn_and_resumed(data_folder, with_long_sentences, tmp_path):
    data = f"{data_folder}:{with_long_sentences}"
    whole = denoise(data, tmp_path / "whole", "--max-update 8").stdout
    assert whole.count("skipped 1 empty") == 1, "the second folder's text, in the second epoch alone"
    for stop in ("5", "6", "8"):
        denoise(data, tmp_path / "parts", f"--max-update {stop}")
    check_end(tmp_path / "parts", tmp_path / "whole")


def test_it_learns_and_validates_each_language(whole):
    log = whole[1]
    losses = [float(loss) for loss in re.findall(r'\{"epoch": \d+, "update": \S+ "loss": "([0-9.]+)"', log)]
    assert losses[0] == pytest.approx(7.02, abs=0.2), "a guess among 130 symbols"
    assert losses[-1] < losses[0] - 0.3
    valid = [json.loads(text) for text in re.findall(r"\| valid \| (\{.*\})", log)]
    for stats in valid:
        parts = [float(stats["valid_loss_" + language]) for language in ("aa", "bb")]
        assert min(parts) <= float(stats["valid_loss"]) <= max(parts) and parts[0] != parts[1]


def watched(stock, steps):
    """Trainer.train_step that notes the numbers of the inputs of each update, and a digest of the weights after it."""

    def train_step(self, samples, **options):
        log = stock(self, samples, **options)
        learnt = [value for name, value in self.model.named_parameters() if is_kept(name)]
        digest = hashlib.sha256(b"".join(value.detach().numpy().tobytes() for value in learnt)).hexdigest()
        steps.append([[k for sample in samples for k in (sample or {"id": torch.empty(0)})["id"].tolist()], digest])
        return log

    return train_step


def in_two_processes(data, save_dir, *options):
    """Train over gloo. Returns what `watched` noted in each process: [[[number of an input, ...], digest], ...]."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    save_dir.mkdir(exist_ok=True)
    distributed = (
        "--cpu --distributed-world-size 2 --distributed-no-spawn --distributed-backend gloo --ddp-backend legacy_ddp "
        f"--disable-validation --distributed-init-method tcp://127.0.0.1:{port} --distributed-rank "
    )

    def work(rank):
        steps = []
        Trainer.train_step = watched(Trainer.train_step, steps)
        done = denoise(data, save_dir, *options, distributed + str(rank), check=False)
        (save_dir / f"{rank}.json").write_text(json.dumps([steps, done.stdout[-3000:]]))
        os._exit(done.returncode)

    processes = [forked(functools.partial(work, rank)) for rank in range(2)]
    statuses = [ended(process) for process in processes]
    noted = [json.loads((save_dir / f"{rank}.json").read_text()) for rank in range(2)]
    assert statuses == [0, 0], noted[0][1] + noted[1][1]
    return [steps for steps, _ in noted]


def test_two_processes_share_an_epoch_and_resume(data_folder, tmp_path):
    one, other = in_two_processes(data_folder, tmp_path / "whole", "--max-update 5")
    digests = [digest for _, digest in one]
    assert digests == [digest for _, digest in other] and len(set(digests)) == 5
    # three updates of two batches each are an epoch; the second process has none in the third
    assert sorted(number for steps in (one, other) for numbers, _ in steps[:3] for number in numbers) == list(
        range(800)
    )
    assert other[2][0] == []
    for stop in (2, 5):
        parts = in_two_processes(data_folder, tmp_path / "parts", f"--max-update {stop}")
    assert parts == [one[2:], other[2:]]


# --- the stages after


def test_translation_starts_from_the_bits_that_it_saved(data_folder, whole, tmp_path):
    start = f"--finetune-from-model {whole[0]}/checkpoint_last.pt --lr 0 --max-update 1 --disable-validation"
    translate(data_folder, tmp_path, start)
    saved, begun = weights(whole[0] / "checkpoint_last.pt"), weights(tmp_path / "checkpoint_last.pt")
    assert set(saved) == set(begun) and all(torch.equal(value, begun[name]) for name, value in saved.items())


def test_stock_fine_tuning_takes_its_parameters(data_folder, whole, tmp_path):
    """Those of translation_from_pretrained_bart. (Training by that task fails: it asks for what it no longer has.)"""
    for language in ("aa", "bb"):
        shutil.copy(str(data_folder / "dict.txt"), str(tmp_path / f"dict.{language}.txt"))
    words = "--task translation_from_pretrained_bart -s aa -t bb --langs aa,bb --arch mbart_base".split() + TINY_MODEL
    args = parse_args_and_arch(get_training_parser(), [str(tmp_path)] + words)
    cfg = convert_namespace_to_omegaconf(args)
    model = setup_task(cfg.task).build_model(cfg.model)
    saved = load(whole[0] / "checkpoint_last.pt")["model"]
    model.load_state_dict(saved, strict=True, model_cfg=cfg.model)
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items() if is_kept(name))


def test_its_checkpoint_and_the_stock_tasks_hold_the_same(data_folder, whole, tmp_path):
    options = OPTIONS.replace("crossinit_denoising", "multilingual_denoising") + " --sample-break-mode eos --mask 0.35 "
    options += "--replace-length 1 --rotate 0 --permute-sentences 0 --tokens-per-sample 64 --max-update 1 "
    options += "--no-epoch-checkpoints"
    done = run("train", [str(data_folder), "--save-dir", str(tmp_path)], options, TINY_MODEL)
    assert done.returncode == 0, done.stdout[-3000:]
    stock, own = (load(folder / "checkpoint_last.pt") for folder in (tmp_path, whole[0]))
    assert {name: value.shape for name, value in stock["model"].items()} == {
        name: value.shape for name, value in own["model"].items()
    }
    assert set(stock) == set(own)
    # either goes on from the other
    denoise(data_folder, tmp_path / "on", f"--finetune-from-model {tmp_path}/checkpoint_last.pt --max-update 1 --lr 0")
    begun = weights(tmp_path / "on" / "checkpoint_last.pt")
    assert all(torch.equal(value, begun[name]) for name, value in weights(tmp_path / "checkpoint_last.pt").items())


# --- bad input


@pytest.mark.parametrize(
    "options, sentence",
    [
        (dict(langs="aa,cc"), "language 'cc' has no binarised text"),
        (dict(data="/nowhere"), "the data folder /nowhere does not exist"),
        (dict(mask=1.2), "--mask is 1.2; it is a share, 0 to 1"),
        (dict(replace_length=3), "--replace-length is 3"),
        (dict(tokens_per_sample=3), "--tokens-per-sample is 3; <s>, a word, </s> and .lang. make 4"),
        (dict(multilang_sampling_alpha=-1.0), "--multilang-sampling-alpha is -1.0; it must be 0 or more"),
        (dict(no_whole_word_mask_langs="zh"), "--no-whole-word-mask-langs names zh, but this run has aa, bb"),
    ],
)
def test_bad_options_end_in_one_sentence(data_folder, options, sentence):
    with pytest.raises(SystemExit, match="^crossinit_fairseq: error: .*" + sentence):
        task_of(options.pop("data", data_folder), **options)


@pytest.mark.parametrize(
    "options, told",
    [
        ("--max-source-positions 3 --max-target-positions 3", "the model has 3 positions; <s>, a word, </s>"),
        ("--max-source-positions 4 --max-target-positions 4", "has no sentence that can be used"),
        ("--lr 1e38", "the loss is nan in update 2, a batch of "),
    ],
)
def test_what_cannot_be_trained_ends_in_one_sentence(data_folder, tmp_path, options, told):
    done = denoise(data_folder, tmp_path, "--max-update 9 --disable-validation", options, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    (error,) = [line for line in done.stdout.splitlines() if line.startswith("crossinit_fairseq: error: ")]
    assert told in error
    assert not list(tmp_path.glob("*.pt"))


def test_a_model_without_a_decoder(data_folder):
    with pytest.raises(
        SystemExit, match="needs an encoder-decoder architecture such as mbart_base or transformer, not"
    ):
        task_of(data_folder).build_model(argparse.Namespace(arch="xlm_tiny_3"))


def test_what_the_stock_task_has_and_this_one_has_not_is_refused(data_folder, tmp_path, capsys):
    for options in ("--sample-break-mode complete_doc", "--shorten-method truncate", "--shuffle-instance 1"):
        assert denoise(data_folder, tmp_path, options, check=False).returncode == 2
        said = capsys.readouterr().err
        assert "complete_doc" in said or options in said


def test_a_checkpoint_of_another_dictionary_is_refused(data_folder, whole, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    lines = (folder / "dict.txt").read_text(encoding="utf-8").splitlines()
    lines[0], lines[1] = lines[1], lines[0]
    (folder / "dict.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    start = f"--max-update 1 --finetune-from-model {whole[0]}/checkpoint_last.pt"
    done = denoise(folder, tmp_path / "run", start, check=False)
    assert done.returncode == 1 and "was trained with another dictionary" in done.stdout


def test_without_language_tokens_it_warns(data_folder, caplog):
    with caplog.at_level(logging.WARNING):
        task_of(data_folder, add_lang_token=False)
    assert "without --add-lang-token the model is not told the languages" in caplog.text
