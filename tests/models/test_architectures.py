"""models/architectures.py: which of fairseq's architectures a task can train is known before one is built."""

from argparse import Namespace

import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.architectures import check_reads_text, is_of_speech, is_transformer
from crossinit_fairseq.tasks.crossinit_denoising import CrossInitDenoisingTask
from crossinit_fairseq.tasks.crossinit_mlm import CrossInitMlmTask
from crossinit_fairseq.tasks.crossinit_pretrain import CrossInitPretrainTask
from crossinit_fairseq.tasks.crossinit_qa import CrossInitQaTask
from crossinit_fairseq.tasks.crossinit_unmt import CrossInitUnmtTask
from crossinit_fairseq.tasks.crossinit_xnli import CrossInitXnliTask


@pytest.mark.parametrize(
    "name", ["transformer", "transformer_iwslt_de_en", "bart_base", "mbart_base", "xlm_translation"]
)
def test_usual_ones(name):
    assert is_transformer(name) and not is_of_speech(name)


@pytest.mark.parametrize(
    "name",
    "lstm fconv fconv_self_att lightconv transformer_align cmlm_transformer nonautoregressive_transformer "
    "levenshtein_transformer insertion_transformer transformer_from_pretrained_xlm transformer_lm roberta "
    "s2t_transformer nosuch".split(),
)
def test_those_that_translation_cannot_train(name):
    """As one update of each has shown: tracebacks in fairseq's code."""
    assert not is_transformer(name)


@pytest.mark.parametrize(
    "name", ["s2t_transformer", "convtransformer", "fastspeech2", "hubert", "wav2vec2", "tts_transformer"]
)
def test_those_of_speech(name):
    assert is_of_speech(name)


@pytest.mark.parametrize(
    "task, name, said",
    [
        (
            CrossInitUnmtTask,
            "lstm",
            "--arch lstm has none that it knows: give --arch transformer, bart_base, mbart_base",
        ),
        (CrossInitUnmtTask, "fconv", "translates by a Transformer's decoder, and --arch fconv has none"),
        (CrossInitUnmtTask, "roberta", "needs an encoder-decoder architecture such as .*, not roberta"),
        (
            CrossInitDenoisingTask,
            "s2t_transformer",
            "needs an encoder-decoder architecture such .*, not s2t_transformer",
        ),
        (CrossInitDenoisingTask, "transformer_lm", "needs an encoder-decoder architecture such .*, not transformer_lm"),
        (CrossInitMlmTask, "fastspeech2", "needs a masked language model such as .*, not fastspeech2"),
        (CrossInitMlmTask, "transformer", "needs a masked language model such as .*, not transformer"),
        (CrossInitXnliTask, "lstm", "needs an encoder of text such as .*, not lstm"),
        (CrossInitQaTask, "transformer_lm", "needs an encoder of text such as .*, not transformer_lm"),
        (CrossInitPretrainTask, "hubert", "needs a model of text such as .*, not hubert"),
    ],
)
def test_what_a_task_says(task, name, said):
    with pytest.raises(SystemExit, match=said):
        task.build_model(object.__new__(task), Namespace(arch=name))


class Odd(torch.nn.Module):
    """Reads and writes numbers of another shape, as models of speech do, or none."""

    def __init__(self, width):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.width = width

    def forward(self, src_tokens, src_lengths, prev_output_tokens):
        assert not self.training
        return torch.zeros(1, self.width, 8), None


def test_what_returns_something_else():
    check_reads_text(Odd(4), "odd", "crossinit_denoising", 2)
    model = Odd(3)
    with pytest.raises(InputError, match=r"cannot train --arch odd \(it returns \[1, 3\] for \[1, 4\] tokens\): give"):
        check_reads_text(model, "odd", "crossinit_denoising", 2)
    assert model.training
    model.forward = None
    with pytest.raises(InputError, match=r"--task crossinit_denoising cannot train --arch odd \('NoneType'.*\): give"):
        check_reads_text(model, "odd", "crossinit_denoising", 2)
