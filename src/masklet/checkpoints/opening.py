"""A checkpoint of any origin and layout as a configuration and tensors under their current names."""

from typing import Any, TypeVar

from masklet.checkpoints.layouts import in_current_layout
from masklet.checkpoints.reading import read_weights
from masklet.checkpoints.released import config_by_shapes
from masklet.checkpoints.renaming import Tensors
from masklet.configuration import Config
from masklet.configuration.base import CONFIG_FILE
from masklet.sources import Location, Source, locate_file

AnyConfig = TypeVar("AnyConfig", bound=Config)


def open_checkpoint(
    source: Source,
    config_class: type[AnyConfig],
    location: Location | None = None,
    variant: str | None = None,
    **config_overrides: Any,
) -> tuple[AnyConfig, Tensors]:
    """Return the configuration, as `config_class`, and all tensors of a checkpoint.

    The configuration is that of `config.json`, else the one inside the weight file, else that of the released model
    whose shapes the tensors have. `config_overrides` win over it. Raises `CheckpointError`.
    """
    config, location = None, location or {}
    if locate_file(source, CONFIG_FILE, required=False, **location):
        config = config_class.from_pretrained(source, **location, **config_overrides)
    stored = read_weights(source, variant=variant, **location)
    tensors = in_current_layout(stored.tensors)
    if config is None:
        values = stored.config or config_by_shapes(tensors).to_dict()
        for key in config_class.path_in_composite:
            values = values.get(key, values)
        config = config_class.from_dict(values, **config_overrides)
    return config, tensors
