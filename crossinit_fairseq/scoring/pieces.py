"""Text that was left in SentencePiece pieces, because fairseq-generate was run without --remove-bpe."""

BEGIN = "\u2581"


def in_pieces(lines):
    """Whether a text is in pieces: more than half of its lines hold the sign that begins a word."""
    written = [line for line in lines if line]
    return 2 * sum(BEGIN in line for line in written) > len(written)


def join_pieces(line):
    """`\u2581the \u2581c at` -> `the cat`, as --remove-bpe sentencepiece does it."""
    return line.replace(" ", "").replace(BEGIN, " ").strip()
