"""Meta's eight released models: their files, their hub ids, and their identification by tensors."""

import re
from dataclasses import dataclass

from masklet.checkpoints.renaming import Tensors
from masklet.configuration import Sam2Config
from masklet.configuration.presets import SIZES, VERSIONS, preset
from masklet.errors import CheckpointError

_BLOCK = re.compile(r"vision_encoder\.backbone\.blocks\.(\d+)\.")


@dataclass(frozen=True)
class ReleasedModel:
    """One released model: `size` tiny, small, base_plus or large; `version` 2.0 or 2.1."""

    size: str
    version: str

    @property
    def meta_file(self) -> str:
        """The name of Meta's file, such as `sam2.1_hiera_base_plus.pt`."""
        return f"{self._family}_hiera_{self.size}.pt"

    @property
    def hub_id(self) -> str:
        """The hub repository, such as `facebook/sam2.1-hiera-base-plus`."""
        return f"facebook/{self._family}-hiera-{self.size.replace('_', '-')}"

    @property
    def _family(self) -> str:
        return "sam2" if self.version == "2.0" else f"sam{self.version}"


RELEASED = tuple(ReleasedModel(size, version) for version in VERSIONS for size in SIZES)


def config_by_shapes(tensors: Tensors) -> Sam2Config:
    """Return the configuration of the released or bundled model that has tensors (current names) of these shapes.

    Files without a configuration need this. Other widths and depths raise `CheckpointError`.
    """
    width = next((each.shape[1] for name, each in tensors.items() if name.endswith("backbone.pos_embed")), 0)
    depth = len({match[1] for name in tensors if (match := _BLOCK.match(name))})
    is_image_only = not any(name.startswith("memory_") for name in tensors)
    version = "2.1" if is_image_only or "occlusion_spatial_embedding_parameter" in tensors else "2.0"
    known = {}
    for config in (*(preset(size, version) for size in SIZES), Sam2Config.from_pretrained()):
        backbone = config.vision_config.backbone_config
        known[backbone.hidden_size, backbone.depth] = config
    if (width, depth) not in known:
        raise CheckpointError(
            f"The checkpoint has no config.json, and a backbone {width} wide and {depth} blocks deep is of no released "
            f"model ({', '.join(f'{known_width} x {known_depth}' for known_width, known_depth in known)}): "
            "give its configuration, config=."
        )
    return known[width, depth]
