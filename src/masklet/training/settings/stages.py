"""Stretches of training."""

from dataclasses import dataclass

from masklet.errors import InvalidInputError
from masklet.training.settings.parts import Part
from masklet.training.settings.ranges import require_numbers


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one image size. A scene's image is encoded once and all its objects train on it."""

    image_size: int
    steps: int
    scenes_per_step: int = 8
    objects_per_scene: int = 8

    def __post_init__(self) -> None:
        require_numbers(self, "image_size", "steps", "scenes_per_step", "objects_per_scene", at_least=1)

    @property
    def fewest_a_step(self) -> int:
        """Into how many parts every step can be divided."""
        return self.scenes_per_step

    def scenes_in(self, steps: range) -> int:
        """How many scenes a stretch of steps (from 0, of the run) takes."""
        return len(steps) * self.scenes_per_step

    def clips_in(self, steps: range) -> int:
        """How many clips a stretch of steps takes."""
        return 0

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
        require_numbers(self, "clip_length", at_least=2)
        require_numbers(self, "clips_per_step", "objects_per_clip", at_least=1)
        if not (self.stills_every == 0 or self.stills_every >= 1):
            raise InvalidInputError(f"ClipStage.stills_every={self.stills_every}; it must be 0 or at least 1.")

    @property
    def fewest_a_step(self) -> int:
        """Into how many parts every step can be divided."""
        return min(self.clips_per_step, self.scenes_per_step) if self.stills_every else self.clips_per_step

    def scenes_in(self, steps: range) -> int:
        """How many scenes a stretch of steps takes: those on stills."""
        return self._stills_in(steps) * self.scenes_per_step

    def clips_in(self, steps: range) -> int:
        """How many clips a stretch of steps takes."""
        return (len(steps) - self._stills_in(steps)) * self.clips_per_step

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
        return self._stills_in(range(step, step + 1)) > 0

    def _stills_in(self, steps: range) -> int:
        return int(steps.stop // self.stills_every - steps.start // self.stills_every) if self.stills_every else 0
