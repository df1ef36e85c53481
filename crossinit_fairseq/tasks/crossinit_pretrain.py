"""The task `crossinit_pretrain`: Steps 1 to 3 of the paper on the embedding table of any fairseq model."""

import logging
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import torch
from fairseq.criterions import FairseqCriterion
from fairseq.data import Dictionary, FairseqDataset, iterators
from fairseq.logging import metrics
from fairseq.models import BaseFairseqModel
from fairseq.tasks import register_task

from crossinit_fairseq.alignment import PairedWords, keep_as_trained, restore_as_trained
from crossinit_fairseq.best_metric import SPEED
from crossinit_fairseq.criterions.crossinit import logged_names
from crossinit_fairseq.data.datasets.fixed_dictionary import load_dictionary
from crossinit_fairseq.data.folder import check_languages, data_folders, languages_of
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.lexicon import Lexicon
from crossinit_fairseq.models.alignment_model import AlignmentModel
from crossinit_fairseq.models.bare_model import unwrap
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.models.copying_attention import start_as_copier
from crossinit_fairseq.ranks import RankedWords, open_binarised
from crossinit_fairseq.spans import DrawDataset, PairSampler, SpanSampler
from crossinit_fairseq.tasks.base import CrossInitTask
from crossinit_fairseq.tasks.crossinit_pretrain_config import CrossInitPretrainConfig, check_options
from crossinit_fairseq.tasks.lexicons import lexicon_tokens, parse_lexicons
from crossinit_fairseq.tasks.word_ranks import from_binarised, from_table, parse_tables

logger = logging.getLogger(__name__)

_COUNTED = 20_000_000  # tokens whose words are counted in seconds
_DEFAULT_PAIRS = 256  # the authors' trial code draws 256 pairs a step; the paper does not say
_FEWEST_DIRECTIONS = 2.0  # below, one direction outweighs all others
_EXPLODED = 100.0  # times the norm at the start; several-fold is usual
_VALID_EPOCH = 0  # training counts from 1, so validation never sees a training draw


class _FairseqDrawDataset(DrawDataset, FairseqDataset):
    """A DrawDataset under the type that fairseq asks for."""

    can_reuse_epoch_itr_across_epochs = False


