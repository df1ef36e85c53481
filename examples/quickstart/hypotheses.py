"""Take the translations out of fairseq-generate's output, in the order of the text: python hypotheses.py IN OUT"""

import sys


def main():
    source, target = sys.argv[1:]
    hypotheses = {}
    sources = 0
    with open(source, encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("S-"):
                sources += 1
            if line.startswith("D-"):
                number, _, text = line.rstrip("\n").split("\t", 2)
                hypotheses[int(number[2:])] = text
    if not hypotheses or sorted(hypotheses) != list(range(sources)):
        sys.exit("hypotheses.py: {} holds {} translations of {} sentences".format(source, len(hypotheses), sources))
    with open(target, "w", encoding="utf-8") as stream:
        stream.writelines(hypotheses[number] + "\n" for number in range(sources))


if __name__ == "__main__":
    main()
