"""The option by which several machines that share a folder take a part of the work each."""

from __future__ import annotations

from typing import Annotated

import typer

from masklet.errors import InvalidInputError

ShardOption = Annotated[
    str | None, typer.Option("--shard", metavar="I/N", help="Do the I-th of N parts only, 1/N to N/N.")
]


def parsed_shard(option: str) -> tuple[int, int]:
    """Return number and count of --shard; InvalidInputError if it is of another form."""
    number, slash, count = option.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()):
        raise InvalidInputError(f"--shard {option} is not of the form I/N, the I-th of N parts: --shard 1/10.")
    return int(number), int(count)
