"""examples/config/hydra/launcher/slurm.yaml and Hydra's submitit launchers, on a Slurm that is a fake."""

import os
import re
import subprocess

import pytest

from tests import fake_slurm, program_server
from tests.conftest import USER_DIR, load
from tests.examples.test_unmt_paper import CONFIG, SMALL

pytest.importorskip(
    "hydra_plugins.hydra_submitit_launcher", reason="needs pip install hydra-submitit-launcher (hydra 1.3)"
)


def fairseq_hydra_train(data_folder, tmp_path, *overrides):
    """Two updates of examples/config/unmt_paper.yaml with a small model, in a job."""
    overrides = list(overrides) + [
        f"common.user_dir={USER_DIR}",
        "common.log_interval=1",
        "common.cpu=true",
        f"task.data={data_folder}",
        "task.langs='aa,bb'",
        "dataset.disable_validation=true",
        "checkpoint.save_dir={}".format(tmp_path / "saved"),
        "optimization.max_update=2",
        "model.max_source_positions=64",
        "model.max_target_positions=64",
    ]
    overrides += ["model.{}_{}={}".format(side, *item) for side in ("encoder", "decoder") for item in SMALL.items()]
    done = subprocess.run(
        [str(program_server.environment() / "bin" / "fairseq-hydra-train"), "-m"]
        + ["--config-dir", str(CONFIG), "--config-name", "unmt_paper"]
        + overrides,
        cwd=str(tmp_path),
        env=fake_slurm.install(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]
    assert load(tmp_path / "saved" / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] == 2


def test_a_job_on_this_machine(data_folder, tmp_path):
    fairseq_hydra_train(data_folder, tmp_path, "hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5")
    (log,) = tmp_path.glob("multirun/*/*/.submitit/*/*_0_log.out")
    assert log.read_text(encoding="utf-8").count("[train_inner]") == 2


def test_a_slurm_job_of_two_processes(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SRUN_LOCALID", "0")
    fairseq_hydra_train(
        data_folder,
        tmp_path,
        "hydra/launcher=slurm",
        "hydra.launcher.partition=fast",
        "hydra.launcher.gpus_per_node=2",
        "hydra.launcher.tasks_per_node=2",
        "hydra.launcher.timeout_min=90",
        "distributed_training.distributed_world_size=2",
        f"distributed_training.distributed_port={20000 + os.getpid() % 10000}",
        "distributed_training.distributed_backend=gloo",
        "distributed_training.ddp_backend=legacy_ddp",
    )
    script = (tmp_path / "spool" / "slurm_script").read_text()
    asked = dict(re.findall(r"^#SBATCH --([\w-]+)=(.*)$", script, re.M))
    assert {name: asked.get(name) for name in ("nodes", "ntasks-per-node", "gpus-per-node", "cpus-per-task")} == {
        "nodes": "1",
        "ntasks-per-node": "2",
        "gpus-per-node": "2",
        "cpus-per-task": "4",
    }
    assert asked["time"] == "90" and asked["partition"] == "fast" and asked["signal"] == "USR2@120"
    assert re.search(r"^srun .* -m submitit.core._submit ", script, re.M)
    (log,) = (tmp_path).glob("multirun/*/*/.submitit/*/*_0_log.out")
    text = log.read_text(encoding="utf-8")
    assert text.count("[train_inner]") == 2 and "2 devices" in text
    assert "(rank 0)" in text and "(rank 1)" in text
