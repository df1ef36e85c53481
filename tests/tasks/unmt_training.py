"""Single steps of crossinit_unmt, without fairseq's programs around them."""

import torch
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion

from crossinit_fairseq.tasks.crossinit_unmt import CrossInitUnmtTask
from crossinit_fairseq.tasks.crossinit_unmt_config import CrossInitUnmtConfig
from tests.helpers import is_kept, tiny_model


class Training:
    """A task with its training data and a small model; each step is recorded."""

    def __init__(self, data, max_sentences=8, **options):
        config = CrossInitUnmtConfig()
        config.data, config.seed, config.train_subset = str(data), 1, "train"
        config.max_source_positions = config.max_target_positions = 64
        for name, value in options.items():
            setattr(config, name, value)
        self.task = CrossInitUnmtTask.setup_task(config)
        self.task.load_dataset("train")
        self.data = self.task.datasets["train"]
        self.data.batch_by_size(self.data.ordered_indices(), max_sentences=max_sentences)
        torch.manual_seed(1)
        self.model = tiny_model(self.task.dictionary)
        with torch.no_grad():  # weights large enough for its output to vary
            for parameter in self.model.parameters():
                if parameter.dim() > 1:
                    parameter.copy_(torch.randn(parameter.shape) * 0.5)
        self.criterion = LabelSmoothedCrossEntropyCriterion(self.task, sentence_avg=False, label_smoothing=0.1)
        self.generated, self.learnt = [], []
        samples = self.task.back_translation.samples

        def record(model, batches, requests, update):
            self.generated += [
                (batch["language"], request.language, request.allowed is not None)
                for batch, request in zip(batches, requests)
            ]
            return samples(model, batches, requests, update)

        self.task.back_translation.samples = record

    def backward(self, loss):
        loss.backward()

    def gradients(self):
        return {name: parameter.grad for name, parameter in self.model.named_parameters() if is_kept(name)}

    def step(self, item, update=0, **options):
        return self.task.train_step(self.data[item], self.model, self.criterion, self, update, **options)
