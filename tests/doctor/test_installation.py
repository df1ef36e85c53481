"""crossinit_fairseq/doctor/installation.py"""

import pytest

from crossinit_fairseq.doctor.findings import FINE, WARNING, WRONG
from crossinit_fairseq.doctor.installation import check_installation, installed_versions, version_numbers

LINUX, MAC = "Linux x86_64", "Darwin arm64"
NEW = {
    "ve-fairseq": "0.12.3", "torch": "2.13.0+cpu", "numpy": "1.26.4", "hydra-core": "1.3.8", "omegaconf": "2.3.1",
    "sentencepiece": "0.2.3", "sacrebleu": "2.6.0", "pip": "25.0",
}  # fmt: skip
OFFICIAL = {
    "fairseq": "0.12.2", "torch": "1.13.1", "numpy": "1.23.5", "hydra-core": "1.0.7", "omegaconf": "2.0.6",
    "sentencepiece": "0.2.0", "sacrebleu": "2.3.1", "pip": "24.0",
}  # fmt: skip


def without(versions, *names):
    return {name: version for name, version in versions.items() if name not in names}


@pytest.mark.parametrize("versions, python", [(NEW, (3, 11)), (OFFICIAL, (3, 8)), (OFFICIAL, (3, 10))])
def test_what_was_tried_is_fine(versions, python):
    assert {finding.level for finding in check_installation(versions, python, LINUX)} == {FINE}


def test_the_environment_of_these_tests():
    assert not [finding for finding in check_installation(installed_versions()) if finding.level == WRONG]


@pytest.mark.parametrize(
    "versions, python, system, level, what, remedy",
    [
        (without(NEW, "ve-fairseq"), (3, 11), LINUX, WRONG, "no fairseq", "pip install ve-fairseq==0.12.3"),
        (without(NEW, "ve-fairseq"), (3, 11), MAC, WRONG, "no fairseq",
         "pip install fairseq-fixed==0.12.3.1 --no-build"),
        (without(OFFICIAL, "fairseq"), (3, 9), LINUX, WRONG, "no fairseq", "pip install fairseq==0.12.2"),
        (dict(NEW, fairseq="0.12.2"), (3, 11), LINUX, WRONG, "same folder",
         "pip uninstall -y ve-fairseq fairseq && pip install ve"),
        (OFFICIAL, (3, 11), LINUX, WRONG, "cannot be imported",
         "pip uninstall -y fairseq && pip install ve-fairseq==0.12.3"),
        (dict(without(NEW, "ve-fairseq"), **{"fairseq-light": "1"}), (3, 11), LINUX, WRONG, "lacks",
         "uninstall -y fairseq-light"),
        (dict(NEW, **{"ve-fairseq": "0.12.4"}), (3, 11), LINUX, WARNING, "only 0.12.3 was tried", "ve-fairseq==0.12.3"),
        (dict(NEW, numpy="2.1.0"), (3, 11), LINUX, WRONG, "numpy 2", "pip install 'numpy<2'"),
        (dict(NEW, torch="2.7.1"), (3, 11), LINUX, WARNING, "2.13.0 was tried", "pip install torch==2.13.0"),
        (dict(NEW, torch="1.12.0"), (3, 11), LINUX, WRONG, "too old", "pip install torch==2.13.0"),
        (dict(NEW, **{"hydra-core": "1.0.7"}), (3, 11), LINUX, WARNING, "1.3 was tried",
         "pip install hydra-core==1.3.*"),
        (dict(OFFICIAL, omegaconf="2.3.0"), (3, 10), LINUX, WARNING, "2.0.6 was tried", "pip install omegaconf==2.0.6"),
        (dict(OFFICIAL, pip="24.1"), (3, 10), LINUX, WARNING, "refuses the metadata", "pip install 'pip<24.1'"),
        (without(NEW, "sacrebleu"), (3, 11), LINUX, WRONG, "sacrebleu is not installed", "pip install sacrebleu"),
        (without(NEW, "torch"), (3, 11), LINUX, WRONG, "torch is not installed", "pip install torch==2.13.0"),
        (NEW, (3, 7), LINUX, WRONG, "too old", "install Python 3.11"),
    ],
)  # fmt: skip
def test_what_is_not_is_said_with_the_line_that_mends_it(versions, python, system, level, what, remedy):
    found = [finding for finding in check_installation(versions, python, system) if finding.level != FINE]
    assert any(level == one.level and what in one.what and remedy in one.remedy for one in found), found


def test_versions_as_numbers():
    assert version_numbers("2.13.0+cpu") == (2, 13, 0) and version_numbers("2.6.0rc1")[:2] == (2, 6)
    assert version_numbers("") == () and version_numbers("x") == ()
