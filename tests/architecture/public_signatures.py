"""The signatures of the public API as text: `python -m tests.architecture.public_signatures` renews the snapshot."""

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import masklet
from masklet.configuration import Config

SNAPSHOT = Path(__file__).with_name("public_signatures.txt")


def public_signatures() -> str:
    """Every public name with its parameters and defaults, and under a class its public members.

    Members that a class has from another one listed here, without a change, stand there only.
    """
    listed = {**{name: getattr(masklet, name) for name in masklet.__all__}, "Config": Config}
    classes = {value for value in listed.values() if isinstance(value, type)}
    return "\n".join(line for name in sorted(listed) for line in _lines(name, listed[name], classes)) + "\n"


def parameters(call: Callable[..., Any], is_bound: bool = False) -> str:
    """The parameters of a call in brackets, with defaults and without annotations or `self`."""
    signature = inspect.signature(call)
    given = list(signature.parameters.values())[is_bound:]
    bare = [each.replace(annotation=each.empty, default=_Shown.of(each.default)) for each in given]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def _lines(name: str, value: Any, classes: set[type]) -> Iterator[str]:
    if isinstance(value, type) and issubclass(value, BaseException):
        yield f"{name}: {', '.join(base.__name__ for base in value.__bases__)}"
        return
    if isinstance(value, type) and issubclass(value, Config):
        fields = value.field_defaults()
        yield name
        yield from (f"    {field}={_text(default)}" for field, default in fields.items())
    else:
        fields = dict(inspect.signature(value).parameters)
        yield f"{name}{parameters(value)}"
    if isinstance(value, type):
        yield from _members(value, classes, fields)


def _members(kind: type, classes: set[type], fields: dict[str, Any]) -> Iterator[str]:
    """The public methods and properties that masklet declares, but for fields and what a listed base declares."""
    owners = [owner for owner in kind.__mro__ if owner.__module__.startswith("masklet")]
    bases = [owner for owner in owners if owner in classes and owner is not kind]
    for member in sorted({member for owner in owners for member in vars(owner)} - fields.keys()):
        declared = inspect.getattr_static(kind, member)
        is_inherited = any(inspect.getattr_static(base, member, None) is declared for base in bases)
        if member.startswith("_") or is_inherited:
            continue
        if isinstance(declared, property) or not callable(value := getattr(kind, member)):
            yield f"    .{member}"
        else:
            yield f"    .{member}{parameters(value, not isinstance(declared, classmethod | staticmethod))}"


class _Shown:
    """A default value whose representation is the same in every process."""

    def __init__(self, value: object) -> None:
        self._value = value

    @classmethod
    def of(cls, value: Any) -> Any:
        return value if value is inspect.Parameter.empty else cls(value)

    def __repr__(self) -> str:
        return _text(self._value)


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return repr(value.value)
    return f"<{type(value).__name__}>" if " at 0x" in repr(value) else repr(value)


if __name__ == "__main__":
    SNAPSHOT.write_text(public_signatures(), encoding="utf-8")
