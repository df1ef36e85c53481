"""The loss of a sample, as fairseq's own criterions give it, without keeping its logits: for training on a CPU."""

from typing import Any, Dict, Optional, Tuple

import torch
from fairseq.criterions import FairseqCriterion
from fairseq.criterions.cross_entropy import CrossEntropyCriterion
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion
from fairseq.models.transformer import TransformerModelBase
from fairseq.models.transformer.transformer_decoder import TransformerDecoderBase

_ROWS = 256  # of logits at a time; they stay in the processor's cache


def compute_loss(
    model: torch.nn.Module, criterion: FairseqCriterion, sample: Dict[str, Any]
) -> Tuple[torch.Tensor, int, Dict[str, Any]]:
    """What ``criterion(model, sample)`` returns, in less time where `is_supported`; equal but for rounding."""
    if not is_supported(model, criterion):
        return criterion(model, sample)
    features, _ = model(features_only=True, **sample["net_input"])
    output, target = model.decoder.output_projection, sample["target"]
    real = target.ne(criterion.padding_idx)
    if not real.all():
        features, target = features[real], target[real]
    smoothed = type(criterion) is LabelSmoothedCrossEntropyCriterion
    loss, nll_loss = OutputLoss.apply(
        features.reshape(-1, features.size(-1)),
        output.weight,
        output.bias,
        target.reshape(-1),
        criterion.eps if smoothed else 0.0,
    )
    sentences = sample["target"].size(0)
    sample_size = sentences if criterion.sentence_avg else sample["ntokens"]
    logs = {"loss": loss.detach(), "nll_loss": nll_loss} if smoothed else {"loss": loss.detach()}
    logs.update(ntokens=sample["ntokens"], nsentences=sentences, sample_size=sample_size)
    return loss, sample_size, logs


def is_supported(model: torch.nn.Module, criterion: FairseqCriterion) -> bool:
    """Whether OutputLoss gives the same loss: the criterion is one of fairseq's cross entropies, and the model is
    fairseq's Transformer, in no wrapper, whose last layer is a Linear in single precision on a CPU."""
    if type(criterion) is LabelSmoothedCrossEntropyCriterion:
        if criterion.ignore_prefix_size or criterion.report_accuracy:
            return False
    elif type(criterion) is not CrossEntropyCriterion:
        return False
    if not isinstance(model, TransformerModelBase) or not isinstance(model.decoder, TransformerDecoderBase):
        return False
    for own, base, names in (
        (type(model), TransformerModelBase, ("get_normalized_probs", "get_targets")),
        (type(model.decoder), TransformerDecoderBase, ("forward", "output_layer", "get_normalized_probs")),
    ):
        if any(getattr(own, name) is not getattr(base, name) for name in names):
            return False
    output = model.decoder.output_projection
    return (
        model.decoder.adaptive_softmax is None
        and type(output) is torch.nn.Linear
        and output.weight.device.type == "cpu"
        and output.weight.dtype == torch.float32
    )


class OutputLoss(torch.autograd.Function):
    """Label-smoothed cross entropy of a linear layer, summed over tokens.

    With p the softmax of a token's logits z, V their number, t the target and e the smoothing shared by the other V -
    1: loss = -(1 - eps - e) log p_t - e sum_v log p_v, e = eps / (V - 1); its gradient with respect to z_v is p_v - e -
    (1 - eps - e) [v = t]. So the gradients of input and weights need of a row of logits nothing but its exp, and are
    computed at once, some rows at a time, where fairseq goes over all N x V numbers eight times.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: Optional[torch.Tensor], target: torch.Tensor, eps: float
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """x: [N, D]; weight: [V, D]; bias: [V] or None; target: int64 [N]. Returns two scalars: the loss, and without
        smoothing."""
        size = weight.size(0)
        others = eps / (size - 1)
        own = 1 - eps - others
        by_weight, by_bias = ctx.needs_input_grad[1], bias is not None and ctx.needs_input_grad[2]
        grad = torch.empty_like(x)
        grad_weight = (x.sum(0) * -others).repeat(size, 1) if by_weight else None
        grad_bias = torch.full_like(bias, -others * len(x)) if by_bias else None
        nll, logsumexp = x.new_empty(len(x)), x.new_empty(len(x))
        for begin in range(0, len(x), _ROWS):
            part = slice(begin, begin + _ROWS)
            z = torch.nn.functional.linear(x[part], weight, bias)
            top = z.amax(1, keepdim=True)
            target_logit = z.gather(1, target[part].unsqueeze(1))
            z.sub_(top).exp_()
            total = z.sum(1, keepdim=True)
            share = total.reciprocal()
            torch.mm(z, weight, out=grad[part]).mul_(share)
            if by_weight:
                grad_weight.addmm_(z.t(), x[part] * share)
            if by_bias:
                grad_bias.addmv_(z.t(), share.squeeze(1))
            lse = total.log_().add_(top)
            logsumexp[part] = lse.squeeze(1)
            nll[part] = (lse - target_logit).squeeze(1)
        weight_sum = weight.sum(0)
        grad.sub_(weight[target], alpha=own).sub_(weight_sum, alpha=others)
        if by_weight:
            grad_weight.index_add_(0, target, x, alpha=-own)
        if by_bias:
            grad_bias.sub_(torch.bincount(target, minlength=size), alpha=own)
        ctx.save_for_backward(grad, grad_weight, grad_bias)
        nll = nll.sum()
        logits = torch.mv(x, weight_sum).sum() if bias is None else torch.mv(x, weight_sum).sum() + bias.sum() * len(x)
        loss = own * nll + others * (size * logsumexp.sum() - logits) if eps else nll.clone()
        ctx.mark_non_differentiable(nll)
        return loss, nll

    @staticmethod
    def backward(ctx: Any, grad_loss: torch.Tensor, _: Any) -> Tuple[Optional[torch.Tensor], ...]:
        """Of the loss alone."""
        grads = [None if grad is None else grad * grad_loss for grad in ctx.saved_tensors]
        return (*grads, None, None)
