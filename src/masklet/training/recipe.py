"""The typed configuration of a training run."""

from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from masklet.configuration import Sam2Config
from masklet.datasets.sampling.mixture import DataMixture
from masklet.datasets.scenes import ClipMixture, SceneMixture
from masklet.errors import InvalidInputError
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.training.hardware import Hardware
from masklet.training.parts import PARTS, Part


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one image size. A scene's image is encoded once and all its objects train on it."""

    image_size: int
    steps: int
    scenes_per_step: int = 8
    objects_per_scene: int = 8

    def __post_init__(self) -> None:
        for name in ("image_size", "steps", "scenes_per_step", "objects_per_scene"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"{name}={getattr(self, name)} in a training stage; it must be at least 1.")

    @property
    def fewest_a_step(self) -> int:
        """Into how many parts every step can be divided."""
        return self.scenes_per_step

    @property
    def kinds_of_steps(self) -> tuple[bool, ...]:
        """Whether there are steps on clips, and on stills: True, False or both."""
        return (False,)

    def resting_parts(self, on_clips: bool) -> tuple[Part, ...]:
        """The parts of the network that a step leaves as they are: memory on stills."""
        return ("memory",)


@dataclass(frozen=True)
class ClipStage(Stage):
    """A stretch of training on clips, with a step on stills every `stills_every` steps (0: never;
    2.5: two of five).

    Without `train_image_encoder` only stills change the image encoder; clips then cost little more than their objects.
    """

    clip_length: int = 8
    clips_per_step: int = 2
    objects_per_clip: int = 6
    stills_every: float = 0
    train_image_encoder: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("clip_length", 2), ("clips_per_step", 1), ("objects_per_clip", 1), ("stills_every", 0)):
            if getattr(self, name) < least:
                raise InvalidInputError(
                    f"{name}={getattr(self, name)} in a training stage; it must be at least {least}."
                )
        if 0 < self.stills_every < 1:
            raise InvalidInputError(f"stills_every={self.stills_every} in a training stage; it is 0 or at least 1.")

    @property
    def fewest_a_step(self) -> int:
        """Into how many parts every step can be divided."""
        return min(self.clips_per_step, self.scenes_per_step) if self.stills_every else self.clips_per_step

    @property
    def kinds_of_steps(self) -> tuple[bool, ...]:
        """Whether there are steps on clips, and on stills: True, False or both."""
        return (True, False) if self.stills_every else (True,)

    def resting_parts(self, on_clips: bool) -> tuple[Part, ...]:
        """The parts of the network that a step leaves as they are: on request the image encoder on clips."""
        if not on_clips:
            return super().resting_parts(on_clips)
        return () if self.train_image_encoder else ("image_encoder",)

    def is_stills_step(self, step: int) -> bool:
        """Whether a step (from 0) is on stills."""
        return self.stills_every > 0 and (step + 1) // self.stills_every > step // self.stills_every


@dataclass(frozen=True)
class LossWeights:
    """Weights of the loss terms (SAM 2 paper, appendix D.2).

    `focal_alpha` is the focal loss's weight of pixels on the object (1 - alpha off it). At the papers' 0.25 a network
    that is in doubt leaves pixels out: its masks end up to 75 % sure. 0.5 puts the edge where it is as likely as not.
    """

    focal: float = 20.0
    focal_alpha: float = 0.25
    dice: float = 1.0
    iou: float = 1.0
    object_score: float = 1.0


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
        if min(self.click, self.box, self.mask) < 0 or self.click + self.box <= 0:
            raise InvalidInputError(f"{self}: shares must be at least 0, and clicks or boxes above 0.")


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
        if not all(0 <= share <= 1 for share in (self.deepest, self.truth, self.loose_box)):
            raise InvalidInputError(f"{self}: shares are between 0 and 1.")

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
        for name, least in (("prompted_frames", 1), ("corrected_frames", 1), ("corrections", 0)):
            if getattr(self, name) < least:
                raise InvalidInputError(f"{name}={getattr(self, name)} in clip tracking; it must be at least {least}.")


@dataclass(frozen=True)
class Regularization:
    """What the network goes without at times while it learns.

    `drop_path`: how often the last of the backbone's blocks is left out, earlier ones in proportion to their depth.
    `memory_dropout`: of values and weights of memory attention. 0.1 in the reference; None: as the model has it.
    """

    drop_path: float | None = None
    memory_dropout: float | None = None

    def __post_init__(self) -> None:
        for name in ("drop_path", "memory_dropout"):
            if not 0 <= (getattr(self, name) or 0) < 1:
                raise InvalidInputError(f"{name}={getattr(self, name)}; it must be at least 0 and below 1.")


