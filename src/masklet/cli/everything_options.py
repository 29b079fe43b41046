"""The options of everything mode, and the settings that they stand for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_type_hints

import typer

from masklet.errors import InvalidInputError

EverythingOption = Annotated[
    bool, typer.Option("--everything", help="Segment everything that there is, without prompts.")
]
MaskPresetOption = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="Settings of --everything by name; default: the model's own."),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Change a setting of --everything, points_per_side=16 say; repeatable."
    ),
]


def assigned(assignments: Iterable[str], kind: type) -> dict[str, Any]:
    """Return what `--set NAME=VALUE` sets of a dataclass, each value of its field's type; the last of a name counts.

    InvalidInputError for another form, unknown names and values of another type. Ranges are the dataclass' matter.
    """
    kinds = get_type_hints(kind)
    values = {}
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise InvalidInputError(f"--set {assignment} sets nothing; write NAME=VALUE.")
        values[name] = _value(name, text, kinds)
    return values


def check_everything(is_wanted: bool, *, prompts: Mapping[str, object], settings: Mapping[str, object]) -> None:
    """Raise InvalidInputError where --everything is given with prompts, or its settings without it.

    Args:
        is_wanted: whether --everything is given.
        prompts: the options of prompts and what they were given.
        settings: those of everything mode.
    """
    given = [name for name, value in (prompts if is_wanted else settings).items() if value]
    if given and is_wanted:
        raise InvalidInputError(f"--everything needs no prompts; leave out {', '.join(given)}, or --everything.")
    if given:
        raise InvalidInputError(f"{', '.join(given)} can be given with --everything only.")


def _value(name: str, text: str, kinds: dict[str, Any]) -> Any:
    from masklet.training.settings.overrides import parsed_value

    if name not in kinds:
        nearest = [f" The nearest is {each}." for each in difflib.get_close_matches(name, kinds, 1)]
        raise InvalidInputError(f"--set {name}: there is no such setting.{''.join(nearest)} Known: {', '.join(kinds)}.")
    return parsed_value(text, kinds[name], name)
