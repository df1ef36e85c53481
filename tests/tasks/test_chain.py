"""The whole way: CrossInit, mBART, translation, fairseq-generate; nothing is lost or moved between."""

import json
import re

import pytest
import torch

from tests.conftest import TINY_MODEL, USER_DIR, crossinit, fairseq, train, weights

TABLE = "encoder.embed_tokens.weight"
MBART = (
    "--task crossinit_denoising --criterion cross_entropy --langs aa,bb --add-lang-token --max-tokens 200 "
    "--arch mbart_base"
)
TRANSLATION = (
    "--task crossinit_unmt --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens 200 "
    "--arch mbart_base --valid-round-trip 10"
)


@pytest.fixture(scope="module")
def stages(data_folder, tmp_path_factory):
    """Run the stages once, a few updates each."""
    root = tmp_path_factory.mktemp("stages")
    logs = {}
    logs["crossinit"] = crossinit(data_folder, root / "crossinit", "--langs aa,bb --lr 0.01 --max-update 6").stdout
    chain = "--finetune-from-model {}/{}/checkpoint_last.pt"
    logs["mbart"] = train(
        data_folder, root / "mbart", MBART, TINY_MODEL, chain.format(root, "crossinit"), "--lr 0.001 --max-update 3"
    ).stdout
    logs["translation"] = train(
        data_folder,
        root / "translation",
        TRANSLATION,
        TINY_MODEL,
        chain.format(root, "mbart"),
        "--lr 0.001 --max-update 3",
    ).stdout
    return root, logs


def start_of(data, stage_options, checkpoint, save_dir, how):
    """The parameters a stage starts from: those it saves after one update with learning rate zero."""
    train(
        data, save_dir, stage_options, TINY_MODEL, how.format(checkpoint), "--lr 0 --max-update 1 --disable-validation"
    )
    return weights(save_dir / "checkpoint_last.pt")


RESTORE = "--restore-file {} --reset-optimizer --reset-dataloader --reset-meters --reset-lr-scheduler"


@pytest.mark.parametrize(
    "before, options, how",
    [
        ("crossinit", MBART, "--finetune-from-model {}"),
        ("crossinit", MBART, RESTORE),
        ("crossinit", TRANSLATION, "--finetune-from-model {}"),
        ("mbart", TRANSLATION, "--finetune-from-model {}"),
        ("mbart", TRANSLATION, RESTORE),
    ],
)
def test_a_stage_starts_from_the_bits_that_the_one_before_saved(stages, data_folder, tmp_path, before, options, how):
    root, _ = stages
    checkpoint = root / before / "checkpoint_last.pt"
    saved = weights(checkpoint)
    start = start_of(data_folder, options, checkpoint, tmp_path, how)
    assert set(saved) == set(start)
    for name in saved:
        assert torch.equal(saved[name], start[name]), name


def test_only_the_table_moves(stages, data_folder, tmp_path):
    root, _ = stages
    crossinit(data_folder, tmp_path, "--langs aa,bb --lr 0 --max-update 1")
    initial = weights(tmp_path / "checkpoint_last.pt")
    aligned = weights(root / "crossinit" / "checkpoint_last.pt")
    moved = {name for name in initial if not torch.equal(initial[name], aligned[name])}
    # one table under the names of its three users
    assert moved == {TABLE, "decoder.embed_tokens.weight", "decoder.output_projection.weight"}
    rows = (initial[TABLE] != aligned[TABLE]).any(1)
    assert not rows[:4].any() and not rows[-4:].any(), "special symbols, punctuation and <mask> are no words"
    assert rows[4:-6].float().mean() > 0.9


def test_crossinit_brings_its_loss_down(stages):
    _, logs = stages
    losses = [float(loss) for loss in re.findall(r'"loss": "([0-9.]+)"', logs["crossinit"])]
    assert abs(losses[0] - 1.386) < 0.05, "both dot products of a random table are near zero"
    assert losses[-1] < losses[0]


def test_translation_validates_both_directions(stages):
    _, logs = stages
    valid = [json.loads(text) for text in re.findall(r"\| valid \| (\{.*\})", logs["translation"])][-1]
    for key in ("bleu_aa-bb", "bleu_bb-aa", "bleu", "round_trip_aa-bb", "round_trip_bb-aa", "round_trip_bleu", "loss"):
        assert "valid_" + key in valid
    inner = [json.loads(text) for text in re.findall(r"\| train_inner \| (\{.*\})", logs["translation"])][-1]
    assert {"dae_loss", "bt_loss"} <= set(inner)


@pytest.mark.parametrize("source, target", [("aa", "bb"), ("bb", "aa")])
def test_generate_scores_every_sentence_in_either_direction(stages, data_folder, source, target):
    root, _ = stages
    done = fairseq(
        "generate",
        [str(data_folder)],
        "--user-dir {} --task crossinit_unmt -s {} -t {} --path {}".format(
            USER_DIR, source, target, root / "translation" / "checkpoint_last.pt"
        ),
        "--beam 2 --max-len-b 10 --remove-bpe sentencepiece --batch-size 8 --required-batch-size-multiple 1 "
        "--num-workers 0",
    )
    numbers = sorted(int(n) for n in re.findall(r"^H-(\d+)", done.stdout, re.M))
    assert numbers == list(range(21))
    references = re.findall(r"^T-\d+\t(.*)", done.stdout, re.M)
    assert all(text.startswith(target[0]) for text in references)
    for text in references + re.findall(r"^D-\d+\t\S+\t(.*)", done.stdout, re.M):
        assert "[aa]" not in text and "[bb]" not in text, "language tokens are stripped"


def test_options_are_listed_with_help():
    for task in ("crossinit_pretrain", "crossinit_unmt"):
        text = fairseq("train", f"--help --user-dir {USER_DIR} --task {task}").stdout
        import crossinit_fairseq.tasks.crossinit_pretrain as pretrain
        import crossinit_fairseq.tasks.crossinit_unmt_config as unmt

        config = pretrain.CrossInitPretrainConfig if task == "crossinit_pretrain" else unmt.CrossInitUnmtConfig
        for name, field in config.__dataclass_fields__.items():
            if name in ("_name", "seed", "train_subset", "data"):
                continue
            if "help" not in field.metadata:
                continue  # an option of fairseq itself
            option = "--" + name.replace("_", "-")
            assert option in text
            first_words = " ".join(field.metadata["help"].split()[:3])
            assert first_words.replace(" ", "") in re.sub(r"\s", "", text), option
