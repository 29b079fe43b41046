"""The simulated user of a video: which frame to annotate next, where to click, and the scores after each round.

The protocol is that of the SAM 2 paper (Ravi et al., 2024), sections 6.1 and F.1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from masklet.errors import InvalidInputError
from masklet.evaluation.interactive.predictors import ClickedVideo
from masklet.evaluation.vos.scores import FrameScores
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, decode_run_length, encode_run_length
from masklet.prompts.simulated_annotator import SimulatedAnnotator


class Interaction(StrEnum):
    """When the simulated user reviews the result.

    OFFLINE: after every pass through the whole video, to annotate the frame with the worst overlap and track again.
    ONLINE: during a single pass, which pauses at each frame whose overlap is too low; what was before stays.
    """

    OFFLINE = "offline"
    ONLINE = "online"


@dataclass(frozen=True)
class Effort:
    """How much the simulated user does.

    Attributes:
        frames: the largest number of frames to annotate.
        clicks: on each of them, at most: fewer where no error is left.
        threshold: online, annotate frames whose intersection over union is below; above 0, at most 1.

    InvalidInputError for a number out of its range.
    """

    frames: int = 8
    clicks: int = 3
    threshold: float = 0.75

    def __post_init__(self) -> None:
        for name, count in {"frames": self.frames, "clicks": self.clicks}.items():
            if count < 1:
                raise InvalidInputError(f"At least 1 of {name} is needed; got {count}.")
        if not 0 < self.threshold <= 1:
            raise InvalidInputError(f"The threshold is above 0 and at most 1; got {self.threshold:g}.")


PAPER = Effort()


@dataclass
class AnnotationRounds:
    """The rounds of annotating one object of one video.

    Attributes:
        video: the video, in which the object is tracked.
        targets: the object's ground truth, as run lengths, on each frame that has any, ascending; at least one is not
            empty.
        interaction, effort: what the user does.
        annotated: the frames clicked on so far, in order.
    """

    video: ClickedVideo
    targets: Mapping[int, RunLength]
    interaction: Interaction
    effort: Effort
    annotated: list[int] = field(default_factory=list)
    _predicted: dict[int, RunLength] = field(default_factory=dict)
    _scores: dict[int, FrameScores] = field(default_factory=dict)
    _annotator: SimulatedAnnotator = field(default_factory=SimulatedAnnotator)

    def run(self) -> Iterator[list[FrameScores]]:
        """Yield, after each number of annotated frames, the scores of all of `targets` in order.

        Where nothing is left to correct, further rounds yield the same.
        """
        for frame, target in self.targets.items():
            self._keep(frame, np.zeros(target["size"], dtype=bool))
        for _ in range(self.effort.frames):
            to_annotate = self._next_frame()
            if to_annotate is not None:
                self._click_on(to_annotate)
                first = self.annotated[0] if self.interaction is Interaction.OFFLINE else to_annotate
                for frame, mask in self.video.track(first):
                    if frame in self.targets:
                        self._keep(frame, mask)
            yield list(self._scores.values())

    def predicted(self, frame: int) -> Mask:
        """Return the present mask (bool [H, W]) on a frame of `targets`; empty before the object's first frame."""
        return decode_run_length(self._predicted[frame])

    def _next_frame(self) -> int | None:
        """Return the frame to annotate; None if there is nothing to correct."""
        if not self.annotated:
            return next(frame for frame in self.targets if self._target(frame).any())
        overlaps = {frame: each.j for frame, each in self._scores.items()}
        if self.interaction is Interaction.ONLINE:
            later = (frame for frame in overlaps if frame > self.annotated[-1])
            return next((frame for frame in later if overlaps[frame] < self.effort.threshold), None)
        others = [frame for frame in overlaps if frame not in self.annotated and frame > self.annotated[0]]
        worst = min(others, key=overlaps.__getitem__, default=None)
        return None if worst is None or overlaps[worst] == 1 else worst

    def _click_on(self, frame: int) -> None:
        target, predicted = self._target(frame), self.predicted(frame)
        self.annotated.append(frame)
        for _ in range(self.effort.clicks):
            click = self._annotator.correct(target, predicted)
            if click is None:
                break
            predicted = self.video.click(frame, click)

    def _target(self, frame: int) -> Mask:
        return decode_run_length(self.targets[frame])

    def _keep(self, frame: int, mask: Mask) -> None:
        self._predicted[frame] = encode_run_length(mask)
        self._scores[frame] = FrameScores.between(self._target(frame), mask)
