"""Features of frames, computed once for both lanes; those of all items share a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from masklet.masks.views import View
from masklet.runtimes.protocol import ImageFeatures
from masklet.tracking.frames import FeatureCache

Key = tuple[str, int, View | None]


class FeatureStore:
    """The features that were used last.

    Args:
        most: bytes.
        on_encode: called for each frame that is encoded.
    """

    def __init__(self, most: int, on_encode: Callable[[], None]) -> None:
        self._most, self._on_encode = most, on_encode
        self._lock = Lock()
        self._kept: OrderedDict[Key, ImageFeatures] = OrderedDict()
        self._computing: dict[Key, Lock] = {}
        self.bytes = 0

    def get(self, key: Key, compute: Callable[[], ImageFeatures]) -> ImageFeatures:
        """Return features, computed unless they are there; two threads never compute the same."""
        with self._lock:
            if (features := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return features
            computing = self._computing.setdefault(key, Lock())
        with computing:
            with self._lock:
                if (features := self._kept.get(key)) is not None:
                    return features
            try:
                features = compute()
                self._on_encode()
                with self._lock:
                    self._keep(key, features)
            finally:
                with self._lock:
                    self._computing.pop(key, None)
            return features

    def has(self, item: str, frame: int) -> bool:
        """Return whether the features of a whole frame are there."""
        return (item, frame, None) in self._kept

    def forget(self, item: str) -> None:
        """Drop the features of an item."""
        with self._lock:
            for key in [each for each in self._kept if each[0] == item]:
                self.bytes -= _size(self._kept.pop(key))

    def _keep(self, key: Key, features: ImageFeatures) -> None:
        self._kept[key] = features
        self.bytes += _size(features)
        while self.bytes > self._most and len(self._kept) > 1:
            self.bytes -= _size(self._kept.popitem(last=False)[1])


class ItemFeatures(FeatureCache):
    """The features of one item, for its session.

    Args:
        store: of all items.
        item: its id.
    """

    def __init__(self, store: FeatureStore, item: str) -> None:
        super().__init__(0)
        self._store, self._item = store, item

    def get(self, frame: int, compute: Callable[[], ImageFeatures], view: View | None = None) -> ImageFeatures:
        """Return the features of a view of a frame (None: the whole frame), computed unless they are kept."""
        return self._store.get((self._item, frame, view), compute)

    def clear(self) -> None:
        """Drop all features of the item."""
        self._store.forget(self._item)


def _size(features: ImageFeatures) -> int:
    return sum(each.numel() * each.element_size() for each in (features.stride4, features.stride8, features.stride16))
