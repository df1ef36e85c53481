"""crossinit-doctor: what is wrong before a long run."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

from crossinit_fairseq.cli import command as commands
from crossinit_fairseq.command_line import CommandParser, without_variables
from crossinit_fairseq.errors import InputError, printable
from crossinit_fairseq.text_files import whole_number

if TYPE_CHECKING:  # --help need not wait for torch
    from crossinit_fairseq.doctor.command import Command

_ABOUT = """\
Look, in seconds, at what a run of days would stumble over: the installed versions, the GPU, the disk, folders that
another run has locked, the data folder and its one dictionary, what the text holds, checkpoints, and the command
itself."""

_EXAMPLES = """\
examples:
  crossinit-doctor                                            the installation and the machine
  crossinit-doctor data-bin                                   and the data folder (shards: data-bin/0:data-bin/1)
  crossinit-doctor data-bin table/checkpoint_last.pt          and a checkpoint that is to be started from
  crossinit-doctor -- fairseq-train data-bin --user-dir ...   and a command, with what it names, before it is run

Each line is ok, a warning, or WRONG, and says what to do. The exit status is 0 when nothing is wrong, else 1."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0 when nothing is wrong, else 1. Wrong usage exits with 2."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    words: List[str] = []
    own = arguments
    if "--" in arguments:
        place = arguments.index("--")
        own, (variables, words) = arguments[:place], without_variables(arguments[place + 1 :])
        os.environ.update(variables)  # before torch and numpy are imported, which ask some of them then
    outcome: List[int] = []

    def work() -> None:
        options = _parser().parse_args(own)
        outcome.append(_examine(options.paths, options.save_dir, words))

    status = commands.run("crossinit-doctor", work)
    return status or (outcome or [1])[0]  # a reader that has seen enough, such as `head`, is told nothing of the rest


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="crossinit-doctor",
        usage="crossinit-doctor [-h] [--save-dir DIR] [DATA-BIN] [CHECKPOINT ...] [-- fairseq-train ...]",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    parser.add_argument("paths", nargs="*", metavar="DATA-BIN, CHECKPOINT", help="a data folder; checkpoints")
    parser.add_argument(
        "--save-dir", metavar="DIR", help="where the run is going to write (default: as the command says)"
    )
    return parser


def _examine(paths: Sequence[str], save_dir: Optional[str], words: Sequence[str]) -> int:
    """Print what was found; returns 0 when nothing is wrong, else 1."""
    from crossinit_fairseq.data.dictionary import read_symbols
    from crossinit_fairseq.doctor.checkpoints import check_checkpoint_file, check_earlier_run
    from crossinit_fairseq.doctor.command import Machine, check_command, read_command
    from crossinit_fairseq.doctor.data_folder import check_data_folder
    from crossinit_fairseq.doctor.findings import WARNING, WRONG, Finding, is_said, lines_of
    from crossinit_fairseq.doctor.installation import check_installation, installed_versions, version_numbers
    from crossinit_fairseq.doctor.machine import check_disk, check_gpus, check_locks, check_threads, count_gpus
    from crossinit_fairseq.doctor.options import check_options

    command = read_command(words) if words else None
    if command is not None:
        _check_same("--save-dir", save_dir, command["save-dir"])
        given = os.pathsep.join(path for path in paths if _is_data(path))
        _check_same("the data folder", given, os.pathsep.join(command.data))
    folders = [part for path in paths if _is_data(path) for part in path.split(os.pathsep)]
    checkpoints = [path for path in paths if not _is_data(path)]
    if command is not None:
        folders = folders or list(command.data)
        named = (command["finetune-from-model"], command["restore-file"], *command["path"].split(os.pathsep))
        checkpoints += [path for path in named if os.path.isfile(path) and path not in checkpoints]
        save_dir = save_dir or command["save-dir"] or ("checkpoints" if command.program.endswith("train") else None)
    versions = installed_versions()
    machine = Machine(
        torch=version_numbers(versions.get("torch", "")) or (2, 13), fork="fairseq" not in versions, gpus=count_gpus()
    )
    found: List[Finding] = []

    def report(title: str, findings: Sequence[Finding]) -> None:
        found.extend(findings)
        if findings:
            print("\n".join(printable(line) for line in lines_of(title, findings)), flush=True)

    report("installation", check_installation(versions))
    report("machine", check_gpus() + check_threads())
    symbols = None
    if folders:
        longest = _longest(command) if command is not None else None
        report(f"data folder {os.pathsep.join(folders)}", check_data_folder(folders, longest, command))
        try:
            symbols = read_symbols(os.path.join(folders[0], "dict.txt"))
        except InputError:
            pass  # reported with the folder
    for path in checkpoints:
        folder = folders[0] if folders else ""
        report(f"checkpoint {path}", check_checkpoint_file(path, machine, symbols, folder))
    if save_dir:
        findings = check_disk(save_dir, checkpoints, command) + check_locks([save_dir])
        if command is None or command.program.endswith("train"):
            findings += check_earlier_run(save_dir, command, machine, symbols, folders[0] if folders else "")
        report("disk and locks", findings)
    if command is not None:
        judged = check_command(command, machine)
        said = [finding.what for finding in found + judged if finding.level == WRONG]
        refused = check_options(words)
        report("command", judged + [one for one in refused if not is_said(one.what, said)])
    wrong, warnings = (sum(finding.level == level for finding in found) for level in (WRONG, WARNING))
    print(f"{wrong} wrong, {warnings} warnings" if wrong or warnings else "nothing to mend")
    return 1 if wrong else 0


def _check_same(what: str, given: Optional[str], named: str) -> None:
    """Raise InputError when something is given twice, and is not what the command will have."""
    if given and named and os.path.realpath(given) != os.path.realpath(named):
        raise InputError(f"{what} is {given} before --, and {named} in the command: leave it out before --")


def _is_data(path: str) -> bool:
    return os.path.isdir(path.split(os.pathsep)[0]) or not (os.path.isfile(path) or path.endswith(".pt"))


def _longest(command: "Command") -> Optional[Tuple[int, str]]:
    """The fewest sub-tokens that the options of a command leave a sentence, and which option; None if none does."""
    names = ("max-source-positions", "max-positions", "tokens-per-sample")
    numbers = [(whole_number(command[name]), f"--{name}") for name in names]
    return min(((number, name) for number, name in numbers if number is not None), default=None)


if __name__ == "__main__":
    sys.exit(main())
