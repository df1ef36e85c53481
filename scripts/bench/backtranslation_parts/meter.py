"""Time of a function, and what it wrote."""


class Meter:
    """Seconds spent in a function and the sentences that it wrote, up to the last `take`.

    clock: function that returns seconds; rows: from the function's result to a list of sentences, lists of int.
    """

    def __init__(self, clock, rows):
        self.clock, self.rows = clock, rows
        self.seconds, self.written = 0, []

    def around(self, function):
        """The function, metered."""

        def metered(*args, **kwargs):
            begin = self.clock()
            result = function(*args, **kwargs)
            self.seconds += self.clock() - begin
            self.written += self.rows(result)
            return result

        return metered

    def take(self):
        """Return (seconds, sentences) and begin anew."""
        taken = self.seconds, self.written
        self.seconds, self.written = 0, []
        return taken
