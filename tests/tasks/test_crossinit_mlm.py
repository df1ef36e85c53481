"""tasks/crossinit_mlm.py and data/datasets/masked_text.py, and the way CrossInit -> XLM -> translation."""

import argparse
import json
import logging
import re
import shutil

import numpy as np
import pytest
import torch
from fairseq.data import Dictionary
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.options import get_training_parser, parse_args_and_arch
from fairseq.tasks import setup_task

from crossinit_fairseq.tasks.crossinit_mlm import CrossInitMlmConfig, CrossInitMlmTask
from tests.conftest import USER_DIR, crossinit, fairseq, load, train, weights, write_split
from tests.models.test_xlm_translation import counterparts

SIZES = (
    "--encoder-layers 2 --encoder-embed-dim 16 --encoder-ffn-embed-dim 32 --encoder-attention-heads 2 "
    "--max-positions 64"
)
BOS, PAD, EOS, AA, BB, MASK = 0, 1, 2, 127, 128, 129


def task_of(data, **options):
    cfg = CrossInitMlmConfig(data=str(data), tokens_per_sample=32)
    cfg.seed, cfg.train_subset = 5, "train"
    for key, value in options.items():
        setattr(cfg, key, value)
    return CrossInitMlmTask.setup_task(cfg)


def loaded(data, split="train", epoch=1, **options):
    task = task_of(data, **options)
    task.load_dataset(split, epoch=epoch)
    task.datasets[split].set_epoch(epoch)
    return task.datasets[split]


def samples(dataset):
    return [dataset.collater([dataset[k]]) for k in range(len(dataset))]


def originals(sample):
    """What stood there before masking, of a sample of one input."""
    source, target = sample["net_input"]["src_tokens"][0], sample["target"][0]
    return torch.where(target == PAD, source, target).tolist()


def sentences_of(data, language, split="train"):
    from fairseq.data import data_utils

    text = data_utils.load_indexed_dataset(
        str(data / language / split), Dictionary.load(str(data / "dict.txt")), "mmap"
    )
    return [sentence.tolist() for sentence in text]


# --- inputs


@pytest.mark.parametrize("mode", ["complete", "eos", "none"])
def test_inputs_are_text_of_one_language_with_special_tokens(data_folder, mode):
    dataset = loaded(data_folder, "valid", sample_break_mode=mode)
    found = {0: [], 1: []}
    for part, sample in (
        (k, s) for k in range(len(dataset)) for s in [dataset.collater([dataset[k]])] for k in [s["group"]]
    ):
        tokens, (language,) = originals(sample), sample["net_input"]["language_ids"].tolist()
        assert part == ["aa", "bb"][language]
        assert tokens[0] == BOS and tokens[-1] == [AA, BB][language] and len(tokens) <= 32
        assert sample["ntokens"] == len(tokens) and sample["nsentences"] == 1
        if mode != "none":
            assert tokens[-2] == EOS
        if mode == "eos":
            assert tokens.count(EOS) == 1
        found[language].append(tokens[1:-1])
    for language, name in enumerate(("aa", "bb")):
        assert sum(found[language], []) == sum(sentences_of(data_folder, name, "valid"), []), "all the text, in order"
        if mode != "eos":
            assert all(len(block) > 15 for block in found[language][:-1]), "full"


def test_special_tokens_are_not_masked_and_nothing_becomes_one(data_folder):
    dataset = loaded(data_folder, mask_prob=0.9, leave_unmasked_prob=0.0, random_token_prob=1.0)
    replaced = []
    for sample in samples(dataset):
        (source,), (target,) = sample["net_input"]["src_tokens"], sample["target"]
        assert target[0] == target[-1] == PAD and source[0] == BOS and source[-1] in (AA, BB)
        replaced += source[target != PAD].tolist()
    assert len(replaced) > 3000 and min(replaced) == 4 and max(replaced) == AA - 1


