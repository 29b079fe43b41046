"""SAM 2 for videos as four verbs without state: encode an image, condition it on memory, decode masks, remember."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.configuration import Sam2Config
from masklet.configuration.agreement import check_video_network
from masklet.modeling.compilation import Backend, compile_parts
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.initialization import initialize
from masklet.modeling.layers import FeedForward
from masklet.modeling.mask_selection import chosen_outputs
from masklet.modeling.memory_attention import MemoryAttention, MemoryTokens
from masklet.modeling.memory_encoder import MemoryEncoder
from masklet.modeling.object_memory import ObjectMemory
from masklet.modeling.object_pointers import pointer_tokens, sine_times
from masklet.modeling.outputs import DecodedMasks
from masklet.modeling.positions import sine_positions
from masklet.modeling.tables import OnceAShape

ABSENT_LOGIT = -1024.0  # everywhere in the mask of an object that is not in the picture
# A mask prompt becomes logits of -10 and 10.
ADOPTED_SCALE, ADOPTED_BIAS = 20.0, -10.0


@dataclass(frozen=True)
class ObjectOutcome:
    """What a frame says of N objects.

    `logits` [objects, S/4, S/4], -1024 everywhere where the object is absent; `iou` [objects], predicted, of that
    mask; `object_score` [objects] logits, the object being present above 0; `pointer` [objects, channels].
    """

    logits: Tensor
    iou: Tensor
    object_score: Tensor
    pointer: Tensor


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
        self._memory_positions = OnceAShape()
        for name, part in self.named_children():
            if name not in ("shared_image_embedding", "vision_encoder", "prompt_encoder", "mask_decoder"):
                part.apply(initialize(config.initializer_range))

    def compile_parts(self, backend: Backend = "inductor") -> None:
        """Run backbone, memory attention, mask decoder and memory encoder through torch's compiler from now on.

        They are compiled in place when they first run, which takes minutes; everything else stays as it is. While
        tracking each of them is one graph, whatever the number of objects, clicks, remembered frames and pointers; only
        the mask decoder is two, for one object and for several, and memory attention one more on frames that see no
        pointer. Another image size, dtype, or gradients are compiled afresh. `backend` is that of `torch.compile`.

        Raises `InvalidInputError` where torch is older than 2.7.
        """
        compile_parts(self, backend)

    def condition(self, features: Tensor, memory: ObjectMemory) -> Tensor:
        """Condition the deepest level of a frame on what is remembered of N objects: [objects, channels, h, w].

        `features` [1 or objects, channels, h, w] as `encode_image` gives them. Without any memory the frame is marked
        as having none; with a bank of no slots (`num_maskmem` 0) it is returned as it is.
        """
        if self.config.num_maskmem == 0:
            return features
        if memory.is_empty:
            return features + self.no_memory_embedding.view(1, -1, 1, 1)
        positions = self.vision_encoder.position_encoding(features.permute(0, 2, 3, 1), 2)
        conditioned: Tensor = self.memory_attention(features, positions, self._memory_tokens(features, memory))
        return conditioned

    def _memory_tokens(self, features: Tensor, memory: ObjectMemory) -> MemoryTokens:
        frames = memory.features.to(features.dtype)
        times = self.memory_temporal_positional_encoding.flatten(1)[memory.temporal_positions].unsqueeze(2)
        pointers = pointer_tokens(memory.pointers.to(features.dtype), self.config.memory_encoder_output_channels)
        return MemoryTokens(
            values=torch.cat([frames.flatten(1, 2), pointers], dim=1),
            grids=frames + (self._positions_of_memory(features) + times),
            loose=pointers + self._pointer_times(memory.times, pointers),
        )

    def _positions_of_memory(self, features: Tensor) -> Tensor:
        """Sine positions [h * w, memory channels] of a remembered frame."""
        height, width = features.shape[-2:]
        channels, device, dtype = self.config.memory_encoder_output_channels, features.device, features.dtype
        table = self._memory_positions.get(
            lambda: sine_positions(height, width, channels, device=device, dtype=dtype), (height, width, device, dtype)
        )
        return table.flatten(1).T

    def _pointer_times(self, times: Tensor, tokens: Tensor) -> Tensor:
        """When pointers were made, [objects, pointer tokens, memory channels]; zeros in models without it."""
        if not self.config.enable_temporal_pos_encoding_for_object_pointers:
            return torch.zeros_like(tokens)
        project = self.temporal_positional_encoding_projection_layer
        projected: Tensor = project(sine_times(times, self.config.memory_attention_hidden_size).to(tokens.dtype))
        return projected.repeat_interleave(tokens.shape[1] // max(times.shape[1], 1), dim=1)

    def outcome(self, decoded: DecodedMasks, is_multimask: Tensor) -> ObjectOutcome:
        """Settle on one mask an object; the objects of all images in one row.

        `is_multimask` [batch, objects]: whether the prompt is ambiguous, so that the best of the three masks counts.
        Otherwise output 0 does or, where it is unstable and outside training, the best mask with the pointer of output
        0, as in the reference.
        """
        masks, iou, tokens = chosen_outputs(
            decoded, is_multimask, self.config.mask_decoder_config, training=self.training
        )
        object_score = decoded.object_score.flatten()
        is_present = object_score > 0
        return ObjectOutcome(
            logits=torch.where(is_present.view(-1, 1, 1), masks.flatten(0, 1), ABSENT_LOGIT),
            iou=iou.flatten(),
            object_score=object_score,
            pointer=self._pointer(tokens.flatten(0, 1), is_present),
        )

    def _pointer(self, tokens: Tensor, is_present: Tensor) -> Tensor:
        return torch.where(is_present.unsqueeze(-1), self.object_pointer_proj(tokens), self.no_object_pointer)

    def adopt(self, levels: Sequence[Tensor], masks: Tensor) -> ObjectOutcome:
        """Take mask prompts for the objects' masks; an empty one says that the object is absent.

        `levels` of the frame (batch 1 or objects) as `encode_image` gives them: nothing marks the missing memory here.
        `masks` [objects, S, S] in 0..1. The pointer is that of the decoder's output 0 for the mask as a prompt.
        """
        objects = len(masks)
        masks = masks.to(levels[2].dtype).unsqueeze(1)
        logits = F.interpolate(
            masks.float() * ADOPTED_SCALE + ADOPTED_BIAS, scale_factor=0.25, mode="bilinear", antialias=True
        )
        levels = (*levels[:2], levels[2].expand(objects, -1, -1, -1))
        decoded = self.decode(levels, input_masks=self.mask_downsample(masks))
        is_present = masks.flatten(1).any(dim=1)
        is_confirmed = is_present & (decoded.object_score.flatten() > 0)
        return ObjectOutcome(
            logits=logits.squeeze(1).to(masks.dtype),
            iou=masks.new_ones(objects),
            object_score=is_present * ADOPTED_SCALE + ADOPTED_BIAS,
            pointer=self._pointer(decoded.tokens[:, 0, 0], is_confirmed),
        )

    def is_remembered_sure(self, *, has_points: bool) -> bool:
        """Whether a prompted frame's mask is remembered as sure: a given one is, one of clicks or a box by config."""
        return not has_points or self.config.binarize_mask_from_pts_for_mem_enc

    def remember(self, features: Tensor, logits: Tensor, object_score: Tensor, is_sure: Tensor) -> Tensor:
        """What is remembered of N objects on a frame: [objects, h * w, memory channels].

        `features` [1 or objects, channels, h, w] as `encode_image` gives them, `logits` [objects, S/4, S/4],
        `object_score` [objects]. Where `is_sure` [objects], on prompted frames (`is_remembered_sure`), masks are
        remembered as sure: training gives false, because nothing can be learnt through a threshold.
        """
        config = self.config
        enlarged = F.interpolate(
            logits.float().unsqueeze(1), size=(config.image_size, config.image_size), mode="bilinear"
        )
        sure = is_sure.view(-1, 1, 1, 1)
        probabilities = torch.where(sure, (enlarged > 0).float(), enlarged.sigmoid())
        masks = probabilities * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc
        memory: Tensor = self.memory_encoder(features, masks.to(features.dtype))
        if config.enable_occlusion_spatial_embedding:
            is_absent = (object_score <= 0).view(-1, 1, 1)
            memory = memory + is_absent * self.occlusion_spatial_embedding_parameter
        return memory
