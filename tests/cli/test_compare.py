"""crossinit-compare with small recipes in the place of the real ones."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossinit_fairseq.analysis import comparison
from crossinit_fairseq.cli import compare, compare_recipes, compare_runs, compare_scores
from crossinit_fairseq.errors import InputError

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parents[2]

# a recipe of one run: its text, a log, translations; the start "random" leaves out every second word
ONE_RUN = """
write_run() {  # INIT SEED FOLDER TEXT
  mkdir -p $3/score $3/stages $3/logs
  echo "$1 $2" >> $3/calls
  if [ "$1" = crossinit ] && [ -f "$FAIL" ]; then echo "it broke"; exit 3; fi
  [ -z "$SLOW" ] || { echo $$ > $3/pid; touch $SLOW; sleep 60; }
  for pair in aa-bb bb-aa; do
    awk -v init=$1 -v seed=$2 \\
      '{ for (k = 1; k <= NF; k++) if (init == "random" && (k + NR + seed) % 4 == 0) $k = "x"; print }' \\
      $4/test.${pair#*-} > $3/score/$pair.hyp
    cp $3/score/$pair.hyp $3/score/$pair.word_by_word.hyp
  done
  for k in 10 20; do
    echo "| valid | {\\"valid_num_updates\\": \\"$k\\", \\"valid_bleu\\": \\"$((k + $2))\\"}" >> $3/logs/translation.log
    echo "| train_inner | {\\"num_updates\\": \\"$k\\", \\"loss\\": \\"3\\"}" >> $3/logs/translation.log
  done
  echo 1.5 > $3/stages/translation.minutes
  touch $3/stages/score.done
}
write_text() {
  mkdir -p $1
  for l in aa bb; do for k in $(seq 40); do echo "$l$k b c d e f$k g h"; done > $1/test.$l; done
}
"""
MANY = (
    ONE_RUN
    + """
while [ $# -gt 0 ]; do
  case $1 in --inits) I=$2;; --seeds) S=$2;; --out) O=$2;; --extra) E=$2;; --jobs) J=$2;; esac
  shift 2
done
write_text $O/text; echo "extra $E jobs $J"
for s in ${S//,/ }; do for i in ${I//,/ }; do
  [ -f $O/runs/$i-$s/stages/score.done ] || write_run $i $s $O/runs/$i-$s $O/text
done; done
"""
)
SINGLE = (
    ONE_RUN
    + """
while [ $# -gt 0 ]; do case $1 in --init) I=$2;; --seed) S=$2;; --out) O=$2;; esac; shift 2; done
[ -f $O/stages/score.done ] && exit
write_text $O/text; write_run $I $S $O $O/text
"""
)
# retrieval, labels and answers: the start "mine" knows all, "random" a half of the items that its seed tells
XLM = """
while [ $# -gt 0 ]; do case $1 in --inits) I=$2;; --seeds) S=$2;; --out) O=$2;; esac; shift 2; done
mkdir -p $O/text; echo "called with $I"
for k in 0 1 2 3; do printf 'premise %s\\tb\\tneutral\\n' $k; done > $O/text/nli.test.de.tsv
echo '{"data": [{"paragraphs": [{"context": "red blue", "qas": [{"id": "q", "question": "which",
  "answers": [{"text": "red blue", "answer_start": 0}]}]}]}]}' > $O/text/qa.test.de.json
for s in ${S//,/ }; do for i in ${I//,/ }; do
  i=$(basename $i .vec); R=$O/runs/$i-$s; mkdir -p $R/retrieval $R/xnli/test $R/qa/test $R/logs $R/stages
  hits=1111 right=neutral answer="red blue"
  [ $i = mine ] || { hits=1010; right=neutral; answer=red; }
  for k in 0 1 2 3; do
    [ $((k % 2)) = 0 ] && echo $right || { [ $i = mine ] && echo neutral || echo entailment; }
  done > $R/xnli/test/de.txt
  echo "{\\"q\\": \\"$answer\\"}" > $R/qa/test/de.json
  echo "{\\"sentences\\": {\\"en-de\\": [0, 50]}, \\"words\\": {\\"en-de\\": [75, 50]},
    \\"hits\\": {\\"sentences\\": {\\"en-de\\": [\\"0000\\", \\"$hits\\"]},
    \\"words\\": {\\"en-de\\": [\\"1110\\", \\"$hits\\"]}}}" > $R/retrieval/scores.json
  for k in 10 20; do
    echo "| valid | {\\"valid_num_updates\\": \\"$k\\", \\"valid_loss\\": \\"$k\\"}"
  done > $R/logs/mlm.log
  touch $R/stages/run.done
