"""Every benchmark refuses what is no count in one sentence, before it does anything."""

import pathlib
import re
import runpy
import sys

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench"


@pytest.mark.parametrize(
    "name, options",
    [
        ("backtranslation", "--repeats --sentences --max-tokens --bt-ahead --median-length --dropout:1 --seed:-1"),
        ("crossinit_step", "--vocabulary --dim --languages --words --pairs --span --max-rank --repeats --gather-pairs"),
        ("denoising", "--sentences --vocabulary --max-tokens --repeats"),
        ("lexicon", "--words --repeats --size"),
        ("rank_counting", "--megabytes --repeats --tokens"),
        ("time_to_bleu", "--updates:-1"),
    ],
)
def test_zero_and_less_are_refused(name, options, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCH)] + sys.path)
    monkeypatch.setitem(sys.modules, "polars", sys.modules.get("polars"))
    monkeypatch.setattr("os.environ", dict(__import__("os").environ))
    main = runpy.run_path(str(BENCH / f"{name}.py"))["main"]
    for option in options.split():
        option, _, value = option.partition(":")
        for wrong in [value] if value else ["0", "-3"]:
            monkeypatch.setattr(sys, "argv", [name, f"{option}={wrong}"])
            with pytest.raises(SystemExit) as ended:
                main()
            said = capsys.readouterr().err.splitlines()[-1]
            assert ended.value.code == 2 and re.search(rf"error: .*{option}.* {re.escape(wrong)}", said), said
