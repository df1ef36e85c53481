"""The file of scores: what crossinit-score --json writes and --table reads."""

import json

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.scoring.copies import copied
from crossinit_fairseq.scoring.languages import base_code, language_pair
from crossinit_fairseq.scoring.metrics import metrics_for
from crossinit_fairseq.scoring.published import published_for

_FORMAT = "crossinit-score 1"


def make_result(pair, outputs, scores, left_out, reference, reference_path, source=None, source_path=None, **settings):
    """All that is known of one test set, as a dict for JSON.

    pair: "en-ro"; outputs: {name: Output}; scores, left_out: of compare; reference, source: lists of str; settings:
    samples and seed.
    """
    shown = list(next(iter(scores.values()))) + list(left_out)
    titles = {metric.key: metric.title for metric in metrics_for(language_pair(pair)[1]) if metric.key in shown}
    languages = tuple(map(base_code, language_pair(pair)))
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
        "reference_copied": copied(reference, source) if source else None,
        "published": [
            {"name": row.name, "metric": key, "bleu": bleu, "scoring": row.scoring}
            for row, (key, bleu) in published_for(languages)
            if key in titles
        ],
    }


def _facts(output, source):
    return {
        "file": output.path,
        "kind": output.kind,
        "empty": sum(not line for line in output.hypotheses),
        "unknown": sum("<unk>" in line for line in output.hypotheses),
        "copied": copied(output.hypotheses, source) if source else None,
        "notes": output.notes,
    }


def load_result(path):
    """Read such a file. Raises InputError."""
    try:
        with open(path, encoding="utf-8") as stream:
            result = json.load(stream)
    except (OSError, ValueError) as error:
        raise InputError("{} cannot be read: {}".format(path, getattr(error, "strerror", None) or error)) from None
    if not isinstance(result, dict) or result.get("format") != _FORMAT:
        raise InputError(f"{path} is no file of scores: give what crossinit-score --json wrote")
    return result


def write_result(result, path):
    """Write it as JSON, to a stream or a path."""
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(result, stream, ensure_ascii=False, indent=1)
        stream.write("\n")
