"""Image embedding and prompt tokens to masks, their predicted IoU and an object score."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from masklet.configuration import Sam2MaskDecoderConfig
from masklet.modeling.layers import FeedForward, LayerNorm2d
from masklet.modeling.mask_selection import multimask_outputs, single_output
from masklet.modeling.outputs import DecodedMasks
from masklet.modeling.pieces import pieces
from masklet.modeling.positions import OnceAShape
from masklet.modeling.two_way_transformer import TwoWayTransformer
from masklet.modeling.upscaling import Upscaling, UpscalingLayers
from masklet.modeling.values import CandidateMasks, ImageFeatures


class MaskDecoder(nn.Module):
    """The mask decoder (SAM 2 paper, appendix D)."""

    def __init__(self, config: Sam2MaskDecoderConfig):
        super().__init__()
        self.config = config
        width, outputs = config.hidden_size, config.num_multimask_outputs + 1
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(outputs, width)
        self.obj_score_token = nn.Embedding(1, width)
        self.transformer = TwoWayTransformer(config)
        self.conv_s0 = nn.Conv2d(width, width // 8, kernel_size=1)
        self.conv_s1 = nn.Conv2d(width, width // 4, kernel_size=1)
        self.upscale_conv1 = nn.ConvTranspose2d(width, width // 4, kernel_size=2, stride=2)
        self.upscale_layer_norm = LayerNorm2d(width // 4, eps=1e-6)
        self.upscale_conv2 = nn.ConvTranspose2d(width // 4, width // 8, kernel_size=2, stride=2)
        self.output_hypernetworks_mlps = nn.ModuleList(FeedForward(width, width, width // 8, 3) for _ in range(outputs))
        self.iou_prediction_head = FeedForward(
            width, config.iou_head_hidden_dim, outputs, config.iou_head_depth, sigmoid=True
        )
        self.pred_obj_score_head = FeedForward(width, width, 1, 3)
        self._matrices = (OnceAShape(), OnceAShape())

    def forward(
        self,
        image_embeddings: Tensor,
        image_positional_embeddings: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool | None = None,
        high_resolution_features: Sequence[Tensor] = (),
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
        keep_attentions: bool = False,
    ) -> DecodedMasks | tuple[Tensor, Tensor, Tensor, Tensor]:
        """Decode every object of every image.

        Args:
            image_embeddings: [batch, channels, h, w], without memory or conditioned on it.
            image_positional_embeddings: [1 or batch, channels, h, w], equal for all images.
            sparse_prompt_embeddings: [batch, objects, n, channels].
            dense_prompt_embeddings: [batch, channels, h, w], or [batch, 1 or objects, channels, h, w].
            multimask_output: None returns all outputs; True the three for ambiguous prompts, False the one for others.
            high_resolution_features: [batch, channels/8, 4h, 4w] and [batch, channels/4, 2h, 2w].
            attention_similarity: broadcast to [batch * objects, heads, tokens, pixels].
            target_embedding: added to the tokens before each block.
            keep_attentions: also return what the attention modules gave.

        Returns:
            `DecodedMasks`, or with `multimask_output` the tuple of masks, IoUs, mask tokens and object scores.
        """
        decoded = self._all_outputs(
            (*high_resolution_features, image_embeddings),
            image_positional_embeddings[0].permute(1, 2, 0),
            sparse_prompt_embeddings,
            _an_object_each(dense_prompt_embeddings).permute(0, 1, 3, 4, 2),
            attention_similarity,
            target_embedding,
            keep_attentions,
        )
        if multimask_output is None:
            return decoded
        if multimask_output:
            return *multimask_outputs(decoded), decoded.tokens[:, :, 1:], decoded.object_score
        return *single_output(decoded, self.config, self.training), decoded.tokens[:, :, :1], decoded.object_score

    def candidates_above(
        self,
        features: ImageFeatures,
        image_positional_embeddings: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        least_iou: float,
        outputs: slice,
    ) -> CandidateMasks:
        """Decode the objects of one image, but only those masks whose predicted IoU is above a bound.

        The IoU depends on tokens alone: objects all of whose masks are below the bound need no upscaling.

        Args:
            features: of the image.
            image_positional_embeddings: as of `forward`, and so are the other embeddings.
            sparse_prompt_embeddings: [1, objects, n, channels].
            dense_prompt_embeddings: likewise.
            least_iou: the bound, which itself is not above it.
            outputs: which outputs count.
        """
        found, start = [], 0
        positions = image_positional_embeddings[0].permute(1, 2, 0)
        dense = _an_object_each(dense_prompt_embeddings).permute(0, 1, 3, 4, 2)
        for piece in self._pieces(features, positions, sparse_prompt_embeddings, dense):
            iou = self.iou_prediction_head(piece.tokens[0, :, 1])[:, outputs]
            objects = (iou.float() > least_iou).any(dim=-1).nonzero()[:, 0]
            image = piece.image if len(objects) == len(iou) else piece.image[:, objects]
            masks = piece.upscaling.masks(image, self._weights(piece.tokens[:, objects]), piece.grid)[0, :, outputs]
            above = CandidateMasks.above(least_iou, masks, iou[objects])
            found.append(above._replace(prompts=objects[above.prompts] + start))
            start += len(iou)
        return CandidateMasks(*(torch.cat(each) for each in zip(*found, strict=True)))

    def _all_outputs(
        self,
        levels: tuple[Tensor, ...],
        positions_hwc: Tensor,
        sparse: Tensor,
        dense: Tensor,
        attention_similarity: Tensor | None,
        target_embedding: Tensor | None,
        keep_attentions: bool,
    ) -> DecodedMasks:
        """All outputs for `dense` [batch, 1 or objects, h, w, channels] and the levels from high to low resolution."""
        guidance = (attention_similarity, target_embedding)
        parts = [
            self._read_out(piece, keep_attentions)
            for piece in self._pieces(levels, positions_hwc, sparse, dense, *guidance)
        ]
        return parts[0] if len(parts) == 1 else _concatenated(parts)

    def _pieces(
        self,
        levels: tuple[Tensor, ...],
        positions_hwc: Tensor,
        sparse: Tensor,
        dense: Tensor,
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
    ) -> Iterator["_Piece"]:
        """Yield what the transformer gives for some objects at a time; arguments as of `_all_outputs`."""
        batch, objects = sparse.shape[:2]
        image = levels[2].permute(0, 2, 3, 1).unsqueeze(1) + dense
        grid = (int(image.shape[2]), int(image.shape[3]))
        image, positions = image.flatten(2, 3), positions_hwc.to(image.dtype).flatten(0, 1)
        if attention_similarity is not None:
            similarity = attention_similarity.expand(batch * objects, -1, -1, -1).unflatten(0, (batch, objects))
        else:
            similarity = None
        layers = (self.upscale_conv1, self.upscale_layer_norm, self.upscale_conv2, self._matrices)
        upscaling = Upscaling(UpscalingLayers(*layers), levels[:2])
        all_tokens, start = self._with_output_tokens(sparse), None
        parts = pieces(objects, batch * image.shape[2] * image.shape[3], image, *self.children())
        if len(parts) > 1 and similarity is None and target_embedding is None:
            start = self.transformer.start(all_tokens, image, positions)
        for part in parts:
            tokens, seen, attentions = self.transformer(
                all_tokens[:, part],
                image if image.shape[1] == 1 else image[:, part],
                positions,
                None if similarity is None else similarity[:, part],
                _part_of_objects(target_embedding, part),
                None if start is None else start.of(part),
                read=all_tokens.shape[2] - sparse.shape[2],
            )
            yield _Piece(tokens, seen, attentions, upscaling, grid)

    def _with_output_tokens(self, sparse: Tensor) -> Tensor:
        own = torch.cat([self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight])
        return torch.cat([own.to(sparse.dtype).expand(*sparse.shape[:2], -1, -1), sparse], dim=2)

    def _read_out(self, piece: "_Piece", keep_attentions: bool) -> DecodedMasks:
        return DecodedMasks(
            masks=piece.upscaling.masks(piece.image, self._weights(piece.tokens), piece.grid),
            iou=self.iou_prediction_head(piece.tokens[:, :, 1]),
            tokens=self._mask_tokens(piece.tokens),
            object_score=self.pred_obj_score_head(piece.tokens[:, :, 0]),
            attentions=piece.attentions if keep_attentions else [],
        )

    def _mask_tokens(self, tokens: Tensor) -> Tensor:
        return tokens[:, :, 2 : 3 + self.config.num_multimask_outputs]

    def _weights(self, tokens: Tensor) -> Tensor:
        """Return what the outputs take of the upscaled image, [batch, objects, channels / 8, outputs]."""
        mask_tokens = self._mask_tokens(tokens)
        return torch.stack([mlp(mask_tokens[:, :, i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=-1)


class _Piece(NamedTuple):
    """Some of the objects, after the transformer: their tokens, what each sees of the image, and how to go on."""

    tokens: Tensor
    image: Tensor
    attentions: list[Tensor]
    upscaling: Upscaling
    grid: tuple[int, int]


def _an_object_each(dense: Tensor) -> Tensor:
    return dense.unsqueeze(1) if dense.ndim == 4 else dense


def _part_of_objects(x: Tensor | None, part: slice) -> Tensor | None:
    return x if x is None or x.ndim < 4 or x.shape[1] == 1 else x[:, part]


def _concatenated(parts: list[DecodedMasks]) -> DecodedMasks:
    return DecodedMasks(
        masks=torch.cat([part.masks for part in parts], dim=1),
        iou=torch.cat([part.iou for part in parts], dim=1),
        tokens=torch.cat([part.tokens for part in parts], dim=1),
        object_score=torch.cat([part.object_score for part in parts], dim=1),
        attentions=[torch.cat(block, dim=1) for block in zip(*(part.attentions for part in parts), strict=True)],
    )
