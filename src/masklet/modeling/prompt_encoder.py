"""Clicks, boxes and masks to tokens (SAM paper, appendix A; SAM 2 keeps it).

Boxes may be drawn as masks as well, for networks that take a box in both ways.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.configuration import Sam2PromptEncoderConfig
from masklet.masks.logits import CERTAIN_LOGIT
from masklet.modeling.layers import LayerNorm2d, activation
from masklet.modeling.pieces import pays_in_pieces
from masklet.modeling.plain_calls import in_dtype_of, is_recorded_once
from masklet.modeling.positions import FourierPositions
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, NOT_A_POINT, PADDING

# What a box means for a pixel, as a mask's logits: inside likely on the object, outside certainly not.
INSIDE, OUTSIDE = 2.0, -CERTAIN_LOGIT


class MaskEmbedding(nn.Module):
    """A mask prompt of logits, downscaled four times to the image embedding's grid."""

    def __init__(self, config: Sam2PromptEncoderConfig):
        super().__init__()
        narrow, wide = config.mask_input_channels // 4, config.mask_input_channels
        self.act = activation(config.hidden_act)
        self.conv1 = nn.Conv2d(1, narrow, kernel_size=2, stride=2)
        self.layer_norm1 = LayerNorm2d(narrow, eps=config.layer_norm_eps)
        self.conv2 = nn.Conv2d(narrow, wide, kernel_size=2, stride=2)
        self.layer_norm2 = LayerNorm2d(wide, eps=config.layer_norm_eps)
        self.conv3 = nn.Conv2d(wide, config.hidden_size, kernel_size=1)

    def forward(self, masks: Tensor) -> Tensor:
        """[n, 1, 4h, 4w] to [n, channels, h, w]."""
        x = self.act(self.layer_norm1(self.conv1(masks)))
        x = self.act(self.layer_norm2(self.conv2(x)))
        return self.conv3(x)


