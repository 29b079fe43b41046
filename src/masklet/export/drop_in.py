"""Graphs with the names, the order and the behaviour that programs of others expect.

`SAMEXPORTER`: an encoder and a decoder whose tensors X-AnyLabeling, AnyLabeling, darktable and browser demos feed by
position. `TRANSFORMERSJS`: those of the checkpoints for transformers.js. Both mark the image as one without memory.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from masklet.export.graphs import Graph, GraphSet, Sizes, Verb, axes_of
from masklet.masks.logits import fed_back
from masklet.modeling.image_model import Sam2Model
from masklet.prompts.point_labels import BOX_UPPER_LEFT
from masklet.runtimes.manifest import TensorSpec
from masklet.runtimes.names import Layout
from masklet.runtimes.protocol import ImageFeatures


def drop_in_graphs(network: Sam2Model, layout: Layout) -> GraphSet:
    """Return the graphs of a layout, the encoder first."""
    axes = axes_of(network.config)
    named = {name: axes[name] for name in ("objects", "points")}
    if layout is Layout.TRANSFORMERSJS:
        named |= {"rows": axes["objects"], "boxes": (0, axes["objects"][1])}
    return GraphSet(_graphs(network, layout), named, partial(_inputs, network))


def _graphs(network: Sam2Model, layout: Layout) -> list[Graph]:
    size, width = network.config.image_size, network.config.prompt_encoder_config.hidden_size
    side = size // 16
    levels = {
        4: (1, width // 8, 4 * side, 4 * side),
        8: (1, width // 4, 2 * side, 2 * side),
        16: (1, width, side, side),
    }
    mask = (4 * side, 4 * side)
    if layout is Layout.SAMEXPORTER:
        fine, middle = (_float(f"high_res_feats_{index}", *levels[4 << index]) for index in (0, 1))
        embedding = _float("image_embed", *levels[16])
        clicks = (_float("point_coords", "objects", "points", 2), _float("point_labels", "objects", "points"))
        earlier = (_float("mask_input", "objects", 1, *mask), _float("has_mask_input", 1))
        masks = (_float("masks", "objects", 3, *mask), _float("iou_predictions", "objects", 3))
        return [
            Graph(
                "masklet.encoder",
                Verb(network, _encoded),
                (_float("image", 1, 3, size, size),),
                (fine, middle, embedding),
            ),
            Graph("masklet.decoder", Verb(network, _decoded), (embedding, fine, middle, *clicks, *earlier), masks),
        ]
    features = tuple(_float(f"image_embeddings.{index}", *levels[4 << index]) for index in range(3))
    prompts = (
        _float("input_points", 1, "rows", "points", 2),
        TensorSpec("input_labels", "int64", (1, "objects", "points")),
        _float("input_boxes", 1, "boxes", 4),
    )
    found = (_float("iou_scores", 1, "objects", 3), _float("pred_masks", 1, "objects", 3, *mask))
    score = _float("object_score_logits", 1, "objects", 1)
    return [
        Graph("vision_encoder", Verb(network, _encoded), (_float("pixel_values", 1, 3, size, size),), features),
        Graph("prompt_encoder_mask_decoder", Verb(network, _prompted), (*prompts, *features), (*found, score)),
    ]


@torch.no_grad()
def _inputs(network: Sam2Model, sizes: Sizes, seed: int) -> dict[str, tuple[Tensor, ...]]:
    """Return inputs of the graphs of both layouts, of these sizes: clicks and boxes on an image of noise."""
    generator = torch.Generator().manual_seed(seed)
    objects, points, size = sizes["objects"], sizes["points"], network.config.image_size
    pixels = torch.randn(1, 3, size, size, generator=generator)
    coordinates = size * torch.rand(objects, points, 2, generator=generator)
    labels = torch.randint(-1, 2, (objects, points), generator=generator)
    fine, middle, embedding = _encoded(network, pixels)
    earlier = 10 * torch.randn(objects, 1, size // 4, size // 4, generator=generator)
    boxes = size * torch.rand(1, sizes["boxes"], 4, generator=generator).sort(dim=-1).values
    return {
        "masklet.encoder": (pixels,),
        "masklet.decoder": (
            embedding,
            fine,
            middle,
            coordinates,
            labels.float(),
            earlier,
            torch.tensor([float(sizes["earlier_masks"] > 0)]),
        ),
        "vision_encoder": (pixels,),
        "prompt_encoder_mask_decoder": (coordinates[None], labels[None], boxes, fine, middle, embedding),
    }


def _float(name: str, *shape: int | str) -> TensorSpec:
    return TensorSpec(name, "float32", shape)


def _encoded(network: Sam2Model, pixels: Tensor) -> Sequence[Tensor]:
    return network.without_memory(network.encode_image(pixels))


def _decoded(
    network: Sam2Model,
    embedding: Tensor,
    fine: Tensor,
    middle: Tensor,
    points: Tensor,
    labels: Tensor,
    masks: Tensor,
    has_mask: Tensor,
) -> Sequence[Tensor]:
    """Decode three masks a row; `has_mask` [1] is 1 where the earlier `masks` count, and 0 where there are none."""
    points, labels = points.unsqueeze(0), labels.unsqueeze(0).long()
    sparse, nothing = network.prompt_encoder(points, labels)
    _, given = network.prompt_encoder(points, labels, None, masks.transpose(0, 1))
    dense = has_mask * given + (1 - has_mask) * nothing
    positions = network.get_image_wide_positional_embeddings()
    decoded = network.mask_decoder(embedding, positions, sparse, dense, None, (fine, middle))
    return fed_back(decoded.masks[0, :, 1:]), decoded.iou[0, :, 1:]


def _prompted(network: Sam2Model, points: Tensor, labels: Tensor, boxes: Tensor, *levels: Tensor) -> Sequence[Tensor]:
    """Decode three masks an object; boxes are as many as objects, or none.

    Rows of points are as many, too, or one: transformers.js gives any number of boxes an empty row.
    """
    objects = labels.shape[1]
    corners = torch.arange(2 * boxes.shape[1] // objects)  # two an object, or none
    # By numbers, not by shapes: exporters would take boxes, and rows, for as many as objects.
    places = corners.shape[0] * torch.arange(objects).unsqueeze(1) + corners
    rows = (points.shape[1] // objects) * torch.arange(objects)
    points = torch.cat([points[:, rows], boxes.reshape(1, -1, 2)[:, places]], dim=2)
    labels = torch.cat([labels, (BOX_UPPER_LEFT + corners % 2).expand(1, objects, -1)], dim=2)
    outputs = network.decode_images(ImageFeatures(*levels), points, labels)
    return outputs.iou[:, :, 1:], outputs.logits[:, :, 1:], outputs.object_score.unsqueeze(-1)
