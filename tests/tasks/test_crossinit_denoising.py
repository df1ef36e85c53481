"""tasks/crossinit_denoising.py: what it reads, and what it refuses."""

import argparse
import logging
import re
import shutil

import pytest
from fairseq.data import Dictionary

from crossinit_fairseq.data.bart_noise import NoiseLaw
from crossinit_fairseq.tasks.crossinit_denoising import CrossInitDenoisingConfig, CrossInitDenoisingTask, noise_law
from tests.conftest import write_split
from tests.tasks.denoising import denoise, sentences_of

BOS, PAD, EOS, AA, BB, MASK = 0, 1, 2, 127, 128, 129
# 800 sentences of about 8 sub-tokens: 5 updates an epoch


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


def test_without_language_tokens_it_warns(data_folder, caplog):
    with caplog.at_level(logging.WARNING):
        task_of(data_folder, add_lang_token=False)
    assert "without --add-lang-token the model is not told the languages" in caplog.text
