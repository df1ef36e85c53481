"""The quickstart's recipe: its options, stages, translations, summary and report; and all of it on captions."""

import itertools
import json
import os
import re
import sys
from pathlib import Path

import pytest
import torch

from tests import program_server, programs
from tests.examples.quickstart import QUICKSTART, read, run, write

ROOT = Path(__file__).parents[2]
MULTI30K = ROOT.parent / "shared" / "data" / "multi30k"


@pytest.mark.parametrize(
    "options, told",
    [
        (["--preset", "huge"], "--preset is smoke or default"),
        (["--init", "zero"], "--init names lexicon, crossinit, random, FILE.vec and FILE.safetensors, not zero"),
        (["--text", "en=/nowhere"], "given twice"),
        (["--text", "en=/nowhere", "--text", "ro=/nowhere"], "no file /nowhere"),
        (["--text", "../x=/nowhere", "--text", "ro=/nowhere"], "--text: ../x is no language code"),
        (["--text", "a b=/nowhere", "--text", "ro=/nowhere"], "--text: a b is no language code"),
        (["--text", "*=/nowhere", "--text", "ro=/nowhere"], "--text: * is no language code"),
        (["--text", "zh-Hans=/nowhere", "--text", "ro=/nowhere"], "no file /nowhere"),
        (["--wrong"], "unknown option --wrong"),
        (["--out"], "--out needs a value"),
    ],
)
def test_wrong_options_are_told_before_anything_runs(options, told):
    done = programs.run("bash", QUICKSTART / "run.sh", *options)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


STAGES = """
set -euo pipefail
ROOT={root} OUT={out} STAGES=2 SETTINGS=${{SETTINGS:-x}}
source "$ROOT/scripts/stages.sh"
first() {{ echo once >> first/runs; }}
second() {{ [ -e "$OUT/ready" ]; false | true; echo got here; cp first/runs second/copy; }}
stage first "the first"
stage second "the second"
echo finished
"""


def stages(tmp_path, **environment):
    return programs.run("bash", "-c", STAGES.format(root=ROOT, out=tmp_path / "run"), **environment)


def test_a_failing_stage_ends_the_run_and_the_next_run_goes_on_from_it(tmp_path):
    done = stages(tmp_path)
    assert done.returncode == 1 and "stage 'second' failed" in done.stderr and "finished\n" not in done.stdout
    (tmp_path / "run" / "ready").touch()
    # a pipeline fails with its first command, whatever the last one says
    assert stages(tmp_path).returncode == 1
    assert read(tmp_path / "run" / "first" / "runs") == ["once"], "a finished stage is not run again"


def test_translations_come_out_in_order_and_all(tmp_path):
    generated, reference = tmp_path / "out", tmp_path / "reference"
    lines = ["S-{0}\tx\nD-{0}\t-{1}\t{2}\nP-{0}\t-1\n".format(*row) for row in ((10, 5, "ten"), (9, 0.1, "nine\ttab"))]
    lines += [f"S-{k}\tx\nD-{k}\t-1e-05\tD-{k} here\n" for k in range(9)]
    generated.write_text("INFO: loading\n" + "".join(lines), encoding="utf-8")
    script = """set -euo pipefail; ROOT={} OUT={}; source "$ROOT/scripts/stages.sh"; translations "$0" > "$0.hyp"; {}"""
    script = script.format(ROOT, tmp_path / "run", """sacrebleu "$1" -i "$0.hyp" -m bleu""")
    write(reference, ["a b c d"] * 11)
    path = "{}:{}".format(Path(sys.executable).parent, os.environ["PATH"])
    done = programs.run("bash", "-c", script, generated, reference, PATH=path)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "out.hyp") == [f"D-{k} here" for k in range(9)] + ["nine\ttab", "ten"]
    # one is missing: no score
    generated.write_text("".join(lines[1:]), encoding="utf-8")
    done = programs.run("bash", "-c", script, generated, reference, PATH=path)
    assert done.returncode == 1 and "different lengths" in done.stderr


def test_other_settings_run_the_stages_again(tmp_path):
    stages(tmp_path)
    assert "what it wrote before is now in replaced/first" in stages(tmp_path, SETTINGS="y").stdout
    assert read(tmp_path / "run" / "first" / "runs") == ["once"], "in a fresh folder"
    assert read(tmp_path / "run" / "replaced" / "first" / "runs") == ["once"], "the old one is kept"
    assert "done before" in stages(tmp_path, SETTINGS="y").stdout


