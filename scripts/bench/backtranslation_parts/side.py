"""A task that is timed, and the batches that both tasks get."""

from fairseq import options, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.trainer import Trainer


class Side:
    """A task with its model, trained by fairseq's Trainer as fairseq-train would, but that the learning rate is 0."""

    def __init__(self, data, size, seed, dropout, cuda, *more):
        layers, dim, ffn, heads, _, max_tokens, _ = size
        command = [str(data), "--arch", "mbart_base", "--share-all-embeddings", "--criterion"]
        command += ["label_smoothed_cross_entropy", "--label-smoothing", "0.1", "--dropout", str(dropout)]
        command += ["--optimizer", "adam", "--lr", "0", "--clip-norm", "1.0", "--seed", str(seed), "--max-tokens"]
        command += [
            str(max_tokens),
            "--num-workers",
            "0",
            "--max-source-positions",
            "512",
            "--max-target-positions",
            "512",
        ]
        for side in ("encoder", "decoder"):
            command += ["--{}-layers".format(side), str(layers), "--{}-embed-dim".format(side), str(dim)]
            command += ["--{}-ffn-embed-dim".format(side), str(ffn), "--{}-attention-heads".format(side), str(heads)]
        command += [] if cuda else ["--cpu"]
        args = options.parse_args_and_arch(options.get_training_parser(), command + list(more))
        cfg = convert_namespace_to_omegaconf(args)
        self.task = tasks.setup_task(cfg.task)
        self.model = self.task.build_model(cfg.model)
        self.criterion = self.task.build_criterion(cfg.criterion)
        self.task.load_dataset("train", epoch=1)
        self.trainer = Trainer(cfg, self.task, self.model, self.criterion)
        self.trainer.lr_step_begin_epoch(1)


def our_batch(ours, update):
    """The batch of an update, and the indices of its sentences by language."""
    dataset = ours.task.datasets["train"]
    chosen = dict(dataset.sentences_of(update))
    return dataset.collater([dataset[update]]), chosen


def stock_batch(stock, chosen):
    """The same sentences as stock's own datasets give them."""
    batch = {}
    for key, dataset in stock.task.datasets["train"].datasets.items():
        batch[key] = dataset.collater([dataset[int(index)] for index in chosen[key.split("-")[0]]])
    return batch
