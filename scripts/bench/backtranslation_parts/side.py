"""A task that is timed, and the batches that both tasks get."""

from fairseq import options, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.trainer import Trainer


class Side:
    """A task with its model, trained by fairseq's Trainer as fairseq-train would, but that the learning rate is 0.

    data: folder; setting: of workloads.py; more: options of fairseq-train.
    """

    def __init__(self, data, setting, cuda, *more):
        command = [str(data), "--arch", "mbart_base", "--share-all-embeddings", "--criterion"]
        command += ["label_smoothed_cross_entropy", "--label-smoothing", "0.1", "--dropout", str(setting.dropout)]
        command += ["--optimizer", "adam", "--lr", "0", "--clip-norm", "1.0", "--seed", str(setting.seed)]
        command += ["--max-tokens", str(setting.max_tokens), "--num-workers", "0"]
        command += "--max-source-positions 512 --max-target-positions 512".split()
        for side in ("encoder", "decoder"):
            command += [f"--{side}-layers", str(setting.layers), f"--{side}-embed-dim", str(setting.dim)]
            command += [f"--{side}-ffn-embed-dim", str(setting.ffn), f"--{side}-attention-heads", str(setting.heads)]
        command += (["--fp16"] if setting.fp16 else []) if cuda else ["--cpu"]
        args = options.parse_args_and_arch(options.get_training_parser(), command + list(more))
        cfg = convert_namespace_to_omegaconf(args)
        self.task = tasks.setup_task(cfg.task)
        self.model = self.task.build_model(cfg.model)
        self.criterion = self.task.build_criterion(cfg.criterion)
        self.task.load_dataset("train", epoch=1)
        self.trainer = Trainer(cfg, self.task, self.model, self.criterion)
        self.trainer.lr_step_begin_epoch(1)

    def make_batches(self):
        """Sort the training text into the batches of the first epoch, as fairseq-train does."""
        self.trainer.get_train_iterator(epoch=1, load_dataset=False)


def our_batch(ours, update):
    """The batch of an update."""
    dataset = ours.task.datasets["train"]
    return dataset.collater([dataset[update]])


def stock_batch(sides, update):
    """The same sentences as stock's own datasets give them."""
    chosen = dict(sides["ours"].task.datasets["train"].sentences_of(update))
    batch = {}
    for key, dataset in sides["stock"].task.datasets["train"].datasets.items():
        batch[key] = dataset.collater([dataset[int(index)] for index in chosen[key.split("-")[0]]])
    return batch
