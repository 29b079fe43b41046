"""The options by which several machines share the work: a part each, or the workers of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from masklet.errors import InvalidInputError

RAY = "--ray"

ShardOption = Annotated[
    str | None, typer.Option("--shard", metavar="I/N", help="Do the I-th of N parts only, 1/N to N/N.")
]
RayOption = Annotated[
    str | None,
    typer.Option(
        RAY,
        metavar="[ADDRESS]",
        help="Workers of a Ray cluster: HOST:PORT, auto or local; alone: that of RAY_ADDRESS, or local.",
    ),
]


def parsed_shard(option: str) -> tuple[int, int]:
    """Return number and count of --shard; InvalidInputError if it is of another form."""
    number, slash, count = option.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()):
        raise InvalidInputError(f"--shard {option} is not of the form I/N, the I-th of N parts: --shard 1/10.")
    return int(number), int(count)


class MachineCommand(TyperCommand):
    """A command of which --ray may stand alone, in front of another option or at the end."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, with the address that --ray alone stands for."""
        return super().parse_args(ctx, list(_with_address(args)))


def _with_address(arguments: Sequence[str]) -> Iterator[str]:
    for place, argument in enumerate(arguments, start=1):
        yield argument
        if argument == RAY and (place == len(arguments) or arguments[place].startswith("-")):
            yield os.environ.get("RAY_ADDRESS") or "local"
