"""Whether fairseq takes the options of a command, with what its task, architecture and criterion add to them, and
whether the task would refuse the run."""

import os
import re
import subprocess
import sys
import tempfile
from typing import List, Sequence

from crossinit_fairseq.doctor.findings import Finding, warning, wrong

# program: the function of fairseq.options that makes its parser
_PARSERS = {
    "fairseq-train": "get_training_parser",
    "fairseq-generate": "get_generation_parser",
    "fairseq-interactive": "get_interactive_generation_parser",
    "fairseq-validate": "get_validation_parser",
    "fairseq-eval-lm": "get_eval_lm_parser",
    "fairseq-preprocess": "get_preprocessing_parser",
}
# in a process of its own, since --user-dir runs code and registers names; fairseq looks for it in sys.argv
_READ = """\
import sys
maker, sys.argv = sys.argv[1], sys.argv[2:]
from fairseq import options
parser = getattr(options, maker)()
if maker == "get_preprocessing_parser":
    args = parser.parse_args(sys.argv[1:])
    from crossinit_fairseq.tasks.rehearsal import rehearse_preprocessing
    rehearse_preprocessing(args)
else:
    args = options.parse_args_and_arch(parser, sys.argv[1:])
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf
    from crossinit_fairseq.errors import first_line
    from crossinit_fairseq.tasks.rehearsal import rehearse
    try:
        rehearse(sys.argv[0], convert_namespace_to_omegaconf(args))
    except Exception as error:
        sys.exit(f"rehearsal: {type(error).__name__}: {first_line(error)}")
"""
# architectures of text that do without what most options of a model are of; and the tasks that need a Transformer, with
# what they take
_NO_TRANSFORMER = re.compile(r"(lstm|fconv|lightconv)(_|$)")
_NEED_ONE = {
    "crossinit_unmt": "--arch transformer, bart_base, mbart_base or xlm_translation",
    "crossinit_mlm": "--arch xlm_tiny_3, roberta_base or masked_lm",
    "crossinit_xnli": "--arch xlm_tiny_3, roberta or mbart_base",
    "crossinit_qa": "--arch xlm_tiny_3, roberta or mbart_base",
}
_REFUSED, _UNCLEAR = "crossinit_fairseq: error: ", "rehearsal: "


def check_options(words: Sequence[str]) -> List[Finding]:
    """Findings on a command line, read by fairseq's own parser as the program would read it, and on what its task, if
    it is one of this package, says to it; takes some seconds.

    words: of the command, variables of the environment before it left out. What other programs than those that
    binarise, train, translate or validate take is not looked at, nor anything where fairseq cannot be imported.
    """
    program = os.path.basename(words[0])
    if program not in _PARSERS:
        return []
    with tempfile.TemporaryDirectory() as folder:
        # shapes without memory make torch load its compiler, which would leave a folder for what it compiles
        environment = {"TORCHINDUCTOR_CACHE_DIR": folder, **os.environ}
        done = subprocess.run(
            [sys.executable, "-c", _READ, _PARSERS[program], program, *words[1:]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
        )
    if done.returncode == 0:
        return []
    said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    if said[-1].startswith(_REFUSED):
        return [wrong(f"{program} would end: {said[-1][len(_REFUSED) :]}")]
    if said[-1].startswith(_UNCLEAR):
        what = f"what {program} does first was looked at in part, as it ended in {said[-1][len(_UNCLEAR) :]}"
        return [warning(what, "see whether the program ends so too: run it for a minute")]
    arch, task = _value(words, "--arch", "-a"), _value(words, "--task")
    if _NO_TRANSFORMER.match(arch) and task in _NEED_ONE:
        return [wrong(f"--arch {arch} is no Transformer: --task {task} cannot train it", f"give {_NEED_ONE[task]}")]
    refusals = [line for line in said if line.startswith(f"{program}: error: ")]
    if refusals:
        reason = refusals[-1][len(f"{program}: error: ") :]
        unknown = re.match("unrecognized arguments: (.*)", reason)
        if unknown and _NO_TRANSFORMER.match(arch):
            what = f"--arch {arch} is no Transformer and does not take {unknown[1]}"
            return [wrong(what, "leave that out, or give another --arch, such as --arch transformer")]
        if unknown:
            return [
                wrong(
                    f"neither fairseq nor the task, the architecture or the criterion takes {unknown[1]}",
                    f"leave it out; `{program} --task ... --arch ... --criterion ... --help` lists what they take",
                )
            ]
        return [wrong(f"{program} refuses its options: {_without_choices(reason)}", f"see `{program} --help`")]
    if re.match(r"(ModuleNotFoundError: No module named 'fairseq'|FileNotFoundError)", said[-1]):
        return []  # found with the installation, or with --user-dir
    if said[-1] == "RuntimeError":  # all that fairseq says of a model that it is not told
        return [wrong(f"{program} is told no architecture", "add --arch, such as --arch transformer")]
    return [wrong(f"{program} cannot read its options: {said[-1]}", "see what it says when it is run")]


def _value(words: Sequence[str], *names: str) -> str:
    """Of an option, given in a word of its own or after `=`; "" where it is not."""
    found = ""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            found = value if equals else "".join(words[number + 1 : number + 2])
    return found


def _without_choices(reason: str) -> str:
    """argparse lists all of the hundred tasks."""
    return re.sub(r" \(choose from .{200,}\)$", "", reason)
