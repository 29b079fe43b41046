"""Where the frames of a session come from, and the features of the last few of them."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from masklet.errors import InvalidInputError

Features = tuple[Tensor, ...]


class Frames(Protocol):
    """A video: frames by number, [3, S, S], normalised, decoded when they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Tensor: ...


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
            f"the frames {[number for number, _ in self._kept]} are still there (max_stream_frames says how many)."
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
        self._kept: OrderedDict[int, Features] = OrderedDict()

    def get(self, frame: int, compute: Callable[[], Features]) -> Features:
        """The features of `frame`, computed unless they are kept."""
        features = self._kept.pop(frame, None)
        if features is None:
            features = compute()
        self._kept[frame] = features
        while len(self._kept) > self.size:
            self._kept.popitem(last=False)
        return features

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
