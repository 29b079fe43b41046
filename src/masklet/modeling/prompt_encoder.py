"""Clicks, boxes and masks to tokens (SAM paper, appendix A; SAM 2 keeps it)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.configuration import Sam2PromptEncoderConfig
from masklet.modeling.layers import LayerNorm2d, activation
from masklet.modeling.positions import FourierPositions

# Labels of points. Box corners are points too; padding keeps its token, with nothing in it.
NEGATIVE, POSITIVE, BOX_UPPER_LEFT, BOX_LOWER_RIGHT, NOT_A_POINT, PADDING = 0, 1, 2, 3, -1, -10


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

    def sparse(self, points: Tensor | None, labels: Tensor | None, boxes: Tensor | None) -> Tensor:
        """Tokens [batch, objects, n, channels] of points [batch, objects, n, 2], labels and boxes [..., 4] in pixels.

        One "not a point" token always ends the sequence, boxes included, as in the original implementation; box
        corners are points labelled 2 and 3. A box whose four coordinates are -10 is padding.
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

    def dense(self, masks: Tensor | None, batch: int) -> Tensor:
        """Embedding [batch, 1 or objects, h, w, channels] of mask logits [batch, 1 or objects, any, any] or none."""
        height, width = self.config.image_embedding_size
        if masks is None:
            return self.no_mask_embed.weight.expand(batch, 1, height, width, -1)
        count = masks.shape[1]
        masks = masks.flatten(0, 1).unsqueeze(1)
        if masks.shape[-2:] != self.config.mask_input_size:
            masks = F.interpolate(masks.float(), size=self.config.mask_input_size, mode="bilinear", antialias=True)
        embedded = self.mask_embed(masks.to(self.mask_embed.conv1.weight.dtype))
        return embedded.unflatten(0, (batch, count)).permute(0, 1, 3, 4, 2)
