"""What the tasks of this package share: some languages under one dictionary, of which checkpoints keep a record."""

import argparse
import inspect
import logging
import os
from argparse import Namespace
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple, Type, Union

from fairseq.criterions import FairseqCriterion
from fairseq.data import Dictionary, FairseqDataset
from fairseq.data.iterators import EpochBatchIterator
from fairseq.dataclass import FairseqDataclass
from fairseq.models import ARCH_CONFIG_REGISTRY, ARCH_MODEL_REGISTRY, MODEL_DATACLASS_REGISTRY, BaseFairseqModel
from fairseq.tasks import FairseqTask
from omegaconf import II, MISSING, OmegaConf, open_dict

from crossinit_fairseq import swallowed_signals
from crossinit_fairseq.best_metric import SPEED, logged_by_criterion
from crossinit_fairseq.command_line import GivenOnce
from crossinit_fairseq.cores import too_many_threads
from crossinit_fairseq.data import dictionary_record
from crossinit_fairseq.data.datasets.workers import Loading
from crossinit_fairseq.data.dictionary import language_token
from crossinit_fairseq.data.earlier_run import of_another_run, starting_checkpoint
from crossinit_fairseq.data.folder import data_folders
from crossinit_fairseq.errors import InputError, first_line, one_sentence
from crossinit_fairseq.models.architectures import architecture_name, is_of_speech
from crossinit_fairseq.models.finite import FiniteWatch, check_parameters
from crossinit_fairseq.ranks.sentencepiece_model import check_dictionary, check_same_model, load_model
from crossinit_fairseq.tasks.best_metric import BestMetric
from crossinit_fairseq.tasks.criterion_choice import check_criterion, made
from crossinit_fairseq.without_gpus import check_precision

Kinds = Union[Type[BaseFairseqModel], Tuple[Type[BaseFairseqModel], ...]]

logger = logging.getLogger(__name__)


@dataclass
class RunConfig(FairseqDataclass):
    """What all tasks of this package ask: the data folder, and options that fairseq has already."""

    data: str = field(
        default=MISSING,
        metadata={
            "help": "folder with the dict.txt of all stages and, but for fine-tuning, LANG/train.{bin,idx} and "
            "LANG/valid.{bin,idx} (monolingual); for crossinit_unmt also, where there are any, "
            "valid.S-T.{S,T}.{bin,idx} (aligned); several folders of training shards, separated by colons"
        },
    )
    seed: int = II("common.seed")
    train_subset: str = II("dataset.train_subset")
    # which checkpoint training starts from, to compare its dictionary
    save_dir: Optional[str] = II("checkpoint.save_dir")
    restore_file: Optional[str] = II("checkpoint.restore_file")
    finetune_from_model: Optional[str] = II("checkpoint.finetune_from_model")


@dataclass
class CrossInitConfig(RunConfig):
    """Options of tasks that read binarised text."""

    langs: Optional[str] = field(
        default=None,
        metadata={"help": "languages to train on, such as en,ro (default: every folder in DATA with a train.idx)"},
    )


class _WordsGivenOnce:
    """Adds options to a parser; what a number is may be given again, as a change to a preset."""

    def __init__(self, parser: argparse.ArgumentParser):
        self.parser = parser

    def add_argument(self, *names: str, **settings: Any) -> argparse.Action:
        """argparse's own."""
        if settings.get("type") is str and "choices" not in settings:
            settings["action"] = GivenOnce
        return self.parser.add_argument(*names, **settings)