def summary(out, init):
    options = ["--langs", "en,ro", "--init", init, "--preset", "smoke", "--seed", 1, "--setup-seconds", 6]
    done = run("summary.py", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "summary.json").read_text("utf-8")), done.stdout


def finished_run(out, init, scored=True):
    """What the stages leave behind that the summary reads: scores of 1 to 6 and chrF2 ten times as high."""
    for folder in ("text", "pieces", "logs", "stages", "score", "lexicon"):
        (out / folder).mkdir(parents=True)
    for language in ("en", "ro"):
        write(out / "text" / ("mono." + language), ["x"] * 3)
    write(out / "pieces" / "dict.txt", ["x 1"] * 4)
    stages = ["text", "pieces", "data", "lexicon", "table", "translation", "score"]
    for stage in stages[:3] + stages[3 if init == "lexicon" else 5 :]:
        write(out / "stages" / (stage + ".minutes"), ["0.5"])
    valid = {"valid_round_trip_bleu": "1.5", "valid_loss": "2.5", "valid_accuracy": "0.75"}
    for stage in ("table", "translation"):
        write(out / "logs" / (stage + ".log"), ["x | INFO | valid | " + json.dumps(valid)])
    pairs = ["the\tde\t0.1\t9\t9\tforward", "dog\tcâine\t0.5\t5\t4\tmutual", "a\tun\t0.5\t5\t4\tmutual"]
    write(out / "lexicon" / "lexicon.tsv", ["# languages: en ro"] + pairs)
    if not scored:
        return
    names = itertools.product(("", ".word_by_word", ".copying"), ("en-ro", "ro-en"))
    for bleu, (system, direction) in zip((6, 5, 4, 3, 2, 1), names):
        chrf = {"name": "chrF2", "score": 10 * bleu, "signature": "c"}
        scores = [{"name": "BLEU", "score": bleu, "signature": "b"}, chrf]
        (out / "score" / f"{direction}{system}.json").write_text(json.dumps(scores), encoding="utf-8")
    for language in ("en", "ro"):
        # a line separator of Unicode ends no line
        write(out / "text" / ("test." + language), [f"{language}\u2028{k}" for k in range(20)])
    for direction in ("en-ro", "ro-en"):
        write(out / "score" / (direction + ".hyp"), [f"{direction}: {k}" for k in range(20)])


def test_summary_puts_word_by_word_and_copying_beside_the_translation(tmp_path):
    finished_run(tmp_path, "lexicon")
    found, told = summary(tmp_path, "lexicon")
    assert found["bleu"] == {"en-ro": 6, "ro-en": 5} and found["word_by_word"] == {"en-ro": 4, "ro-en": 3}
    assert found["copying"] == {"en-ro": 2, "ro-en": 1} and found["chrf2"]["word_by_word"] == {"en-ro": 40, "ro-en": 30}
    assert found["sacrebleu_signature"] == "BLEU|b; chrF2|c" and found["init"] == "lexicon"
    assert found["lexicon"] == {"pairs": 3, "mutual": 2} and found["round_trip_bleu"] == 1.5
    # seven stages of half a minute and a tenth for the set-up
    assert found["minutes"]["total"] == 3.6
    # five lines of twenty: the middle one of each fifth
    assert [example["ro-en"] for example in found["examples"]] == [f"ro-en: {k}" for k in (2, 6, 10, 14, 18)]
    assert found["examples"][1]["en"] == "en\u20286"
    assert re.search(r"word by word, the lexicon alone +4.00 +3.00 +40.00 +30.00\n", told)
    assert "3 words translated, 2 mutual pairs" in told and "BLEU en-ro 6.00, ro-en 5.00" in told


def test_summary_of_a_random_start_knows_no_lexicon(tmp_path):
    finished_run(tmp_path, "random")
    found, told = summary(tmp_path, "random")
    assert found["bleu"]["en-ro"] == 6 and found["word_by_word"] is None and found["lexicon"] is None
    assert found["minutes"]["total"] == 2.6
    assert "word by word" not in told and "table/checkpoint_last.pt" not in told


def test_summary_without_an_aligned_test_says_so(tmp_path):
    finished_run(tmp_path, "lexicon", scored=False)
    found, told = summary(tmp_path, "lexicon")
    assert found["bleu"] == {"en-ro": None, "ro-en": None} and found["examples"] == []
    assert "BLEU not measured: no aligned test text (--test)" in told and "held-out test" not in told


