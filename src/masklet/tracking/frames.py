"""Where the frames of a session come from, and the features of the last few of them."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.views import View
from masklet.runtimes.protocol import ImageFeatures, Runtime
from masklet.transfers import has_queue, sent
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


@runtime_checkable
class ZoomableFrames(Frames, Protocol):
    """A video of which parts can be enlarged."""

    def seen(self, index: int, view: View, /) -> Tensor:
        """Return what a view of a frame shows, enlarged to [3, S, S] from the video's own pixels."""


@runtime_checkable
class StretchedFrames(Frames, Protocol):
    """A video whose frames are normalised where the network is: as bytes they are a quarter to send."""

    def stretched(self, index: int, view: View | None, /) -> Tensor:
        """Return what a view of a frame (None: all of it) shows, [3, S, S] in the video's number type."""

    def scaled(self, pixels: Tensor, /) -> Tensor:
        """Return such pixels normalised, on their device."""


Seen = Callable[[View], Tensor]
"""What a view of one frame shows, as `ZoomableFrames.seen` returns it."""


class StreamedFrames:
    """The last frames of a stream; older ones are dropped."""

    def __init__(self, most_kept: int) -> None:
        self.count = 0
        self._kept: deque[tuple[int, Tensor, Seen | None]] = deque(maxlen=most_kept)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        return self._frame(index)[0]

    def seen(self, index: int, view: View) -> Tensor:
        """Return what a view of a frame shows; InvalidInputError if the frame came without its own pixels."""
        _, seen = self._frame(index)
        if seen is None:
            raise InvalidInputError(f"Frame {index} of the stream cannot be enlarged; push(...) images to zoom in.")
        return seen(view)

    def _frame(self, index: int) -> tuple[Tensor, Seen | None]:
        for number, pixels, seen in self._kept:
            if number == index:
                return pixels, seen
        raise InvalidInputError(
            f"Frame {index} of the stream was dropped; the frames {[number for number, *_ in self._kept]} are still "
            "there (max_stream_frames is their number)."
        )

    def __contains__(self, index: int) -> bool:
        return any(number == index for number, *_ in self._kept)

    def add(self, pixels: Tensor, index: int | None = None, seen: Seen | None = None) -> int:
        """Take the next frame, or one that is `index` - its number if frames were left out - and return its number."""
        index = self.count if index is None else index
        if index < self.count:
            raise InvalidInputError(f"Frame {index} came after frame {self.count - 1}; frames come in their order.")
        if self._kept and self._kept[-1][1].shape != pixels.shape:
            raise InvalidInputError(
                f"The frame has the shape {list(pixels.shape)}; the frames before it have "
                f"{list(self._kept[-1][1].shape)}."
            )
        self._kept.append((index, pixels, seen))
        self.count = index + 1
        return index


