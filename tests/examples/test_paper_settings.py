"""Every place that holds a setting of the paper, against the one table: documents, defaults, presets of XLM.

The presets of the translation recipes and the YAML file are compared with it in test_unmt_recipes.py.
"""

import argparse
import pathlib
import shlex
import subprocess

from tests.conftest import USER_DIR
from tests.examples.paper import FAST_XNLI, PAPER, QA, SPANS, XNLI, XTREME_QA, XTREME_XNLI, value
from tests.test_printed_commands import printed_commands

ROOT = pathlib.Path(__file__).parents[2]


def text(path):
    """A document, its lines joined."""
    return " ".join((ROOT / path).read_text("utf-8").split())


def paper_commands():
    """{stage or task: options as fairseq reads them} of the commands that the documents print as the paper's."""
    from fairseq import options

    variables = {}
    readme = list(printed_commands((ROOT / "README.md").read_text("utf-8"), variables))
    document = (ROOT / "examples" / "fairseq.md").read_text("utf-8")
    document = document[document.index("## The paper's way") :]
    found = {}
    commands = [words for words in readme if "--flatness" in words] + list(printed_commands(document, variables))
    for number, words in enumerate(commands):
        if words[0] != "fairseq-train" or not {"--save-dir", "--task"} <= set(words):
            continue
        words = [str(USER_DIR) if word == "crossinit_fairseq" else word for word in words[1:]]
        read = options.parse_args_and_arch(options.get_training_parser(), words)
        found.setdefault(f"{read.task}{' of README' if number == 0 else ''}", read)
    return found


def test_the_commands_of_the_documents():
    found = paper_commands()
    stages = {
        "crossinit_pretrain of README": "crossinit",
        "crossinit_pretrain": "crossinit",
        "crossinit_denoising": "mbart",
        "crossinit_mlm": "mbart",
        "crossinit_unmt": "translation",
    }
    assert set(stages) <= set(found)
    for name, stage in stages.items():
        for key, expected in PAPER[stage].items():
            assert value(getattr(found[name], key)) == expected, (name, key)
        if stage == "crossinit":
            assert found[name].span in SPANS
        if stage == "mbart":
            assert found[name].multilang_sampling_alpha == FAST_XNLI["alpha"], name


def test_the_defaults():
    from crossinit_fairseq.models.xlm import xlm_tiny_3
    from crossinit_fairseq.tasks.crossinit_denoising import CrossInitDenoisingConfig
    from crossinit_fairseq.tasks.crossinit_mlm import CrossInitMlmConfig
    from crossinit_fairseq.tasks.crossinit_pretrain_config import CrossInitPretrainConfig

    assert CrossInitPretrainConfig().span in SPANS
    assert CrossInitPretrainConfig().max_rank == PAPER["crossinit"]["max_rank"]
    for config in (CrossInitMlmConfig, CrossInitDenoisingConfig):
        assert config().multilang_sampling_alpha == FAST_XNLI["alpha"]
    model = argparse.Namespace()
    xlm_tiny_3(model)
    assert model.encoder_layers == FAST_XNLI["layers"]


def xlm(preset):
    """The settings of examples/xlm at a preset, as the shell reads them."""
    names = "UPDATES RATE SPAN SPAN_RATE XNLI QA".split()
    script = 'PRESET=$2; source "$1"; for name in ' + " ".join(names) + "; do echo ${!name}; done"
    done = subprocess.run(
        ["bash", "-euc", script, "bash", str(ROOT / "examples" / "xlm" / "settings.sh"), preset],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    )
    return dict(zip(names, done.stdout.splitlines()))


def options_of(words):
    """{name: value} of the options of a line that all have one."""
    words = shlex.split(words)
    return {name[2:].replace("-", "_"): value(found) for name, found in zip(words[::2], words[1::2])}


def test_xlm():
    paper = xlm("paper")
    assert (int(paper["UPDATES"]), float(paper["RATE"])) == (FAST_XNLI["updates"], FAST_XNLI["lr"])
    assert int(paper["SPAN"]) in SPANS and [float(paper["SPAN_RATE"])] == PAPER["crossinit"]["lr"]
    for preset, tasks in (("paper", (XNLI, QA)), ("base", (XTREME_XNLI, XTREME_QA))):
        for name, expected in zip(("XNLI", "QA"), tasks):
            assert {key: options_of(xlm(preset)[name])[key] for key in expected} == expected
    run = text("examples/xlm/one_run.sh")
    assert run.count("--multilang-sampling-alpha") == 1
    assert f"--multilang-sampling-alpha {FAST_XNLI['alpha']} " in run
    fast = text("examples/fast_xnli/run.sh")
    assert f'ARCH="--arch xlm_tiny_3 --batch-size {FAST_XNLI["batch_size"]}" exec' in fast


def test_commands_of_fine_tuning():
    """XTREME's, printed in full."""
    from fairseq import options

    document, found = (ROOT / "examples" / "xlm" / "README.md").read_text("utf-8"), {}
    for words in printed_commands(document[document.index("## By hand") :], {}):
        if words[0] == "fairseq-train":
            words = [str(USER_DIR) if word == "crossinit_fairseq" else word for word in words[1:]]
            read = options.parse_args_and_arch(options.get_training_parser(), words)
            found.setdefault(read.task, read)
    for task, expected in (("crossinit_xnli", XTREME_XNLI), ("crossinit_qa", XTREME_QA)):
        rate = dict(expected, lr=[expected["lr"]])
        assert {key: getattr(found[task], key) for key in rate} == rate


def test_what_the_documents_say():
    updates, batch = f"{FAST_XNLI['updates']:,} updates", FAST_XNLI["batch_size"]
    assert f"{updates} at batch {batch} and 1e-4" in text("examples/fast_xnli/README.md")
    assert f"{updates} of batch {batch} at 1e-4" in text("examples/fast_xnli/run.sh")
    assert FAST_XNLI["lr"] == 1e-4
    said = text("examples/xlm/README.md")
    assert f"The paper: batch {XNLI['batch_size']} and `--lr 5e-6` for XNLI; `--lr 5e-5`, falling in a straight" in said
    assert (XNLI["lr"], QA["lr"]) == (5e-6, 5e-5)
    said = text("examples/unmt_ro_en/README.md")
    mbart, translation = PAPER["mbart"], PAPER["translation"]
    first = "Adam {}, {}, 1e-6, lr 1e-4, {}k warm-up, dropout {}, batch 256"
    assert first.format(*mbart["adam_betas"], mbart["warmup_updates"] // 1000, mbart["dropout"]) in said
    second = "Adam {}, {}, 1e-9, lr 7e-4, {:,} warm-up, dropout {}, label smoothing {}"
    assert (
        second.format(
            *translation["adam_betas"],
            translation["warmup_updates"],
            translation["dropout"],
            translation["label_smoothing"],
        )
        in said
    )
    assert f"{SPANS[0]} to {SPANS[-1]} tried" in said and "the first 20,000 ranks" in said
    assert "Adam, 1e-4; batch unsaid" in said