@register_task("crossinit_pretrain", dataclass=CrossInitPretrainConfig)
class CrossInitPretrainTask(CrossInitTask):
    """Counts words in binarised text (Step 1), draws spans (Step 2), or pairs of a lexicon, and builds the model that
    refines the token table by contrast (Step 3, criterion `crossinit`). All other parameters stay as initialised and
    are saved with the table, so the checkpoint is the starting point of any later stage.
    """

    cfg: CrossInitPretrainConfig
    name = "crossinit_pretrain"
    validates_on_text = False
    criterion = "crossinit"

    def __init__(
        self,
        cfg: CrossInitPretrainConfig,
        dictionary: Dictionary,
        languages: List[str],
        tables: Mapping[str, str],
        lexicons: Mapping[Tuple[str, str], Lexicon],
    ):
        """tables: {language: path of a rank table}; lexicons: {(source, target): Lexicon}, maybe none of either."""
        super().__init__(cfg, dictionary, languages)
        self.tables, self.lexicons = tables, lexicons
        self.with_spans = not lexicons or cfg.lexicon_beside_spans
        self._words: Dict[str, RankedWords] = {}
        self._pairs: Optional[PairedWords] = None
        self._plans: Dict[str, Any] = {}  # {kind: what plans its draws}, once there is a model to align
        self._collapsed = False
        self.stopped_at: Optional[Dict[str, float]] = None  # see finished_runs.py
        self._first_norm, self._too_large = 0.0, _EXPLODED

    @classmethod
    def setup_task(cls, cfg: CrossInitPretrainConfig, **kwargs: Any) -> "CrossInitPretrainTask":
        """Check the data folder before anything is built."""
        with one_sentence():
            check_options(cfg)
            folders = data_folders(cfg.data)
            tables = parse_tables(cfg.ranks)
            named = cfg.langs or ",".join(sorted(set(languages_of(folders[0])) | set(tables)))
            languages = check_languages(named, folders, cfg.train_subset, without_text=tables)
            lexicons = parse_lexicons(cfg.lexicon, languages)
            return cls(cfg, load_dictionary(folders, languages), languages, tables, lexicons)

    @property
    def words(self) -> List[RankedWords]:
        """RankedWords of each language, counted on first use."""
        return [self._words_of(language) for language in self.languages]

    def _words_of(self, language: str) -> RankedWords:
        if language not in self._words:
            with one_sentence():
                self._words[language] = self._rank(language)
        return self._words[language]

    @property
    def pairs(self) -> Optional[PairedWords]:
        """PairedWords of the lexicons, looked up in the words on first use; None without a lexicon."""
        if self.lexicons and self._pairs is None:
            self._pairs = PairedWords(
                [
                    lexicon_tokens(lexicon, {language: self._words_of(language) for language in named}, self.dictionary)
                    for named, lexicon in self.lexicons.items()
                ]
            )
        return self._pairs

    def _rank(self, language: str) -> RankedWords:
        if language in self.tables:
            words = from_table(
                self.tables[language], self.dictionary, self.cfg.sentencepiece_model, language, self.folders[0]
            )
        else:
            prefixes = [os.path.join(folder, language, self.cfg.train_subset) for folder in self.folders]
            words = from_binarised(prefixes, self.dictionary, self.languages, str(self.cfg.sub_tokens))
        logger.info(
            f"{language}: {int(words.counts.sum()):,} words, {len(words):,} of them distinct; the first "
            f"{min(self.cfg.max_rank, len(words)):,} ranks are {100 * words.coverage(self.cfg.max_rank):.1f} % of the "
            "text"
        )
        return words

    def build_fairseq_model(self, cfg: Any, from_checkpoint: bool) -> BaseFairseqModel:
        """Any model of text has a table."""
        with one_sentence():
            self.check_architecture(
                cfg, BaseFairseqModel, "a model of text such as transformer, mbart_base or xlm_tiny_3"
            )
        return super().build_fairseq_model(cfg, from_checkpoint)

    def build_model(self, cfg: Any, from_checkpoint: bool = False) -> BaseFairseqModel:
        """Build the model; for training, see it as an AlignmentModel."""
        model = self.build_fairseq_model(cfg, from_checkpoint)
        if from_checkpoint:
            return model
        with one_sentence():
            self._samplers()  # too few words or pairs is to be said before the table is laid out
            self._check_start(model)
            words = self.words if self.with_spans else None
            model = AlignmentModel(model, self.dictionary, words, self.cfg.max_rank, self.cfg.rescale, pairs=self.pairs)
        self._plans = {"spans": model.ranked, "pairs": self.pairs}
        aligned = self.languages if self.with_spans else ["-".join(named) for named in self.lexicons]
        logger.info(f"aligning {', '.join(aligned)} over {', '.join(model.table_names)}")
        alone = [language for language in self.languages if not self.with_spans and not self._has_lexicon(language)]
        if alone:
            logger.warning(
                f"no lexicon has {', '.join(alone)}, so words of {'these languages' if alone[1:] else 'it'} are not "
                "aligned: give all lexicons in one --lexicon, between commas, or their ranks by --lexicon-beside-spans"
            )
        return model

    def build_to_rehearse(self, cfg: Any) -> BaseFairseqModel:
        """The same without counting the words of the text."""
        model = self.build_fairseq_model(cfg, from_checkpoint=False)
        with one_sentence():
            self._check_start(model)
        return model

    def rehearse_reading(self) -> None:
        """Count the words: they may be too few for the spans, or for the lexicons."""
        for language in self.tables:
            self._words_of(language)
        texts = [language for language in self.languages if language not in self.tables]
        prefixes = [os.path.join(folder, text, self.cfg.train_subset) for folder in self.folders for text in texts]
        with one_sentence():
            if sum(len(open_binarised(prefix).tokens) for prefix in prefixes) <= _COUNTED:
                self._samplers()

    def _check_start(self, model: BaseFairseqModel) -> None:
        check_dictionary_fits(model, self.dictionary, self.cfg.data)
        self.check_starting_checkpoint()
        if self.cfg.start_as_copier:
            start_as_copier(model)

    def _has_lexicon(self, language: str) -> bool:
        return any(language in named for named in self.lexicons)

    def _samplers(self) -> Dict[str, Any]:
        """{kind: its sampler}; see DrawDataset."""
        samplers = {"spans": self._span_sampler()} if self.with_spans else {}
        if self.pairs is not None:
            names = ["-".join(named) for named in self.lexicons]
            samplers["pairs"] = PairSampler(self.pairs.sizes, self.cfg.seed, names)
            self.pairs.check_negatives()
        return samplers

    def _span_sampler(self) -> SpanSampler:
        sizes = [len(words) for words in self.words]
        return SpanSampler(
            sizes,
            self.cfg.span,
            self.cfg.max_rank,
            self.cfg.seed,
            names=self.languages,
            language_pairs=str(self.cfg.language_pairs),
            negatives=str(self.cfg.negatives),
        )

    def load_dataset(self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any) -> None:
        """Synthetic draws: new ones every epoch for training, the same ones always for any other split."""
        if not self._plans:
            with one_sentence():
                raise InputError(
                    f"--task {self.name} validates while it trains, and translates nothing: crossinit-analyze looks at "
                    "the table of a checkpoint"
                )
        training = split == self.cfg.train_subset
        self.datasets[split] = _FairseqDrawDataset(
            {kind: (sampler, self._plans[kind].plan) for kind, sampler in self._samplers().items()},
            count=_DEFAULT_PAIRS,
            steps=self.cfg.updates_per_epoch if training else self.cfg.valid_batches,
            fixed_epoch=None if training else _VALID_EPOCH,
        )

    def get_batch_iterator(
        self,
        dataset: DrawDataset,
        max_sentences: Optional[int] = None,
        seed: int = 1,
        num_shards: int = 1,
        shard_id: int = 0,
        num_workers: int = 0,
        epoch: int = 1,
        data_buffer_size: int = 0,
        **unused: Any,
    ) -> iterators.EpochBatchIterator:
        """One item is one batch of `--batch-size` draws (256 if not given) of either kind, for one process.

        Each process gets as many to train on as --updates-per-epoch says; those to validate on are shared out.
        """
        if max_sentences:
            dataset.count = max_sentences
        if dataset.fixed_epoch is None:
            dataset.steps = self.cfg.updates_per_epoch * num_shards
        dataset.set_epoch(epoch)
        iterator = iterators.EpochBatchIterator(
            dataset=dataset,
            collate_fn=dataset.collater,
            batch_sampler=[[index] for index in range(len(dataset))],
            seed=seed,
            num_shards=num_shards,
            shard_id=shard_id,
            num_workers=num_workers,
            epoch=epoch,
            buffer_size=data_buffer_size,
            disable_shuffling=True,
            reuse_dataloader=False,  # the workers of a reused loader would go on drawing the epoch they started in
        )
        return self.loaded_by(dataset, iterator)

    def train_step(
        self,
        sample: Dict[str, Any],
        model: BaseFairseqModel,
        criterion: FairseqCriterion,
        optimizer: Any,
        update_num: int,
        ignore_grad: bool = False,
    ) -> Tuple[Any, int, Dict[str, Any]]:
        """fairseq's own; with --rescale, on the table as it was trained rather than as it was saved."""
        if self.cfg.rescale:
            restore_as_trained(self._torch_optimizer(optimizer), unwrap(model).tables)
        return super().train_step(sample, model, criterion, optimizer, update_num, ignore_grad)

    def optimizer_step(self, optimizer: Any, model: BaseFairseqModel, update_num: int) -> None:
        """fairseq's own; with --rescale, what is needed to resume goes into the optimizer's state."""
        super().optimizer_step(optimizer, model, update_num)
        if self.cfg.rescale:
            keep_as_trained(self._torch_optimizer(optimizer), unwrap(model).tables)

    @staticmethod
    def _torch_optimizer(optimizer: Any) -> torch.optim.Optimizer:
        """The torch optimizer inside fairseq's."""
        if hasattr(optimizer, "fp32_optimizer"):
            with one_sentence():
                raise InputError(
                    "--rescale cannot be used with --fp16, --bf16 or --amp (their optimizer keeps a copy of the table "
                    "of its own); leave them out, CrossInit is fast in single precision"
                )
        return optimizer.optimizer

    def reduce_metrics(self, logging_outputs: Sequence[Dict[str, Any]], criterion: FairseqCriterion) -> None:
        """fairseq's own; at a validation also the coarse loss, and once a warning when the table has collapsed (in
        training reading the measure would make a GPU wait)."""
        super().reduce_metrics(logging_outputs, criterion)
        if not logging_outputs:
            return
        batches = sum(log["batches"] for log in logging_outputs)
        if not criterion.training or self.watch.looks():
            self._watch_table(sum(float(log["norm"]) for log in logging_outputs) / batches)
        if criterion.training:
            return
        step = self.cfg.flatness
        # fairseq's patience has no threshold, and that of its plateau scheduler is a share of the loss, which nears 0
        metrics.log_derived("coarse_loss", lambda meters: round(round(float(meters["loss"].avg) / step) * step, 6))
        if self._collapsed:
            return
        directions = sum(float(log["directions"]) for log in logging_outputs) / batches
        if directions < _FEWEST_DIRECTIONS:
            self._collapsed = True
            logger.warning(
                f"the table has collapsed: random words lie along {directions:.2f} directions (1 / mean squared "
                "cosine), so little but their frequency tells them apart; end earlier (--stop-directions, "
                "--max-update), or use a lower --lr"
            )

    def _watch_table(self, norm: float) -> None:
        """Warn when the embeddings have grown beyond all use, and again at ten times that."""
        self._first_norm = self._first_norm or norm
        if norm > self._too_large * self._first_norm:
            self._too_large = 10 * norm / self._first_norm
            self.watch.warn(
                f"the table explodes: the norm of random words is {norm:.3g}, and was {self._first_norm:.3g} when this "
                "run began; lower --lr"
            )

    def validation_metrics(self, split: str) -> Optional[Set[str]]:
        """What the criterion logs, and the coarse loss; the same for every split."""
        return logged_names(self.with_spans, bool(self.lexicons)) | {"coarse_loss"} | SPEED

    def post_validate(self, model: BaseFairseqModel, stats: Dict[str, Any], agg: Any) -> None:
        """After a validation: with --stop-directions, see whether the run is to end.

        fairseq ends a run by its own options alone, of which it looks at the number of updates after every update: so
        the run ends as usual, with a validation and a checkpoint, after one update more.
        """
        super().post_validate(model, stats, agg)
        limit = self.cfg.stop_directions
        if limit and not self.stopped_at and float(stats["directions"]) <= limit:
            self.stopped_at = {"directions": float(stats["directions"]), "updates": int(stats["num_updates"])}
            logger.info(
                f"the run ends after one more update: random words lie along {float(stats['directions']):.2f} "
                f"directions, --stop-directions is {limit:g}"
            )
            self.cfg._get_root().optimization.max_update = stats["num_updates"]

    def in_words(self, sample: Dict[str, Any]) -> str:
        """What is drawn has no place in the text."""
        return "the draws of " + " and ".join(f"{number} {kind}" for kind, number in sample["draws"].items())

    def max_positions(self) -> None:
        """None: spans have no positions."""
        return None
