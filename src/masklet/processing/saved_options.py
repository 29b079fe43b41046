"""What the processors of images and of videos share: options as attributes and on disk, and the way back to masks."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor

from masklet.atomic_files import written_whole
from masklet.configuration.loading_arguments import built_from_file, storable, with_location, without_loading_arguments
from masklet.errors import InvalidInputError
from masklet.hub_uploads import HubUploads, check_hub_options
from masklet.processing import post_processing
from masklet.processing.image_options import OPTION_NAMES, ImageOptions
from masklet.processing.saved_settings import read_settings
from masklet.sources import Location, Source

# None stands for the default of these; of a step (`do_resize`), it means that the step is left out.
_WITH_DEFAULTS = tuple(name for name in OPTION_NAMES if not name.startswith("do_"))


class SavedOptions(ImageOptions, HubUploads):
    """Options of a processor, which a checkpoint's folder holds as one file.

    Every option of `ImageOptions` can be set here, changed as an attribute, or overridden in a single call. Settings
    with other names are kept as attributes and saved, as files of other versions contain them; secrets and other
    loading arguments are left out.

    Attributes:
        settings_file: name of the file.
        type_key: under what it names the class.
        read_settings: (source, **location) to the saved settings of a checkpoint.
    """

    settings_file: ClassVar[str]
    type_key: ClassVar[str]
    read_settings: ClassVar[Callable[..., dict[str, Any]]]

    def __init__(self, **options: Any) -> None:
        options = {name: value for name, value in options.items() if value is not None or name not in _WITH_DEFAULTS}
        super().__init__(**{name: options.pop(name) for name in OPTION_NAMES if name in options})
        for name, value in storable(options).items():
            if not hasattr(type(self), name):  # no key of a file takes the place of a method
                setattr(self, name, value)

    @property
    def settings(self) -> dict[str, Any]:
        """All settings by name, as the constructor takes them."""
        return dict(vars(self))

    def post_process_masks(self, masks: Any, original_sizes: Any, *positional: Any, **options: Any) -> list[Tensor]:
        """Return masks at the sizes of their images: `post_processing.post_process_masks`, which see.

        Both signatures of the public API are understood: (masks, original_sizes, reshaped_input_sizes, mask_threshold,
        binarize, max_hole_area, max_sprinkle_area), where reshaped_input_sizes has no effect, and (masks,
        original_sizes, mask_threshold, binarize, max_hole_area, max_sprinkle_area, apply_non_overlapping_constraints).
        """
        by_name = post_processing.options_by_name(positional, options)
        return post_processing.post_process_masks(masks, original_sizes, **by_name)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain values, with the class name under `type_key`."""
        settings = {name: value for name, value in self.settings.items() if name != "device"}
        return {**json.loads(json.dumps(settings, default=str)), self.type_key: type(self).__name__}

    def to_json_string(self) -> str:
        """Return the settings as JSON text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def to_json_file(self, path: str | os.PathLike[str]) -> None:
        """Write the settings to a JSON file, which appears only once it is complete."""
        with written_whole(path) as unfinished:
            unfinished.write_text(self.to_json_string(), encoding="utf-8")

    def save_pretrained(
        self, folder: str | os.PathLike[str], push_to_hub: bool = False, **hub_options: Any
    ) -> list[str]:
        """Write the settings as `settings_file` into a folder, made if missing; return the paths written.

        `push_to_hub` also uploads them: `hub_options` are those of the method `push_to_hub`, `repo_id` is by default
        the folder's name.
        """
        check_hub_options(hub_options)
        path = Path(folder) / self.settings_file
        self.to_json_file(path)
        if push_to_hub:
            self._push_saved(folder, **hub_options)
        return [str(path)]

    @classmethod
    def from_dict(cls, settings: dict[str, Any], **overrides: Any) -> Self:
        """Return a processor with these settings; `overrides` win."""
        return cls(**{**{name: value for name, value in settings.items() if name != cls.type_key}, **overrides})

    @classmethod
    def from_json_file(cls, path: str | os.PathLike[str]) -> Self:
        """Return a processor with the settings of a JSON file; CheckpointError if it is not one."""
        return cls._from_saved(read_settings(path), os.fspath(path))

    @classmethod
    def from_pretrained(
        cls,
        source: Source = None,
        *,
        return_unused_kwargs: bool = False,
        **keywords: Any,
    ) -> Self:
        """Return the processor of a checkpoint.

        Args:
            source: a folder, a hub id, a Meta `.pt` file (they all use the default settings), or None for the bundled
                model. Both `preprocessor_config.json` and the nested `processor_config.json` are understood.
            return_unused_kwargs: return the processor and a dictionary of the keywords that are no options, instead of
                refusing them.
            **keywords: those of `masklet.sources.Location`, and options, which replace the saved ones. Other loading
                arguments (`masklet.configuration.loading_arguments`) change nothing.

        Raises:
            CheckpointError: if there are no such settings.
            InvalidInputError: for options that are neither known nor saved.
        """
        source, location, keywords = with_location(source, keywords)
        processor, unused = cls._loaded(source, location, keywords, refuses_unused=not return_unused_kwargs)
        return (processor, unused) if return_unused_kwargs else processor  # type: ignore[return-value]

    @classmethod
    def _loaded(
        cls, source: Source, location: Location, keywords: Mapping[str, Any], *, refuses_unused: bool
    ) -> tuple[Self, dict[str, Any]]:
        """Return the processor of a checkpoint, and the keywords that are no options of it."""
        saved = cls.read_settings(source, **location)
        overrides = without_loading_arguments(keywords)
        unused = {name: overrides.pop(name) for name in list(overrides) if name not in {*OPTION_NAMES, *saved}}
        if unused and refuses_unused:
            raise InvalidInputError(f"Unknown options {list(unused)}; the processor knows {list(OPTION_NAMES)}.")
        origin = "The bundled model" if source is None else os.fspath(source)
        return cls._from_saved(saved, origin, **overrides), unused

    @classmethod
    def _from_saved(cls, saved: dict[str, Any], origin: str, **overrides: Any) -> Self:
        """Return a processor; CheckpointError that names the origin, unless it is the overrides that are wrong."""
        return built_from_file(cls.from_dict, saved, f"The processor settings of {origin} cannot be used", **overrides)

    def _with(self, overrides: dict[str, Any]) -> ImageOptions:
        if unknown := [name for name in overrides if name not in OPTION_NAMES]:
            raise InvalidInputError(f"Unknown options {unknown}; the processor knows {list(OPTION_NAMES)}.")
        given = {name: value for name, value in overrides.items() if value is not None}
        return ImageOptions(**{name: given.get(name, getattr(self, name)) for name in OPTION_NAMES})
