"""examples/config/unmt_paper.yaml"""

import pathlib

import torch

from tests.conftest import USER_DIR, fairseq, load

CONFIG = pathlib.Path(__file__).parents[2] / "examples" / "config"
SMALL = {
    "layers": 1,
    "embed_dim": 16,
    "ffn_embed_dim": 32,
    "attention_heads": 2,
}


def test_two_updates_with_the_papers_settings(data_folder, tmp_path):
    overrides = [
        "hydra.run.dir={}".format(tmp_path / "hydra"),
        "common.user_dir={}".format(USER_DIR),
        "common.log_interval=1",
        "task.data={}".format(data_folder),
        "task.langs='aa,bb'",
        "task.valid_round_trip=4",
        "checkpoint.save_dir={}".format(tmp_path),
        "optimization.max_update=2",
        "model.max_source_positions=64",
        "model.max_target_positions=64",
    ]
    overrides += ["model.{}_{}={}".format(side, *item) for side in ("encoder", "decoder") for item in SMALL.items()]
    done = fairseq("hydra_train", ["--config-dir", str(CONFIG), "--config-name", "unmt_paper"], overrides)
    saved = load(tmp_path / "checkpoint_best.pt")
    config = saved["cfg"]
    model = config["model"] if isinstance(config["model"], dict) else vars(config["model"])
    assert saved["optimizer_history"][-1]["num_updates"] == 2
    assert tuple(float(beta) for beta in str(config["optimizer"]["adam_betas"]).strip("()").split(",")) == (0.9, 0.997)
    assert config["optimizer"]["adam_eps"] == 1e-9 and config["optimization"]["lr"] == [7e-4]
    assert config["lr_scheduler"]["_name"] == "inverse_sqrt" and config["lr_scheduler"]["warmup_updates"] == 8000
    assert config["criterion"]["label_smoothing"] == 0.1 and model["dropout"] == 0.1
    assert config["task"]["lambda_dae"] == "0:1,100000:0.1" and config["task"]["restrict_vocab_updates"] == 1000
    # the second update ran at 2/8000 of the learning rate
    assert '"train_lr": "1.75e-07"' in done.stdout
    assert "round_trip_bleu" in done.stdout and torch.isfinite(saved["model"]["encoder.embed_tokens.weight"]).all()
