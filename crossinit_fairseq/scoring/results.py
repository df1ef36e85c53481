"""The file of scores: what crossinit-score --json writes and --table reads."""

import json
from collections import Counter
from typing import Any, Dict, List, Optional, Sequence

from crossinit_fairseq.errors import InputError, first_line
from crossinit_fairseq.languages import base_language, language_pair
from crossinit_fairseq.scoring.metrics import Metric
from crossinit_fairseq.scoring.outputs import Output
from crossinit_fairseq.scoring.published import published_for
from crossinit_fairseq.text_files import decode, unreadable

_FORMAT = "crossinit-score 1"


def make_result(
    pair: str,
    metrics: Sequence[Metric],
    outputs: Dict[str, Output],
    scores: Dict[str, Dict[str, Any]],
    left_out: Dict[str, str],
    reference: List[str],
    reference_path: str,
    source: Optional[List[str]] = None,
    source_path: Optional[str] = None,
    **settings: int,
) -> Dict[str, Any]:
    """All that is known of one test set, as a dict for JSON.

    pair: "en-ro"; metrics: what was scored, in order; outputs: {name: Output}; scores, left_out: of compare; reference,
    source: lists of str; settings: samples and seed.
    """
    shown = list(next(iter(scores.values()))) + list(left_out)
    titles = {metric.key: metric.title for metric in metrics if metric.key in shown}
    source_language, target_language = map(base_language, language_pair(pair))
    return {
        "format": _FORMAT,
        "pair": pair,
        "reference": reference_path,
        "source": source_path,
        "sentences": len(reference),
        "bootstrap": dict(settings, baseline=next(iter(outputs))) if settings["samples"] else None,
        "metrics": titles,
        "left_out": left_out,
        "systems": scores,
        "outputs": {name: _facts(output, source) for name, output in outputs.items()},
        "reference_copied": copied_shares(reference, source) if source else None,
        "published": [
            {"name": row.name, "metric": key, "bleu": bleu, "scoring": row.scoring}
            for row, (key, bleu) in published_for((source_language, target_language))
            if key in titles
        ],
    }


def _facts(output: Output, source: Optional[List[str]]) -> Dict[str, Any]:
    return {
        "file": output.path,
        "kind": output.kind,
        "empty": sum(not line for line in output.hypotheses),
        "unknown": sum("<unk>" in line for line in output.hypotheses),
        "copied": copied_shares(output.hypotheses, source) if source else None,
        "notes": output.notes,
    }


def copied_shares(hypotheses: Sequence[str], sources: Sequence[str]) -> Dict[str, float]:
    """How much of a translation is copied from its source, what unsupervised translation falls into.

    Shares of 0 to 1: of the lines that are their source as it is, and of the words that stand in their source too. A
    word counts at most as often as it stands in the source; of no words at all the share is 0. Some words belong in an
    honest translation as they are, names and numbers: compare with the share of the reference.
    """
    same = common = total = 0
    for hypothesis, source in zip(hypotheses, sources):
        words, others = hypothesis.split(), source.split()
        same += words == others and bool(words)
        common += sum((Counter(words) & Counter(others)).values())
        total += len(words)
    return {"lines": same / len(hypotheses), "words": common / total if total else 0.0}


def load_result(path: str) -> Dict[str, Any]:
    """Read such a file. Raises InputError."""
    try:
        with open(path, "rb") as stream:
            result = json.loads(decode(stream.read(), path))
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no file of scores, nor any JSON ({first_line(error)})") from None
    if not isinstance(result, dict) or result.get("format") != _FORMAT:
        raise InputError(f"{path} is no file of scores: give what crossinit-score --json wrote")
    return result


def write_result(result: Dict[str, Any], path: str) -> None:
    """Write it as JSON."""
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
        json.dump(result, stream, ensure_ascii=False, indent=1)
        stream.write("\n")
