"""The base of configuration classes: defaults, unknown keys, JSON, folders."""

import copy
import inspect
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, dataclass_transform

from masklet.atomic_files import written_whole
from masklet.configuration.config_conveniences import BESIDE_THE_FIELDS, ConfigConveniences
from masklet.configuration.field_values import field_value, fields_of, labels_of
from masklet.configuration.loading_arguments import built_from_file, storable, with_location, without_loading_arguments
from masklet.configuration.older_keys import OLDER_NAMES, with_current_keys
from masklet.errors import CheckpointError, InvalidInputError
from masklet.hub_uploads import HubUploads, check_hub_options
from masklet.json_files import read_json, shown
from masklet.sources import Location, Source, locate_file

CONFIG_FILE = "config.json"


@dataclass_transform(kw_only_default=True)
class Config(ConfigConveniences, HubUploads):
    """Base of the Sam2 configurations: annotated class attributes are the fields, their values the defaults.

    None stands for a field's default; `field_values.py` knows what is allowed. Unknown keyword arguments are kept as
    attributes and saved again, as the reference does; keys of the seed-era layout are translated first, secrets and
    other loading arguments (`loading_arguments.py`) are left out. Two configurations are equal when their dictionaries
    are.
    """

    model_type: ClassVar[str] = ""
    sub_configs: ClassVar[dict[str, type["Config"]]] = {}
    # The names of the keys that lead to this configuration inside a composite one.
    path_in_composite: ClassVar[tuple[str, ...]] = ()

    return_dict: bool = True
    output_hidden_states: bool = False
    output_attentions: bool = False
    dtype: str | None = None
    architectures: list[str] | None = None

    def __init__(self, **given: Any) -> None:
        given = with_current_keys(self.model_type, storable(given))
        kinds = self._field_kinds()
        for name, default in self.field_defaults().items():
            value = given.pop(name, None)
            setattr(self, name, default if value is None else field_value(value, name, kinds[name]))
        given.pop("model_type", None)
        for name, config_class in self.sub_configs.items():
            setattr(self, name, _as_sub_config(getattr(self, name), name, config_class))
        for name, value in given.items():
            if name in _LABELS or not hasattr(type(self), name):  # no key of a file takes the place of a method
                setattr(self, name, value)
        if labels := labels_of(given.get("id2label")):
            self.id2label = labels
        self.check()

    def check(self) -> None:
        """Raise `InvalidInputError` for values that no network can be built from."""

    @classmethod
    def field_defaults(cls) -> dict[str, Any]:
        """Return the declared fields and their defaults, base class first."""
        return {name: copy.deepcopy(getattr(cls, name)) for name in cls._field_kinds()}

    @classmethod
    def knows(cls, name: str) -> bool:
        """Return whether there is such a field, by today's or an older name; other keys are kept without effect."""
        return name in cls._field_kinds() or name in OLDER_NAMES or name in _LABELS

    @classmethod
    def _field_kinds(cls) -> dict[str, Any]:
        """Return the declared fields and what they are annotated with."""
        kinds: dict[str, Any] = {}
        for owner in reversed(cls.__mro__):
            declared = inspect.get_annotations(owner)
            kinds |= {name: kind for name, kind in declared.items() if name in vars(owner) and name not in _CLASS_LEVEL}
        return kinds

    def to_dict(self) -> dict[str, Any]:
        """Return all fields and unknown keys as JSON-ready values, nested configurations as dictionaries."""
        values = {
            name: value.to_dict() if isinstance(value, Config) else value
            for name, value in vars(self).items()
            if name not in BESIDE_THE_FIELDS
        }
        return copy.deepcopy({**values, "model_type": self.model_type})

    def to_json_string(self, use_diff: bool = False) -> str:
        """Return the dictionary as indented JSON with sorted keys; `use_diff` leaves out what is at its default."""
        return json.dumps(self.to_diff_dict() if use_diff else self.to_dict(), indent=2, sort_keys=True) + "\n"

    def to_json_file(self, path: str | os.PathLike[str], use_diff: bool = False) -> None:
        """Write the JSON to `path`."""
        with written_whole(path) as unfinished:
            unfinished.write_text(self.to_json_string(use_diff), encoding="utf-8")

    def save_pretrained(self, folder: str | os.PathLike[str], push_to_hub: bool = False, **hub_options: Any) -> None:
        """Write `config.json`, in the current layout, into `folder` (made if missing).

        `push_to_hub` also uploads it: `hub_options` are those of the method `push_to_hub`, `repo_id` is by default the
        folder's name.
        """
        check_hub_options(hub_options)
        self.to_json_file(Path(folder) / CONFIG_FILE)
        if push_to_hub:
            self._push_saved(folder, **hub_options)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, return_unused_kwargs: bool = False, **overrides: Any) -> Self:
        """Build from a dictionary of any known layout; `overrides` win over it.

        With `return_unused_kwargs` overrides that are neither fields nor keys of the dictionary are returned beside the
        configuration, as `AutoConfig` of transformers expects.
        """
        if return_unused_kwargs:
            unused = {name: overrides[name] for name in overrides if name not in values and not cls.knows(name)}
            used = {name: value for name, value in overrides.items() if name not in unused}
            return cls.from_dict(values, **used), unused  # type: ignore[return-value]
        try:
            return cls(**{**copy.deepcopy(dict(values)), **overrides})
        except RecursionError:
            raise InvalidInputError("A configuration holds lists or objects that are nested too deeply.") from None

    @classmethod
    def from_json_file(cls, path: str | os.PathLike[str]) -> Self:
        """Build from a JSON file; CheckpointError if it is none, or no configuration."""
        return built_from_file(cls.from_dict, _read_json(Path(path)), os.fspath(path))

    @classmethod
    def from_pretrained(
        cls,
        source: Source = None,
        *,
        return_unused_kwargs: bool = False,
        **keywords: Any,
    ) -> Self:
        """Read `config.json` of a folder, a hub id or (None) the bundled model.

        A part's class (such as `Sam2VisionConfig`) picks its own part out of a composite configuration.

        Args:
            source: a folder, a hub id or None.
            return_unused_kwargs: return the configuration and a dictionary of the keywords that are no fields, instead
                of refusing them.
            keywords: those of `masklet.sources.Location`; fields, or keys that the file has, which win over the file.
                Other loading arguments (`loading_arguments.py`) change nothing.

        Raises:
            CheckpointError: (an `OSError` and a `ValueError`) if the file is missing or of another model.
            InvalidInputError: for other keywords.
        """
        source, location, keywords = with_location(source, keywords)
        path, values = cls._located(source, location)
        unused = {name: keywords.pop(name) for name in list(keywords) if name not in values and not cls.knows(name)}
        if not return_unused_kwargs and (unknown := without_loading_arguments(unused)):
            raise InvalidInputError(
                f"{cls.__name__}.from_pretrained does not know {', '.join(unknown)}; allowed: "
                f"{', '.join(Location.__annotations__)}, its fields, and keys that the file has."
            )
        config = built_from_file(cls.from_dict, values, str(path), **keywords)
        config.name_or_path = "" if source is None else os.fspath(source)
        return (config, unused) if return_unused_kwargs else config  # type: ignore[return-value]

    @classmethod
    def get_config_dict(cls, source: Source = None, **keywords: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return this class's part of `config.json`, and the keywords that do not locate the file."""
        source, location, keywords = with_location(source, keywords)
        _, values = cls._located(source, location)
        return values, keywords

    @classmethod
    def _located(cls, source: Source, location: Location) -> tuple[Path, dict[str, Any]]:
        """Return the path of `config.json`, and this class's part of it."""
        path = locate_file(source, CONFIG_FILE, **location)
        assert path is not None
        values = cls.part_of(_read_json(path), path)
        cls.check_model_type(values.get("model_type", cls.model_type), path)
        return path, values

    @classmethod
    def part_of(cls, values: Any, path: Path) -> dict[str, Any]:
        """Return the part of a file's values that is this configuration: its part of a composite one, or all."""
        try:
            return fields_of(values, *cls.path_in_composite)
        except InvalidInputError as error:
            raise CheckpointError(f"{path}: {error}") from error

    @classmethod
    def check_model_type(cls, found: object, path: Path) -> None:
        """Raise `CheckpointError` if a file's `model_type` is of another model."""
        if found not in ("", cls.model_type):
            raise CheckpointError(
                f"{path} is the configuration of a {shown(found)} model; {cls.__name__} reads {cls.model_type!r}."
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # mutable, compared by value

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


_CLASS_LEVEL = frozenset({"model_type", "sub_configs", "path_in_composite"})
_LABELS = frozenset({"id2label", "label2id", "num_labels"})  # of every configuration, for tools that set them


def _as_sub_config(value: Any, name: str, config_class: type[Config]) -> Config:
    if value is None:
        return config_class()
    if isinstance(value, config_class):
        return value
    if isinstance(value, Mapping):
        return config_class.from_dict(value)
    raise InvalidInputError(f"{name} is a {type(value).__name__}; it may be a {config_class.__name__}, a dict or None.")


def _read_json(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, InvalidInputError) as error:
        raise CheckpointError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
