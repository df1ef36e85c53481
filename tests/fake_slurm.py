"""A Slurm of one machine for tests: sbatch, srun, scontrol and sacct, as far as the recipes and submitit use them.

`python fake_slurm.py PROGRAM ARGUMENTS...` is one of them; `install` makes them commands. A job's variables are those
that the manuals of sbatch and srun list. Nodes are only counted: all processes run here.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

JOB_ID = 4217


def install(folder):
    """Put the programs into folder/bin; return an environment that finds them, and in which no job runs.

    What they were asked stands in folder/calls; folder/spool/slurm_script is the last script submitted, and
    folder/process its process, which leads its group. In the environment, SRUN_BREAKS=K has process K of a step fail at
    once, and SRUN_LOCALID=0 has all be the first of their node: fairseq takes that for the GPU to use, and without GPUs
    only 0 serves.
    """
    (folder / "bin").mkdir()
    for name in PROGRAMS:
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {os.path.abspath(__file__)} {name} "$@"\n')
        program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SUBMITIT_"))}
    path = "{}:{}".format(folder / "bin", os.environ["PATH"])
    return dict(kept, PATH=path, FAKE_SLURM=str(folder), OMP_NUM_THREADS="1")


def options_of(arguments, valued=()):
    """Split into options, as a dict by name, and what follows them."""
    arguments, options = list(arguments), {}
    while arguments and arguments[0].startswith("-"):
        name, _, value = arguments.pop(0).lstrip("-").partition("=")
        options[name] = arguments.pop(0) if name in valued else value
    return options, arguments


def sbatch(arguments):
    given, (script, *arguments) = options_of(arguments)
    text = pathlib.Path(script).read_text(encoding="utf-8")
    directives = [shlex.split(line)[0] for line in re.findall(r"^#SBATCH (.*)", text, re.M)]
    options = dict(options_of(directives)[0], **given)
    nodes, tasks = int(options.get("nodes", 1)), int(options.get("ntasks-per-node", 1))
    job = dict(
        os.environ,
        SLURM_JOB_ID=str(JOB_ID),
        SLURM_SUBMIT_DIR=os.getcwd(),
        SLURM_JOB_NUM_NODES=str(nodes),
        SLURM_NNODES=str(nodes),
        SLURM_NTASKS=str(nodes * tasks),
        SLURM_NTASKS_PER_NODE=str(tasks),
        SLURM_JOB_NODELIST="localhost",
        SLURM_NODEID="0",
        SLURM_PROCID="0",
        SLURM_LOCALID="0",
    )
    if "gpus-per-node" in options:
        job["SLURM_GPUS_ON_NODE"] = options["gpus-per-node"]
    if "cpus-per-task" in options:
        job["SLURM_CPUS_PER_TASK"] = options["cpus-per-task"]
    # Slurm too runs a copy, which does not find what lies beside it
    spool = pathlib.Path(os.environ["FAKE_SLURM"], "spool")
    spool.mkdir(exist_ok=True)
    copy = spool / "slurm_script"
    shutil.copy(script, str(copy))
    copy.chmod(0o755)
    output = options.get("output", "slurm-%j.out").replace("%j", str(JOB_ID)).replace("%x", options.get("job-name", ""))
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    with open(output, options.get("open-mode", "truncate")[0].replace("t", "w")) as log:
        running = subprocess.Popen([str(copy)] + arguments, env=job, stdout=log, stderr=log, start_new_session=True)
    pathlib.Path(os.environ["FAKE_SLURM"], "process").write_text(str(running.pid))
    print(f"Submitted batch job {JOB_ID}", flush=True)
    return running.wait() if "wait" in options else 0


def srun(arguments):
    options, command = options_of(arguments, valued=("output", "error"))
    tasks, per_node = int(os.environ["SLURM_NTASKS"]), int(os.environ["SLURM_NTASKS_PER_NODE"])
    processes = []
    for rank in range(tasks):
        step = dict(
            os.environ,
            SLURM_STEP_NODELIST="localhost",
            SLURM_PROCID=str(rank),
            SLURM_LOCALID=os.environ.get("SRUN_LOCALID", str(rank % per_node)),
            SLURM_NODEID=str(rank // per_node),
        )
        breaks = os.environ.get("SRUN_BREAKS") == str(rank)
        processes.append(subprocess.Popen(["sh", "-c", "exit 7"] if breaks else command, env=step))
    while any(process.poll() is None for process in processes):
        if "kill-on-bad-exit" in options and any(process.poll() for process in processes):
            for process in processes:
                process.terminate()
        time.sleep(0.1)
    return max(abs(process.returncode) for process in processes)


def scontrol(arguments):
    if arguments[:2] == ["show", "hostnames"]:
        print(arguments[2])
    return 0


def sacct(arguments):
    print(f"JobID|State|NodeList\n{JOB_ID}|RUNNING|localhost")
    return 0


PROGRAMS = {"sbatch": sbatch, "srun": srun, "scontrol": scontrol, "sacct": sacct}

if __name__ == "__main__":
    with open(os.path.join(os.environ["FAKE_SLURM"], "calls"), "a") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\n")
    sys.exit(PROGRAMS[sys.argv[1]](sys.argv[2:]))
