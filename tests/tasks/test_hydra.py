"""The tasks under fairseq-hydra-train: their options are dataclasses."""

import pytest
from omegaconf import OmegaConf

from crossinit_fairseq.tasks.base import _fill_in_defaults
from tests.conftest import USER_DIR, fairseq, load

MODEL = """
model:
  _name: mbart_base
  base_layers: 0  # the official fairseq compares it, and omegaconf 2.0 gives None for what is not there
  encoder_layers: 1
  decoder_layers: 1
  encoder_embed_dim: 16
  decoder_embed_dim: 16
  encoder_ffn_embed_dim: 32
  decoder_ffn_embed_dim: 32
  encoder_attention_heads: 2
  decoder_attention_heads: 2
  max_source_positions: 64
  max_target_positions: 64
"""
COMMON = """# @package _group_
common: {{user_dir: {user_dir}, log_format: json, log_interval: 1, seed: 3}}
checkpoint: {{save_dir: {save_dir}, no_epoch_checkpoints: true, finetune_from_model: {start}}}
dataset: {{num_workers: 0, data_buffer_size: 0, batch_size: 8, required_batch_size_multiple: 1}}
optimization: {{max_update: 2, lr: [0.001]}}
optimizer: {{_name: adam, adam_betas: "(0.9, 0.98)"}}
lr_scheduler: {{_name: fixed}}
"""


def test_an_architecture_gives_what_the_file_does_not():
    """By this package, since under omegaconf 2.0 what is not there is None, and fairseq keeps that."""
    cfg = OmegaConf.create({"_name": "mbart_large", "encoder_layers": 2})
    OmegaConf.set_struct(cfg, True)
    _fill_in_defaults(cfg)
    assert (cfg.encoder_layers, cfg.decoder_layers, cfg.activation_fn) == (2, 12, "gelu")
    assert cfg.share_all_embeddings and cfg.encoder_learned_pos
    other = OmegaConf.create({"_name": "no_such_architecture"})
    _fill_in_defaults(other)
    assert list(other) == ["_name"]


def test_every_task_builds_its_model_with_them(data_folder, monkeypatch):
    from fairseq.tasks import FairseqTask

    from crossinit_fairseq.tasks.crossinit_mlm import CrossInitMlmConfig, CrossInitMlmTask

    built = []

    def build_model(self, cfg, from_checkpoint=False):
        built.append(cfg)

    monkeypatch.setattr(FairseqTask, "build_model", build_model)
    config = CrossInitMlmConfig()
    config.data, config.langs, config.train_subset = str(data_folder), "aa,bb", "train"
    task = CrossInitMlmTask.setup_task(config)
    task.build_fairseq_model(OmegaConf.create({"_name": "mbart_large", "encoder_layers": 2}), False)
    assert (built[0].encoder_layers, built[0].decoder_layers) == (2, 12)


def test_pretrain_with_a_lexicon_ends_by_directions(data_folder, tmp_path):
    (tmp_path / "lexicon.tsv").write_text("".join(f"a{k}\tb{k}\n" for k in range(3)), "utf-8")
    specific = (
        f"task: {{_name: crossinit_pretrain, data: {data_folder}, langs: 'aa,bb', "
        f"lexicon: 'aa-bb={tmp_path}/lexicon.tsv', stop_directions: 1000, "
        "updates_per_epoch: 2, valid_batches: 1, max_source_positions: 64, max_target_positions: 64}\n"
        "criterion: {_name: crossinit, lexicon_temperature: 0.2}\n"
    )
    common = COMMON.replace("max_update: 2", "max_update: 9").format(user_dir=USER_DIR, save_dir=tmp_path, start="null")
    (tmp_path / "toy.yaml").write_text(common + MODEL + specific)
    fairseq("hydra_train", ["--config-dir", str(tmp_path), "--config-name", "toy"], f"hydra.run.dir={tmp_path}")
    # the first validation is after 2 updates
    assert load(tmp_path / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] == 3


@pytest.mark.parametrize("task", ["crossinit_pretrain", "crossinit_denoising", "crossinit_unmt"])
def test_trains_and_the_checkpoint_loads(data_folder, tmp_path, task):
    specific = {
        "crossinit_pretrain": "task: {{_name: crossinit_pretrain, data: {}, langs: 'aa,bb', span: 10, max_rank: 40, "
        "updates_per_epoch: 2, valid_batches: 1, max_source_positions: 64, max_target_positions: 64}}\n"
        "criterion: {{_name: crossinit}}\n",
        "crossinit_denoising": "task: {{_name: crossinit_denoising, data: {}, langs: 'aa,bb', add_lang_token: true, "
        "mask: 0.3, mask_length: word, sample_break_mode: complete, "
        "max_source_positions: 64, max_target_positions: 64}}\n"
        "criterion: {{_name: cross_entropy}}\n",
        "crossinit_unmt": "task: {{_name: crossinit_unmt, data: {}, langs: 'aa,bb', valid_round_trip: 4, "
        "max_source_positions: 64, max_target_positions: 64}}\n"
        "criterion: {{_name: label_smoothed_cross_entropy, label_smoothing: 0.1}}\n",
    }[task].format(data_folder)
    for number, start in enumerate(("null", tmp_path / "0" / "checkpoint_last.pt")):
        save_dir = tmp_path / str(number)
        config = COMMON.format(user_dir=USER_DIR, save_dir=save_dir, start=start) + MODEL + specific
        (tmp_path / "toy.yaml").write_text(config)
        fairseq("hydra_train", ["--config-dir", str(tmp_path), "--config-name", "toy"], f"hydra.run.dir={tmp_path}")
        assert load(save_dir / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] == 2
