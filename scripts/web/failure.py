"""What stops web_text.py, said in one sentence."""


class Failure(Exception):
    """The message says what is wrong, where, and what to do; web_text.py prints it and exits with status 1.

    Not the package's InputError: importing that loads fairseq and torch, which a download does not need.
    """


def human(count):
    """Bytes in words: 41.3 GB (decimal units, as disks and web pages count); None: unknown."""
    if count is None:
        return "unknown"
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            break
        count /= 1000
    else:
        unit = "TB"
    return "{:.0f} {}".format(count, unit) if unit == "bytes" else "{:.1f} {}".format(count, unit)
