"""Stages of training, and the parts of the network that they, or a whole recipe, may freeze."""

from dataclasses import dataclass
from typing import Literal, get_args

from masklet.errors import InvalidInputError
from masklet.training.settings.ranges import require_numbers

Part = Literal["image_encoder", "prompt_encoder", "mask_decoder", "memory"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class Stage:
    """Steps on images of one size. A scene's image is encoded once and all its objects train on it.

    Attributes:
        image_size: side of the network's square, in pixels.
        steps: how many.
        scenes_per_step: images, annotated or procedural.
        objects_per_scene: prompted objects of each.

    Example:
        >>> from masklet import Stage
        >>> Stage(image_size=256, steps=300).scenes_per_step
        8
    """

    image_size: int
    steps: int
    scenes_per_step: int = 8
    objects_per_scene: int = 8

    def __post_init__(self) -> None:
        require_numbers(self, "image_size", "steps", "scenes_per_step", "objects_per_scene", at_least=1)

    @property
    def fewest_a_step(self) -> int:
        """The most micro-batches that every step can be divided into."""
        return self.scenes_per_step

    def scenes_in(self, steps: range) -> int:
        """Count the scenes that a range of steps (from 0, of the run) takes."""
        return len(steps) * self.scenes_per_step

    def clips_in(self, steps: range) -> int:
        """Count the clips that a range of steps takes."""
        return 0

    @property
    def kinds_of_steps(self) -> tuple[bool, ...]:
        """The kinds of steps there are: True for those on clips, False for those on images."""
        return (False,)

    def frozen_parts(self, on_clips: bool) -> tuple[Part, ...]:
        """Return the parts of the network that are frozen for a step: memory on images."""
        return ("memory",)


@dataclass(frozen=True)
class ClipStage(Stage):
    """Steps on clips, and among them some on images.

    Attributes:
        clip_length: frames.
        clips_per_step: clips.
        objects_per_clip: at most.
        images_every: a step on images every so many steps; 0: never; 2.5: two of five.
        train_image_encoder: False freezes the image encoder on clips, which then cost little more than their objects.

    Example:
        >>> from masklet import ClipStage
        >>> ClipStage(image_size=256, steps=300).clip_length
        8
    """

    clip_length: int = 8
    clips_per_step: int = 2
    objects_per_clip: int = 6
    images_every: float = 0
    train_image_encoder: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_numbers(self, "clip_length", at_least=2)
        require_numbers(self, "clips_per_step", "objects_per_clip", at_least=1)
        if not (self.images_every == 0 or self.images_every >= 1):
            raise InvalidInputError(f"ClipStage.images_every={self.images_every}; it must be 0 or at least 1.")

    @property
    def fewest_a_step(self) -> int:
        """The most micro-batches that every step can be divided into."""
        return min(self.clips_per_step, self.scenes_per_step) if self.images_every else self.clips_per_step

    def scenes_in(self, steps: range) -> int:
        """Count the scenes that a range of steps takes: those on images."""
        return self._image_steps_in(steps) * self.scenes_per_step

    def clips_in(self, steps: range) -> int:
        """Count the clips that a range of steps takes."""
        return (len(steps) - self._image_steps_in(steps)) * self.clips_per_step

    @property
    def kinds_of_steps(self) -> tuple[bool, ...]:
        """The kinds of steps there are: True for those on clips, False for those on images."""
        return (True, False) if self.images_every else (True,)

    def frozen_parts(self, on_clips: bool) -> tuple[Part, ...]:
        """Return the parts of the network that are frozen for a step: on request the image encoder on clips."""
        if not on_clips:
            return super().frozen_parts(on_clips)
        return () if self.train_image_encoder else ("image_encoder",)

    def is_image_step(self, step: int) -> bool:
        """Return whether a step (from 0) is on images."""
        return self._image_steps_in(range(step, step + 1)) > 0

    def _image_steps_in(self, steps: range) -> int:
        return int(steps.stop // self.images_every - steps.start // self.images_every) if self.images_every else 0
