"""Time and tokens of a function."""


class Meter:
    """Seconds spent in a function and tokens that it wrote, up to the last `take`."""

    def __init__(self, clock, count):
        self.clock, self.count = clock, count
        self.seconds = self.tokens = self.sentences = 0

    def around(self, function):
        """The function, metered."""

        def metered(*args, **kwargs):
            begin = self.clock()
            result = function(*args, **kwargs)
            self.seconds += self.clock() - begin
            tokens, sentences = self.count(result)
            self.tokens, self.sentences = self.tokens + tokens, self.sentences + sentences
            return result

        return metered

    def take(self):
        """Return (seconds, tokens, sentences) and begin anew."""
        taken = self.seconds, self.tokens, self.sentences
        self.seconds = self.tokens = self.sentences = 0
        return taken
