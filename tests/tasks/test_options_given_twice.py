"""What names files, languages and directions is given once; fairseq alone would take the last and forget the others."""

import pytest
from fairseq import options

from tests.toy_runs import TASKS


def parsed(task, *more):
    words = ["data"] + TASKS[task].options.format(data="data").split() + ["--optimizer", "adam", "--lr", "1"]
    return options.parse_args_and_arch(options.get_training_parser(), words + list(more))


@pytest.mark.parametrize(
    "task, option",
    [
        ("crossinit_pretrain", "--langs"),
        ("crossinit_pretrain", "--ranks"),
        ("crossinit_pretrain", "--lexicon"),
        ("crossinit_pretrain", "--sentencepiece-model"),
        ("crossinit_mlm", "--langs"),
        ("crossinit_denoising", "--no-whole-word-mask-langs"),
        ("crossinit_unmt", "--directions"),
        ("crossinit_unmt", "--lexicon"),
        ("crossinit_unmt", "--lambda-dae"),
        ("crossinit_xnli", "--train-files"),
        ("crossinit_xnli", "--valid-files"),
        ("crossinit_qa", "--train-files"),
        ("crossinit_qa", "--pieces"),
    ],
)
def test_a_second_value_is_refused(task, option, capsys):
    given = [option] if option in TASKS[task].options.split() else [option, "aa=one"]
    with pytest.raises(SystemExit) as ended:
        parsed(task, *given, *(["bb=two"] if len(given) == 1 else [option, "bb=two"]))
    assert ended.value.code == 2
    assert f"error: argument {option}: given twice, " in capsys.readouterr().err


def test_numbers_and_choices_may_be_changed_and_the_same_again_is_no_other():
    cfg = parsed("crossinit_pretrain", "--span", "7", "--negatives", "all", "--negatives", "sample")
    assert (cfg.span, cfg.negatives) == (7, "sample")
    assert parsed("crossinit_unmt", "--langs", "aa,bb").langs == "aa,bb"