def test_report_of_a_random_start(tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece")
    pytest.importorskip("matplotlib")
    finished_run(tmp_path, "random")
    for language in ("en", "ro"):
        write(tmp_path / "text" / f"mono.{language}", [f"{language}{k} x <b>" for k in range(60)] * 2)
    options = {"vocab_size": 40, "hard_vocab_limit": False, "minloglevel": 2}
    prefix = str(tmp_path / "pieces" / "spm")
    sentencepiece.SentencePieceTrainer.train(input=str(tmp_path / "text" / "mono.en"), model_prefix=prefix, **options)
    model = sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")
    pieces = [model.id_to_piece(k) for k in range(3, len(model))] + list("ro")
    pieces = list(dict.fromkeys(pieces))
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "dict.txt", [piece + " 1" for piece in pieces])
    (tmp_path / "translation").mkdir()
    table = {"encoder.embed_tokens.weight": torch.randn(len(pieces) + 4, 8, generator=torch.Generator().manual_seed(1))}
    torch.save({"model": table}, str(tmp_path / "translation" / "checkpoint_last.pt"))
    valid = [{"valid_num_updates": k, "valid_bleu": k / 10, "valid_round_trip_bleu": 1} for k in (10, 20)]
    write(tmp_path / "logs" / "translation.log", ["x | INFO | valid | " + json.dumps(one) for one in valid])
    found, _ = summary(tmp_path, "random")
    assert found["report"] == "report.html"
    done = run("report.py", "--out", tmp_path, "--langs", "en,ro")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text("utf-8")
    # scores, BLEU on dev, round trip, PCA; no losses and no lexicon
    assert page.count("<img ") == 4 and "BLEU on dev of the stage translation by updates: 2 after 20." in page
    assert "en to ro" in page and "en-ro: 5" in page and "Pairs of words" not in page
    assert (tmp_path / "report" / "figures" / "pca.png").exists()


@pytest.mark.skipif(not MULTI30K.is_dir(), reason="there are no captions in ../shared/data/multi30k")
def test_all_stages_on_a_few_captions(tmp_path):
    """Little is learnt here: `.ci/run` asks that of a run at full length (.ci/check_smoke.py)."""
    pytest.importorskip("matplotlib")
    text, environment = [], {"VENV": program_server.environment(), "MAX_UPDATE": "20"}
    for language in ("en", "fr"):
        with open(MULTI30K / ("train." + language), encoding="utf-8") as stream:
            path = write(tmp_path / language, [line.rstrip("\n") for line in itertools.islice(stream, 12000)])
        text += ["--text", f"{language}={path}"]
    command = ["bash", QUICKSTART / "run.sh", "--preset", "smoke", "--out", tmp_path / "out"] + text
    done = programs.run(*command, **environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert set(found["bleu"]) == set(found["word_by_word"]) == set(found["copying"]) == {"en-fr", "fr-en"}
    # what the lexicon does alone needs no training; neither it nor copying may be what the model is scored by
    assert all(found["word_by_word"][name] > found["copying"][name] for name in ("en-fr", "fr-en"))
    assert len(found["examples"]) == 5 and found["lexicon"]["mutual"] > 200
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.count("<img ") >= 5 and "Pairs of words found from the text alone" in page, "scores, curves, PCA"
    assert "report.html: all of this as one page" in done.stdout
    shown = [" ".join(line.split()[:2]) for line in done.stdout.splitlines()]
    right = ["man homme", "woman femme", "dog chien", "and et", "girl fille", "two deux", "white blanc", "with avec"]
    assert sum(pair in shown for pair in right) >= 4, "pairs for a person to judge"
    commands = read(tmp_path / "out" / "logs" / "translation.log")
    assert any("lexicon en-fr: " in line for line in commands), "translation is learnt with the lexicon"
    again = programs.run(*command, **environment)
    assert again.stdout.count("done before") == 7
    # a start without a lexicon takes the text as it is, and leaves nothing of the lexicon's run in the summary
    further = ["--training", "--valid-samples 1"]
    done = programs.run(*command, "--init", "crossinit", *further, **environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["training"] == "--valid-samples 1"
    assert "translation with --valid-samples 1" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert " --valid-samples 1 " in (tmp_path / "out" / "logs" / "commands.sh").read_text("utf-8")
    assert done.stdout.count("done before") == 3 and "word by word" not in done.stdout.split("held-out test")[1]
