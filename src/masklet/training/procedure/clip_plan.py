"""Prompted and corrected frames of training clips (SAM 2 paper, section 4 and appendix D.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from masklet.training.settings.procedure import ClipTracking
from masklet.training.supply.prompting import PromptKind


@dataclass(frozen=True)
class ClipPlan:
    """The prompts of a clip; the same for all clips of a step, so that their objects stay one batch.

    Attributes:
        frames: how many the clip has.
        prompts: the frames whose objects are prompted before anything is tracked, frame 0 first.
        corrected: the frames that get corrective clicks, right after they were prompted or tracked.
    """

    frames: int
    prompts: Mapping[int, PromptKind]
    corrected: frozenset[int]

    def order(self) -> list[int]:
        """Return all frames in the order of the rollout: the prompted ones, then the others in temporal order."""
        return [*self.prompts, *(frame for frame in range(self.frames) if frame not in self.prompts)]


def draw_plan(frames: int, tracking: ClipTracking, rng: np.random.Generator) -> ClipPlan:
    """Draw a plan for clips of so many frames, at least 1.

    The first frame is always prompted; how many others are, and how many frames are corrected in all, is drawn
    uniformly. Of a clip all prompts are masks, which need no correction, or all are clicks and boxes, each frame's of
    one kind. Of the frames of a clip one at least is neither prompted by a mask nor the only one.
    """
    shares = tracking.prompts
    is_masked = frames > 1 and rng.random() < shares.mask
    others = rng.permutation(np.arange(1, frames)).tolist()
    prompted = int(rng.integers(1, min(tracking.prompted_frames, max(frames - 1, 1)), endpoint=True))
    corrected = int(rng.integers(prompted, max(min(tracking.corrected_frames, frames), prompted), endpoint=True))
    prompts = {
        frame: PromptKind.MASK
        if is_masked
        else PromptKind.BOX
        if rng.random() < shares.box_among_points
        else PromptKind.CLICK
        for frame in [0, *others][:prompted]
    }
    is_corrected = not is_masked and tracking.corrections > 0
    return ClipPlan(frames, prompts, frozenset([0, *others][:corrected] if is_corrected else ()))
