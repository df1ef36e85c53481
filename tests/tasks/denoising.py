"""Training by crossinit_denoising on the toy data folder."""

import hashlib
import json

import torch
from fairseq.data import Dictionary
from fairseq.trainer import Trainer

from tests.conftest import TINY_MODEL
from tests.helpers import is_kept
from tests.tasks.in_process import run
from tests.toy_runs import in_two_processes

OPTIONS = (
    "--task crossinit_denoising --criterion cross_entropy --arch mbart_base --langs aa,bb --add-lang-token "
    "--max-tokens 2000 --optimizer adam --lr 0.003 --num-workers 0 --data-buffer-size 0 --log-format json "
    "--log-interval 1 --seed 3 --required-batch-size-multiple 1"
)


def denoise(data, save_dir, *options, check=True):
    done = run("train", [str(data), "--save-dir", str(save_dir)], OPTIONS, TINY_MODEL, *options)
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done


def sentences_of(data, language, split="train"):
    from fairseq.data import data_utils

    dictionary = Dictionary.load(str(data / "dict.txt"))
    return [s.tolist() for s in data_utils.load_indexed_dataset(str(data / language / split), dictionary, "mmap")]


def watched(stock, steps):
    """Trainer.train_step that notes the numbers of the inputs of each update, and a digest of the weights after it."""

    def train_step(self, samples, **options):
        log = stock(self, samples, **options)
        learnt = [value for name, value in self.model.named_parameters() if is_kept(name)]
        digest = hashlib.sha256(b"".join(value.detach().numpy().tobytes() for value in learnt)).hexdigest()
        steps.append([[k for sample in samples for k in (sample or {"id": torch.empty(0)})["id"].tolist()], digest])
        return log

    return train_step


def denoise_in_two_processes(data, save_dir, *options):
    """Train over gloo. Returns what `watched` noted in each process: [[[number of an input, ...], digest], ...]."""

    def training(rank, distributed):
        steps = []
        Trainer.train_step = watched(Trainer.train_step, steps)
        done = denoise(data, save_dir, "--disable-validation", *options, distributed, check=False)
        (save_dir / f"{rank}.json").write_text(json.dumps(steps))
        return done

    ends = in_two_processes(training, save_dir)
    assert [status for status, _ in ends] == [0, 0], ends[0][1][-3000:] + ends[1][1][-3000:]
    return [json.loads((save_dir / f"{rank}.json").read_text()) for rank in range(2)]
