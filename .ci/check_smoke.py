"""Check what the quickstart at preset `smoke` found: python .ci/check_smoke.py OUT

At this size the model cannot translate yet: it has seen 200 updates. What must hold already, with figures of seed 1 in
brackets: words translated by the lexicon alone score over copying in either direction (BLEU 4.9 and 8.2 to 1.4, chrF2
42 and 42 to 23 and 25); the table tells a word's partner among others (accuracy 0.91); the loss per sub-token falls
(9.7 to 4.5 bits), with back-translation in it; and the model, which begins by copying (1.0 of its words), is on its way
from there (0.54 and 0.55 of its words copied) to the target language (0.72 and 0.68 stand in that language's text).
"""

import json
import os
import re
import sys
from typing import Any, Dict, List


def logged(path: str, kind: str) -> List[Dict[str, Any]]:
    """The lines of a kind (train_inner, valid) in a log of fairseq-train."""
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in re.findall(rf"\| {kind} \| (\{{.*\}})", log.read())]


def faults(out: str) -> List[str]:
    """What is not as it must be, a sentence each."""
    with open(os.path.join(out, "summary.json"), encoding="utf-8") as stream:
        summary = json.load(stream)
    table = logged(os.path.join(out, "logs", "table.log"), "valid")[-1]
    updates = logged(os.path.join(out, "logs", "translation.log"), "train_inner")
    valid = logged(os.path.join(out, "logs", "translation.log"), "valid")[-1]
    found = []

    def expect(holds: bool, sentence: str) -> None:
        if not holds:
            found.append(sentence)

    for direction in ("en-ro", "ro-en"):
        words, copying = summary["word_by_word"][direction], summary["copying"][direction]
        expect(words > 1.5 * copying > 0, f"{direction}: BLEU of word by word {words}, of copying {copying}")
        chrf = {system: scores[direction] for system, scores in summary["chrf2"].items()}
        expect(chrf["word_by_word"] > chrf["copying"] + 4, f"{direction}: chrF2 {chrf}")
        # 24 and 19; a model that repeats one word has under 5
        expect(chrf["translation"] > 5, f"{direction}: chrF2 {chrf}")
        copied, in_target = (float(valid[f"valid_{name}_{direction}"]) for name in ("copied", "in_target"))
        expect(
            copied < 0.7 and in_target > 0.55, f"{direction}: {copied} of the words copied, {in_target} of the target"
        )
    expect(float(table["valid_accuracy"]) > 0.8, f"the accuracy of the table is {table['valid_accuracy']}")
    expect(all(line["bt_loss"] is not None for line in updates), "updates without back-translation")
    first, last = (float(updates[place]["nll_loss"]) for place in (0, -1))
    expect(last < 0.7 * first, f"the loss went from {first} to {last}")
    return found


def main() -> None:
    """Exit status 1 where something is not as it must be."""
    found = faults(sys.argv[1])
    with open(os.path.join(sys.argv[1], "summary.json"), encoding="utf-8") as stream:
        summary = json.load(stream)
    scores = {system: summary[system] for system in ("bleu", "word_by_word", "copying")}
    print("smoke:", scores, "in", summary["minutes"]["total"], "minutes")
    for sentence in found:
        print("smoke: wrong:", sentence)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