def test_shares_of_what_is_masked(data_folder):
    counts = dict(tokens=0, predicted=0, masked=0, kept=0)
    for sample in samples(loaded(data_folder)):
        source, target = sample["net_input"]["src_tokens"], sample["target"]
        predicted = target != PAD
        counts["tokens"] += source.numel() - 2
        counts["predicted"] += int(predicted.sum())
        counts["masked"] += int((source == MASK).sum())
        counts["kept"] += int((source == target).sum())
        assert not (source == MASK)[~predicted].any()
    assert counts["predicted"] / counts["tokens"] == pytest.approx(0.15, abs=0.01)
    assert counts["masked"] / counts["predicted"] == pytest.approx(0.8, abs=0.06)
    assert counts["kept"] / counts["predicted"] == pytest.approx(0.1, abs=0.05)


def test_masks_are_new_in_every_epoch_and_the_same_in_every_validation(data_folder):
    def masks(split, epoch, **options):
        got = samples(loaded(data_folder, split, epoch, multilang_sampling_alpha=1.0, **options))
        return {tuple(originals(sample)): sample["net_input"]["src_tokens"].tolist() for sample in got}

    first, again, second = masks("train", 1), masks("train", 1), masks("train", 2)
    assert first == again and set(first) == set(second)
    assert np.mean([first[text] != second[text] for text in first]) > 0.9
    assert masks("valid", 1) == masks("valid", 2) != masks("valid", 1, seed=6)


@pytest.fixture
def unequal(data_folder, tmp_path):
    """Language bb has a ninth of aa's text; one of its sentences is empty and one too long."""
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    dictionary, sentences = Dictionary.load(str(folder / "dict.txt")), sentences_of(data_folder, "bb")[:42]
    lines = [" ".join(dictionary[token] for token in sentence[:-1]) for sentence in sentences]
    write_split(dictionary, folder / "bb" / "train", lines + ["", " ".join(["\u2581b3"] * 30)])
    return folder


def test_unusable_sentences_are_counted_and_left_out(unequal, caplog):
    with caplog.at_level(logging.WARNING):
        dataset = loaded(unequal, sample_break_mode="eos", langs="bb")
    assert len(dataset) == 42
    assert "skipped 1 empty and 1 sentences of more than 29 sub-tokens, of 44" in caplog.text
    assert len(loaded(unequal, sample_break_mode="eos", langs="bb", tokens_per_sample=33)) == 43
    pieces = [originals(sample)[1:-1] for sample in samples(loaded(unequal, sample_break_mode="none", langs="bb"))]
    assert sum(sum(piece.count(dataset_token) for piece in pieces) for dataset_token in [EOS]) == 43, "none is too long"


@pytest.mark.parametrize("alpha, shares", [(1.0, (400, 42)), (0.5, (333.8, 108.2)), (0.0, (221, 221))])
def test_languages_are_sampled_by_their_shares(unequal, alpha, shares):
    # 400 and 42 blocks; with alpha 0.5 in proportion to 20 and 6.48
    dataset = loaded(unequal, sample_break_mode="eos", multilang_sampling_alpha=alpha)
    languages = [int(sample["net_input"]["language_ids"]) for sample in samples(dataset)]
    assert languages.count(0) == pytest.approx(shares[0], abs=1) and languages.count(1) == pytest.approx(
        shares[1], abs=1
    )
    if alpha == 0.5:
        texts = [tuple(originals(s)) for s in samples(dataset) if int(s["net_input"]["language_ids"]) == 1]
        seen = [texts.count(tuple([BOS] + sentence + [BB])) for sentence in sentences_of(unequal, "bb")[:42]]
        assert min(seen) >= 2, "2.58 times: whole twice, and a sample"


def test_what_an_epoch_repeats_is_masked_otherwise_each_time(unequal):
    masks = {}
    for sample in samples(loaded(unequal, sample_break_mode="eos", multilang_sampling_alpha=0.5)):
        masks.setdefault(tuple(originals(sample)), []).append(tuple(sample["net_input"]["src_tokens"][0].tolist()))
    repeated = [given for text, given in masks.items() if text[-1] == BB and len(text) > 8]
    assert len(repeated) > 10 and all(len(given) >= 2 for given in repeated)
    # of 7 tokens or more 1 or 2 are masked: two masks are seldom alike
    assert sum(len(set(given)) == len(given) for given in repeated) > 0.6 * len(repeated)


