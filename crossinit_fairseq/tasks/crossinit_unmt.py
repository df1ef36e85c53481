"""The task `crossinit_unmt`: translation learnt from monolingual text, by denoising and on-the-fly back-translation."""

import logging
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import torch
from fairseq.criterions import FairseqCriterion
from fairseq.data import Dictionary, FairseqDataset, LanguagePairDataset, iterators
from fairseq.logging import metrics
from fairseq.models import BaseFairseqModel
from fairseq.tasks import register_task

from crossinit_fairseq.data import dictionary_record
from crossinit_fairseq.data.datasets.corpus import Corpus
from crossinit_fairseq.data.datasets.fixed_dictionary import load_dictionary
from crossinit_fairseq.data.datasets.grouped_batches import WithSpecialTokens, pair_dataset
from crossinit_fairseq.data.datasets.monolingual_updates import MonolingualUpdates
from crossinit_fairseq.data.datasets.update_groups import OrderedItems, UpdateGroups
from crossinit_fairseq.data.dictionary import MASK, language_token, special_rows
from crossinit_fairseq.data.folder import check_languages, data_folders, languages_of
from crossinit_fairseq.data.noise import WordNoise
from crossinit_fairseq.data.sentences import SentenceList, ShortenedSentences
from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.generation import fairseq_generator
from crossinit_fairseq.generation.search import TranslationRequest
from crossinit_fairseq.lexicon import Lexicon
from crossinit_fairseq.models.bare_model import unwrap
from crossinit_fairseq.models.copying_attention import start_as_copier
from crossinit_fairseq.models.token_tables import FrozenTable
from crossinit_fairseq.ranks import WordPieces
from crossinit_fairseq.tasks.crossinit_unmt_config import CrossInitUnmtConfig, check_options, check_training, searches
from crossinit_fairseq.tasks.encoder_decoder import EncoderDecoderTask
from crossinit_fairseq.tasks.lexicons import TranslationLexicons, parse_lexicons
from crossinit_fairseq.unmt.back_translation import BackTranslation
from crossinit_fairseq.unmt.directions import Directions
from crossinit_fairseq.unmt.training_step import TrainingStep, log_losses
from crossinit_fairseq.unmt.validation import PlainText, Validation, names_of

logger = logging.getLogger(__name__)


