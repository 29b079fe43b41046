"""The commands by name, each imported when it is asked for: what the others need costs nothing."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
import typer.main

from masklet.cli.exit_codes import EXPLANATION
from masklet.cli.machine_options import MachineCommand

COMMANDS = ("segment", "track", "batch", "train", "convert", "export", "info", "benchmark", "studio", "serve")
"""Functions of the files that are called as they are."""
GROUPS = {"evaluate": "evaluation", "data": "data", "formats": "formats"}
"""Commands with commands of their own: the names of their applications in such files."""


class Commands(Mapping[str, Any]):
    """What a group of typer looks its commands up in."""

    def __getitem__(self, name: str) -> Any:
        """Return a command."""
        if name not in tuple(self):
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*COMMANDS, *GROUPS))

    def __len__(self) -> int:
        return len(COMMANDS) + len(GROUPS)


@cache
def _command(name: str) -> Any:
    found = getattr(import_module(f"masklet.cli.{name}"), GROUPS.get(name, name))
    if name in GROUPS:
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=MachineCommand, epilog=EXPLANATION)(found)
    return typer.main.get_command(alone)
