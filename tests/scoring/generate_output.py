"""Text as fairseq-generate prints it."""

LOG = "2024-01-01 00:00:00 | INFO | fairseq_cli.generate | {}\n"


def generate_lines(hypotheses, sources=None, targets=None):
    """A list of the lines of each sentence, without what stands around them."""
    blocks = []
    for number, hypothesis in enumerate(hypotheses):
        block = []
        if sources:
            block.append(f"S-{number}\t{sources[number]}\n")
        if targets:
            block.append(f"T-{number}\t{targets[number]}\n")
        block.append(f"H-{number}\t-0.5\tpieces of {number}\n")
        block.append(f"D-{number}\t-0.5\t{hypothesis}\n")
        block.append(f"P-{number}\t-0.1 -0.2\n")
        blocks.append(block)
    return blocks


def write_generate(path, hypotheses, sources=None, targets=None, order=None):
    """Write a whole output; order: of the sentences (default: longest number first)."""
    blocks = generate_lines(hypotheses, sources, targets)
    order = range(len(blocks))[::-1] if order is None else order
    text = LOG.format("{'_name': None}") + "".join("".join(blocks[number]) for number in order)
    path.write_text(text + "Generate test with beam=5: BLEU4 = 1.00, 9.9/2.0/1.0/0.1\n", encoding="utf-8")
    return str(path)
