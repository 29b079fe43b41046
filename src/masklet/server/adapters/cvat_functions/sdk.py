"""CVAT's own library, which is imported when a function is created."""

from types import ModuleType

from masklet.errors import InvalidInputError


def auto_annotation() -> ModuleType:
    """Return the module `cvat_sdk.auto_annotation`; InvalidInputError if it is not installed."""
    try:
        from cvat_sdk import auto_annotation
    except ImportError as error:
        raise InvalidInputError("Functions of CVAT need its library: pip install cvat-cli.") from error
    module: ModuleType = auto_annotation
    return module