@register_task("crossinit_unmt", dataclass=CrossInitUnmtConfig)
class CrossInitUnmtTask(EncoderDecoderTask):
    """For each update and language t: restore a sentence of t from a noisy one; then translate a sentence of t into
    another language s with the model as it is, and learn to translate the result back (Lample et al. 2018b).

    Starts from the checkpoint of `crossinit_denoising --add-lang-token` with the same dictionary (or of
    `crossinit_pretrain`, or from nothing). Sentences stand in it as mBART's pre-training wrote them; see SpecialTokens.
    """

    cfg: CrossInitUnmtConfig
    name = "crossinit_unmt"
    translates = True

    def __init__(
        self,
        cfg: CrossInitUnmtConfig,
        dictionary: Dictionary,
        languages: List[str],
        directions: Directions,
        lexicons: Optional[Mapping[Tuple[str, str], Lexicon]] = None,
    ):
        super().__init__(cfg, dictionary, languages)
        self.directions = directions
        rows = {language: dictionary.index(language_token(language)) for language in languages}
        self.special_tokens = SpecialTokens(rows)
        self.mask = dictionary.index(MASK)
        special = special_rows(dictionary.symbols, languages)
        self.pieces = WordPieces(dictionary.symbols, special=special, unk=dictionary.unk())
        self.lexicons = TranslationLexicons(lexicons or {}, cfg, languages, dictionary, self.pieces)
        self.plain_text = PlainText(dictionary, self.pieces.style, set(special) - {dictionary.unk()})
        self.text_tokens = torch.ones(len(dictionary), dtype=torch.bool)
        self.text_tokens[special] = False
        self.frozen_table = FrozenTable(cfg.freeze_table_updates, dictionary)
        weights = (cfg.lambda_dae, cfg.lambda_bt)
        self.step = TrainingStep(
            directions, self.frozen_table, self.watch, *weights, cfg.restrict_vocab_updates, cfg.seed
        )
        self.greedy, self.search = searches(cfg, self.special_tokens)
        # these two are made with the first training text and validation text
        self.back_translation: Optional[BackTranslation] = None
        self.validation: Optional[Validation] = None
        self._vocabularies: Dict[str, torch.Tensor] = {}
        self._update = 0

    @classmethod
    def setup_task(cls, cfg: CrossInitUnmtConfig, **kwargs: Any) -> "CrossInitUnmtTask":
        """Check the data folder, the languages and the directions before anything is built."""
        with one_sentence():
            folders = data_folders(cfg.data)
            directions = cfg.directions
            if cfg.source_lang and cfg.target_lang:  # generation needs neither training text nor its directions
                languages, directions, lexicons = sorted({cfg.source_lang, cfg.target_lang}), None, {}
            else:
                languages = check_languages(cfg.langs or ",".join(languages_of(folders[0])), folders, cfg.train_subset)
                check_options(cfg)
                lexicons = parse_lexicons(cfg.lexicon, languages)
            if len(languages) < 2:
                raise InputError(f"translation needs two languages; {folders[0]} has: {', '.join(languages)}")
            dictionary = load_dictionary(folders, languages)
            directions = Directions(directions, languages)
            for language in directions.only_denoised():
                logger.info(f"no direction leads to {language}: it is denoised only")
            return cls(cfg, dictionary, languages, directions, lexicons)

    # --- data

    def load_dataset(self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any) -> None:
        """Training: monolingual text. With a source and a target language: their aligned split. Else: all that
        validation measures."""
        with one_sentence():
            if self.cfg.source_lang and self.cfg.target_lang:
                self.datasets[split] = self._text_to_translate(split)
            elif split == self.cfg.train_subset:
                self.datasets[split] = self._corpus().updates(
                    split, epoch, self.cfg.sampling_alpha, self.lexicons.denoising_noise(self._longest)
                )
                self.back_translation = self.back_translation or BackTranslation(
                    self.search,
                    self.special_tokens,
                    self.text_tokens,
                    self.vocabularies(),
                    self._longest - 1,
                    self.lexicons.word_by_word(
                        self.directions.generated(), self.special_tokens, self._noise(), self._longest
                    ),
                )
            else:
                dataset = self._corpus().validation(
                    split, self.directions, self.directions.round_trips(), self.cfg.valid_round_trip
                )
                sizes = dict(self.validation.sizes) if self.validation else {}  # of another validation split
                sizes.update({score: len(part) for score, part in dataset.groups})
                self.validation = Validation(
                    sizes,
                    self._translate,
                    self.special_tokens,
                    self.plain_text,
                    self.text_tokens,
                    self.vocabularies(),
                    restrict=str(self.cfg.valid_round_trip_vocab) == "target",
                    samples=self.cfg.valid_samples,
                )
                self.datasets[split] = dataset

    def _text_to_translate(self, split: str) -> LanguagePairDataset:
        """What fairseq-generate reads."""
        source, target, folder = self.cfg.source_lang, self.cfg.target_lang, self.folders[0]
        dataset = self._corpus().aligned(split, source, target, all_sentences=True, shorten=self.cfg.truncate_source)
        if dataset is None:
            raise InputError(
                f"there is no aligned text {split}.{source}-{target}.{{{source},{target}}}.idx in {folder}: binarise "
                f"it with `fairseq-preprocess --source-lang {source} --target-lang {target}`"
            )
        return dataset

    def vocabularies(self) -> Dict[str, torch.Tensor]:
        """{language: bool [V]}, the tokens of each language; see data/vocabularies.py. Counted on first use."""
        self._vocabularies = self._vocabularies or self._corpus().vocabularies(self.cfg.train_subset)
        return self._vocabularies

    def _noise(self) -> WordNoise:
        cfg = self.cfg
        return WordNoise(
            self.pieces, self.mask, cfg.max_word_shuffle_distance, cfg.word_dropout_prob, cfg.word_blanking_prob
        )

    def _corpus(self) -> Corpus:
        return Corpus(
            self.folders,
            self.languages,
            self.dictionary,
            self.special_tokens,
            noise=self._noise(),
            longest=self._longest,
            seed=self.cfg.seed,
        )

    def get_batch_iterator(
        self, dataset: FairseqDataset, num_shards: int = 1, epoch: int = 1, **options: Any
    ) -> iterators.EpochBatchIterator:
        """fairseq's own; with --bt-ahead the training text comes in the order of its items, in groups of updates."""
        options.update(num_shards=num_shards, epoch=epoch)
        if not isinstance(dataset, MonolingualUpdates) or self.cfg.bt_ahead == 1:
            return super().get_batch_iterator(dataset, **options)
        frequencies = list(self.cfg.update_freq)
        update_freq = int(frequencies[min(epoch, len(frequencies)) - 1])
        dataset.groups = UpdateGroups(num_shards, self.cfg.bt_ahead * update_freq)
        self.step.ahead.begin_epoch(dataset.groups, update_freq)
        iterator = OrderedItems(super().get_batch_iterator(dataset, **options), self.step.ahead)
        return self.loaded_by(dataset, iterator)

    @property
    def _longest(self) -> int:
        # in the binarised text, whose sentences have </s> but neither <s> nor the language token
        return self.fewest_positions - 2

    # --- training

    def begin_epoch(self, epoch: int, model: BaseFairseqModel) -> None:
        """Only training does: what is for translating alone has no place there."""
        with one_sentence():
            check_training(self.cfg)
        super().begin_epoch(epoch, model)

    def build_model(self, cfg: Any, from_checkpoint: bool = False) -> BaseFairseqModel:
        """Build the model; a checkpoint of another dictionary will be refused in words."""
        model = super().build_model(cfg, from_checkpoint)
        if self.cfg.start_as_copier and not from_checkpoint:
            with one_sentence():
                start_as_copier(model)
        return model

    def check_starting_checkpoint(self) -> None:
        """For training; generation is told what its checkpoint holds, see load_state_dict."""
        if not (self.cfg.source_lang and self.cfg.target_lang):
            super().check_starting_checkpoint()

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Take over the task's part of a checkpoint, for generation: its dictionary must be this one."""
        with one_sentence():
            record = state_dict.get(dictionary_record.NAME)
            dictionary_record.check_record(record, self.dictionary.symbols, self.folders[0])

    def train_step(
        self,
        sample: Dict[str, Any],
        model: BaseFairseqModel,
        criterion: FairseqCriterion,
        optimizer: Any,
        update_num: int,
        ignore_grad: bool = False,
    ) -> Tuple[Any, int, Dict[str, Any]]:
        """See TrainingStep."""
        model.set_num_updates(update_num)
        self._update = update_num
        return self.step(sample, model, criterion, optimizer, update_num, self.back_translation, ignore_grad)

    def optimizer_step(self, optimizer: Any, model: BaseFairseqModel, update_num: int) -> None:
        """fairseq's own, with the table held still for the first --freeze-table-updates."""
        self.frozen_table.before_step(model, optimizer, update_num)
        super().optimizer_step(optimizer, model, update_num)

    # --- validation

    def _translate(self, model: BaseFairseqModel, request: TranslationRequest) -> torch.Tensor:
        """Greedily; what comes out may be a source again, with </s>."""
        return self.greedy(unwrap(model), [request], max_len=self._longest - 1)[0]

    def valid_step(
        self, sample: Dict[str, Any], model: BaseFairseqModel, criterion: FairseqCriterion
    ) -> Tuple[Any, int, Dict[str, Any]]:
        """The loss of a batch, and the statistics of its greedy translations."""
        model.eval()
        with torch.no_grad():
            loss, sample_size, logs = criterion(model, sample)
            if sample["group"][0] == "round_trip" and self.validation.has_aligned_text():
                # the valid loss is of translation where there is something to translate
                loss, sample_size = loss * 0, 0
                logs = {key: value * 0 for key, value in logs.items()}
            logs.update(self.validation.statistics(model, sample))
        return loss, sample_size, logs

    def validation_metrics(self, split: str) -> Optional[Set[str]]:
        """The criterion's, and the scores of what the split holds."""
        logged = super().validation_metrics(split)
        return None if logged is None else logged | names_of(self.dataset(split).groups, self.validation.restrict)

    def reduce_metrics(self, logging_outputs: Sequence[Dict[str, Any]], criterion: FairseqCriterion) -> None:
        """Losses in bits, as fairseq's criterions log them, for denoising and back-translation apart; what Validation
        and BackTranslation have counted."""
        if sum(log.get("sample_size", 0) for log in logging_outputs):
            super().reduce_metrics(logging_outputs, criterion)
        else:
            metrics.log_scalar("loss", 0, 0)  # of nothing; fairseq would log a loss of -1
        if log_losses(logging_outputs):
            self.back_translation.log(self.directions.generated(), logging_outputs, self._update)
        elif self.validation is not None:
            self.validation.log(logging_outputs)

    # --- fairseq-generate, fairseq-interactive, the hub: from source_lang into target_lang

    def build_generator(
        self,
        models: Sequence[BaseFairseqModel],
        args: Any,
        seq_gen_cls: Optional[type] = None,
        extra_gen_cls_kwargs: Optional[Dict[str, Any]] = None,
        **kwargs: Any,
    ) -> Any:
        """fairseq's generator, with the language tokens taken out of its output."""
        special = set(self.special_tokens.languages.values()) | {self.special_tokens.bos, self.mask}
        extra = dict(extra_gen_cls_kwargs or {})
        extra.setdefault("symbols_to_strip_from_output", special)
        with fairseq_generator.beam_in_models(models):
            generator = super().build_generator(
                models, args, seq_gen_cls=seq_gen_cls, extra_gen_cls_kwargs=extra, **kwargs
            )
        # --score-reference: it gets none of these arguments, and what it scores may hold any token
        generator.symbols_to_strip_from_output |= special
        if str(self.cfg.generation_vocab) == "target" and hasattr(generator, "search"):
            self.check_languages_of_generation()
            with one_sentence():
                allowed = self.vocabularies()[self.cfg.target_lang].clone()
            allowed[self.dictionary.eos()] = True
            fairseq_generator.restrict(generator.search, allowed)
        return generator

    def inference_step(
        self,
        generator: Any,
        models: Sequence[BaseFairseqModel],
        sample: Dict[str, Any],
        prefix_tokens: Optional[torch.Tensor] = None,
        constraints: Optional[torch.Tensor] = None,
    ) -> Any:
        """See fairseq_generator.translate."""
        self.check_languages_of_generation()
        return fairseq_generator.translate(
            generator, models, sample, self.special_tokens, self.cfg.target_lang, prefix_tokens, constraints
        )

    def build_dataset_for_inference(
        self, src_tokens: Sequence[torch.Tensor], src_lengths: Sequence[int], constraints: Optional[torch.Tensor] = None
    ) -> LanguagePairDataset:
        """Sentences that were typed in or read from standard input; what is too long is cut, which is logged."""
        self.check_languages_of_generation()
        # BART's hub interface writes its own <s>, and hands sentences in a second time, with special tokens and padding
        whole = SentenceList(self.special_tokens.remove(tokens) for tokens in src_tokens)
        sentences = ShortenedSentences(whole, self._longest)
        if sentences.cut:
            logger.warning(f"{sentences.cut:,} of {len(whole):,} sentences are cut to {self._longest:,} sub-tokens")
        source = WithSpecialTokens(sentences, self.special_tokens, self.cfg.source_lang)
        dataset = pair_dataset(source, None, self.dictionary, self.special_tokens, self.cfg.target_lang)
        dataset.constraints = constraints
        return dataset

    def check_languages_of_generation(self) -> None:
        """End with a sentence where it is not said what is translated into what."""
        with one_sentence():
            if not (self.cfg.source_lang and self.cfg.target_lang):
                raise InputError(
                    "say which language to translate from and which into: -s and -t on the command line, source_lang= "
                    "and target_lang= for from_pretrained"
                )
