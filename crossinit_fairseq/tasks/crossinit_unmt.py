"""The task `crossinit_unmt`: translation learnt from monolingual text, by denoising and on-the-fly back-translation."""

import itertools
import logging
import math
from collections import defaultdict

import numpy as np
import torch
from fairseq import utils
from fairseq.tasks import FairseqTask, register_task
from fairseq.tasks.online_backtranslation import PiecewiseLinearFn

from crossinit_fairseq.compat import metrics
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.models.unwrap import unwrap
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
from crossinit_fairseq.tasks.unmt_config import CrossInitUnmtConfig
from crossinit_fairseq.translation.batches import pair_dataset
from crossinit_fairseq.translation.bleu import bleu_statistics, log_bleu, no_statistics
from crossinit_fairseq.translation.convention import Convention
from crossinit_fairseq.translation.corpus import Corpus
from crossinit_fairseq.translation.greedy import generate_greedily
from crossinit_fairseq.translation.noise import WordNoise

logger = logging.getLogger(__name__)

_POST_PROCESS = {"sentencepiece": "sentencepiece", "subword_nmt": "subword_nmt", "none": None}


@register_task("crossinit_unmt", dataclass=CrossInitUnmtConfig)
class CrossInitUnmtTask(FairseqTask):
    """For each update and language t: restore a disturbed sentence of t; then translate a sentence of t into another
    language s with the model as it is, and learn to translate the result back (Lample et al. 2018b).

    Starts from the checkpoint of `multilingual_denoising --add-lang-token` with the same dictionary (or of
    `crossinit_pretrain`, or from nothing). Sentences stand in it as mBART's pre-training wrote them; see Convention.
    """

    cfg: CrossInitUnmtConfig

    def __init__(self, cfg, dictionary, languages, directions):
        super().__init__(cfg)
        self.dictionary = dictionary
        self.languages = languages
        self.directions = directions
        indices = {lang: dictionary.index(language_token(lang)) for lang in languages}
        self.convention = Convention(dictionary, indices)
        self.mask = dictionary.index(MASK)
        special = list(range(dictionary.nspecial)) + [self.mask] + list(indices.values())
        self.pieces = WordPieces(dictionary.symbols, special=special, unk=dictionary.unk())
        self.lambda_bt = PiecewiseLinearFn.from_string(cfg.lambda_bt)
        self.lambda_dae = PiecewiseLinearFn.from_string(cfg.lambda_dae)
        self.scores = []  # (kind, source, target) that validation measures
        self._allowed = {}
        self._model_positions = ()

    @classmethod
    def setup_task(cls, cfg, **kwargs):
        """Check the data folder, the languages and the directions before anything is built."""
        with one_sentence():
            folders = data_folders(cfg.data)
            if cfg.source_lang and cfg.target_lang:  # generation needs no training text
                languages = sorted({cfg.source_lang, cfg.target_lang})
            else:
                languages = check_languages(cfg.langs or ",".join(languages_of(folders[0])), folders, cfg.train_subset)
            if len(languages) < 2:
                raise InputError("translation needs two languages; {} has: {}".format(folders[0], ", ".join(languages)))
            dictionary = load_dictionary(folders[0], languages)
            return cls(cfg, dictionary, languages, _parse_directions(cfg.directions, languages))

    # --- data

    def load_dataset(self, split, epoch=1, combine=False, **kwargs):
        """Training: monolingual text. With a source and a target language: their aligned split. Else: all that
        validation measures."""
        source, target = self.cfg.source_lang, self.cfg.target_lang
        with one_sentence():
            corpus = self._corpus()
            if source and target:
                dataset = corpus.aligned(split, source, target, all_sentences=True)
                if dataset is None:
                    raise InputError(
                        "there is no aligned text {}.{}-{}.{{{},{}}}.idx in {}: binarise it with `fairseq-preprocess "
                        "--source-lang {} --target-lang {}`".format(
                            split, source, target, source, target, corpus.folders[0], source, target
                        )
                    )
            elif split == self.cfg.train_subset:
                dataset = corpus.updates(split, epoch)
                if self.cfg.restrict_vocab_updates and not self._allowed:
                    self._allowed = corpus.target_tokens(split)
            else:
                dataset = corpus.validation(split, self.directions, self.cfg.valid_round_trip)
                self.scores = [tag for tag, _ in dataset.parts]
            self.datasets[split] = dataset

    def _corpus(self):
        cfg = self.cfg
        noise = WordNoise(
            self.pieces, self.mask, cfg.max_word_shuffle_distance, cfg.word_dropout_prob, cfg.word_blanking_prob
        )
        folders = data_folders(cfg.data)
        return Corpus(folders, self.languages, self.dictionary, self.convention, noise, self._longest, cfg.seed)

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
        # under Hydra the model's limits are options of their own
        self._model_positions = tuple(model.max_positions())
        return model

    def train_step(self, sample, model, criterion, optimizer, update_num, ignore_grad=False):
        """Denoise, back-translate, and learn from both; gradients of all languages add up in one update."""
        model.train()
        model.set_num_updates(update_num)
        weights = {"dae": self.lambda_dae(update_num), "bt": self.lambda_bt(update_num)}
        total, size, logs = 0.0, 0, defaultdict(float)
        for language in self.languages:
            batch = sample[language]
            samples = [("dae", batch["denoise"])] if weights["dae"] else []
            if weights["bt"]:
                other = self._translate_from(language, sample["update"])
                if other is not None:
                    samples.append(("bt", self._back_translate(model, batch, language, other, update_num)))
            for kind, made in samples:
                loss, sample_size, log = criterion(model, made)
                loss = loss * weights[kind] * (0 if ignore_grad else 1)
                optimizer.backward(loss)
                total, size = total + loss.detach(), size + sample_size
                for key, value in log.items():
                    logs[key] += value
                    logs["{}_{}".format(kind, key)] += value
        return total, size, dict(logs)

    def _translate_from(self, language, update):
        """The language to translate from when `language` is to be learnt; they take turns. None if there is none."""
        sources = [s for s, t in self.directions if t == language]
        return sources[update % len(sources)] if sources else None

    def _back_translate(self, model, batch, language, other, update_num):
        """Return a training sample from generated `other` to clean `language`."""
        clean = self.convention.dress_generated(batch["clean"], language)
        limit = self.cfg.restrict_vocab_updates
        restricted = limit < 0 or update_num < limit
        made = self._generate(model, clean, other, self._allowed.get(other) if restricted else None)
        model.train()
        return self.convention.sample(self.convention.dress_generated(made, other), clean, language)

    def _generate(self, model, source, language, allowed=None):
        model.eval()
        inner = unwrap(model)
        return generate_greedily(
            inner,
            source,
            language,
            self.convention,
            self.cfg.bt_max_len_a,
            self.cfg.bt_max_len_b,
            allowed,
            max_len=self._longest - 1,  # it will be a source itself, with </s>
        )

    # --- validation

    def valid_step(self, sample, model, criterion):
        """The loss of a batch, and the BLEU statistics of its greedy translations."""
        model.eval()
        kind, source, target = sample["tag"]
        statistics = {}
        for score in self.scores:
            statistics.update(no_statistics(_score_name(*score)))
        with torch.no_grad():
            loss, sample_size, logs = criterion(model, sample)
            if kind == "round_trip" and any(score[0] == "bleu" for score in self.scores):
                # the valid loss is of translation where there is something to translate
                loss, sample_size = loss * 0, 0
                logs = {key: value * 0 for key, value in logs.items()}
            if kind == "bleu":
                made = self._generate(model, sample["net_input"]["src_tokens"], target)
            else:
                there = self._generate(model, sample["target"], target)
                made = self._generate(model, self.convention.dress_generated(there, target), source)
        hypotheses, references = self._strings(made), self._strings(sample["target"])
        statistics.update(bleu_statistics(_score_name(kind, source, target), hypotheses, references))
        logs.update(statistics)
        return loss, sample_size, logs

    def _strings(self, tokens):
        """int64 [B, T] tokens as plain sentences."""
        ignore = set(self.convention.languages.values()) | {self.mask, self.convention.pad}
        style = _POST_PROCESS[self.pieces.style]
        return [self.dictionary.string(row, style, extra_symbols_to_ignore=ignore) for row in tokens.cpu()]

    def reduce_metrics(self, logging_outputs, criterion):
        """Losses in bits, as fairseq's criterions log them, for denoising and back-translation apart; BLEU."""
        if sum(log.get("sample_size", 0) for log in logging_outputs):
            super().reduce_metrics(logging_outputs, criterion)
        for kind in ("dae", "bt"):
            size = sum(log.get(kind + "_sample_size", 0) for log in logging_outputs)
            if size:
                loss = sum(log.get(kind + "_loss", 0) for log in logging_outputs)
                metrics.log_scalar(kind + "_loss", loss / size / math.log(2), size, round=3)
        for kind, mean in (("bleu", "bleu"), ("round_trip", "round_trip_bleu")):
            log_bleu([_score_name(*score) for score in self.scores if score[0] == kind], mean, logging_outputs)

    # --- generation with fairseq's own programs

    def build_generator(self, models, args, seq_gen_cls=None, extra_gen_cls_kwargs=None, **kwargs):
        """fairseq's generator, with the language tokens taken out of its output."""
        extra = dict(extra_gen_cls_kwargs or {})
        extra.setdefault(
            "symbols_to_strip_from_output", set(self.convention.languages.values()) | {self.convention.bos, self.mask}
        )
        return super().build_generator(models, args, seq_gen_cls=seq_gen_cls, extra_gen_cls_kwargs=extra, **kwargs)

    def inference_step(self, generator, models, sample, prefix_tokens=None, constraints=None):
        """Generate from ``[target] <s>``; the stock step would begin with ``</s>`` and write any language."""
        if prefix_tokens is None:
            source = sample["net_input"]["src_tokens"]
            prefix_tokens = source.new_full((source.size(0), 1), self.convention.bos)
        with torch.no_grad():
            return generator.generate(
                models,
                sample,
                prefix_tokens=prefix_tokens,
                constraints=constraints,
                bos_token=self.convention.languages[self.cfg.target_lang],
            )

    def build_dataset_for_inference(self, src_tokens, src_lengths, constraints=None):
        """Sentences to translate that were typed in or read from standard input."""
        dressed = [self.convention.dress(tokens, self.cfg.source_lang) for tokens in src_tokens]
        dataset = pair_dataset(_Sentences(dressed), None, self.dictionary, self.convention, self.cfg.target_lang)
        dataset.constraints = constraints
        return dataset

    def max_positions(self):
        """The longest source and target the task allows, in sub-tokens."""
        return (self.cfg.max_source_positions, self.cfg.max_target_positions)

    @property
    def source_dictionary(self):
        """The one dictionary of all languages."""
        return self.dictionary

    @property
    def target_dictionary(self):
        """The one dictionary of all languages."""
        return self.dictionary


class _Sentences(list):
    @property
    def sizes(self):
        return np.array([len(sentence) for sentence in self])


def _score_name(kind, source, target):
    return "{}_{}-{}".format(kind, source, target)


def _parse_directions(option, languages):
    """Return [(source, target), ...]. Raises InputError for anything that is not SOURCE-TARGET of known languages."""
    if not option:
        return list(itertools.permutations(languages, 2))
    directions = []
    for text in option.split(","):
        sides = tuple(text.strip().split("-"))
        if len(sides) != 2 or sides[0] == sides[1] or not set(sides) <= set(languages):
            raise InputError(
                "--directions names {!r}; a direction is SOURCE-TARGET of two of the languages {}".format(
                    text, ", ".join(languages)
                )
            )
        directions.append(sides)
    return directions
