"""scripts/unmt/slurm.sbatch, and what scripts/unmt/settings.sh tells fairseq under Slurm, on a fake Slurm."""

import copy
import itertools
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from tests import fake_slurm, program_server
from tests.conftest import TINY_MODEL, load

ROOT = pathlib.Path(__file__).parents[3]
SBATCH = ROOT / "scripts" / "unmt" / "slurm.sbatch"
RECIPE = """
set -euo pipefail
EXAMPLE={folder} ROOT={root}
TITLE=toy LANGS=aa,bb PAIR='aa bb' TEST_NAME=none DEV_NAME=none WEB_BASE=none WEB_PAPER=none
source $ROOT/scripts/unmt/settings.sh "$@"
"""
TRAIN = """
train CrossInit $UPDATES {data} "${{COMMON[@]}}" --arch mbart_base --task crossinit_pretrain --criterion crossinit \\
  --langs aa,bb --span 10 --max-rank 40 --batch-size 8 --updates-per-epoch 4 --valid-batches 1 \\
  --optimizer adam --log-interval 1 --save-dir crossinit \\
  --cpu --distributed-backend gloo --ddp-backend legacy_ddp {model}
"""


@pytest.fixture
def cluster(tmp_path):
    """An environment with a Slurm in it, and the virtual environment of the tests for the recipes. A job that is killed
    leaves no temporary file."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    variables = dict(VENV=str(program_server.environment()), GPUS="0", SRUN_LOCALID="0", TMPDIR=str(temporary))
    yield dict(fake_slurm.install(tmp_path), **variables)
    assert not list(temporary.glob("tmp.*"))


def recipe(folder, script):
    (folder / "toy").mkdir(exist_ok=True)
    (folder / "toy" / "run.sh").write_text(RECIPE.format(folder=folder / "toy", root=ROOT) + script)


def submit(folder, cluster, options="", preset="smoke"):
    """The exit status of the job, and its log."""
    command = ["sbatch", "--wait", "--nodes=1", "--ntasks-per-node=2", "--gpus-per-node=2"] + options.split()
    command += [str(SBATCH), "toy", "--preset", preset, "--text", str(folder), "--out", str(folder / "out")]
    status = subprocess.run(command, cwd=str(folder), env=cluster, stdout=subprocess.DEVNULL).returncode
    return status, (folder / f"crossinit-{fake_slurm.JOB_ID}.log").read_text(encoding="utf-8")


def updates(log):
    return re.findall(r'train_inner \| .*"bsz": "(\d+)", "num_updates": "(\d+)"', log)


def test_two_processes_train_and_the_job_goes_on_where_it_ended(data_folder, tmp_path, cluster):
    recipe(tmp_path, TRAIN.format(data=data_folder, model=" ".join(TINY_MODEL)))
    status, log = submit(tmp_path, dict(cluster, UPDATES="2"))
    assert status == 0, log[-3000:]
    # 8 pairs of each process; only the first writes the log
    assert updates(log) == [("16", "1"), ("16", "2")]
    assert f"distributed init (rank 1): tcp://localhost:{15000 + fake_slurm.JOB_ID}" in log
    status, log = submit(tmp_path, dict(cluster, UPDATES="3"))
    assert status == 0, log[-3000:]
    assert updates(log) == [("16", "1"), ("16", "2"), ("16", "3")], "the log of the second time is added"
    assert load(tmp_path / "out" / "crossinit" / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] == 3
    calls = (tmp_path / "calls").read_text()
    assert calls.count("srun --kill-on-bad-exit=1 fairseq-train") == 2


def test_a_process_that_fails_ends_the_job(data_folder, tmp_path, cluster):
    recipe(tmp_path, TRAIN.format(data=data_folder, model=" ".join(TINY_MODEL)) + "echo went on\n")
    status, log = submit(tmp_path, dict(cluster, UPDATES="2", SRUN_BREAKS="1"))
    assert status != 0 and "went on" not in log and not updates(log)


@pytest.mark.parametrize("nodes, per_node", [(2, 8), (2, 1), (1, 4)])
def test_every_process_has_a_rank_and_a_gpu_of_its_own(tmp_path, cluster, monkeypatch, nodes, per_node):
    """What fairseq makes of the options and Slurm's variables, in all processes of a job too big for this machine."""
    from fairseq import options
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf
    from fairseq.distributed.utils import infer_init_method

    recipe(tmp_path, "env | grep ^SLURM_ > $OUT/variables; echo $DISTRIBUTED > $OUT/options; echo $BATCH > $OUT/batch")
    layout = f"--nodes={nodes} --ntasks-per-node={per_node} --gpus-per-node={per_node}"
    status, log = submit(tmp_path, cluster, layout, preset="paper")
    assert status == 0, log
    variables = dict(line.split("=", 1) for line in (tmp_path / "out" / "variables").read_text().splitlines())
    for name, value in dict(variables, PATH=cluster["PATH"], FAKE_SLURM=cluster["FAKE_SLURM"]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("torch.cuda.device_count", lambda: per_node)
    monkeypatch.setattr("torch.cuda.set_device", lambda device: None)
    parser = options.get_training_parser()
    arguments = ["data", "--task", "language_modeling", "--arch", "transformer_lm", "--optimizer", "adam"]
    arguments += (tmp_path / "out" / "options").read_text().split()
    given = convert_namespace_to_omegaconf(options.parse_args_and_arch(parser, arguments)).distributed_training
    found = []
    for node, local in itertools.product(range(nodes), range(per_node)):
        monkeypatch.setenv("SLURM_NODEID", str(node))
        monkeypatch.setenv("SLURM_LOCALID", str(local))
        monkeypatch.setenv("SLURM_PROCID", str(node * per_node + local))
        config = copy.deepcopy(given)
        infer_init_method(config)
        assert config.distributed_world_size == nodes * per_node
        assert config.distributed_init_method == f"tcp://localhost:{15000 + fake_slurm.JOB_ID}"
        found.append((config.distributed_rank, config.device_id))
    # the paper's batch of 256 sentences, 8 at a time
    assert (tmp_path / "out" / "batch").read_text().split()[-1] == str(32 // (nodes * per_node))
    assert found == [(rank, rank % per_node) for rank in range(nodes * per_node)]


@pytest.fixture
def started(tmp_path, cluster):
    """Starts a job with a recipe; returns the job's process once the recipe has made $OUT/logs/running."""
    processes = []

    def start(script):
        recipe(tmp_path, f"mkdir -p $OUT/logs; {script}; touch $OUT/logs/running; sleep 60")
        command = ["sbatch", SBATCH, "toy", "--preset", "smoke", "--text", tmp_path, "--out", tmp_path / "out"]
        done = subprocess.run(list(map(str, command)), cwd=str(tmp_path), env=cluster, stdout=subprocess.DEVNULL)
        assert done.returncode == 0
        processes.append(int((tmp_path / "process").read_text()))
        wait_for(lambda: (tmp_path / "out" / "logs" / "running").exists())
        return processes[-1]

    yield start
    for process in processes:
        try:
            os.killpg(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_it_queues_itself_again_when_the_time_is_nearly_up(tmp_path, started):
    process = started("touch $OUT/checkpoint")
    os.kill(process, signal.SIGUSR1)
    wait_for(lambda: f"scontrol requeue {fake_slurm.JOB_ID}\n" in (tmp_path / "calls").read_text())
    os.kill(process, 0)  # until Slurm ends it, training goes on


def test_it_does_not_queue_itself_for_ever(tmp_path, started):
    process = started("true")  # nothing but logs
    os.kill(process, signal.SIGUSR1)
    log = tmp_path / f"crossinit-{fake_slurm.JOB_ID}.log"
    wait_for(lambda: "no checkpoint was written" in log.read_text())
    assert "scontrol" not in (tmp_path / "calls").read_text()


def wait_for(condition, seconds=240):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end
        time.sleep(0.1)


def test_the_wrong_ways_to_submit_it(tmp_path, cluster):
    recipe(tmp_path, "echo ran")
    status, log = submit(tmp_path, cluster, "--gpus-per-node=4")
    assert status == 2 and "2 tasks and 4 GPUs on a node" in log
    for arguments, message in ([["toy"], "this is a job for Slurm"], [["--help"], "sbatch scripts/unmt/slurm.sbatch"]):
        done = subprocess.run(
            ["bash", str(SBATCH)] + arguments,
            cwd=str(tmp_path),
            env=cluster,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert message in done.stdout.decode() and done.returncode == (0 if arguments == ["--help"] else 2)
    (tmp_path / "toy" / "run.sh").unlink()
    status, log = submit(tmp_path, cluster)
    assert status == 2 and "no recipe (run.sh) in the folder toy" in log.splitlines()[-1]
