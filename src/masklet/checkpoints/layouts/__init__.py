"""The ways in which published checkpoints name the tensors of SAM 2, one table file each."""

from collections.abc import Collection

from masklet.checkpoints.layouts.current import CURRENT, POSITIONAL_EMBEDDING
from masklet.checkpoints.layouts.meta import META
from masklet.checkpoints.layouts.seed import SEED
from masklet.checkpoints.renaming import Layout, Tensors
from masklet.errors import InvalidInputError
from masklet.json_files import shown

# Farthest from the current names first: Meta's names show signs of the seed-era layout too.
LAYOUTS = (META, SEED, CURRENT)


def layout_of(names: Collection[str]) -> Layout:
    """Return the layout in which these tensor names are written; names without any foreign sign are current."""
    return next((layout for layout in LAYOUTS if layout.matches(names)), CURRENT)


def layout_named(name: str) -> Layout:
    """Return the layout called "meta", "seed" or "current"; anything else is an `InvalidInputError`."""
    for layout in LAYOUTS:
        if layout.name == name:
            return layout
    raise InvalidInputError(
        f"There is no checkpoint layout {shown(name)}; allowed: {', '.join(each.name for each in LAYOUTS)}."
    )


def in_current_layout(tensors: Tensors) -> Tensors:
    """Return tensors of any known layout under their current names, with both positional embeddings."""
    return POSITIONAL_EMBEDDING.to_ours(layout_of(tensors).to_current(tensors))
