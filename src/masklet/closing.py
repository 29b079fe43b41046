"""Objects that hold files, folders or processes until they are closed."""

from types import TracebackType
from typing import Self


class Closing:
    """An object with a `close` method; used as a context, it is closed at the end of the block."""

    def close(self) -> None:
        """Release what the object holds."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