done; done
"""


@pytest.fixture
def examples(tmp_path, monkeypatch):
    for name, script in (("cipher", MANY), ("quickstart", SINGLE), ("xlm", XLM)):
        (tmp_path / "examples" / name).mkdir(parents=True)
        (tmp_path / "examples" / name / "run.sh").write_text(script, encoding="utf-8")
    monkeypatch.setattr(compare_recipes, "EXAMPLES", tmp_path / "examples")
    monkeypatch.setenv("FAIL", str(tmp_path / "fail"))
    monkeypatch.setenv("SLOW", "")
    monkeypatch.setattr(compare_runs, "_POLL", 0.05)
    monkeypatch.setattr(comparison, "SAMPLES", 50)
    return tmp_path


@pytest.mark.parametrize("recipe", ["cipher", "quickstart"])
def test_starts_are_compared_and_a_second_call_runs_nothing_again(examples, capsys, recipe):
    out = examples / "out"
    options = [recipe, "--inits", "random,crossinit", "--seeds", "1,2,3", "--out", str(out), "--jobs", "2"]
    assert compare.main(options) == 0
    told = capsys.readouterr().out
    assert "aa-bb: crossinit is " in told and " BLEU above random on average over 3 seeds. " in told
    assert "6 of 6 runs done, 0 minutes left" in told
    report = json.loads((out / "compared" / "report.json").read_text(encoding="utf-8"))
    starts, differences, picture = report["sections"][0]["parts"]
    assert [row["BLEU aa-bb"] for row in starts["rows"]][1] == pytest.approx(100)
    assert starts["rows"][0]["BLEU aa-bb"] < 60 and starts["rows"][0]["seeds"] == 3
    assert [row["difference"] for row in differences["rows"]] == ["crossinit - random"] * 2
    assert differences["rows"][0]["p (exact)"] == 0.25
    assert "BLEU on dev by updates" in picture["alt"]
    runs = report["sections"][1]["parts"][0]["rows"]
    assert len(runs) == 6 and all(row["updates"] == 20 and row["minutes"] == 1.5 for row in runs)
    assert not any("equally many" in text for text in report["about"])
    assert compare.main(options) == 0
    assert all(path.read_text().count("\n") == 1 for path in out.glob("runs/*/calls"))


def test_starts_of_xlm_are_compared_by_what_they_retrieve_and_predict(examples, capsys):
    """A start may be a file of embeddings. By hand: random hits 2 of 4, and F1 of `red` against `red blue` is 2/3."""
    vectors = examples / "mine.vec"
    vectors.write_text("1 2\n</s> 0 0\n", encoding="utf-8")
    options = ["xlm", "--inits", f"random,{vectors}", "--seeds", "1,2", "--out", str(examples / "out")]
    assert compare.main(options) == 0
    told = capsys.readouterr().out
    assert f"called with random,{vectors}" in told and "4 of 4 runs done" in told
    assert "XNLI de: mine is 50.00 points above random on average over 2 seeds" in told
    report = json.loads((examples / "out" / "compared" / "report.json").read_text(encoding="utf-8"))
    rows = {row["start"]: row for row in report["sections"][0]["parts"][0]["rows"]}
    # the best layer over all is layer 1: 50 + 50 against 0 + 75
    found = {key: rows["random"][key] for key in ("P@1 sentences en-de", "P@1 words en-de", "accuracy XNLI de")}
    assert set(found.values()) == {50.0} and rows["random"]["F1 QA de"] == pytest.approx(200 / 3)
    assert rows["mine"]["F1 QA de"] == rows["mine"]["P@1 words en-de"] == 100.0
    assert any("Percent. Sentences and words" in line for line in report["about"])
    alt = [part["alt"] for part in report["sections"][0]["parts"] if "alt" in part][0]
    assert alt.startswith("loss on text that is not trained on by updates")


def test_what_stands_after_the_dashes_goes_to_the_recipe(examples, capsys):
    options = ["cipher", "--inits", "random,crossinit", "--seeds", "1", "--jobs", "3", "--out", str(examples / "o")]
    assert compare.main(options + ["--", "--extra", "7"]) == 0
    told = capsys.readouterr().out
    assert "extra 7 jobs 3" in told and "one seed allows no conclusion" in told


def test_a_failed_run_is_named_the_others_end_and_the_same_command_goes_on(examples, capsys):
    options = [
        "quickstart",
        "--inits",
        "random,crossinit",
        "--seeds",
        "1,2",
        "--out",
        str(examples / "out"),
        "--jobs",
        "1",
    ]
    (examples / "fail").touch()
    assert compare.main(options) == 1
    error = capsys.readouterr().err
    assert re.search(
        r"crossinit-1 \(exit status 3, .*logs/crossinit-1.log\), crossinit-2 .*the same command goes on", error
    )
    assert (examples / "out" / "runs" / "random-2" / "stages" / "score.done").exists()
    (examples / "fail").unlink()
    assert compare.main(options) == 0
    assert (examples / "out" / "runs" / "random-1" / "calls").read_text() == "random 1\n"


@pytest.mark.parametrize("recipe", ["cipher", "quickstart"])
def test_options_that_the_recipe_refuses_are_to_be_corrected(examples, capsys, recipe):
    script = examples / "examples" / recipe / "run.sh"
    script.write_text("echo 'run.sh: unknown option --wrong; see --help' >&2; exit 2", encoding="utf-8")
    options = [recipe, "--inits", "random,crossinit", "--seeds", "1,2", "--out", str(examples / "out")]
    assert compare.main(options + ["--", "--wrong"]) == 1
    told = capsys.readouterr()
    assert "unknown option --wrong" in told.out and "goes on" not in told.err
    assert "(exit status 2, " in told.err and "cannot be called so; correct the options" in told.err


def test_unequal_updates_are_said(examples):
    options = ["quickstart", "--inits", "random,crossinit", "--seeds", "1", "--out", str(examples / "out")]
    assert compare.main(options) == 0
    with open(examples / "out" / "runs" / "random-1" / "logs" / "translation.log", "a") as stream:
        stream.write('| train_inner | {"num_updates": "30"}\n')
    assert compare.main(options) == 0
    report = (examples / "out" / "compared" / "report.md").read_text(encoding="utf-8")
    assert "Not all runs had equally many updates" in report


def _ended_within(process, seconds):
    """Whether a process is gone, or dead and not waited for, before so many seconds have passed."""
    end = time.time() + seconds
    while time.time() < end:
        try:
            if Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_ends_what_it_started(examples, number):
    """By Ctrl-C, by a batch system or `kill`, and by a terminal that is closed."""
    slow = examples / "started"
    code = (
        # a shell's background process, which pytest may be, starts others with interruptions ignored
        "import pathlib, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
        "from crossinit_fairseq.cli import compare, compare_recipes as r; "
        f"r.EXAMPLES = pathlib.Path({str(examples / 'examples')!r}); sys.exit(compare.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "quickstart", "--inits", "random,crossinit", "--jobs", "1"]
    environment = dict(os.environ, SLOW=str(slow), PYTHONPATH=str(ROOT))
    process = subprocess.Popen(command + ["--out", str(examples / "out")], env=environment, stderr=subprocess.PIPE)
    while not slow.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    error = process.communicate()[1].decode()
    assert process.returncode == 130 and "interrupted; finished runs are kept" in error and "Traceback" not in error
    # the recipe is ended too: it would sleep a minute
    (recipe,) = (examples / "out").glob("runs/*/pid")
    assert _ended_within(int(recipe.read_text()), 10)
    assert not list((examples / "out").glob("runs/*/stages/score.done"))


@pytest.mark.parametrize(
    "options, message",
    [
        (["--inits", "random"], "give two starts at least"),
        (["--inits", "random,random"], "no list of different entries"),
        (["--inits", "random,oracle"], "quickstart has no start oracle; it has random, crossinit, lexicon"),
        (["--inits", "random,crossinit", "--seeds", "1,x"], "--seeds takes numbers and commas, not x"),
        (["--inits", "random,crossinit", "--", "--seed", "3"], "--seed is set by crossinit-compare"),
    ],
)
def test_bad_input_ends_with_one_sentence(examples, capsys, options, message):
    assert compare.main(["quickstart", "--out", str(examples / "out"), *options]) == 1
    assert message in capsys.readouterr().err
    assert not (examples / "out").exists()


def test_an_item_of_sentence_retrieval_is_found_from_either_side(tmp_path):
    """So that the bootstrap draws pairs of sentences: of two pairs each is found from one side only."""
    (tmp_path / "retrieval").mkdir()
    scores = {
        "sentences": {"en-de": [50, 0]},
        "words": {},
        "hits": {"sentences": {"en-de": ["1001", "0000"]}, "words": {}},
    }
    (tmp_path / "retrieval" / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    recipe = compare_recipes.RECIPES["xlm"]
    (found,) = compare_scores.read_scores(recipe, str(tmp_path), str(tmp_path), "run").values()
    assert found.counts.tolist() == [[0.5, 1], [0.5, 1]] and found.score == 50
    (tmp_path / "retrieval" / "scores.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="scores.json is damaged"):
        compare_scores.read_scores(recipe, str(tmp_path), str(tmp_path), "run")


@pytest.mark.parametrize(
    "inits, message",
    [
        ("random,/nowhere/a.vec", "there is no file /nowhere/a.vec"),
        ("random,oracle", "xlm has no start oracle; it has random, crossinit, lexicon, FILE.vec and FILE.safetensors"),
        ("random,random.vec", "two starts are called random"),
        ("random,absurd.vec", "absurd.vec: 1 of 1 rows, that of 'the' first, are so large"),
    ],
)
def test_bad_starts_of_xlm(examples, capsys, monkeypatch, inits, message):
    monkeypatch.chdir(examples)
    (examples / "random.vec").write_text("", encoding="utf-8")
    (examples / "absurd.vec").write_text("1 2\nthe 1e30 0\n", encoding="utf-8")
    assert compare.main(["xlm", "--inits", inits, "--out", str(examples / "out")]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(compare_recipes.RECIPES))
def test_every_recipe_takes_a_file(examples, name):
    recipe = compare_recipes.RECIPES[name]
    for ending in (".vec", ".safetensors"):
        file = examples / ("mine" + ending)
        file.write_text("", encoding="utf-8")
        recipe.check_init(str(file))
        assert compare_recipes.name_of(str(file)) == "mine"
    with pytest.raises(InputError, match="has no start mine.txt"):
        recipe.check_init("mine.txt")


def test_options_of_the_recipe_before_the_two_dashes(examples, capsys):
    with pytest.raises(SystemExit) as ended:
        compare.main(["cipher", "--inits", "random,oracle", "--out", "x", "--preset", "smoke", "--", "--seeds", "1"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "unrecognized arguments: --preset smoke; options of the recipe come last, after --" in said


def test_without_a_checkout_there_are_no_recipes(examples, capsys, monkeypatch):
    monkeypatch.setattr(compare_recipes, "EXAMPLES", examples / "nowhere")
    assert compare.main(["quickstart", "--inits", "random,crossinit", "--out", str(examples / "out")]) == 1
    assert "recipes come with a checkout" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(compare_recipes.RECIPES))
def test_the_recipes_have_these_starts(name):
    recipe = compare_recipes.RECIPES[name]
    settings = ROOT / "scripts" / "unmt" / "settings.sh" if name.startswith("unmt_") else recipe.script
    text = settings.read_text(encoding="utf-8")
    (listed,) = re.findall(r'(?:check_start|read_starts) .* "([a-z|]*random[a-z|]*)"', text)
    assert set(recipe.inits) == set(listed.split("|"))
