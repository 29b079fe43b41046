"""One track of a video: a mask that is followed from frame to frame, reported under an id once it is confirmed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np

from masklet.automask.policy import EverythingPolicy
from masklet.errors import InvalidInputError
from masklet.json_files import shown, whole_number
from masklet.masks.run_length import RunLength, counts_of
from masklet.masks.suppression import mask_ious


@dataclass(frozen=True, kw_only=True)
class Track:
    """What is known of a mask that is followed.

    Attributes:
        number: of the object in the session, never used again.
        found_on: the frame of the discovery that found it.
        searched_from: the frame after the discovery before that one, where it may have been there already.
        last_frame: the last frame it was there on.
        last_mask: its mask there.
        looks: on how many frames in succession, up to that one, it was there.
        object_id: under which it is reported; None of a candidate.
        is_frozen: whether a scene cut took it away: it is not followed, but looked for at each discovery.
    """

    number: int
    found_on: int
    searched_from: int
    last_frame: int
    last_mask: RunLength
    looks: int = 1
    object_id: int | None = None
    is_frozen: bool = False

    @property
    def is_candidate(self) -> bool:
        """Whether it is not confirmed yet."""
        return self.object_id is None

    @property
    def age(self) -> tuple[bool, int]:
        """What orders tracks from the oldest to the youngest: those with ids by these, then candidates by numbers."""
        return self.is_candidate, self.number if self.object_id is None else self.object_id

    def seen(self, frame: int, mask: RunLength) -> Self:
        """Return the track after a frame it was there on."""
        looks = self.looks + (frame > self.last_frame) if frame <= self.last_frame + 1 else 1
        return replace(self, last_frame=frame, last_mask=mask, looks=looks, is_frozen=False)

    def is_present(self, frame: int) -> bool:
        """Whether it was there on a frame, the last one looked at."""
        return self.last_frame == frame

    def is_confirmed(self, policy: EverythingPolicy) -> bool:
        """Whether a candidate was there on enough frames in succession."""
        return self.is_candidate and self.looks >= policy.confirm

    def is_given_up(self, frame: int, policy: EverythingPolicy) -> bool:
        """Whether it was absent for too long; a candidate for one frame."""
        return frame - self.last_frame > (0 if self.is_candidate else policy.retire_after)

    @classmethod
    def from_json(cls, value: object, size: tuple[int, int]) -> Self:
        """Return the track that `to_json` described, in frames of that (height, width); InvalidInputError if none."""
        if not isinstance(value, Mapping) or value.keys() != {field.name for field in fields(cls)}:
            raise InvalidInputError(f"A track is {shown(value)}.")
        counts_of(value["last_mask"], *size)
        whole = {name: whole_number(value[name], name) for name in ("found_on", "searched_from", "last_frame", "looks")}
        object_id = None if value["object_id"] is None else whole_number(value["object_id"], "object_id", least=1)
        return cls(
            number=whole_number(value["number"], "number", least=1),
            **whole,
            last_mask=value["last_mask"],
            object_id=object_id,
            is_frozen=value["is_frozen"] is True,
        )

    def to_json(self) -> dict[str, Any]:
        """Return all fields as plain JSON."""
        return asdict(self)


def revived_by(candidate: Track, lost: Iterable[Track], policy: EverythingPolicy) -> Track | None:
    """Return which of the lost tracks a candidate is: that whose last mask is most like the candidate's.

    Tracks that a scene cut took away are none: where they were means nothing in another scene.
    """
    eligible = [each for each in lost if not each.is_candidate and not each.is_frozen]
    ious = mask_ious([candidate.last_mask], [each.last_mask for each in eligible])
    if not eligible or policy.revive == 1 or ious.max() < max(policy.revive, np.finfo(float).tiny):
        return None
    return eligible[int(ious.argmax())]
