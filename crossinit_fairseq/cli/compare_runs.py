"""Running a recipe from several starts and seeds, side by side, for crossinit-compare."""

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List, Sequence, Tuple

from crossinit_fairseq.cli.compare_recipes import Recipe, open_log
from crossinit_fairseq.errors import InputError

_POLL = 2.0  # seconds between looks at what is finished
_WRONG_USAGE = 2  # the exit status of a recipe that was called wrongly
Run = Tuple[str, int]  # start and seed


def name_of_run(run: Run) -> str:
    """The folder of a run, below runs/."""
    return f"{run[0]}-{run[1]}"


def gpus_here() -> List[str]:
    """The numbers of the GPUs that nvidia-smi lists, or that CUDA_VISIBLE_DEVICES leaves."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [number for number in visible.split(",") if number and number != "-1"]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return []
    return [str(at) for at, line in enumerate(listed.stdout.splitlines()) if line.startswith(b"GPU")]


def run_all(
    recipe: Recipe, runner: "Runner", call: List[str], inits: Sequence[str], seeds: Sequence[int], jobs: int
) -> None:
    """Call the recipe for all runs. call: its command without what differs between runs."""
    if recipe.many:
        listed = ["--inits", ",".join(inits), "--seeds", ",".join(map(str, seeds)), "--jobs", str(jobs)]
        runner.start("all", call + listed + ["--out", runner.out], 0)
    else:
        commands = {}
        for init, seed in runner.runs:
            folder = os.path.join(runner.out, "runs", f"{init}-{seed}")
            commands[init, seed] = call + ["--init", init, "--seed", str(seed), "--out", folder]
        first, others = runner.runs[0], runner.runs[1:]
        if recipe.share:
            # the first run prepares the text for all
            runner.start(name_of_run(first), commands[first], 0)
            prepared = [recipe.share, os.path.join(runner.out, "runs", name_of_run(first))]
            commands = {run: arguments + prepared for run, arguments in commands.items()}
        else:
            others = runner.runs
        pool = ThreadPoolExecutor(jobs)
        try:
            list(
                pool.map(lambda at: runner.start(name_of_run(others[at]), commands[others[at]], at), range(len(others)))
            )
        except BaseException:
            runner.stop()  # before the pool waits for what it started
            raise
        finally:
            pool.shutdown()


class Runner:
    """Starts commands, copies what they print with their name before it, and says how many runs are finished."""

    def __init__(self, out: str, runs: Sequence[Run], gpus: Sequence[str], end: str):
        self.out, self.runs, self.gpus, self.end_stage = out, runs, gpus, end
        self.failed: Dict[str, int] = {}  # what is said of a run: its exit status
        self.processes: List["subprocess.Popen[str]"] = []
        self.begin, self.before = time.time(), self._finished()
        self.said = len(self.before)
        self.stopped = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def start(self, name: str, arguments: Sequence[str], at: int) -> None:
        """Run one command to its end. at: its number, by which it gets its GPU."""
        if self.stopped.is_set():
            return
        environment = dict(os.environ, OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1"))
        if len(self.gpus) > 1 and name != "all":
            environment.update(CUDA_VISIBLE_DEVICES=self.gpus[at % len(self.gpus)], GPUS="1")
        log = os.path.join(self.out, "logs", f"{name}.log")
        with open_log(log) as write:
            process = subprocess.Popen(
                arguments,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=environment,
                start_new_session=True,  # so that it and all that it started can be ended together
            )
            self.processes.append(process)
            if self.stopped.is_set():  # interrupted meanwhile
                self.stop()
            assert process.stdout is not None
            for line in process.stdout:
                write(line)
                print(line.rstrip("\n") if name == "all" else f"{name}: {line.rstrip()}", flush=True)
            if process.wait():
                self.failed[f"{name} (exit status {process.returncode}, {log})"] = process.returncode

    def stop(self) -> None:
        """End all that is running, and start nothing more."""
        self.stopped.set()
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)

    def end(self) -> None:
        """Raise InputError where a run failed."""
        self.stopped.set()
        self.watcher.join()
        if self.failed:
            goes_on = "finished runs are kept, and the same command goes on"
            if set(self.failed.values()) == {_WRONG_USAGE}:
                goes_on = "the recipe cannot be called so; correct the options, finished runs are kept"
            raise InputError(f"{', '.join(self.failed)} failed: see its log; {goes_on}")

    def _finished(self) -> Dict[Run, bool]:
        name = self.end_stage + ".done"
        ends = {run: os.path.join(self.out, "runs", name_of_run(run), "stages", name) for run in self.runs}
        return {run: True for run, path in ends.items() if os.path.exists(path)}

    def _watch(self) -> None:
        stopped = False
        while not stopped:
            stopped = self.stopped.wait(_POLL)
            finished = self._finished()
            if len(finished) > self.said:
                self.said = len(finished)
                new = self.said - len(self.before)
                left = (time.time() - self.begin) / 60 / new * (len(self.runs) - self.said)
                print(
                    f"crossinit-compare: {self.said} of {len(self.runs)} runs done, {left:.0f} minutes left", flush=True
                )
