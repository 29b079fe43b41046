"""Every field of a recipe by its dotted name: to print, and to set from the command line.

`losses.dice`, `stages.0.steps` or `model.num_maskmem` name a field; texts become values by the fields' annotations, and
what `settings` prints `overridden` takes.
"""

import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from masklet.configuration import Config
from masklet.errors import InvalidInputError

Settings = TypeVar("Settings")

NOTHING = "none"
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}

OLDER_NAMES = {
    "picture_folders": "image_folders",
    "near_views": "object_crops",
    "rounds": "prompt_rounds",
    "average_decay": "ema_decay",
    "data.stills": "data.images",
    "mixture.labelled_photograph": "mixture.labelled_image",
    "mixture.round_things": "mixture.round_objects",
    "clip_mixture.labelled_photograph": "clip_mixture.labelled_image",
    "stages.*.stills_every": "stages.*.images_every",
    "hardware.shares_per_step": "hardware.micro_batches_per_step",
    "hardware.checkpoints_gradients": "hardware.gradient_checkpointing",
    "losses.close_up": "losses.cropped",
    "annotator.deepest": "annotator.center_click",
    "annotator.truth": "annotator.from_ground_truth",
}
"""From the earlier dotted name of a field or a group of fields to today's; * is any number of a stage."""


def overridden(config: Settings, assignments: Iterable[str]) -> Settings:
    """Set some fields of a dataclass, each by a text "dotted.name=value"; the last one of the same name counts.

    None is written `none`, a list `1,2` or `[1, 2]`. A part that is None by default comes into being when one of its
    fields is set. Earlier names of a recipe's fields are read as today's (`OLDER_NAMES`).

    Raises:
        InvalidInputError: for an unknown name (it lists the known ones and the nearest), for a text that is no value of
            the field's type, and for values that the config itself refuses.
    """
    texts: dict[tuple[str, ...], str] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InvalidInputError(f"{assignment!r} sets nothing; write NAME=VALUE, losses.dice=4 for example.")
        texts[tuple(todays_name(name.strip()).split("."))] = text.strip()
    known = list(settings(config))
    return _rebuilt(config, texts, _Place("", known))


def settings(config: object) -> dict[str, str]:
    """Return the value of every field, as `overridden` reads it, by its dotted name."""
    return {name.removeprefix("."): text for name, text in _leaves(config, "")}


class _Place:
    """The part of the config that a name is looked for in, for errors."""

    def __init__(self, prefix: str, known: list[str]) -> None:
        self.prefix, self.known = prefix, known

    def of(self, name: str) -> "_Place":
        return _Place(f"{self.prefix}{name}.", self.known)

    def unknown(self, name: str, here: Iterable[str]) -> InvalidInputError:
        whole = self.prefix + name
        ends = {leaf.rpartition(".")[2]: leaf for leaf in reversed(self.known)}
        near = difflib.get_close_matches(whole, self.known, 1) or [
            ends[end] for end in difflib.get_close_matches(name.rpartition(".")[2], ends, 1)
        ]
        nearest = f" The nearest is {near[0]}." if near else ""
        where = f"{self.prefix.removesuffix('.')} has" if self.prefix else "there are"
        return InvalidInputError(
            f"No field is called {whole!r}.{nearest} Here {where}: {', '.join(here) or 'nothing'}."
        )


def _rebuilt(node: Any, texts: Mapping[tuple[str, ...], str], place: _Place) -> Any:
    """Return the node with the values that `texts` gives to the names below it, checked once all of them are set."""
    names = _names(node)
    changes = {}
    for name in {path[0]: None for path in texts}:
        if name not in names:
            raise place.unknown(".".join(next(path for path in texts if path[0] == name)), names)
        own = {path[1:]: text for path, text in texts.items() if path[0] == name}
        changes[name] = _changed(names[name], _kinds(node)[name], own, place.of(name))
    if isinstance(node, Config):
        return type(node).from_dict({**vars(node), **changes})
    if isinstance(node, tuple):
        return tuple(changes.get(str(index), value) for index, value in enumerate(node))
    return replace(node, **changes)


