"""The memories of one object: in full where it can still be attended to, as a compact result elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Self

import torch
from torch import Tensor

from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, decode_run_length
from masklet.masks.views import View
from masklet.tracking.retention import Archive


def view_tensor(view: View) -> Tensor:
    """Return a view as a tensor [4]: left, top, right, bottom."""
    return torch.tensor(astuple(view))


@dataclass(frozen=True)
class FrameMask:
    """The mask of one object on one frame: `logits` [S/4, S/4]; `iou` and `object_score` single values.

    `view` is what the logits show of the frame; None: all of it.
    """

    logits: Tensor
    iou: Tensor
    object_score: Tensor
    view: View | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class FrameMemory(FrameMask):
    """What the memory bank keeps of one object on one frame: the mask, and what other frames attend to.

    `pointer` [channels]; `features` [h * w, channels], or None where only the pointer can be reached. `reverse` is the
    direction in which the frame was tracked; None if it was prompted and never tracked.
    """

    pointer: Tensor
    features: Tensor | None
    reverse: bool | None

    def stored(self) -> dict[str, Any]:
        """Return its tensors, `view` as one of them where there is one, and `reverse`."""
        fields = {name: value for name, value in vars(self).items() if value is not None or name == "reverse"}
        return fields if self.view is None else fields | {"view": view_tensor(self.view)}

    @classmethod
    def from_stored(cls, fields: Mapping[str, Any]) -> Self:
        """Return what `stored` described."""
        view = fields.get("view")
        return cls(**{"features": None, **fields, "view": None if view is None else View(*view.tolist())})


@dataclass(frozen=True)
class FrameResult:
    """The mask of an object on a frame as run lengths, with its predicted IoU and its object score (a logit).

    `view` is where it was looked for; None: in the whole frame.
    """

    run_length: RunLength
    iou: float
    object_score: float
    reverse: bool
    view: View | None = None

    @property
    def mask(self) -> Mask:
        """The mask, bool [height, width] of the video."""
        return decode_run_length(self.run_length)


class MemoryBank:
    """The memories of one object: `conditioning` of prompted frames, `tracked` of others, `results` of old ones."""

    def __init__(self, archive: Archive | None = None) -> None:
        self.conditioning: dict[int, FrameMemory] = {}
        self.tracked: dict[int, FrameMemory] = {}
        self.archive = archive
        self._results: dict[int, FrameResult] = {}
        self._on_the_way: dict[int, Callable[[], FrameResult]] = {}

    @property
    def results(self) -> dict[int, FrameResult]:
        """The results of old frames, in the order in which these were evicted; waits for those on the way."""
        self._read()
        return self._results

    def keep_prompted(self, frame: int, memory: FrameMemory) -> None:
        """Keep what came of the prompts on a frame, in place of what was tracked there."""
        self.remove(frame)
        self.conditioning[frame] = memory

    def keep_tracked(self, frame: int, memory: FrameMemory) -> None:
        """Keep what was tracked on a frame, in place of what was tracked there before."""
        self.remove(frame)
        self.tracked[frame] = memory

    def remove(self, frame: int) -> None:
        """Remove all of a frame."""
        for kept in self._all:
            kept.pop(frame, None)
        if self.archive is not None:
            self.archive.remove(frame)

    def clear(self) -> None:
        """Remove everything."""
        for kept in self._all:
            kept.clear()
        if self.archive is not None:
            self.archive.clear()

    def recall(self, frame: int) -> FrameMemory | None:
        """Return all there is of a frame, read back from the archive if need be; None if nothing in full."""
        memory = self.conditioning.get(frame) or self.tracked.get(frame)
        if (memory is None or memory.features is None) and self.archive is not None and frame in self.archive:
            memory = FrameMemory.from_stored(self.archive.read(frame))
        return memory

    def known(self, frame: int) -> FrameMemory | FrameResult | None:
        """Return the mask of a frame as it is kept; None if there is none."""
        return self.recall(frame) or self.results.get(frame)

    def pointer(self, frame: int) -> Tensor | None:
        """Return the pointer of a frame, which is there longer than the rest; None if there is none."""
        memory = self.conditioning.get(frame) or self.tracked.get(frame) or self.recall(frame)
        return None if memory is None else memory.pointer

    def direction(self, frame: int) -> bool | None:
        """Whether the frame was tracked in reverse; None if it was not tracked."""
        kept = self.conditioning.get(frame) or self.tracked.get(frame) or self.results.get(frame)
        if kept is None and self.archive is not None:
            return self.archive.direction(frame)
        return None if kept is None else kept.reverse

    def __contains__(self, frame: object) -> bool:
        """Whether the frame can be attended to."""
        is_archived = self.archive is not None and frame in self.archive
        return frame in self.conditioning or frame in self.tracked or is_archived

    def evict(self, frame: int, reach: int, pointer_reach: int) -> dict[int, FrameMemory]:
        """Evict what cannot be attended to any more from `frame`, nor from the prompted frames.

        Beyond `reach` frames only the pointer stays, beyond both reaches nothing: `keep_results` takes what comes of
        the memories that are returned, by frame. With an archive, all goes there first.
        """
        anchors, evicted = (frame, *self.conditioning), {}
        for other, memory in list(self.tracked.items()):
            distance = min(abs(other - anchor) for anchor in anchors)
            if distance > reach and memory.features is not None:
                if self.archive is not None:
                    self.archive.write(other, memory.stored())
                self.tracked[other] = replace(memory, features=None)
            if distance > max(reach, pointer_reach):
                evicted[other] = self.tracked.pop(other)
        return evicted

    def keep_results(self, results: Mapping[int, Callable[[], FrameResult]]) -> None:
        """Keep the compact results of evicted frames, which are read when they are needed or the next ones come."""
        self._read()
        self._on_the_way = dict(results)

    def limit_results(self, most: int) -> None:
        """Drop the oldest compact results until `most` are left."""
        for kept in (self._results, self._on_the_way):
            while kept and len(self._results) + len(self._on_the_way) > most:
                del kept[next(iter(kept))]

    def _read(self) -> None:
        self._results |= {frame: read() for frame, read in self._on_the_way.items()}
        self._on_the_way.clear()

    @property
    def _all(self) -> tuple[dict[int, Any], ...]:
        return self.conditioning, self.tracked, self._results, self._on_the_way
