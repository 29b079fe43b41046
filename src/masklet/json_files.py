"""JSON files that somebody else wrote: read whole, their values checked one by one."""

import json
import math
import os
import reprlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from masklet.errors import InvalidInputError

Choice = TypeVar("Choice", bound=str | None)
CHECKSUM = "checksum"  # of everything else in an object: see `checksum_of`
LARGEST = 2**63 - 1
LARGEST_FINITE = 1e30
LONGEST_NAME, LONGEST_PATH = 255, 2000
"""In bytes; asked for longer ones, file systems answer with an error, and not that there is no such file."""
_LONGEST_NUMBER = 18  # digits that stay below LARGEST
_MOST_BITS = 14_000  # of a number whose digits are shown: Python refuses to print larger ones


class _Short(reprlib.Repr):
    """Shortens values in every direction; numbers that are too long to be printed become their number of digits."""

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() <= _MOST_BITS:
            return super().repr_int(x, level)
        return f"a number of about {x.bit_length() * math.log10(2):.0f} digits"


_SHORT = _Short()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother, _SHORT.maxdict, _SHORT.maxlist = 3, 80, 80, 6, 6


def read_json(path: Path, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return what a JSON file holds.

    Args:
        path: the file, in UTF-8 (with or without a byte order mark), UTF-16 or UTF-32.
        pairs: called with the names and values of each object; its return value takes the object's place.

    Raises:
        InvalidInputError: naming the file, if it is missing, is no text, no JSON, or nested too deeply.
        OSError: if it cannot be read for another reason.
    """
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=pairs)
    except FileNotFoundError:
        raise InvalidInputError(f"{path} does not exist.") from None
    except RecursionError:
        raise InvalidInputError(f"{path} is not usable JSON: its lists and objects are nested too deeply.") from None
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    except ValueError as error:
        raise InvalidInputError(f"{path} is not JSON ({error}).") from error


def checksum_of(content: Mapping[str, Any]) -> int:
    """Return the CRC-32 of an object's JSON, whatever the order of its names; beside it in a file it is `CHECKSUM`."""
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())


def shown(value: object) -> str:
    """Return a value for a message: its repr, shortened in every direction, so that it fits on a line."""
    return " ".join(line.strip() for line in _SHORT.repr(value).splitlines())


def whole_number(value: object, name: str, least: int = 0, most: int = LARGEST) -> int:
    """Return a value of a JSON file as a whole number from `least` to `most`.

    480.0 and "480" are read as 480: several tools write them. InvalidInputError, with `name`, for anything else.
    """
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
        value = int(value)
    is_whole = isinstance(value, Real) and not isinstance(value, bool) and value == value // 1
    if not is_whole or not least <= value <= most:  # type: ignore[operator]
        raise InvalidInputError(f"{name} must be a whole number from {least} to {most}; got {shown(value)}.")
    return int(value)  # type: ignore[call-overload]


def one_of(value: object, name: str, choices: Iterable[Choice]) -> Choice:
    """Return the one of `choices` (texts, members of a `StrEnum`, None) that a value is, or whose value it is.

    InvalidInputError, with `name`, for anything else.
    """
    known = {None if each is None else str(each): each for each in choices}
    if not isinstance(value, str | None) or value not in known:
        raise InvalidInputError(f"{name} must be one of {list(known)}; got {shown(value)}.")
    return known[value]


def is_finite_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a real number of which float32 holds as much as computing needs: up to 1e30."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and bool(abs(value) <= LARGEST_FINITE)  # type: ignore[arg-type]


def is_file_name(name: object) -> bool:
    """Return whether a value of JSON can be the name of a file: text that the file system can express."""
    try:
        encoded = os.fsencode(name) if isinstance(name, str) else b""
    except UnicodeEncodeError:
        return False
    parts = encoded.split(b"/")
    return 0 < len(encoded) <= LONGEST_PATH and b"\0" not in encoded and max(map(len, parts)) <= LONGEST_NAME
