"""The task `crossinit_unmt`: translation learnt from monolingual text, by denoising and on-the-fly back-translation."""

import logging

import torch
from fairseq import utils
from fairseq.logging import metrics
from fairseq.tasks import register_task

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.lexicon.word_by_word import PieceTranslator
from crossinit_fairseq.models import dictionary_record
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.models.bare_model import unwrap
from crossinit_fairseq.models.copying_attention import start_as_copier
from crossinit_fairseq.models.token_tables import FrozenTable
from crossinit_fairseq.ranks import WordPieces
from crossinit_fairseq.tasks.architecture import build_for, check_translates
from crossinit_fairseq.tasks.data_folder import (
    MASK,
    check_languages,
    data_folders,
    language_token,
    languages_of,
    load_dictionary,
)
from crossinit_fairseq.tasks.lexicons import lexicon_tokens, parse_lexicons, training_words
from crossinit_fairseq.tasks.unmt_config import CrossInitUnmtConfig, check_options
from crossinit_fairseq.tasks.unmt_generation import UnmtGeneration
from crossinit_fairseq.tasks.unmt_step import UnmtStep
from crossinit_fairseq.translation.back_translation import BackTranslation
from crossinit_fairseq.translation.convention import Convention
from crossinit_fairseq.translation.corpus import Corpus
from crossinit_fairseq.translation.directions import Directions
from crossinit_fairseq.translation.generation import Generation
from crossinit_fairseq.translation.learning import log_learnt
from crossinit_fairseq.translation.lexicon_words import LexiconNoise, WordByWordSources
from crossinit_fairseq.translation.noise import WordNoise
from crossinit_fairseq.translation.plain_text import PlainText
from crossinit_fairseq.translation.validation import Validation

logger = logging.getLogger(__name__)


