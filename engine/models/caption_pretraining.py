"""Teaches a text encoder what its captions look like, before anything is drawn.

Learning words and pictures at once is slow: while pictures are noise, words are ignored. Alone,
the text encoder learns in minutes to tell the coarse picture of each caption from all others.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.distributed import gather
from engine.models.flow_transformer import END_TOKEN, FlowTransformer

COARSE = 4  # a coarse picture is COARSE×COARSE latents
TEMPERATURE = 0.07
TEACHER_TEMPERATURE = 0.05
TEACHER_WEIGHT = 4.0
ALIKE = 0.5  # cosine of meanings from which a word may stand for a caption
SPREAD_WEIGHT = 0.2


class CaptionHeads(nn.Module):
    """Read off the pooled vector, and again off the mean of the token states: a coarse picture,
    and what a teacher would say, `teacher_width` numbers, if there is one.
    """

    def __init__(self, width: int, latent_channels: int, teacher_width: int = 0) -> None:
        super().__init__()
        size = latent_channels * COARSE**2
        self.pooled = nn.Linear(width, size)
        self.tokens = nn.Linear(width, size)
        if teacher_width:
            self.pooled_meaning = nn.Linear(width, teacher_width)
            self.tokens_meaning = nn.Linear(width, teacher_width)


def coarse_pictures(latents: Tensor) -> Tensor:
    """Latents (N, C, H, W) as (N, C × COARSE²)."""
    return F.adaptive_avg_pool2d(latents, COARSE).flatten(1)


def caption_loss(
    model: FlowTransformer,
    heads: CaptionHeads,
    ids: Tensor,
    coarse: Tensor,
    meanings: Tensor | None = None,
    nearest: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """From token ids (N, T), the coarse pictures (M, K) of the first M, and all meanings (N, D).

    `nearest` are token ids (N, T) of captions that mean nearly the same, and how nearly (N,). Of
    all ids each process has its share; all compare the whole batch.

    Squared error, plus the contrastive loss of CLIP (Radford et al. 2021, 2103.00020) from each
    caption to the pictures of the batch. The pooled vector is kept near unit variance, so that
    different captions steer the transformer differently from its first step.
    """
    states, own = model.encode(ids)
    pooled, mean = gather(own), gather(_mean_state(states, ids))
    pictured = len(coarse)
    loss = SPREAD_WEIGHT * (pooled.float().std(0).mean() - 1).square()
    for predicted in (heads.pooled(pooled[:pictured]), heads.tokens(mean[:pictured])):
        loss = loss + F.mse_loss(predicted.float(), coarse) + _contrast(predicted.float(), coarse)
    if meanings is not None:
        for said in (heads.pooled_meaning(pooled), heads.tokens_meaning(mean)):
            loss = loss + _meaning_loss(said.float(), meanings)
    if nearest is not None:
        loss = loss + settling_loss(model, (states, own), *nearest)
    return loss


def settling_loss(
    model: FlowTransformer, said: tuple[Tensor, Tensor], ids: Tensor, likeness: Tensor
) -> Tensor:
    """How far a word's states (N, T, D) and pooled vector (N, D) are from its nearest caption's.

    What is drawn is learned from captions only: a word between them would be drawn as something
    in between. So each word settles where the caption of nearly the same meaning is.
    """
    with torch.no_grad():
        targets = model.encode(ids)
    close = (likeness > ALIKE).float()
    loss = torch.zeros((), device=ids.device)
    for own, target in zip(said, targets, strict=True):
        target = target.float()
        error = (own.float() - target).square().flatten(1).mean(1) / target.var().clamp(min=1e-6)
        loss = loss + (close * error).mean()
    return loss


def _meaning_loss(said: Tensor, meanings: Tensor) -> Tensor:
    """How far (N, D) is from the teacher's, by angle, and by who is near whom in the batch.

    The second part is relational distillation (Park et al. 2019, 1904.05068): the likeness of
    each text to all others should be as the teacher sees it.
    """
    said = F.normalize(said, dim=-1)
    angle = 1 - (said * meanings).sum(-1).mean()
    near = (meanings @ meanings.T / TEACHER_TEMPERATURE).softmax(-1)
    return TEACHER_WEIGHT * angle + F.cross_entropy(said @ meanings.T / TEACHER_TEMPERATURE, near)


def _contrast(predicted: Tensor, coarse: Tensor) -> Tensor:
    """Cross-entropy of finding one's own picture in the batch; equal pictures share the answer."""
    centre = coarse.mean(0)
    logits = F.normalize(predicted - centre) @ F.normalize(coarse - centre).T / TEMPERATURE
    # The faster way through a matrix product is not exact: a picture would differ from itself.
    apart = torch.cdist(coarse, coarse, compute_mode="donot_use_mm_for_euclid_dist")
    same = (apart < 1e-3).float()
    return F.cross_entropy(logits, same / same.sum(1, keepdim=True))


def _mean_state(states: Tensor, ids: Tensor) -> Tensor:
    """The mean over a caption's own tokens, up to its first end token."""
    length = (ids == END_TOKEN).int().argmax(1, keepdim=True)
    used = torch.arange(ids.shape[1], device=ids.device) <= length
    return (states * used.unsqueeze(-1)).sum(1) / used.sum(1, keepdim=True)
