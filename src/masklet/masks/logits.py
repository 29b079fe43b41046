"""Masks as logits: what stands for a certain mask, and how far a mask may go that is fed back as a prompt."""

from torch import Tensor

CERTAIN_LOGIT = 10.0
"""Of a pixel that is certainly inside, and its negative of one outside: sigmoid(-10) is 4.5e-5 (Meta's SAM 2)."""

LARGEST_FED_BACK = 32.0
"""Of a mask that is fed back as a prompt, in either direction: as SAM 2 was trained."""


def certain_logits(inside: Tensor) -> Tensor:
    """Return logits of what is inside: 10 where `inside` is 1 or True, -10 where it is 0, between them in between."""
    return inside * (2 * CERTAIN_LOGIT) - CERTAIN_LOGIT


def fed_back(logits: Tensor) -> Tensor:
    """Return the logits of a mask as they may be fed back as a prompt."""
    return logits.clamp(-LARGEST_FED_BACK, LARGEST_FED_BACK)
