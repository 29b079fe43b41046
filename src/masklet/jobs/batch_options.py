"""The options of a job of a batch, as JSON: those of `masklet segment` and `masklet track`, checked before any work."""

from collections.abc import Callable, Mapping
from typing import Any

from masklet.automask.policy import EverythingPolicy
from masklet.automask.settings import AutomaticMaskSettings
from masklet.errors import InvalidInputError
from masklet.jobs.track_products import Product
from masklet.json_files import shown, whole_number
from masklet.tracking.frame_order import Direction


def checked_options(options: Any, *, is_video: bool, is_everything: bool) -> Mapping[str, Any]:
    """Return the options; InvalidInputError for those that such a job does not have, and for other values."""
    known = _known(is_video, is_everything)
    if not isinstance(options, dict) or not options.keys() <= known.keys():
        raise InvalidInputError(f"'options' is an object; here it can have {', '.join(known)}; got {shown(options)}.")
    for name, value in options.items():
        known[name](name, value)
    if is_everything and is_video:
        policy_of(options)
    elif is_everything:
        AutomaticMaskSettings.of_preset(options.get("preset"), None, **options.get("settings", {}))
    return options


def products_of(options: Mapping[str, Any]) -> tuple[Product, ...]:
    """Return what is written of a video beside JSON: the overlay, if nothing else is asked for."""
    return tuple(Product(each) for each in options.get("write", [Product.OVERLAY]))


def policy_of(options: Mapping[str, Any]) -> EverythingPolicy:
    """Return how everything in a video is found."""
    return EverythingPolicy.named(options.get("policy", "default"), **options.get("settings", {}))


def _known(is_video: bool, is_everything: bool) -> dict[str, Callable[[str, Any], object]]:
    """Return a check for each option that a job of this kind can have."""
    if not is_video:
        return {"ids": _flag, **({"preset": _text, "settings": _settings} if is_everything else {"multimask": _flag})}
    own: dict[str, Callable[[str, Any], object]] = {"direction": _direction, "frames": _frames}
    if is_everything:
        own = {"policy": _text, "settings": _settings, "lookback": _flag}
    return {"ids": _flag, "write": _products, "zoom": _flag, **own}


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidInputError(f"the option '{name}' is true or false; got {shown(value)}.")


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidInputError(f"the option '{name}' is a name; got {shown(value)}.")


def _settings(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise InvalidInputError(f"the option '{name}' is an object of settings by name; got {shown(value)}.")


def _products(name: str, value: Any) -> None:
    if not isinstance(value, list) or not set(map(str, value)) <= {*Product}:
        raise InvalidInputError(f"the option '{name}' is a list of {', '.join(Product)}; got {shown(value)}.")


def _direction(name: str, value: Any) -> None:
    if value not in (known := [each.value for each in Direction]):
        raise InvalidInputError(f"the option '{name}' is one of {', '.join(known)}; got {shown(value)}.")


def _frames(name: str, value: Any) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise InvalidInputError(f"the option '{name}' is [first, end]; got {shown(value)}.")
    whole_number(value[1], "The end of the frames", least=whole_number(value[0], "The first frame") + 1)