def test_batches_are_of_like_lengths_in_every_epoch(unequal):
    task = task_of(unequal, sample_break_mode="eos")
    assert task.has_sharded_data("train") and not task.has_sharded_data("valid")
    for epoch in (1, 2, 3):
        task.load_dataset("train", epoch=epoch)
        dataset = task.datasets["train"]
        iterator = task.get_batch_iterator(dataset, max_tokens=200, max_positions=32, seed=1, epoch=epoch)
        for batch in iterator.next_epoch_itr(shuffle=False):
            lengths = batch["net_input"]["src_tokens"].ne(PAD).sum(1)
            assert lengths.max() - lengths.min() <= 2


def test_the_number_of_a_language_is_its_place_in_the_dictionary(data_folder):
    for langs in ("aa,bb", "bb,aa", "bb"):
        dataset = loaded(data_folder, "valid", langs=langs)
        assert {(s["group"], int(s["net_input"]["language_ids"])) for s in samples(dataset)} == {
            (language, "ab".index(language[0])) for language in langs.split(",")
        }


# --- from stage to stage


@pytest.fixture(scope="module")
def stages(data_folder, tmp_path_factory):
    """CrossInit; XLM under Hydra, starting from it; translation, starting from that, without learning."""
    root = tmp_path_factory.mktemp("stages")
    crossinit(data_folder, root / "crossinit", "--langs aa,bb --lr 0.01 --max-update 3", SIZES, arch="xlm_tiny_3")
    (root / "toy.yaml").write_text(HYDRA.format(USER_DIR, root / "mlm", root / "crossinit", data_folder))
    fairseq("hydra_train", ["--config-dir", str(root), "--config-name", "toy"], f"hydra.run.dir={root}")
    start = f"--finetune-from-model {root}/mlm/checkpoint_last.pt"
    return root, train(data_folder, root / "translation", TRANSLATION, start).stdout


TRANSLATION = (
    "--task crossinit_unmt --criterion label_smoothed_cross_entropy --label-smoothing 0.1 "
    "--arch xlm_translation --max-tokens 300 --valid-round-trip 5 --lr 0 --max-update 1 " + SIZES
)
HYDRA = """# @package _group_
common: {{user_dir: {}, log_format: json, log_interval: 1, seed: 3}}
checkpoint: {{save_dir: {}, no_epoch_checkpoints: true, finetune_from_model: {}/checkpoint_last.pt}}
dataset: {{num_workers: 0, data_buffer_size: 0, max_tokens: 400, required_batch_size_multiple: 1}}
optimization: {{max_update: 60, lr: [0.01]}}
optimizer: {{_name: adam, adam_betas: "(0.9, 0.98)"}}
lr_scheduler: {{_name: fixed}}
task: {{_name: crossinit_mlm, data: {}, langs: 'aa,bb', tokens_per_sample: 64}}
criterion: {{_name: masked_lm}}
model:
  _name: xlm_tiny_3
  base_layers: 0  # the official fairseq compares it, and omegaconf 2.0 gives None for what is not there
  encoder_layers: 2
  encoder_embed_dim: 16
  encoder_ffn_embed_dim: 32
  encoder_attention_heads: 2
  max_positions: 64
"""


