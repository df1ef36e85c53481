"""The letters s and t of Romanian."""

# older text has the Turkish letters with cedilla, because early Unicode had none with comma below
_COMMA_BELOW = str.maketrans("\u015e\u015f\u0162\u0163", "\u0218\u0219\u021a\u021b")


def comma_below(text):
    """S and t with a cedilla become s and t with a comma below, as normalise-romanian.py of WMT16 does it."""
    return text.translate(_COMMA_BELOW)