@dataclass(frozen=True)
class ImageEncoderRates:
    """How fast the image encoder learns.

    `learning_rate` in place of the recipe's (None: the same; it falls in the same proportion); a block of the backbone
    `depth` blocks below the neck learns at that times `layer_decay` ** (depth + 1), what comes before the blocks as
    one block more; position tables and the neck at the full rate (the reference's fine-tuning: 0.9).
    """

    learning_rate: float | None = None
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.layer_decay <= 1:
            raise InvalidInputError(f"layer_decay={self.layer_decay}; it must be above 0 and at most 1.")


@dataclass(frozen=True)
class LowRank:
    """Train low-rank adapters (LoRA) beside frozen weights: W + alpha / rank * B A.

    `layers`: patterns (* and ?) of the names of the linear layers that get one; by default all that can have one.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    layers: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise InvalidInputError(f"{self}: rank must be at least 1, alpha above 0, dropout from 0 to below 1.")


_AT_LEAST_0 = ("final_learning_rate", "warmup_steps", "weight_decay", "seed", "first_scene", "loader_workers")
_AT_LEAST_1 = ("rounds", "save_every")
_ABOVE_0 = ("learning_rate", "gradient_clip")


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a run, apart from the machine.

    `data` names annotated data and its part in the run; without any, all is procedural. The procedural world is made of
    the pictures below `picture_folders` and the labelled ones of `panoptic_folder` (COCO panoptic format). Training
    starts from `initial_weights` (a folder, file or hub id) or else from random ones. The learning rate warms up
    linearly and falls along a cosine to `final_learning_rate`. `rounds` counts the prompts an object gets: the first,
    then corrective clicks. `frozen` parts of the network stay as they begin.
    """

    name: str
    model: Sam2Config
    stages: tuple[Stage, ...]
    picture_folders: tuple[Path, ...]
    panoptic_folder: Path | None = None
    data: DataMixture = field(default_factory=DataMixture)
    mixture: SceneMixture = field(default_factory=SceneMixture)
    clip_mixture: ClipMixture = field(default_factory=ClipMixture)
    initial_weights: str | Path | None = None
    rounds: int = 3
    learning_rate: float = 8e-4
    final_learning_rate: float = 1e-5
    warmup_steps: int = 300
    weight_decay: float = 0.05
    gradient_clip: float = 1.0
    average_decay: float = 0.998
    image_encoder: ImageEncoderRates = field(default_factory=ImageEncoderRates)
    frozen: tuple[Part, ...] = ()
    hardware: Hardware = field(default_factory=Hardware)
    losses: LossWeights = field(default_factory=LossWeights)
    prompts: PromptShares = field(default_factory=PromptShares)
    annotator: AnnotatorShares = field(default_factory=AnnotatorShares)
    tracking: ClipTracking = field(default_factory=ClipTracking)
    regularization: Regularization = field(default_factory=Regularization)
    lora: LowRank | None = None
    seed: int = 0
    first_scene: int = 0
    loader_workers: int = 1
    save_every: int = 500

    def __post_init__(self) -> None:
        self._check_numbers()
        if not set(self.frozen) <= set(PARTS):
            raise InvalidInputError(f"frozen={', '.join(self.frozen)}; there are {', '.join(PARTS)}.")
        for number, stage in enumerate(self.stages):
            for on_clips in stage.kinds_of_steps:
                if set(PARTS) == {*self.frozen, *stage.resting_parts(on_clips)}:
                    what = "clips" if on_clips else "stills"
                    raise InvalidInputError(
                        f"frozen={', '.join(self.frozen)}: steps on {what} of stage {number} would train nothing."
                    )

    def _check_numbers(self) -> None:
        values = vars(self)
        allowed = {name: ("at least 0", values[name] >= 0) for name in _AT_LEAST_0}
        allowed |= {name: ("at least 1", values[name] >= 1) for name in _AT_LEAST_1}
        allowed |= {name: ("above 0", values[name] > 0) for name in _ABOVE_0}
        allowed["average_decay"] = ("at least 0 and below 1", 0 <= self.average_decay < 1)
        for name, (what, is_so) in allowed.items():
            if not is_so:
                raise InvalidInputError(f"{name}={values[name]}; it must be {what}.")

    @property
    def total_steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def end_of_stage(self, step: int) -> int:
        """How many steps are done when the stage of a step (from 0) ends."""
        ends = accumulate(stage.steps for stage in self.stages)
        return next((end for end in ends if end > step), self.total_steps)

    @property
    def first_clip_step(self) -> int | None:
        """The step (from 0) at which the first stage on clips begins; None without any."""
        kinds = [isinstance(stage, ClipStage) for stage in self.stages]
        return sum(stage.steps for stage in self.stages[: kinds.index(True)]) if any(kinds) else None

    def stage_at(self, step: int) -> Stage:
        """The stage that a step (from 0) belongs to; the last one from the end on."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        return self.stages[-1]
