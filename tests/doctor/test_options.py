"""crossinit_fairseq/doctor/options.py, against fairseq's own parser."""

import shlex

import pytest

from crossinit_fairseq.doctor.findings import WRONG
from crossinit_fairseq.doctor.options import check_options
from tests.conftest import USER_DIR

TRAIN = f"fairseq-train data --user-dir {USER_DIR} --lr 1e-3 --fp16-scale-tolerance=-1 "


@pytest.mark.parametrize(
    "words",
    [
        TRAIN + "--task crossinit_unmt --arch mbart_base --bt-ahead 4 --criterion label_smoothed_cross_entropy "
        "--label-smoothing 0.1 --max-source-positions 40",
        f"fairseq-generate data --user-dir {USER_DIR} --task crossinit_unmt -s en -t ro --generation-vocab target",
        "fairseq-preprocess --what --ever",
        f"fairseq-train data --user-dir {USER_DIR}-not",
    ],
)
def test_nothing_is_said_of_what_fairseq_takes_or_of_what_is_found_elsewhere(words):
    assert check_options(shlex.split(words)) == []


@pytest.mark.parametrize(
    "words, what",
    [
        # of another task, another architecture, another criterion; of a program that has no training
        (TRAIN + "--task crossinit_denoising --arch mbart_base --bt-ahead 4", "the criterion takes --bt-ahead 4"),
        (TRAIN + "--task crossinit_unmt --arch transformer --max-positions 9", "the criterion takes --max-positions 9"),
        (TRAIN + "--task crossinit_unmt --arch mbart_base --label-smoothing 0.1", "takes --label-smoothing 0.1"),
        (f"fairseq-generate data --user-dir {USER_DIR} --task crossinit_unmt --max-update 3", "takes --max-update 3"),
        (TRAIN + "--task crossinit_unmt", "is told no architecture"),
        (TRAIN + "--task crossinit_umnt", "refuses its options: argument --task: invalid choice: 'crossinit_umnt'"),
        (TRAIN + "--task crossinit_unmt --max-update many", "--max-update: invalid int value: 'many'"),
    ],
)
def test_what_fairseq_refuses_is_wrong(words, what):
    (finding,) = check_options(shlex.split(words))
    assert finding.level == WRONG and what in finding.what and finding.remedy
    assert "\n" not in finding.what and len(finding.what) < 200