class PromptEncoder(nn.Module):
    """Sparse tokens for points and boxes, a dense embedding for masks."""

    def __init__(self, config: Sam2PromptEncoderConfig):
        super().__init__()
        self.config = config
        self.shared_embedding = FourierPositions(config.hidden_size, config.scale)
        self.mask_embed = MaskEmbedding(config)
        self.no_mask_embed = nn.Embedding(1, config.hidden_size)
        self.point_embed = nn.Embedding(config.num_point_embeddings, config.hidden_size)
        self.not_a_point_embed = nn.Embedding(1, config.hidden_size)

    @property
    def image_embedding_size(self) -> tuple[int, int]:
        """Rows and columns of the image embedding's grid."""
        return self.config.image_embedding_size

    @property
    def mask_input_size(self) -> tuple[int, int]:
        """Height and width of a mask prompt, in pixels."""
        return self.config.mask_input_size

    def forward(
        self,
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
    ) -> tuple[Tensor | None, Tensor]:
        """Encode prompts, as `Sam2Model.forward` takes them; points without labels lie on the object.

        Returns:
            Sparse [batch, objects, n, channels], None without points and boxes; dense [batch, channels, h, w], or
            [batch, objects, channels, h, w] where several objects have masks of their own (or drawn boxes).
        """
        sparse = None
        if input_points is not None and input_labels is None:
            input_labels = torch.ones_like(input_points[..., 0], dtype=torch.long)
        if input_points is not None or input_boxes is not None:
            sparse = self.sparse(input_points, input_labels, input_boxes)
        prompts = next((each for each in (input_points, input_boxes, input_masks) if each is not None), None)
        batch = 1 if prompts is None else prompts.shape[0]
        dense = self.dense(input_masks, batch, input_points, input_labels, input_boxes).permute(0, 1, 4, 2, 3)
        is_shared = dense.shape[1] == 1 and not is_recorded_once()
        return sparse, dense[:, 0] if is_shared else dense

    def sparse(self, points: Tensor | None, labels: Tensor | None, boxes: Tensor | None) -> Tensor:
        """Tokens [batch, objects, n, channels] of points [batch, objects, n, 2], labels and boxes [..., 4] in pixels.

        One "not a point" token always ends the sequence, boxes included, as in the original implementation; box
        corners are points labelled 2 and 3. A box whose four coordinates are -10 is padding, and padding keeps its
        token, with nothing in it.
        """
        parts = []
        if points is not None and labels is not None:
            parts.append(self._embed(points, labels))
        if boxes is not None:
            corners = boxes.unflatten(-1, (2, 2))
            kinds = torch.tensor([BOX_UPPER_LEFT, BOX_LOWER_RIGHT], device=boxes.device).expand(corners.shape[:-1])
            is_padding = (boxes == PADDING).all(-1, keepdim=True)
            parts.append(self._embed(corners, kinds.masked_fill(is_padding, PADDING)))
        end = self.not_a_point_embed.weight.expand(*parts[0].shape[:2], 1, -1)
        return torch.cat([*parts, end.to(parts[0].dtype)], dim=2)

    def _embed(self, points: Tensor, labels: Tensor) -> Tensor:
        # Pixel coordinates name a pixel's corner; its centre is half a pixel further.
        tokens = self.shared_embedding((points + 0.5) / self.config.image_size)
        is_point = (labels >= 0).unsqueeze(-1)
        tokens = (tokens + self.point_embed(labels.clamp(min=0))) * is_point
        return torch.where((labels == NOT_A_POINT).unsqueeze(-1), self.not_a_point_embed.weight, tokens)

    def dense(
        self,
        masks: Tensor | None,
        batch: int,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
    ) -> Tensor:
        """Embedding [batch, 1 or objects, h, w, channels] of mask logits [batch, 1 or objects, any, any] or none.

        The other prompts matter only to a network that draws boxes: without masks, their boxes are its masks.
        """
        if masks is not None:
            return self._embed_masks(masks)
        nothing = self.no_mask_embed.weight.expand(batch, 1, *self.config.image_embedding_size, -1)
        found = box_corners(points, labels, boxes) if self.config.draws_boxes else None
        if found is None:
            return nothing
        corners, has_box = found
        # Clicks alone are frequent, and on a processor it pays that all objects then share one embedding.
        if pays_in_pieces(corners.device) and not has_box.any():
            return nothing
        size = self.config.mask_input_size
        embedded = self._embed_masks(drawn(corners * (size[0] / self.config.image_size), size))
        return torch.where(has_box[..., None, None, None], embedded, nothing.to(embedded.dtype))

    def _embed_masks(self, masks: Tensor) -> Tensor:
        batch_and_count = masks.shape[:2]
        masks = masks.flatten(0, 1).unsqueeze(1)
        if masks.shape[-2:] != self.config.mask_input_size:
            masks = F.interpolate(masks.float(), size=self.config.mask_input_size, mode="bilinear", antialias=True)
        embedded = self.mask_embed(in_dtype_of(self.mask_embed, masks))
        return embedded.unflatten(0, batch_and_count).permute(0, 1, 3, 4, 2)


def box_corners(points: Tensor | None, labels: Tensor | None, boxes: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """Return boxes [batch, objects, 4] and whether an object has one [batch, objects]; None where none can be.

    A box is given as such, or as two points labelled 2 and 3. Prompts are as in `Sam2Model.forward`.
    """
    if boxes is not None:
        return boxes, (boxes != PADDING).any(-1)
    if points is None or labels is None or (points.shape[2] < 2 and not is_recorded_once()):
        return None
    marked = [labels == kind for kind in (BOX_UPPER_LEFT, BOX_LOWER_RIGHT)]
    corners = [(points * is_corner.unsqueeze(-1)).sum(2) for is_corner in marked]
    # Counted: of no points at all, `any` is true in ONNX Runtime and OpenVINO.
    upper_left, lower_right = (is_corner.sum(-1) > 0 for is_corner in marked)
    return torch.cat(corners, dim=-1), upper_left & lower_right


def drawn(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits float32 [batch, objects, height, width] of boxes [batch, objects, 4] in pixels of that size.

    Pixels on an edge lie between the two values by the share of them that is covered.
    """
    boxes = boxes.float()  # half precision cannot number the pixels of a large grid
    shares = []
    for axis, length in ((1, size[0]), (0, size[1])):
        begins = torch.arange(length, device=boxes.device, dtype=boxes.dtype)
        low, high = boxes[..., axis, None], boxes[..., axis + 2, None]
        shares.append((torch.minimum(begins + 1, high) - torch.maximum(begins, low)).clamp(0, 1))
    covered = shares[0].unsqueeze(-1) * shares[1].unsqueeze(-2)
    return OUTSIDE + (INSIDE - OUTSIDE) * covered
