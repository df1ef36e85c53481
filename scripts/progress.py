"""Pass fairseq-train's log on, and show on file descriptor 3 how far it is: python progress.py TITLE UPDATES < log"""

import json
import os
import re
import sys
import time

_STATS = re.compile(r"\| (train_inner|valid) \| (\{.*\})")
# what fairseq and the tasks here say of sentences that they leave out
_LEFT_OUT = re.compile(
    r"\| WARNING \| [\w.]+ \| (.*(?:samples have invalid sizes and will be skipped|: skipped [\d,]+ empty).*)"
)
_SHOWN = ("loss", "dae_loss", "bt_loss", "valid_loss", "valid_bleu", "valid_round_trip_bleu", "accuracy")


def main():
    title, updates = sys.argv[1], int(sys.argv[2])
    try:
        screen = os.fdopen(3, "w")
    except OSError:
        screen = sys.stderr
    # on a terminal one line that changes; elsewhere a line every ten seconds
    terminal = screen.isatty()
    begin = last = time.time()
    first, shown, said = None, {}, set()
    for line in sys.stdin:
        sys.stdout.write(line)
        left_out = _LEFT_OUT.search(line)
        if left_out and left_out.group(1) not in said:
            said.add(left_out.group(1))
            what = left_out.group(1).split(", first few")[0]
            screen.write(f"      {title}: {what}\n")
            screen.flush()
        found = _STATS.search(line)
        if not found:
            continue
        stats = json.loads(found.group(2))
        shown.update((key, stats[key]) for key in _SHOWN if key in stats)
        if found.group(1) == "valid":
            continue
        done, now = int(stats["num_updates"]), time.time()
        if first is None:
            first, begin = done, now
        if not terminal and now - last < 10:
            continue
        last = now
        left = ""
        if done > first:
            seconds = int((updates - done) * (now - begin) / (done - first))
            left = f"  {seconds // 60}:{seconds % 60:02d} left"
        values = "  ".join(f"{key} {value}" for key, value in shown.items())
        text = f"      {title}: {done}/{updates} updates{left}  {values}"
        screen.write(("\r" + text[:118].ljust(118)) if terminal else text + "\n")
        screen.flush()
    if terminal and shown:
        screen.write("\r" + " " * 118 + "\r")


if __name__ == "__main__":
    main()
