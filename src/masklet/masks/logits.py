"""Masks as logits: what stands for a certain mask, and how far a mask may go that is fed back as a prompt."""

from torch import Tensor

from masklet.errors import InvalidInputError

CERTAIN_LOGIT = 10.0
"""Of a pixel that is certainly inside, and its negative of one outside: sigmoid(-10) is 4.5e-5 (Meta's SAM 2)."""

LARGEST_FED_BACK = 32.0
"""Of a mask that is fed back as a prompt, in either direction: as SAM 2 was trained."""

LARGEST_LOGIT = 60_000.0
"""Of a mask prompt: half precision holds it; of far larger ones the network makes NaN in any precision."""


def certain_logits(inside: Tensor) -> Tensor:
    """Return logits of what is inside: 10 where `inside` is 1 or True, -10 where it is 0, between them in between."""
    return inside * (2 * CERTAIN_LOGIT) - CERTAIN_LOGIT


def fed_back(logits: Tensor) -> Tensor:
    """Return the logits of a mask as they may be fed back as a prompt."""
    return logits.clamp(-LARGEST_FED_BACK, LARGEST_FED_BACK)


def check_logits(logits: Tensor) -> None:
    """Raise InvalidInputError for logits of a mask prompt that a network cannot compute with."""
    if not logits.isfinite().all():
        raise InvalidInputError("Input masks contain NaN or infinite values.")
    farthest = logits.flatten()[logits.abs().argmax()].item()
    if abs(farthest) > LARGEST_LOGIT:
        allowed = f"from {-LARGEST_LOGIT:.0f} to {LARGEST_LOGIT:.0f}"
        raise InvalidInputError(
            f"Input masks of floats are logits {allowed}; got {farthest:g}. Give masks of two values as bools."
        )
