"""Sub-tokens back into plain sentences, for scores and for people to read."""

_POST_PROCESS = {"sentencepiece": "sentencepiece", "subword_nmt": "subword_nmt", "none": None}


class PlainText:
    """Writes sentences as plain text.

    dictionary: fairseq's; style: of its sub-tokens, one of BPE_STYLES but auto; ignore: indices of the tokens that are
    no text, besides fairseq's own.
    """

    def __init__(self, dictionary, style, ignore):
        self.dictionary, self.post_process, self.ignore = dictionary, _POST_PROCESS[style], ignore

    def __call__(self, tokens):
        """int64 [B, T] tokens as a list of B sentences."""
        return [
            self.dictionary.string(row, self.post_process, extra_symbols_to_ignore=self.ignore) for row in tokens.cpu()
        ]
