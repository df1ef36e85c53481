"""Why a line is dropped, in the order in which it is tried."""

ONE_LINE = (
    "empty",
    "damaged characters",
    "markup",
    "no letters",
    "few letters",
    "too few words",
    "too many words",
    "too many characters",
    "overlong word",
    "another script",
    "another language",
    "in the test sets",
)
AMONG_ALL = ("repeated", "over --max-lines")
REASONS = ONE_LINE + AMONG_ALL