def _changed(value: Any, kind: Any, texts: dict[tuple[str, ...], str], place: _Place) -> Any:
    """One field's new value: given as a whole by the empty path, or by its parts."""
    name = place.prefix.removesuffix(".")
    whole = texts.pop((), None)
    if whole is not None:
        value = parsed_value(whole, kind, name)
    if not texts:
        return value
    parts = [member for member in _members(kind) if isinstance(member, type) and is_dataclass(member)]
    if value is None and parts:
        value = parts[0]()
    if not _is_branch(value):
        below = min(texts)
        raise place.unknown(".".join(below), [])
    return _rebuilt(value, texts, place)


def _is_branch(value: object) -> bool:
    if isinstance(value, tuple):
        return any(_is_branch(each) for each in value)
    return isinstance(value, Config) or (is_dataclass(value) and not isinstance(value, type))


def _names(node: Any) -> dict[str, Any]:
    """Return the names right below a node and their values."""
    if isinstance(node, tuple):
        return {str(index): value for index, value in enumerate(node)}
    names = node.field_defaults() if isinstance(node, Config) else [field.name for field in fields(node)]
    return {name: getattr(node, name) for name in names}


def _kinds(node: Any) -> dict[str, Any]:
    """Return the names right below a node and their types."""
    if isinstance(node, tuple):
        return {str(index): type(value) for index, value in enumerate(node)}
    return get_type_hints(type(node))


def _leaves(node: object, name: str) -> Iterator[tuple[str, str]]:
    if _is_branch(node):
        for below, value in _names(node).items():
            yield from _leaves(value, f"{name}.{below}")
    else:
        yield name, _written(node)


def _written(value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return json.dumps([str(each) if isinstance(each, Path) else each for each in value])
    return str(value.value if isinstance(value, Enum) else value)


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def parsed_value(text: str, kind: Any, name: str) -> Any:
    """Return a text as a value of a type; the first member of a union that takes it decides.

    InvalidInputError, with `name`, if none does.
    """
    for member in sorted(_members(kind), key=lambda each: each is not NoneType):
        try:
            return _value(text, member)
        except ValueError:
            continue
    wanted = " or ".join(_described(member) for member in _members(kind))
    raise InvalidInputError(f"{name}={text}: the value must be {wanted}.")


def _value(text: str, kind: Any) -> Any:  # noqa: PLR0911 (a table of types)
    """Parse a text as one type; ValueError if it is none."""
    origin = get_origin(kind) or kind
    if origin is NoneType and text.lower() == NOTHING:
        return None
    if origin is bool and text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    if origin in (int, str, Path):
        return origin(text)
    if origin is float and math.isfinite(number := float(text)):
        return number
    if origin is Literal and text in (choices := {str(each): each for each in get_args(kind)}):
        return choices[text]
    if origin in (tuple, list):
        return origin(_value(item, get_args(kind)[0]) for item in _items(text))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(text)
    raise ValueError(text)


def _items(text: str) -> list[str]:
    if not text.startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    return [item if isinstance(item, str) else json.dumps(item) for item in json.loads(text)]


def _described(kind: Any) -> str:
    origin = get_origin(kind) or kind
    if origin is Literal:
        return "one of " + ", ".join(str(each) for each in get_args(kind))
    if origin in (tuple, list):
        return f"a list of which each is {_described(get_args(kind)[0])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(each.value) for each in kind)
    if is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, Config)):
        return "set by its own fields"
    known = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}
    return NOTHING if kind is NoneType else known.get(kind, str(kind))


def todays_name(name: str) -> str:
    """Replace an earlier dotted name of a field by today's; any other name is returned as it is."""
    parts = name.split(".")
    for older, newer in OLDER_NAMES.items():
        pattern = older.split(".")
        if len(pattern) <= len(parts) and all(each in ("*", part) for each, part in zip(pattern, parts, strict=False)):
            named = [part if each == "*" else each for each, part in zip(newer.split("."), parts, strict=False)]
            return ".".join([*named, *parts[len(pattern) :]])
    return name
