"""How fairseq's own programs translate with a model of `crossinit_unmt`: fairseq-generate, fairseq-interactive, the hub."""

import numpy as np
import torch

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.bare_model import forget_beam_size
from crossinit_fairseq.tasks.one_dictionary import OneDictionaryTask
from crossinit_fairseq.translation.direction_batches import pair_dataset
from crossinit_fairseq.translation.restricted_search import restrict


class UnmtGeneration(OneDictionaryTask):
    """The part of the task that translates from `source_lang` into `target_lang` of its options.

    Needs `convention` (Convention), `mask`, the index of ``<mask>``, and `target_tokens()`, {language: bool [V]}.
    """

    def build_generator(self, models, args, seq_gen_cls=None, extra_gen_cls_kwargs=None, **kwargs):
        """fairseq's generator, with the language tokens taken out of its output."""
        for model in models:
            forget_beam_size(model)
        extra = dict(extra_gen_cls_kwargs or {})
        extra.setdefault(
            "symbols_to_strip_from_output", set(self.convention.languages.values()) | {self.convention.bos, self.mask}
        )
        generator = super().build_generator(models, args, seq_gen_cls=seq_gen_cls, extra_gen_cls_kwargs=extra, **kwargs)
        if str(self.cfg.generation_vocab) == "target":
            self._check_languages_of_generation()
            with one_sentence():
                allowed = self.target_tokens()[self.cfg.target_lang].clone()
            allowed[self.dictionary.eos()] = True
            restrict(generator.search, allowed)
        return generator

    def inference_step(self, generator, models, sample, prefix_tokens=None, constraints=None):
        """Generate from ``[target] <s>``; the stock step would begin with ``</s>`` and write any language."""
        self._check_languages_of_generation()
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
        self._check_languages_of_generation()
        # BART's hub interface writes its own <s>, and hands sentences in a second time, dressed and padded
        bare = [self.convention.undress(tokens) for tokens in src_tokens]
        dressed = [self.convention.dress(tokens, self.cfg.source_lang) for tokens in bare]
        dataset = pair_dataset(_Sentences(dressed), None, self.dictionary, self.convention, self.cfg.target_lang)
        dataset.constraints = constraints
        return dataset

    def _check_languages_of_generation(self):
        with one_sentence():
            if not (self.cfg.source_lang and self.cfg.target_lang):
                raise InputError(
                    "say which language to translate from and which into: -s and -t on the command line, source_lang= and "
                    "target_lang= for from_pretrained"
                )


class _Sentences(list):
    @property
    def sizes(self):
        return np.array([len(sentence) for sentence in self])
