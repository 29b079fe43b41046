"""Where the frames of a session come from, and the features of the last few of them."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.runtimes.protocol import ImageFeatures, Runtime
from masklet.whole_numbers import is_whole_number

LOOK_SIDE = 8
LOOK_STEPS = 100  # to a unit of normalised pixels, about 57 levels of 8 bits
SAME_LOOK = 5  # in such steps: 3 levels, on average over a part; other decoders and number types differ by less


class Frames(Protocol):
    """A video: frames by number, [3, S, S], normalised, decoded when they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Tensor: ...


def looks_alike(first: Sequence[int] | None, second: Sequence[int] | None) -> bool:
    """Return whether two `first_look`s can be of one frame; True if one is not known."""
    if first is None or second is None:
        return True
    return len(first) == len(second) and all(abs(a - b) <= SAME_LOOK for a, b in zip(first, second, strict=True))


class StreamedFrames:
    """The last frames of a stream; older ones are dropped."""

    def __init__(self, most_kept: int) -> None:
        self.count = 0
        self._kept: deque[tuple[int, Tensor]] = deque(maxlen=most_kept)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        for number, pixels in self._kept:
            if number == index:
                return pixels
        raise InvalidInputError(
            f"Frame {index} of the stream was dropped; "
            f"the frames {[number for number, _ in self._kept]} are still there (max_stream_frames is their number)."
        )

    def __contains__(self, index: int) -> bool:
        return any(number == index for number, _ in self._kept)

    def add(self, pixels: Tensor, index: int | None = None) -> int:
        """Take the next frame, or one that is `index` - its number if frames were left out - and return its number."""
        index = self.count if index is None else index
        if index < self.count:
            raise InvalidInputError(f"Frame {index} came after frame {self.count - 1}; frames come in their order.")
        if self._kept and self._kept[-1][1].shape != pixels.shape:
            raise InvalidInputError(
                f"The frame has the shape {list(pixels.shape)}; the frames before it have "
                f"{list(self._kept[-1][1].shape)}."
            )
        self._kept.append((index, pixels))
        self.count = index + 1
        return index


class FeatureCache:
    """The features of the frames that were used last."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: OrderedDict[int, ImageFeatures] = OrderedDict()

    def get(self, frame: int, compute: Callable[[], ImageFeatures]) -> ImageFeatures:
        """Return the features of `frame`, computed unless they are kept."""
        features = self._kept.pop(frame, None)
        if features is None:
            features = compute()
        self._kept[frame] = features
        while len(self._kept) > self.size:
            self._kept.popitem(last=False)
        return features

    def clear(self) -> None:
        """Drop all features."""
        self._kept.clear()

    clear_all = clear


class FrameSource:
    """The frames of a session, a video's or the last ones of a stream, with the features of those used last."""

    def __init__(self, video: Frames | None, *, most_streamed: int, most_features: int) -> None:
        if video is not None and not len(video):
            raise InvalidInputError("The video has no frames.")
        self.frames: Frames | StreamedFrames = StreamedFrames(most_streamed) if video is None else video
        self.cache = FeatureCache(most_features)

    @cached_property
    def first_look(self) -> tuple[int, ...] | None:
        """The colours of 8 x 8 parts of the first frame, to know a video again; None of a stream, or if unreadable.

        No checksum of its pixels: other decoders, and resizing on other devices, round them otherwise.
        """
        if self.is_stream:
            return None
        try:
            pixels = self[0].to("cpu", torch.float32)
        except (OSError, ValueError):
            return None
        parts = F.adaptive_avg_pool2d(pixels.nan_to_num(), LOOK_SIDE) * LOOK_STEPS
        return tuple(parts.round().clamp(-(2**20), 2**20).to(torch.int64).flatten().tolist())

    @property
    def is_stream(self) -> bool:
        """Whether frames are pushed one at a time."""
        return isinstance(self.frames, StreamedFrames)

    def __len__(self) -> int:
        return len(self.frames)

    def __contains__(self, frame: int) -> bool:
        """Whether the pixels of a frame can be had: not before it came, nor after a stream dropped it."""
        is_there = 0 <= frame < len(self)
        return is_there and not (isinstance(self.frames, StreamedFrames) and frame not in self.frames)

    def check(self, frame: int) -> None:
        """Raise `InvalidInputError` unless there is, or was, such a frame."""
        if not is_whole_number(frame) or not 0 <= frame < len(self):
            raise InvalidInputError(f"There is no frame {shown(frame)}; the frames are 0 to {len(self) - 1}.")

    def __getitem__(self, frame: int) -> Tensor:
        """Return the pixels [3, S, S] of a frame; `InvalidInputError` if they cannot be had."""
        self.check(frame)
        try:
            return self.frames[frame]
        except IndexError as error:
            raise InvalidInputError(
                f"The video ended before frame {frame}, though its header promises {len(self)} frames."
            ) from error

    def add(self, pixel_values: Tensor, index: int | None = None) -> int:
        """Take the next frame of a stream, [3, S, S] or [1, 3, S, S], and return its number."""
        if not isinstance(self.frames, StreamedFrames):
            raise InvalidInputError("This session has a video; frames are pushed to a session that was made without.")
        pixels = pixel_values[0] if pixel_values.ndim == 4 and len(pixel_values) == 1 else pixel_values
        if pixels.ndim != 3:
            raise InvalidInputError(f"A frame has the shape [3, S, S]; got {list(pixel_values.shape)}.")
        return self.frames.add(pixels, index)

    def go_on_from(self, count: int) -> None:
        """Continue the numbers of a stream's frames at `count`."""
        if isinstance(self.frames, StreamedFrames):
            self.frames.count = count

    def features(self, runtime: Runtime, frame: int) -> ImageFeatures:
        """Return the features of a frame as `encode_image` gives them, computed unless they are kept."""

        def compute() -> ImageFeatures:
            pixels = self[frame].to(runtime.device, runtime.dtype)
            return runtime.encode_image(pixels.unsqueeze(0))

        return self.cache.get(frame, compute)
