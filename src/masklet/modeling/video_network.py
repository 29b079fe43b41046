"""SAM 2 for videos as verbs without state: encode an image, condition it on memory, decode masks, encode a memory."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.configuration.agreement import check_video_network
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.layers import FeedForward, initialize
from masklet.modeling.memory_attention import MemoryAttention, MemoryTokens
from masklet.modeling.memory_encoder import MemoryEncoder
from masklet.modeling.object_memory import ObjectMemory, pointer_tokens, sine_times
from masklet.modeling.outputs import DecodedMasks
from masklet.modeling.positions import OnceAShape, sine_positions


class VideoNetwork(Sam2Model):
    """All of SAM 2. Trainable: gradients flow through every verb; nothing here knows of sessions or files."""

    ignored_tensor_patterns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Sam2Config):
        super().__init__(config)
        check_video_network(config)
        width, memory_width = config.memory_attention_hidden_size, config.memory_encoder_output_channels
        self.memory_attention = MemoryAttention(config)
        self.memory_encoder = MemoryEncoder(config)
        self.mask_downsample = nn.Conv2d(1, 1, kernel_size=4, stride=4)
        self.object_pointer_proj = FeedForward(width, width, width, 3)
        self.memory_temporal_positional_encoding = nn.Parameter(torch.zeros(config.num_maskmem, 1, 1, memory_width))
        self.no_object_pointer = nn.Parameter(torch.zeros(1, width))
        # In every checkpoint, and never used: what has no memory gets `no_memory_embedding` instead of a memory token.
        self.no_memory_positional_encoding = nn.Parameter(torch.zeros(1, 1, width))
        if config.enable_occlusion_spatial_embedding:
            self.occlusion_spatial_embedding_parameter = nn.Parameter(torch.zeros(1, memory_width))
        if config.enable_temporal_pos_encoding_for_object_pointers:
            self.temporal_positional_encoding_projection_layer = nn.Linear(width, memory_width)
        self._sines = {channels: OnceAShape() for channels in (width, memory_width)}
        for name, part in self.named_children():
            if name not in ("shared_image_embedding", "vision_encoder", "prompt_encoder", "mask_decoder"):
                part.apply(initialize(config.initializer_range))

    def condition(self, stride16: Tensor, memory: ObjectMemory) -> Tensor:
        """Condition the deepest level of a frame on the memories of N objects: [objects, channels, h, w].

        `stride16` [1 or objects, channels, h, w] as `encode_image` gives it. Without any memory the frame is marked as
        having none; with an empty memory bank (`num_maskmem` 0) it is returned as it is.
        """
        if self.config.num_maskmem == 0:
            return stride16
        if memory.is_empty:
            return stride16 + self.no_memory_embedding.view(1, -1, 1, 1)
        positions = self._positions(stride16, self.config.memory_attention_hidden_size).unsqueeze(0)
        conditioned: Tensor = self.memory_attention(stride16, positions, self._memory_tokens(stride16, memory))
        return conditioned

    def _memory_tokens(self, features: Tensor, memory: ObjectMemory) -> MemoryTokens:
        frames = memory.features.to(features.dtype)
        times = self.memory_temporal_positional_encoding.flatten(1)[memory.temporal_positions].unsqueeze(2)
        pointers = pointer_tokens(memory.pointers.to(features.dtype), self.config.memory_encoder_output_channels)
        return MemoryTokens(
            values=torch.cat([frames.flatten(1, 2), pointers], dim=1),
            grids=frames + (self._positions(features, frames.shape[-1]).flatten(1).T + times),
            loose=pointers + self._pointer_times(memory.times, pointers),
        )

    def _positions(self, features: Tensor, channels: int) -> Tensor:
        """Sine positions [channels, h, w] of the grid of `features`."""
        height, width = features.shape[-2:]
        device, dtype = features.device, features.dtype
        return self._sines[channels].get(
            lambda: sine_positions(height, width, channels, device=device, dtype=dtype), (height, width, device, dtype)
        )

    def _pointer_times(self, times: Tensor, tokens: Tensor) -> Tensor:
        """When pointers were made, [objects, pointer tokens, memory channels]; zeros in models without it."""
        if not self.config.enable_temporal_pos_encoding_for_object_pointers:
            return torch.zeros_like(tokens)
        project, width = self.temporal_positional_encoding_projection_layer, self.config.memory_attention_hidden_size
        projected: Tensor = project(sine_times(times, width).to(tokens.dtype))
        return projected.repeat_interleave(width // tokens.shape[-1], dim=1)

    def _pointers(self, decoded: DecodedMasks) -> Tensor:
        is_present = (decoded.object_score > 0).unsqueeze(-1)
        return torch.where(is_present, self.object_pointer_proj(decoded.tokens), self.no_object_pointer)

    def embed_mask(self, masks: Tensor) -> Tensor:
        """Turn mask prompts [objects, S, S] in 0..1 into mask logits [objects, S/4, S/4] for `decode`."""
        embedded: Tensor = self.mask_downsample(masks.unsqueeze(1))
        return embedded.squeeze(1)

    def encode_memory(self, stride16: Tensor, logits: Tensor, object_score: Tensor, binarize: Tensor) -> Tensor:
        """Encode the memories of N objects on a frame: [objects, h * w, memory channels].

        Args:
            stride16: [1 or objects, channels, h, w] as `encode_image` gives it.
            logits: [objects, S/4, S/4], the masks.
            object_score: [objects] logits.
            binarize: bool [objects]: whether the mask is encoded as certain, 0 or 1 everywhere, as on prompted frames;
                false in training, because nothing can be learnt through a threshold.
        """
        config = self.config
        enlarged = F.interpolate(
            logits.float().unsqueeze(1), size=(config.image_size, config.image_size), mode="bilinear"
        )
        is_certain = binarize.view(-1, 1, 1, 1)
        probabilities = torch.where(is_certain, (enlarged > 0).float(), enlarged.sigmoid())
        masks = probabilities * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc
        memory: Tensor = self.memory_encoder(stride16, masks.to(stride16.dtype))
        if config.enable_occlusion_spatial_embedding:
            is_absent = (object_score <= 0).view(-1, 1, 1)
            memory = memory + is_absent * self.occlusion_spatial_embedding_parameter
        return memory
