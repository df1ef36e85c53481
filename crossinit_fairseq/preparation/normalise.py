"""Normalise text line by line, one line out for each line in: what clean.py does to the lines it keeps.

    python normalise.py --lang ro < text/test.ro > clean/test.ro

Unicode's form NFC without control characters, Moses' punctuation, Romanian comma below for cedilla, Devanagari as
indic-nlp-library has it, single spaces. For the source sides of dev and test sets; leave references as they are.
"""

import argparse
import os
import sys

from characters import LineNormaliser


def main(command=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", required=True, help="such as ro, ne, en or ro_RO")
    normaliser, lines = LineNormaliser(parser.parse_args(command).lang), 0
    try:
        for line in sys.stdin.buffer:
            lines += 1
            text = line.decode("utf-8-sig" if lines == 1 else "utf-8").rstrip("\r\n")
            sys.stdout.buffer.write(normaliser(text).encode("utf-8") + b"\n")
        sys.stdout.buffer.flush()
    except UnicodeDecodeError:
        sys.exit("normalise.py: error: line {} of standard input is not UTF-8: convert it with iconv".format(lines))
    except OSError as error:
        # what is left in the buffer cannot be written either, and Python tries again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit("normalise.py: error: line {} cannot be written: {}".format(lines, error.strerror))


if __name__ == "__main__":
    main()
