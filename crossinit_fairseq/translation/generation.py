"""How sentences are generated: greedily, by sampling or by beam search."""

from dataclasses import dataclass

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.translation.beam import generate_by_beam
from crossinit_fairseq.translation.greedy import most_probable
from crossinit_fairseq.translation.sampling import draws
from crossinit_fairseq.translation.stepwise import Job, write_stepwise


@dataclass(frozen=True)
class Generation:
    """The settings of generation, under fairseq's names. Greedy by default.

    Raises InputError for settings that contradict each other.
    """

    beam: int = 1
    sampling: bool = False
    sampling_topk: int = -1
    sampling_topp: float = -1.0
    temperature: float = 1.0
    max_len_a: float = 1.3
    max_len_b: int = 5

    def __post_init__(self):
        if self.beam < 1:
            raise InputError("a beam of {} holds no sentence: give 1 (greedy) or more".format(self.beam))
        if self.temperature <= 0:
            raise InputError("the temperature is {}; it must be above 0".format(self.temperature))
        if self.sampling and self.beam > 1:
            raise InputError("either sampling or a beam of {}, not both".format(self.beam))
        if self.sampling_topp > 1:
            raise InputError("sampling-topp is {}; it is a probability".format(self.sampling_topp))
        if self.sampling_topk > 0 and self.sampling_topp > 0:
            raise InputError("either sampling-topk or sampling-topp, not both")
        if not self.sampling and (self.sampling_topk > 0 or self.sampling_topp > 0):
            raise InputError("sampling-topk and sampling-topp need sampling")
        if not self.sampling and self.beam == 1 and self.temperature != 1:
            raise InputError("a temperature changes nothing in greedy generation: it needs sampling or a beam")

    def __call__(self, model, source, language, convention, allowed=None, max_len=None, seed=0):
        """Translate a batch; the arguments and what is returned are those of generate_greedily.

        seed: for sampling; an integer >= 0 or a sequence of them, such as (seed, update, language's number, process).
        """
        return self.together(model, [(source, language, allowed, seed)], convention, max_len)[0]

    def together(self, model, batches, convention, max_len=None):
        """Translate several batches as so many calls would, in less time: each step writes a token in all of them.

        batches: (source, language, allowed, seed) each, see above. Returns int64 [B, T] for each.
        """
        limits = self.max_len_a, self.max_len_b
        if self.beam > 1:
            return [
                generate_by_beam(
                    model, source, language, convention, *limits, allowed, max_len, self.beam, self.temperature
                )
                for source, language, allowed, _ in batches
            ]
        jobs = [
            Job(source, language, self._choice(source, seed), allowed) for source, language, allowed, seed in batches
        ]
        return write_stepwise(model, jobs, convention, *limits, max_len)

    def _choice(self, source, seed):
        if not self.sampling:
            return most_probable
        return draws(len(source), source.device, seed, self.sampling_topk, self.sampling_topp, self.temperature)
