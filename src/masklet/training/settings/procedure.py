"""How objects are asked for and what answers cost."""

from dataclasses import dataclass, field

import numpy as np

from masklet.errors import InvalidInputError
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.training.settings.ranges import require_numbers


@dataclass(frozen=True)
class LossWeights:
    """Weights of the loss terms (SAM 2 paper, appendix D.2).

    `focal_alpha` is the focal loss's weight of pixels on the object (1 - alpha off it). At the papers' 0.25 a network
    that is in doubt leaves pixels out: its masks end up to 75 % sure. 0.5 puts the edge where it is as likely as not.
    `shared` in 0..1 is the share of the mask losses of an ambiguous click from which all three masks learn alike, the
    best one learning from the rest (relaxed winner-takes-all; Rupprecht et al., ICCV 2017). Where clicks always mean
    one kind of thing, it spares the choice among masks that differ. `close_up` in 0..1 is the share of the mask losses
    that is measured at 64 x 64 places of a window around each object: a quarter of the picture's resolution, where the
    rest is, shows neither the outlines of small objects nor, of the smallest, anything at all. Above 0 IoU is measured
    there, too.
    """

    focal: float = 20.0
    focal_alpha: float = 0.25
    dice: float = 1.0
    iou: float = 1.0
    object_score: float = 1.0
    shared: float = 0.0
    close_up: float = 0.0

    def __post_init__(self) -> None:
        require_numbers(self, "focal", "dice", "iou", "object_score", at_least=0)
        require_numbers(self, "focal_alpha", "shared", "close_up", at_least=0, at_most=1)
        if not self.focal + self.dice + self.iou + self.object_score:
            raise InvalidInputError("LossWeights: focal, dice, iou and object_score are all 0; one must be above 0.")


@dataclass(frozen=True)
class PromptShares:
    """How often an object's first prompt is a click, a box or a (coarse) mask."""

    click: float = 0.6
    box: float = 0.3
    mask: float = 0.1

    @property
    def box_among_points(self) -> float:
        """The share of boxes among clicks and boxes."""
        return self.box / (self.box + self.click)

    def __post_init__(self) -> None:
        require_numbers(self, "click", "box", at_least=0)
        require_numbers(self, "mask", at_least=0, at_most=1)
        if not self.click + self.box:
            raise InvalidInputError("PromptShares: click and box are both 0; one must be above 0.")


@dataclass(frozen=True)
class AnnotatorShares:
    """Chance in what the simulated annotator says (`masklet.prompts.simulated_annotator`).

    `deepest`: how often a click is at the deepest point of its region, otherwise uniformly anywhere in it. `truth`: how
    often a correction is a click on the object, whatever was predicted. `loose_box`: how often a box is not tight.
    """

    deepest: float = 0.0
    truth: float = 0.1
    loose_box: float = 1.0

    def __post_init__(self) -> None:
        require_numbers(self, "deepest", "truth", "loose_box", at_least=0, at_most=1)

    def annotator(self, rng: np.random.Generator) -> SimulatedAnnotator:
        """Who leaves that much to the chance of `rng`."""
        return SimulatedAnnotator(rng, self.deepest, self.truth, self.loose_box)


@dataclass(frozen=True)
class ClipTracking:
    """How clips are prompted and tracked in training (SAM 2 paper, appendix D.2).

    `prompts`: the shares of clips prompted by masks, or else of frames prompted by clicks and by boxes.
    `prompted_frames`: of how many frames at most the objects are marked before anything is tracked, the first frame
    always. `corrected_frames`: on how many frames at most, the prompted ones in any case, come `corrections` clicks on
    errors, one after the other; clips prompted by masks need none. `detach_masks`: masks learn from their own answer
    alone, not from what later ones make of it. `as_excerpt`: how long ago something was is told as in a long video, not
    as in one of the clip's length.
    """

    prompts: PromptShares = field(default_factory=lambda: PromptShares(click=0.25, box=0.25, mask=0.5))
    prompted_frames: int = 2
    corrected_frames: int = 2
    corrections: int = 7
    detach_masks: bool = False
    as_excerpt: bool = False

    def __post_init__(self) -> None:
        require_numbers(self, "prompted_frames", "corrected_frames", at_least=1)
        require_numbers(self, "corrections", at_least=0)