class FeatureCache:
    """The features of the frames, or the views of frames, that were used last."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: OrderedDict[tuple[int, View | None], ImageFeatures] = OrderedDict()
        self._ahead: dict[tuple[int, View | None], ImageFeatures] = {}  # of the frame that is asked for next

    def get(self, frame: int, compute: Callable[[], ImageFeatures], view: View | None = None) -> ImageFeatures:
        """Return the features of a view of `frame` (None: the whole frame), computed unless they are kept."""
        features = self._kept.pop((frame, view), None) or self._ahead.pop((frame, view), None)
        if features is None:
            features = compute()
        self._kept[frame, view] = features
        while len(self._kept) > self.size:
            self._kept.popitem(last=False)
        return features

    def compute_ahead(self, frame: int, compute: Callable[[], ImageFeatures]) -> None:
        """Keep the features of a frame that is asked for next, beside those of the frames used last."""
        if (frame, None) not in self._kept.keys() | self._ahead.keys():
            self._ahead = {(frame, None): compute()}

    def clear(self) -> None:
        """Drop all features."""
        self._kept.clear()
        self._ahead.clear()

    clear_all = clear


class FrameSource:
    """The frames of a session, a video's or the last ones of a stream, with the features of those used last."""

    def __init__(self, video: Frames | None, *, most_streamed: int, most_features: int) -> None:
        if video is not None and not len(video):
            raise InvalidInputError("The video has no frames.")
        self.frames: Frames | StreamedFrames = StreamedFrames(most_streamed) if video is None else video
        self.cache = FeatureCache(most_features)
        self._ahead: dict[int, Tensor] = {}  # by its number the frame that is on its way to the device
        self._last = -1

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
        return self.seen(frame, None)

    def seen(self, frame: int, view: View | None) -> Tensor:
        """Return what a view of a frame (None: all of it) shows, [3, S, S]; errors as for the whole frame."""
        return self._read(frame, view, self._normalised)

    def _normalised(self, frame: int, view: View | None) -> Tensor:
        if view is None:
            return self.frames[frame]
        assert isinstance(self.frames, ZoomableFrames)  # as a session that zooms makes sure
        return self.frames.seen(frame, view)

    def _read(self, frame: int, view: View | None, read: Callable[[int, View | None], Tensor]) -> Tensor:
        self.check(frame)
        try:
            return read(frame, view)
        except IndexError as error:
            raise InvalidInputError(
                f"The video ended before frame {frame}, though its header promises {len(self)} frames."
            ) from error

    def add(self, pixel_values: Tensor, index: int | None = None, seen: Seen | None = None) -> int:
        """Take the next frame of a stream, [3, S, S] or [1, 3, S, S], and return its number."""
        if not isinstance(self.frames, StreamedFrames):
            raise InvalidInputError("This session has a video; frames are pushed to a session that was made without.")
        pixels = pixel_values[0] if pixel_values.ndim == 4 and len(pixel_values) == 1 else pixel_values
        if pixels.ndim != 3:
            raise InvalidInputError(f"A frame has the shape [3, S, S]; got {list(pixel_values.shape)}.")
        return self.frames.add(pixels, index, seen)

    def go_on_from(self, count: int) -> None:
        """Continue the numbers of a stream's frames at `count`."""
        if isinstance(self.frames, StreamedFrames):
            self.frames.count = count

    def features(self, runtime: Runtime, frame: int, view: View | None = None) -> ImageFeatures:
        """Return the features of a view of a frame (None: all of it), computed unless they are kept."""
        return self.cache.get(frame, lambda: self._encoded(runtime, frame, view), view)

    def encode_ahead(self, runtime: Runtime, frame: int) -> None:
        """Give a device with a queue the frame that is tracked next, so that it has work while results are read."""
        if has_queue(runtime.device):
            with suppress(OSError, ValueError), torch.inference_mode():  # reported when the frame is asked for
                self.cache.compute_ahead(frame, lambda: self._encoded(runtime, frame, None))

    def _encoded(self, runtime: Runtime, frame: int, view: View | None) -> ImageFeatures:
        pixels = self._on_device(frame, view, runtime.device).to(runtime.dtype)
        features = runtime.encode_image(pixels.unsqueeze(0))
        if view is None:
            self._send_ahead(frame, runtime.device)
        return features

    def _on_device(self, frame: int, view: View | None, device: torch.device) -> Tensor:
        if not (has_queue(device) and isinstance(self.frames, StretchedFrames)):
            return sent(self.seen(frame, view), device)
        pixels = self._ahead.pop(frame, None) if view is None else None
        if pixels is None:
            pixels = sent(self._read(frame, view, self.frames.stretched), device)
        return self.frames.scaled(pixels)

    def _send_ahead(self, frame: int, device: torch.device) -> None:
        """Send the frame that comes next, in the direction of the last two, while the device works on this one."""
        is_reversed, self._last = frame == self._last - 1, frame
        following = frame - 1 if is_reversed else frame + 1
        self._ahead.clear()
        is_there = has_queue(device) and 0 <= following < len(self)
        if is_there and isinstance(self.frames, StretchedFrames):
            with suppress(OSError, ValueError):  # reported when the frame is asked for
                self._ahead[following] = sent(self._read(following, None, self.frames.stretched), device)
