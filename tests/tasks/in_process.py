"""fairseq's programs run inside the test process: the several seconds of importing fairseq and torch are paid once."""

import importlib
import io
import logging
import sys
from types import SimpleNamespace

from fairseq import checkpoint_utils
from fairseq.logging import metrics

from crossinit_fairseq.data.datasets.workers import end_all
from tests.conftest import TINY_MODEL, USER_DIR

OPTIONS = (
    "--task crossinit_unmt --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens 300 "
    "--arch mbart_base --lr 0.003 --optimizer adam --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints "
    "--log-format json --log-interval 1 --seed 3 --required-batch-size-multiple 1"
)


def run(program, *arguments):
    """Run fairseq_cli.PROGRAM; arguments are strings to be split, or lists. Returns its exit status and its log."""
    command = ["fairseq-" + program, "--user-dir", str(USER_DIR)]
    for argument in arguments:
        command += argument.split() if isinstance(argument, str) else argument
    _forget_earlier_runs()
    module = importlib.import_module("fairseq_cli." + program)
    log, before = io.StringIO(), (sys.argv, sys.stdout, logging.root.level)
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s | %(levelname)s | %(name)s | %(message)s"))
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    sys.argv, sys.stdout = command, log
    status = 0
    try:
        module.cli_main()
    except SystemExit as error:
        status = 1 if isinstance(error.code, str) else error.code or 0
        log.write(f"{error.code}\n")
    finally:
        sys.argv, sys.stdout, level = before
        logging.root.setLevel(level)
        logging.root.removeHandler(handler)
        end_all()  # a forked process ends without what is registered for its end
    return SimpleNamespace(returncode=status, stdout=log.getvalue())


def _forget_earlier_runs():
    """fairseq keeps its meters and the best score in module globals."""
    metrics.reset()
    if hasattr(checkpoint_utils.save_checkpoint, "best"):
        del checkpoint_utils.save_checkpoint.best


def translate(data, save_dir, *arguments, check=True, options=OPTIONS):
    """fairseq-train --task crossinit_unmt. check=False: an exit status other than 0 may be what is expected."""
    done = run("train", [str(data), "--save-dir", str(save_dir)], options, TINY_MODEL, *arguments)
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done
