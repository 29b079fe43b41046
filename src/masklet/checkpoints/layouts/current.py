"""The names that masklet and today's hub checkpoints use: which exist twice, and which only the video part uses."""

from masklet.checkpoints.renaming import Copied, Layout

# The random Fourier matrix of the prompt encoder; writers that drop duplicates leave out either of the two names.
POSITIONAL_EMBEDDING = Copied(
    original="prompt_encoder.shared_embedding.positional_embedding",
    copy="shared_image_embedding.positional_embedding",
)

# Regular expressions, matched at the start, of the tensors that an image model ignores.
VIDEO_ONLY_PATTERNS = (
    r"memory_",
    r"mask_downsample\.",
    r"object_pointer_proj\.",
    r"temporal_positional_encoding_projection_layer\.",
    r"no_memory_positional_encoding$",
    r"no_object_pointer$",
    r"occlusion_spatial_embedding_parameter$",
)

CURRENT = Layout("current")
