"""Prompt sampling and loss weights."""

from dataclasses import dataclass, field

import numpy as np

from masklet.errors import InvalidInputError
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.training.settings.ranges import require_numbers


@dataclass(frozen=True)
class LossWeights:
    """Weights of the loss terms (SAM 2 paper, appendix D.2).

    Attributes:
        focal: of the focal loss.
        focal_alpha: the focal loss's weight of pixels on the object (1 - alpha off it). At the papers' 0.25 a network
            that is in doubt leaves pixels out: its masks end where the object is 75 % likely. 0.5 puts the boundary
            where it is as likely as not.
        dice: of the Dice loss.
        iou: of the L1 loss of the predicted IoU.
        object_score: of the cross-entropy of the object score.
        shared: the fraction 0..1 of an ambiguous click's mask losses from which all multimask outputs learn alike, the
            best one learning from the rest (relaxed winner-takes-all; Rupprecht et al., ICCV 2017). Where clicks always
            mean one kind of object, it spares the choice among masks that differ.
        cropped: the fraction 0..1 of the mask losses that is measured in object crops of 64 x 64 sample points (the
            cropped loss; `masklet.training.targets`). The rest is measured at a quarter of the image's resolution,
            which shows neither the boundaries of small objects nor, of the smallest, anything at all. Above 0 IoU is
            measured in the crops, too.
    """

    focal: float = 20.0
    focal_alpha: float = 0.25
    dice: float = 1.0
    iou: float = 1.0
    object_score: float = 1.0
    shared: float = 0.0
    cropped: float = 0.0

    def __post_init__(self) -> None:
        require_numbers(self, "focal", "dice", "iou", "object_score", at_least=0)
        require_numbers(self, "focal_alpha", "shared", "cropped", at_least=0, at_most=1)
        if not self.focal + self.dice + self.iou + self.object_score:
            raise InvalidInputError("LossWeights: focal, dice, iou and object_score are all 0; one must be above 0.")


@dataclass(frozen=True)
class PromptShares:
    """Frequencies of clicks, boxes and (coarse) masks among the first prompts of objects.

    Attributes:
        click, box: relative to each other.
        mask: a probability.
    """

    click: float = 0.6
    box: float = 0.3
    mask: float = 0.1

    @property
    def box_among_points(self) -> float:
        """The fraction of boxes among clicks and boxes."""
        return self.box / (self.box + self.click)

    def __post_init__(self) -> None:
        require_numbers(self, "click", "box", at_least=0)
        require_numbers(self, "mask", at_least=0, at_most=1)
        if not self.click + self.box:
            raise InvalidInputError("PromptShares: click and box are both 0; one must be above 0.")


@dataclass(frozen=True)
class AnnotatorShares:
    """Probabilities of the simulated annotator (`masklet.prompts.simulated_annotator`).

    Attributes:
        center_click: that a click is at the center of its region (the maximum of its distance transform); otherwise it
            is uniformly anywhere in it.
        from_ground_truth: that a correction is a click on the object, whatever was predicted.
        loose_box: that a box is larger than the object's tight one.
    """

    center_click: float = 0.0
    from_ground_truth: float = 0.1
    loose_box: float = 1.0

    def __post_init__(self) -> None:
        require_numbers(self, "center_click", "from_ground_truth", "loose_box", at_least=0, at_most=1)

    def annotator(self, rng: np.random.Generator) -> SimulatedAnnotator:
        """Make an annotator with these probabilities and the chance of `rng`."""
        return SimulatedAnnotator(rng, self.center_click, self.from_ground_truth, self.loose_box)


@dataclass(frozen=True)
class ClipTracking:
    """Prompting and tracking of clips in training (SAM 2 paper, appendix D.2).

    Attributes:
        prompts: the fraction of clips prompted by masks, and of clicks and boxes among the other prompts.
        prompted_frames: on how many frames at most objects are prompted before anything is tracked; the first frame
            always is.
        corrected_frames: on how many frames at most corrective clicks follow; the prompted ones always are corrected,
            but for those of clips prompted by masks.
        corrections: clicks on errors on such a frame, one after the other.
        detach_masks: let masks learn from their own loss alone, not from what later frames make of them.
        as_excerpt: encode temporal positions as in a long video, not as in one of the clip's length.
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
