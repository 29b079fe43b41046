"""The signatures of the public API: `python -m tests.architecture.public_signatures` renews them and the reference."""

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
    return "\n".join(line for name, value in sorted(_listed().items()) for line in _lines(name, value)) + "\n"


def parameters(call: Callable[..., Any], is_bound: bool = False) -> str:
    """The parameters of a call in brackets, with defaults and without annotations or `self`."""
    signature = inspect.signature(call)
    given = list(signature.parameters.values())[is_bound:]
    bare = [each.replace(annotation=each.empty, default=_Shown.of(each.default)) for each in given]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def members(kind: type) -> Iterator[tuple[str, str]]:
    """The public methods with their parameters, and the properties, that masklet declares for a class.

    Left out are fields, which are parameters of the class itself, and what a listed base declares.
    """
    owners = [owner for owner in kind.__mro__ if owner.__module__.startswith("masklet")]
    bases = [owner for owner in owners if owner in _listed().values() and owner is not kind]
    for member in sorted({member for owner in owners for member in vars(owner)} - _fields(kind).keys()):
        declared = inspect.getattr_static(kind, member)
        is_inherited = any(inspect.getattr_static(base, member, None) is declared for base in bases)
        if member.startswith("_") or is_inherited:
            continue
        if isinstance(declared, property) or not callable(value := getattr(kind, member)):
            yield member, ""
        else:
            yield member, parameters(value, not isinstance(declared, classmethod | staticmethod))


def text_of(value: object) -> str:
    """A default value as text, the same in every process."""
    if isinstance(value, Enum):
        return repr(value.value)
    return f"<{type(value).__name__}>" if " at 0x" in repr(value) else repr(value)


def _listed() -> dict[str, Any]:
    return {**{name: getattr(masklet, name) for name in masklet.__all__}, "Config": Config}


def _fields(kind: type) -> dict[str, Any]:
    return kind.field_defaults() if issubclass(kind, Config) else dict(inspect.signature(kind).parameters)


def _lines(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, type) and issubclass(value, BaseException):
        yield f"{name}: {', '.join(base.__name__ for base in value.__bases__)}"
        return
    if isinstance(value, type) and issubclass(value, Config):
        yield name
        yield from (f"    {field}={text_of(default)}" for field, default in _fields(value).items())
    else:
        yield f"{name}{parameters(value)}"
    if isinstance(value, type):
        yield from (f"    .{member}{given}" for member, given in members(value))


class _Shown:
    """A default value whose representation is the same in every process."""

    def __init__(self, value: object) -> None:
        self._value = value

    @classmethod
    def of(cls, value: Any) -> Any:
        return value if value is inspect.Parameter.empty else cls(value)

    def __repr__(self) -> str:
        return text_of(self._value)


if __name__ == "__main__":
    from tests.documents.reference_page import PAGE, reference_page

    SNAPSHOT.write_text(public_signatures(), encoding="utf-8")
    PAGE.write_text(reference_page(), encoding="utf-8")
