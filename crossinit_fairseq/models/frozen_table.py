"""Keep the token embedding table as it is for the first updates."""

from contextlib import contextmanager

from crossinit_fairseq.models.token_tables import find_token_tables
from crossinit_fairseq.models.unwrap import unwrap


class FrozenTable:
    """Holds a model's token tables still, bit by bit, for the first `updates` updates (-1: for all).

    A table has no gradient then, so no optimizer of fairseq's touches it, be it by momentum or by weight decay, and gradient
    clipping does not count it. When it is let go, the optimizer begins with it as with any new parameter. (With --fp16 or
    --bf16 a gradient of 0 stands in for none: momentum from an earlier, not frozen run would still move it.)
    """

    def __init__(self, updates, dictionary):
        self.updates, self.dictionary = updates, dictionary

    def holds(self, update):
        """Whether the table is held in an update (the first one is 0)."""
        return self.updates < 0 or update < self.updates

    @contextmanager
    def backward(self, model, update):
        """Within it, forward and backward passes leave no gradient with the tables."""
        if not self.holds(update):
            yield
            return
        tables = self._tables(model)
        # a gradient that is not asked for is not computed; but torch's data-parallel wrapper waits for those it knows of
        alone = unwrap(model) is model
        for table in tables:
            table.requires_grad_(not alone)
        try:
            yield
        finally:
            for table in tables:
                table.requires_grad_(True)
                table.grad = None

    def before_step(self, model, optimizer, update):
        """Between the exchange of gradients, which fills in missing ones with 0, and the optimizer's step.

        Raises SystemExit for weight decay under --fp16 or --bf16, whose optimizer knows one long vector only.
        """
        if not self.holds(update):
            return
        if hasattr(optimizer, "fp32_params") and any(
            group.get("weight_decay") for group in optimizer.optimizer.param_groups
        ):
            raise SystemExit(
                "crossinit_fairseq: error: --freeze-table-updates with --fp16 or --bf16 needs --weight-decay 0, or "
                "--memory-efficient-fp16: their optimizer would let the table decay"
            )
        for table in self._tables(model):
            table.grad = None

    def _tables(self, model):
        return list(find_token_tables(unwrap(model), self.dictionary).values())
