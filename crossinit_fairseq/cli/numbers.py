"""Whole numbers as options."""

import argparse


def at_least(least):
    """An argparse type: a whole number of `least` or more."""

    def number(text):  # argparse shows the name: "invalid number value"
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError("{} is not {} or more".format(text, least))
        return value

    return number


positive = at_least(1)
