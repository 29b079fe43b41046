"""Conveniences of configurations for programs written for transformers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from masklet.configuration.field_values import MOST_LABELS
from masklet.json_files import whole_number

_NAME_OR_PATH = "_name_or_path"
BESIDE_THE_FIELDS = frozenset({_NAME_OR_PATH})


class ConfigConveniences:
    """Properties and methods of a configuration; none of them adds a field."""

    model_type: ClassVar[str]
    dtype: str | None
    return_dict: bool

    @property
    def name_or_path(self) -> str:
        """The path or hub id that the configuration was loaded from; "" for the bundled one and new ones."""
        return str(vars(self).get(_NAME_OR_PATH, ""))

    @name_or_path.setter
    def name_or_path(self, name: str) -> None:
        vars(self)[_NAME_OR_PATH] = str(name)

    @property
    def torch_dtype(self) -> str | None:
        """The older spelling of `dtype`, the name of a floating-point type."""
        return self.dtype

    @torch_dtype.setter
    def torch_dtype(self, dtype: Any) -> None:
        self.dtype = None if dtype is None else str(dtype).removeprefix("torch.")

    @property
    def use_return_dict(self) -> bool:
        """True if models return outputs by name rather than tuples; the older spelling of `return_dict`."""
        return self.return_dict

    @property
    def num_labels(self) -> int:
        """Number of classes in `id2label` (2 unless set), for tools that ask every configuration for it."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, count: int) -> None:
        count = whole_number(count, "num_labels", 0, MOST_LABELS)
        self.id2label = {index: f"LABEL_{index}" for index in range(count)}
        self.label2id = {label: index for index, label in self.id2label.items()}

    @property
    def id2label(self) -> dict[int, str]:
        """The names of classes by number. SAM 2 has none: a configuration saves them only once they are set."""
        labels: dict[int, str] = vars(self).get("id2label", {0: "LABEL_0", 1: "LABEL_1"})
        return labels

    @id2label.setter
    def id2label(self, labels: dict[int, str]) -> None:
        vars(self)["id2label"] = labels

    @property
    def label2id(self) -> dict[str, int]:
        """The numbers of classes by name."""
        numbers: dict[str, int] = vars(self).get("label2id", {label: index for index, label in self.id2label.items()})
        return numbers

    @label2id.setter
    def label2id(self, numbers: dict[str, int]) -> None:
        vars(self)["label2id"] = numbers

    def to_dict(self) -> dict[str, Any]:
        """See `Config.to_dict`."""
        raise NotImplementedError

    def update(self, values: Mapping[str, Any]) -> None:
        """Set several fields; the configuration stays as it is if they do not go together (`InvalidInputError`)."""
        updated = type(self)(**{**vars(self), **values})
        vars(self).update(vars(updated))

    def to_diff_dict(self) -> dict[str, Any]:
        """Return `to_dict` without the fields that have their default values, nested configurations likewise."""
        return _differences(self.to_dict(), type(self)().to_dict()) | {"model_type": self.model_type}


def _differences(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _differences(value, defaults[name])
        if isinstance(value, dict) and isinstance(defaults.get(name), dict)
        else value
        for name, value in values.items()
        if name not in defaults or value != defaults[name]
    }
