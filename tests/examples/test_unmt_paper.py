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
        f"common.user_dir={USER_DIR}",
        "common.log_interval=1",
        f"task.data={data_folder}",
        "task.langs='aa,bb'",
        "task.valid_round_trip=4",
        f"checkpoint.save_dir={tmp_path}",
        "optimization.max_update=2",
        "optimization.update_freq=[1]",
        "model.max_source_positions=64",
        "model.max_target_positions=64",
    ]
    overrides += ["model.{}_{}={}".format(side, *item) for side in ("encoder", "decoder") for item in SMALL.items()]
    done = fairseq("hydra_train", ["--config-dir", str(CONFIG), "--config-name", "unmt_paper"], overrides)
    saved = load(tmp_path / "checkpoint_best.pt")
    model = saved["cfg"]["model"] if isinstance(saved["cfg"]["model"], dict) else vars(saved["cfg"]["model"])
    assert saved["optimizer_history"][-1]["num_updates"] == 2
    # what the architecture adds to the file, as --arch mbart_large does on a command line
    assert model["share_all_embeddings"] and model["activation_fn"] == "gelu" and model["encoder_learned_pos"]
    # the second update ran at 2/8000 of the learning rate
    assert '"train_lr": "1.75e-07"' in done.stdout
    assert "round_trip_bleu" in done.stdout and torch.isfinite(saved["model"]["encoder.embed_tokens.weight"]).all()