@register_task("crossinit_unmt", dataclass=CrossInitUnmtConfig)
class CrossInitUnmtTask(UnmtGeneration):
    """For each update and language t: restore a disturbed sentence of t; then translate a sentence of t into another
    language s with the model as it is, and learn to translate the result back (Lample et al. 2018b).

    Starts from the checkpoint of `multilingual_denoising --add-lang-token` with the same dictionary (or of
    `crossinit_pretrain`, or from nothing). Sentences stand in it as mBART's pre-training wrote them; see Convention.
    """

    cfg: CrossInitUnmtConfig

    def __init__(self, cfg, dictionary, languages, directions, lexicons=None):
        super().__init__(cfg, dictionary, languages)
        self.directions = directions
        self.lexicons = lexicons or {}  # {(source, target): Lexicon}, for training
        indices = {lang: dictionary.index(language_token(lang)) for lang in languages}
        self.convention = Convention(dictionary, indices)
        self.mask = dictionary.index(MASK)
        special = list(range(dictionary.nspecial)) + [self.mask] + list(indices.values())
        self.pieces = WordPieces(dictionary.symbols, special=special, unk=dictionary.unk())
        ignore = set(indices.values()) | {self.mask, dictionary.pad()}
        self.plain_text = PlainText(dictionary, self.pieces.style, ignore)
        self.words = torch.ones(len(dictionary), dtype=torch.bool)
        self.words[special] = False
        self.frozen_table = FrozenTable(cfg.freeze_table_updates, dictionary)
        self.step = UnmtStep(cfg, directions, self.frozen_table)
        limits = {"max_len_a": cfg.bt_max_len_a, "max_len_b": cfg.bt_max_len_b}
        self.greedy = Generation(**limits)
        self.generation = Generation(
            beam=cfg.bt_beam,
            sampling=cfg.bt_sampling,
            sampling_topk=cfg.bt_sampling_topk,
            temperature=cfg.bt_temperature,
            **limits,
        )
        self.back_translation = None  # these two are made with the first training text and validation text
        self.validation = None
        self._target = {}
        self._translators = None
        self._update = 0
        self._model_positions = ()

    @classmethod
    def setup_task(cls, cfg, **kwargs):
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
                raise InputError("translation needs two languages; {} has: {}".format(folders[0], ", ".join(languages)))
            if cfg.sampling_alpha is not None and cfg.sampling_alpha < 0:
                raise InputError("--sampling-alpha is {}; it must be 0 or more".format(cfg.sampling_alpha))
            dictionary = load_dictionary(folders[0], languages)
            directions = Directions(directions, languages)
            for language in directions.only_denoised():
                logger.info("no direction leads to {}: it is denoised only".format(language))
            return cls(cfg, dictionary, languages, directions, lexicons)

    # --- data

    def load_dataset(self, split, epoch=1, combine=False, **kwargs):
        """Training: monolingual text. With a source and a target language: their aligned split. Else: all that
        validation measures."""
        source, target = self.cfg.source_lang, self.cfg.target_lang
        with one_sentence():
            corpus = self._corpus()
            if source and target:
                dataset = corpus.aligned(split, source, target, all_sentences=True, truncate=self.cfg.truncate_source)
                if dataset is None:
                    raise InputError(
                        "there is no aligned text {}.{}-{}.{{{},{}}}.idx in {}: binarise it with `fairseq-preprocess "
                        "--source-lang {} --target-lang {}`".format(
                            split, source, target, source, target, corpus.folders[0], source, target
                        )
                    )
            elif split == self.cfg.train_subset:
                dataset = corpus.updates(split, epoch, self.cfg.sampling_alpha, self._lexicon_noise())
                self.back_translation = self.back_translation or BackTranslation(
                    self.generation,
                    self.convention,
                    self.words,
                    self.target_tokens(),
                    self._longest - 1,
                    self._word_by_word(),
                )
            else:
                dataset = corpus.validation(split, self.directions, self.cfg.valid_round_trip)
                sizes = dict(self.validation.sizes) if self.validation else {}  # of another validation split
                sizes.update({tag: len(part) for tag, part in dataset.parts})
                self.validation = Validation(
                    sizes,
                    self._translate,
                    self.convention,
                    self.plain_text,
                    self.words,
                    self.target_tokens(),
                    restrict=str(self.cfg.valid_round_trip_vocab) == "target",
                    samples=self.cfg.valid_samples,
                )
            self.datasets[split] = dataset

    def target_tokens(self):
        """{language: bool [V]}, the tokens of each language; see vocabulary.target_tokens. Counted on first use."""
        self._target = self._target or self._corpus().target_tokens(self.cfg.train_subset)
        return self._target

    def translators(self):
        """{(source, target): PieceTranslator} of the lexicons' directions, both ways. Made on first use, for which the words
        of the training text are counted."""
        if self._translators is None:
            self._translators, cfg = {}, self.cfg
            words = training_words(cfg.data, self.languages, self.dictionary, cfg.train_subset) if self.lexicons else {}
            for (source, target), lexicon in self.lexicons.items():
                tokens = lexicon_tokens(lexicon, words, self.dictionary)
                self._translators[source, target] = PieceTranslator(self.pieces, tokens.forward)
                self._translators[target, source] = PieceTranslator(self.pieces, tokens.backward)
        return self._translators

    def _lexicon_noise(self):
        if self.cfg.lexicon_noise:
            return LexiconNoise(self.translators(), self.cfg.lexicon_noise, self._longest)
        return None

    def _word_by_word(self):
        cfg = self.cfg
        if not cfg.lexicon_bt_updates:
            return None
        for source, target in self.directions.generated():
            if (source, target) not in self.translators():
                logger.info(f"no lexicon for {source}-{target}: the model translates there from the first update")
        noise = self._noise() if cfg.lexicon_bt_noise else None
        return WordByWordSources(self.translators(), cfg.lexicon_bt_updates, self.convention, noise, self._longest - 1)

    def _noise(self):
        cfg = self.cfg
        return WordNoise(
            self.pieces, self.mask, cfg.max_word_shuffle_distance, cfg.word_dropout_prob, cfg.word_blanking_prob
        )

    def _corpus(self):
        folders, seed = data_folders(self.cfg.data), self.cfg.seed
        return Corpus(folders, self.languages, self.dictionary, self.convention, self._noise(), self._longest, seed)

    def has_sharded_data(self, split):
        """Whether the next epoch reads other files."""
        return split == self.cfg.train_subset and len(utils.split_paths(self.cfg.data)) > 1

    @property
    def _longest(self):
        # in the binarised text, whose sentences have </s> but neither <s> nor the language token
        return min((self.cfg.max_source_positions, self.cfg.max_target_positions) + self._model_positions) - 2

    # --- training

    def build_model(self, cfg, from_checkpoint=False):
        """Build the model; a checkpoint of another dictionary will be refused in words."""
        with one_sentence():
            check_translates(cfg)
            model = build_for(self, "crossinit_unmt", cfg, from_checkpoint)
            check_dictionary_fits(model, self.dictionary, self.cfg.data)
            if not from_checkpoint:
                if self.cfg.start_as_copier:
                    start_as_copier(model)
                self._check_starting_checkpoint()
        # under Hydra the model's limits are options of their own
        self._model_positions = tuple(model.max_positions())
        return model

    def _check_starting_checkpoint(self):
        """Refuse to train from a checkpoint of another dictionary; fairseq hands a task nothing of it but the model."""
        cfg, folder = self.cfg, data_folders(self.cfg.data)[0]
        path = dictionary_record.starting_checkpoint(cfg.save_dir, cfg.restore_file, cfg.finetune_from_model)
        if path and not (cfg.source_lang and cfg.target_lang):  # generation: see load_state_dict
            tokens = [language_token(language) for language in self.languages]
            dictionary_record.check_checkpoint(path, self.dictionary, folder, tokens)

    def load_state_dict(self, state_dict):
        """Take over the task's part of a checkpoint, for generation: its dictionary must be this one."""
        with one_sentence():
            record = state_dict.get(dictionary_record.NAME)
            dictionary_record.check_record(record, self.dictionary, data_folders(self.cfg.data)[0])

    def train_step(self, sample, model, criterion, optimizer, update_num, ignore_grad=False):
        """See UnmtStep."""
        model.set_num_updates(update_num)
        self._update = update_num
        return self.step(sample, model, criterion, optimizer, update_num, self.back_translation, ignore_grad)

    def optimizer_step(self, optimizer, model, update_num):
        """fairseq's own, with the table held still for the first --freeze-table-updates."""
        self.frozen_table.before_step(model, optimizer, update_num)
        super().optimizer_step(optimizer, model, update_num)

    # --- validation

    def _translate(self, model, source, language, allowed):
        """Greedily; what comes out may be a source again, with </s>."""
        return self.greedy(unwrap(model), source, language, self.convention, allowed=allowed, max_len=self._longest - 1)

    def valid_step(self, sample, model, criterion):
        """The loss of a batch, and the statistics of its greedy translations."""
        model.eval()
        with torch.no_grad():
            loss, sample_size, logs = criterion(model, sample)
            if sample["tag"][0] == "round_trip" and self.validation.aligned():
                # the valid loss is of translation where there is something to translate
                loss, sample_size = loss * 0, 0
                logs = {key: value * 0 for key, value in logs.items()}
            logs.update(self.validation.statistics(model, sample))
        return loss, sample_size, logs

    def reduce_metrics(self, logging_outputs, criterion):
        """Losses in bits, as fairseq's criterions log them, for denoising and back-translation apart; what Validation
        and BackTranslation have counted."""
        if sum(log.get("sample_size", 0) for log in logging_outputs):
            super().reduce_metrics(logging_outputs, criterion)
        else:
            metrics.log_scalar("loss", 0, 0)  # of nothing; fairseq would log a loss of -1
        if log_learnt(logging_outputs):
            self.back_translation.log(self.directions.generated(), logging_outputs, self._update)
        elif self.validation is not None:
            self.validation.log(logging_outputs)

    def max_positions(self):
        """The longest source and target the task allows, in sub-tokens."""
        return (self.cfg.max_source_positions, self.cfg.max_target_positions)
