"""The installed versions against the combinations that this package was tried with."""

import platform
import sys
from importlib import metadata
from typing import Dict, List, Optional, Tuple

from crossinit_fairseq.doctor.findings import Finding, fine, warning, wrong

# all own the folder fairseq/: only one may be installed
FAIRSEQS = ("ve-fairseq", "fairseq-fixed", "fairseq", "fairseq-light")
_OTHERS = ("torch", "numpy", "hydra-core", "omegaconf", "sentencepiece", "sacrebleu", "pip")
_NEW = {"torch": "2.13.0", "numpy": "1.26", "hydra-core": "1.3", "omegaconf": "2.3"}
_OFFICIAL = {"torch": "1.13.1", "numpy": "1.23.5", "hydra-core": "1.0.7", "omegaconf": "2.0.6"}


def installed_versions() -> Dict[str, str]:
    """{distribution: version} of those that matter here, as far as they are installed."""
    versions = {}
    for name in FAIRSEQS + _OTHERS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def right_fairseq(python: Tuple[int, int], system: str) -> str:
    """The requirement of the fairseq that runs. python: its version; system: such as "Linux x86_64"."""
    if python < (3, 11):
        return "fairseq==0.12.2"
    return "ve-fairseq==0.12.3" if system == "Linux x86_64" and python < (3, 13) else "fairseq-fixed==0.12.3.1"


def check_installation(
    versions: Dict[str, str], python: Optional[Tuple[int, int]] = None, system: Optional[str] = None
) -> List[Finding]:
    """Findings on the installed versions. versions: see installed_versions; python, system: default to those here."""
    python = python or sys.version_info[:2]
    system = system or f"{platform.system()} {platform.machine()}"
    here = f"Python {python[0]}.{python[1]}"
    right = right_fairseq(python, system)
    findings = []
    if python < (3, 8):
        findings.append(wrong(f"{here} is too old", "install Python 3.11"))
    present = [name for name in FAIRSEQS if name in versions]
    install = f"pip install {right}" + (" --no-build-isolation" if right.startswith("fairseq-fixed") else "")
    if not present:
        findings.append(wrong("no fairseq is installed", install))
    elif len(present) > 1:
        findings.append(
            wrong(
                f"{' and '.join(present)} are installed, which own the same folder fairseq/: one overwrote the other",
                f"pip uninstall -y {' '.join(present)} && {install}",
            )
        )
    else:
        findings.append(_check_fairseq(present[0], versions[present[0]], python, here, install))
    is_official = present == ["fairseq"]
    findings += _check_others(versions, _OFFICIAL if is_official else _NEW, is_official)
    return findings


def _check_fairseq(name: str, version: str, python: Tuple[int, int], here: str, install: str) -> Finding:
    said = f"{name} {version} on {here}"
    if name == "fairseq-light":
        return wrong(f"{said} lacks what is needed", f"pip uninstall -y fairseq-light && {install}")
    if name == "fairseq" and python >= (3, 11):
        return wrong(f"{said} installs, but cannot be imported", f"pip uninstall -y fairseq && {install}")
    tried = {"fairseq": "0.12.2", "ve-fairseq": "0.12.3", "fairseq-fixed": "0.12.3.1"}[name]
    if version != tried:
        return warning(f"{said}: only {tried} was tried", install)
    return fine(said)


def _check_others(versions: Dict[str, str], tried: Dict[str, str], is_official: bool) -> List[Finding]:
    findings = []
    for name, wanted in tried.items():
        version = versions.get(name)
        exact = f"pip install {name}=={wanted}" + (".*" if wanted.count(".") < 2 else "")
        if version is None:
            findings.append(wrong(f"{name} is not installed", exact))
        elif name == "numpy" and version_numbers(version) >= (2,):
            findings.append(wrong(f"numpy {version}: fairseq's datasets fail with numpy 2", "pip install 'numpy<2'"))
        elif name == "torch" and version_numbers(version) < (1, 13):
            findings.append(wrong(f"torch {version} is too old", exact))
        elif version_numbers(version)[: wanted.count(".") + 1] == version_numbers(wanted):
            findings.append(fine(f"{name} {version}"))
        else:
            findings.append(warning(f"{name} {version}: {wanted} was tried with this fairseq", exact))
    if is_official and version_numbers(versions.get("pip", "0")) >= (24, 1):
        findings.append(
            warning(f"pip {versions['pip']} refuses the metadata of omegaconf 2.0", "pip install 'pip<24.1'")
        )
    for name in ("sentencepiece", "sacrebleu"):
        if name not in versions:
            findings.append(wrong(f"{name} is not installed", f"pip install {name}"))
    return findings


def version_numbers(version: str) -> Tuple[int, ...]:
    """(2, 13, 0) of 2.13.0+cpu; () of what is no version."""
    numbers = []
    for part in version.split("+")[0].split("."):
        digits = "".join(character for character in part if character in "0123456789")
        if not digits:
            break
        numbers.append(int(digits[:9]))
    return tuple(numbers)
