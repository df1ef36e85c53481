"""What the tasks of this package share: some languages under one dictionary, of which checkpoints keep a record."""

import inspect
from dataclasses import dataclass, field
from typing import Any, List, Optional, Type

from fairseq.data import Dictionary
from fairseq.dataclass import FairseqDataclass
from fairseq.models import ARCH_MODEL_REGISTRY, BaseFairseqModel
from fairseq.tasks import FairseqTask
from omegaconf import II, MISSING

from crossinit_fairseq.data.dictionary import language_token
from crossinit_fairseq.data.folder import data_folders
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models import dictionary_record


@dataclass
class CrossInitConfig(FairseqDataclass):
    """Options that all tasks of this package have."""

    data: str = field(
        default=MISSING,
        metadata={
            "help": "folder with dict.txt, LANG/train.{bin,idx} and LANG/valid.{bin,idx} (monolingual) and, for crossinit_unmt and "
            "where there are any, valid.S-T.{S,T}.{bin,idx} (aligned); several folders of training shards, separated by colons"
        },
    )
    langs: Optional[str] = field(
        default=None,
        metadata={"help": "languages to train on, such as en,ro (default: every folder in DATA with a train.idx)"},
    )
    seed: int = II("common.seed")
    train_subset: str = II("dataset.train_subset")


class CrossInitTask(FairseqTask):
    """A task whose source, target and languages share a dictionary.

    dictionary: with a token for each language; languages: their names.
    """

    cfg: CrossInitConfig
    name: str  # as registered with fairseq

    def __init__(self, cfg: CrossInitConfig, dictionary: Dictionary, languages: List[str]):
        super().__init__(cfg)
        self.dictionary = dictionary
        self.languages = languages
        record = dictionary_record.record_of(dictionary, [language_token(language) for language in languages])
        self.state.merge_state_dict({dictionary_record.NAME: record})

    @property
    def source_dictionary(self) -> Dictionary:
        """The one dictionary of all languages."""
        return self.dictionary

    @property
    def target_dictionary(self) -> Dictionary:
        """The one dictionary of all languages."""
        return self.dictionary

    @property
    def folders(self) -> List[str]:
        """The data folders; the first holds what is no shard of the training text."""
        return data_folders(self.cfg.data)

    def build_fairseq_model(self, cfg: Any, from_checkpoint: bool) -> BaseFairseqModel:
        """Build a model as fairseq does, and let it know its task's name.

        BART asks `args.task` when it loads a checkpoint. fairseq-train hands every option to the model; fairseq-hydra-train
        hands it only the model's own, and the question fails ("invalid argument task"), all versions.
        """
        # some builds of fairseq take the configuration alone
        takes = len(inspect.signature(FairseqTask.build_model).parameters) - 1
        model = FairseqTask.build_model(self, *(cfg, from_checkpoint)[:takes])
        if getattr(model, "args", None) is not None and not hasattr(model.args, "task"):
            model.args.task = self.name
        return model

    def check_architecture(self, cfg: Any, base: Type[BaseFairseqModel], needed: str) -> None:
        """Raise InputError unless the architecture's model is a `base`. needed: what the task needs, in words."""
        name = getattr(cfg, "arch", None) or getattr(cfg, "_name", None)
        model = ARCH_MODEL_REGISTRY.get(name)
        if model is not None and not issubclass(model, base):
            raise InputError(f"--task {self.name} needs {needed}, not {name}")