class CrossInitTask(FairseqTask):
    """A task whose source, target and languages share a dictionary.

    dictionary: with a token for each language; languages: their names.
    """

    cfg: RunConfig
    name: str  # as registered with fairseq
    validates_on_text = True  # of the data folder, or of --valid-files
    criterion = ""  # the one that it trains with; "": any that an encoder-decoder has

    def __init__(self, cfg: RunConfig, dictionary: Dictionary, languages: List[str]):
        super().__init__(cfg)
        swallowed_signals.remember()  # now, before the first processes that load batches
        self.dictionary = dictionary
        self.languages = languages
        self.watch = FiniteWatch()
        self._loading = Loading()
        self._has_begun = False
        self.best_metric = BestMetric(self)
        record = dictionary_record.record_of(dictionary.symbols, [language_token(language) for language in languages])
        self.state.merge_state_dict({dictionary_record.NAME: record})

    @classmethod
    def add_args(cls, parser: argparse.ArgumentParser) -> None:
        """fairseq's own, of the configuration; what names files, languages or directions is given once: fairseq would
        take the last and forget the others without a word."""
        super().add_args(_WordsGivenOnce(parser))

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

    def build_bpe(self, args: Any) -> Any:
        """fairseq's own, of fairseq-generate and -interactive; a SentencePiece model of other text is refused."""
        self.check_bpe(args)
        return super().build_bpe(args)

    def check_bpe(self, args: Any) -> None:
        """End with a sentence for a SentencePiece model that has not cut the text of the data folder. The hub asks too.

        args: the options of --bpe, none where it is not given.
        """
        if (getattr(args, "_name", None) or getattr(args, "bpe", None)) == "sentencepiece":
            given = OmegaConf.to_container(args) if OmegaConf.is_config(args) else vars(args)
            path = given.get("sentencepiece_model") or MISSING
            with one_sentence():
                if path == MISSING:
                    raise InputError("--bpe sentencepiece needs --sentencepiece-model, the model of the text")
                if "://" not in path:  # else fairseq fetches it
                    folder = self.folders[0]
                    check_same_model(path, folder)
                    check_dictionary(load_model(path), path, self.dictionary.symbols, os.path.join(folder, "dict.txt"))

    def build_criterion(self, cfg: Any, *args: Any) -> FairseqCriterion:
        """fairseq's own; one that reads what this task does not give is refused."""
        with one_sentence():
            check_criterion(cfg, self.name, self.criterion, self.options["model"] if "model" in self.options else None)
            with made(cfg):
                return super().build_criterion(cfg, *args)

    def get_batch_iterator(self, dataset: FairseqDataset, *args: Any, **options: Any) -> EpochBatchIterator:
        """fairseq's own; the workers that loaded the split before, and are not to go on, are ended."""
        try:
            iterator = super().get_batch_iterator(dataset, *args, **options)
        except AssertionError as error:
            if "max_tokens" not in str(error):
                raise
            with one_sentence():
                raise InputError(f"{first_line(error)}: give a higher --max-tokens, or shorter text") from None
        return self.loaded_by(dataset, iterator)

    def loaded_by(self, dataset: FairseqDataset, iterator: EpochBatchIterator) -> EpochBatchIterator:
        """Returns the iterator over a dataset of this task, in the place of the last one over its split."""
        split = next((name for name, loaded in self.datasets.items() if loaded is dataset), None)
        return self._loading.begin(split, iterator)

    def begin_epoch(self, epoch: int, model: BaseFairseqModel) -> None:
        """Before the first epoch of a run, see that what it starts from is finite and that validation logs what is to
        tell the best checkpoint, and say where threads would only wait for each other."""
        if not self._has_begun:
            with one_sentence():
                check_parameters(model)
                self.best_metric.check()
            if next(model.parameters()).device.type == "cpu":
                said, right = too_many_threads()
                if right is not None:
                    logger.warning(
                        f"{said}: on busy cores threads wait for each other, which can take many times as long; end "
                        f"this run, `export OMP_NUM_THREADS={right}`, and begin it again"
                    )
        self._has_begun = True

    def validation_metrics(self, split: str) -> Optional[Set[str]]:
        """The names of what is logged in validating on a split, which is loaded; None where that is not known."""
        logged = logged_by_criterion(getattr(self.options, "criterion", None))
        return None if logged is None else logged | SPEED

    def check_metric(self, metric: str) -> None:
        """Raise InputError for a metric that is logged and that no checkpoint may be chosen by; here there is none."""

    def begin_valid_epoch(self, epoch: int, model: BaseFairseqModel) -> None:
        """See BestMetric."""
        swallowed_signals.end_if_swallowed()
        self.best_metric.begin_validation()

    def post_validate(self, model: BaseFairseqModel, stats: Dict[str, Any], agg: Any) -> None:
        """After validating on a split; see BestMetric."""
        self.best_metric.after_split(stats)

    def train_step(
        self,
        sample: Dict[str, Any],
        model: BaseFairseqModel,
        criterion: FairseqCriterion,
        optimizer: Any,
        update_num: int,
        ignore_grad: bool = False,
    ) -> Tuple[Any, int, Dict[str, Any]]:
        """fairseq's own; a loss or a gradient that is not finite ends training with one sentence, see FiniteWatch."""
        self.watch.begin(model, update_num)
        loss, sample_size, logs = super().train_step(sample, model, criterion, optimizer, update_num, ignore_grad)
        if not ignore_grad:
            scaled = getattr(optimizer, "scaler", None) is not None
            self.watch.loss(loss, lambda: self.in_words(sample), ends=not scaled)
        return loss, sample_size, logs

    def optimizer_step(self, optimizer: Any, model: BaseFairseqModel, update_num: int) -> None:
        """fairseq's own; none after Ctrl-C, see swallowed_signals."""
        swallowed_signals.end_if_swallowed()
        super().optimizer_step(optimizer, model, update_num)

    def in_words(self, sample: Dict[str, Any]) -> str:
        """Which batch of the training text a sample is."""
        first = self.dictionary.string(sample["net_input"]["src_tokens"][0][:20])
        return f"a batch of {sample['nsentences']} inputs, of which the first begins with {first!r}"

    def reduce_metrics(self, logging_outputs: Sequence[Dict[str, Any]], criterion: FairseqCriterion) -> None:
        """fairseq's own; warns when the gradient explodes."""
        super().reduce_metrics(logging_outputs, criterion)
        if criterion.training:
            self.watch.norm()

    def check_languages_of_generation(self) -> None:
        """End with a sentence where this task does not translate what is typed or read from a file."""
        with one_sentence():
            raise InputError(f"--task {self.name} does not translate: give --task crossinit_unmt, with -s and -t")

    def build_dataset_for_inference(self, src_tokens: Any, src_lengths: Any, **options: Any) -> FairseqDataset:
        """What fairseq-interactive and the hub translate: nothing, unless a task says otherwise."""
        self.check_languages_of_generation()
        return super().build_dataset_for_inference(src_tokens, src_lengths, **options)

    def build_fairseq_model(self, cfg: Any, from_checkpoint: bool) -> BaseFairseqModel:
        """Build a model as fairseq does, and let it know its task's name.

        BART asks `args.task` when it loads a checkpoint. fairseq-train hands every option to the model;
        fairseq-hydra-train hands it only the model's own, and the question fails ("invalid argument task"), all
        versions.
        """
        if not from_checkpoint:
            self._check_precision()
        _fill_in_defaults(cfg)
        # some builds of fairseq take the configuration alone
        takes = len(inspect.signature(FairseqTask.build_model).parameters) - 1
        model = FairseqTask.build_model(self, *(cfg, from_checkpoint)[:takes])
        if getattr(model, "args", None) is not None and not hasattr(model.args, "task"):
            model.args.task = self.name
        return model

    def _check_precision(self) -> None:
        """End with a sentence where training in the precision that the command asks for would fail."""
        if "common" in self.options:
            with one_sentence():
                check_precision(self.options["common"])

    @property
    def options(self) -> Any:
        """All of fairseq's options in groups; none of them where the task was made by itself."""
        return self.cfg._get_root() if OmegaConf.is_config(self.cfg) else {}

    def build_to_rehearse(self, cfg: Any) -> BaseFairseqModel:
        """Build the model as training does, but for what takes minutes; see rehearsal.py."""
        return self.build_model(cfg)

    def rehearse_reading(self) -> None:
        """Read the training text as training does, where that takes seconds; see rehearsal.py."""

    def check_starting_checkpoint(self) -> None:
        """Raise InputError when training is about to start from a checkpoint of another dictionary.

        fairseq hands a task nothing of that checkpoint but the model, so its file is asked.
        """
        cfg = self.cfg
        if not getattr(cfg, "save_dir", None):
            return  # not in training, or a configuration of before tasks knew these options
        path = starting_checkpoint(cfg.save_dir, cfg.restore_file, cfg.finetune_from_model)
        if path:
            tokens = [language_token(language) for language in self.languages]
            pieces = getattr(cfg, "pieces", None)  # of tasks that cut text themselves
            dictionary_record.check_checkpoint(path, self.dictionary.symbols, self.folders[0], tokens, pieces)

    def check_same_run(self, path: str, header: Dict[str, Any]) -> None:
        """Raise InputError when a checkpoint in the `--save-dir` is of another task or of other languages than this
        run, which would go on from it. header: see checkpoint_files.read_header."""
        for refusal in of_another_run(path, header, {"task": self.name}, self.languages):
            raise InputError(str(refusal))

    def check_architecture(self, cfg: Any, base: Kinds, needed: str) -> None:
        """Raise InputError unless the architecture's model is a `base`, and of text. needed: what the task needs, in
        words."""
        name = architecture_name(cfg)
        model = ARCH_MODEL_REGISTRY.get(name)
        if model is not None and (not issubclass(model, base) or is_of_speech(name)):
            raise InputError(f"--task {self.name} needs {needed}, not {name}")


def _fill_in_defaults(cfg: Any) -> None:
    """Give a model's configuration under Hydra the defaults of its architecture.

    fairseq does so too, by ``getattr(cfg, name, default)``; but with omegaconf 2.0, which the official fairseq 0.12.2
    needs, a name that is not there has the value None, and every default would be that.
    """
    name = getattr(cfg, "_name", None)
    if not OmegaConf.is_config(cfg) or name not in ARCH_CONFIG_REGISTRY or name in MODEL_DATACLASS_REGISTRY:
        return
    filled = Namespace(**OmegaConf.to_container(cfg, resolve=True))
    ARCH_CONFIG_REGISTRY[name](filled)
    with open_dict(cfg):
        for key, value in vars(filled).items():
            cfg[key] = value