def test_xlm_starts_from_the_bits_that_crossinit_saved(stages, data_folder):
    root, _ = stages
    options = (
        f"--user-dir {USER_DIR} --criterion masked_lm --arch xlm_tiny_3 --task crossinit_mlm --tokens-per-sample 64 "
    )
    parser = get_training_parser()
    args = parse_args_and_arch(parser, [str(data_folder)] + (options + SIZES).split())
    cfg = convert_namespace_to_omegaconf(args)
    model = setup_task(cfg.task).build_model(cfg.model)
    path = root / "crossinit" / "checkpoint_last.pt"
    model.load_state_dict(load(path)["model"], strict=True, model_cfg=cfg.model)
    saved = weights(path)
    assert set(saved) == set(model.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(saved[name], value), name
    log = (root / "hydra_train.log").read_text(encoding="utf-8")
    assert f"loading pretrained model from {path}" in log


def test_translation_starts_from_the_bits_that_xlm_saved(stages):
    root, log = stages
    saved, start = (weights(root / stage / "checkpoint_last.pt") for stage in ("mlm", "translation"))
    for name, value in saved.items():
        for counterpart, copied in counterparts(name, value, start).items():
            assert torch.equal(copied, value), counterpart
    assert "from the XLM checkpoint: 38 tensors, into encoder and decoder" in log


def test_it_learns_and_names_the_languages(stages):
    log = (stages[0] / "hydra_train.log").read_text(encoding="utf-8")
    first = json.loads(re.search(r"\[train_inner\]\[INFO\] - (\{.*\})", log).group(1))
    valid = [json.loads(text) for text in re.findall(r"\[valid\]\[INFO\] - (\{.*\})", log)]
    assert float(first["loss"]) == pytest.approx(7.02, abs=0.1), "a guess among 130 symbols"
    assert float(valid[-1]["valid_loss"]) < 5.5
    assert len(valid) > 1
    for stats in valid:
        parts = [float(stats["valid_loss_" + language]) for language in ("aa", "bb")]
        assert min(parts) <= float(stats["valid_loss"]) <= max(parts) and parts[0] != parts[1]


def test_generate_with_a_beam(stages, data_folder):
    root, _ = stages
    path = root / "translation" / "checkpoint_last.pt"
    done = fairseq(
        "generate",
        [str(data_folder), "--user-dir", str(USER_DIR), "--path", str(path)],
        "--task crossinit_unmt -s bb -t aa --beam 3 --max-len-b 10 --remove-bpe sentencepiece --batch-size 8 "
        "--required-batch-size-multiple 1 --num-workers 0",
    )
    assert sorted(int(n) for n in re.findall(r"^H-(\d+)", done.stdout, re.M)) == list(range(21))


# --- bad input


@pytest.mark.parametrize(
    "options, sentence",
    [
        (dict(langs="aa,cc"), "language 'cc' has no binarised text"),
        (dict(data="/nowhere"), "the data folder /nowhere does not exist"),
        (dict(mask_prob=0.0), "--mask-prob is 0.0; it must lie between 0 and 1"),
        (dict(multilang_sampling_alpha=-0.1), "--multilang-sampling-alpha is -0.1; it must be 0 or more"),
        (
            dict(leave_unmasked_prob=0.6, random_token_prob=0.5),
            "are shares of the masked tokens, of 1 together at most",
        ),
        (dict(tokens_per_sample=3), "--tokens-per-sample is 3; <s>, a word, </s> and .lang. make 4"),
    ],
)
def test_bad_options_end_in_one_sentence(data_folder, options, sentence):
    with pytest.raises(SystemExit, match="^crossinit_fairseq: error: .*" + sentence):
        task_of(options.pop("data", data_folder), **options)


def test_text_to_validate_on_is_missing(data_folder, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder), ignore=shutil.ignore_patterns("valid*"))
    with pytest.raises(SystemExit, match="^crossinit_fairseq: error: .*bb/valid|aa/valid"):
        loaded(folder, "valid")


def test_a_language_token_in_mid_dictionary(data_folder, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    lines = (folder / "dict.txt").read_text(encoding="utf-8").splitlines()
    lines.remove("[aa] 1")
    (folder / "dict.txt").write_text("\n".join(["[aa] 1"] + lines) + "\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="the tokens of aa are not at the end of dict.txt, with those of the other"):
        task_of(folder)


def test_a_model_that_is_no_masked_lm(data_folder):
    with pytest.raises(SystemExit, match="needs a masked language model such as xlm_tiny_3 or roberta, not mbart_base"):
        task_of(data_folder).build_model(argparse.Namespace(arch="mbart_base"))


def test_inputs_longer_than_the_model_has_positions(data_folder):
    cfg = argparse.Namespace(arch="xlm_tiny_3", encoder_layers=1, encoder_embed_dim=8, max_positions=16)
    with pytest.raises(SystemExit, match="--tokens-per-sample is 32 but the model has 16 positions"):
        task_of(data_folder).build_model(cfg)


def test_nothing_left_to_read(data_folder):
    with pytest.raises(SystemExit, match="aa.train has no sentence that can be used"):
        loaded(data_folder, tokens_per_sample=4)
