"""What the tasks share that train an encoder-decoder: denoising and unsupervised translation."""

from dataclasses import dataclass, field
from typing import Any, Tuple

from fairseq.models import BaseFairseqModel, FairseqEncoderDecoderModel

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.architectures import (
    architecture_name,
    check_reads_text,
    is_transformer,
    usual_transformers,
)
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.tasks.base import CrossInitConfig, CrossInitTask


@dataclass
class EncoderDecoderConfig(CrossInitConfig):
    """Options of tasks that train an encoder-decoder."""

    max_source_positions: int = field(default=1024, metadata={"help": "longest input of the encoder, in sub-tokens"})
    max_target_positions: int = field(default=1024, metadata={"help": "longest output of the decoder, in sub-tokens"})


class EncoderDecoderTask(CrossInitTask):
    """A task of an encoder-decoder that may start from another one's checkpoint, and reads its text shard by shard."""

    cfg: EncoderDecoderConfig
    translates = False  # with the model that it trains
    _model_positions: Tuple[int, ...] = ()  # of the model, once it is built

    def build_model(self, cfg: Any, from_checkpoint: bool = False) -> BaseFairseqModel:
        """Build the model; a checkpoint of another dictionary will be refused in words."""
        with one_sentence():
            needed = "an encoder-decoder architecture such as mbart_base or transformer"
            self.check_architecture(cfg, FairseqEncoderDecoderModel, needed)
            name = architecture_name(cfg)
            usual = is_transformer(name)
            if self.translates and not usual:
                raise InputError(
                    f"--task {self.name} translates by a Transformer's decoder, and --arch {name} has none that it "
                    f"knows: give {usual_transformers()}"
                )
            model = self.build_fairseq_model(cfg, from_checkpoint)
            if not usual and not from_checkpoint:
                check_reads_text(model, name, self.name, self.dictionary.eos())
            check_dictionary_fits(model, self.dictionary, self.cfg.data)
            if not from_checkpoint:
                self.check_starting_checkpoint()
        self._model_positions = tuple(model.max_positions())
        return model

    def max_positions(self) -> Tuple[int, int]:
        """The longest source and target that the task allows, in sub-tokens."""
        return (self.cfg.max_source_positions, self.cfg.max_target_positions)

    @property
    def fewest_positions(self) -> int:
        """Of source and target, as the task and the model allow; under Hydra each has limits of its own."""
        return min(self.max_positions() + self._model_positions)

    def has_sharded_data(self, split: str) -> bool:
        """Whether the next epoch reads other files."""
        return split == self.cfg.train_subset and len(self.folders) > 1
