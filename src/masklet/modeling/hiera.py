"""Hiera, the image backbone of SAM 2 (Ryali et al. 2023; SAM 2 paper, appendix D)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from masklet.checkpoints.pretrained import PretrainedModel
from masklet.configuration import Sam2HieraDetConfig
from masklet.configuration.agreement import check_backbone
from masklet.errors import InvalidInputError
from masklet.modeling.layers import DropPath, FeedForward, attention, initialize
from masklet.modeling.outputs import Sam2HieraDetOutput
from masklet.modeling.pieces import in_pieces
from masklet.modeling.plain_calls import in_dtype_of, is_plain_inside
from masklet.modeling.positions import OnceAShape
from masklet.modeling.windows import Grid, from_windows, in_layout, to_windows


def max_pool_2x2(x_bhwc: Tensor) -> Tensor:
    """Take the maximum over 2x2 neighbours of [batch, height, width, channels], without leaving channels-last."""
    height, width = x_bhwc.shape[1] // 2 * 2, x_bhwc.shape[2] // 2 * 2
    upper = torch.maximum(x_bhwc[:, 0:height:2, 0:width:2], x_bhwc[:, 0:height:2, 1:width:2])
    lower = torch.maximum(x_bhwc[:, 1:height:2, 0:width:2], x_bhwc[:, 1:height:2, 1:width:2])
    return torch.maximum(upper, lower)


class PatchEmbedding(nn.Module):
    """Overlapping patches to tokens."""

    def __init__(self, config: Sam2HieraDetConfig):
        super().__init__()
        self.projection = nn.Conv2d(
            config.num_channels,
            config.hidden_size,
            kernel_size=tuple(config.patch_kernel_size),  # type: ignore[arg-type]
            stride=tuple(config.patch_stride),  # type: ignore[arg-type]
            padding=tuple(config.patch_padding),  # type: ignore[arg-type]
        )

    def forward(self, pixel_values: Tensor) -> Tensor:
        """[batch, 3, height, width] to [batch, height/4, width/4, channels]."""
        return self.projection(in_dtype_of(self.projection, pixel_values)).permute(0, 2, 3, 1)


class WindowAttention(nn.Module):
    """Multi-head self-attention inside each window, with optional 2x2 max pooling of the queries."""

    def __init__(self, width: int, out_width: int, heads: int, pools: bool):
        super().__init__()
        self.heads, self.pools = heads, pools
        self.qkv = nn.Linear(width, 3 * out_width)
        self.proj = nn.Linear(out_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """[windows, side, side, width] to [windows, side or side/2, ..., out_width]."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        if self.pools:
            q = max_pool_2x2(q)
        shape = q.shape
        q, k, v = (t.flatten(1, 2).unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        out = attention(q, k, v)
        return self.proj(out.transpose(1, 2).reshape(shape))


@dataclass(frozen=True)
class BlockShape:
    """What distinguishes one block from another: widths, heads, window side (0: all tokens see each other), pooling."""

    width: int
    out_width: int
    heads: int
    window: int
    pools: bool
    drop_path: float = 0.0


class HieraBlock(nn.Module):
    """Pre-norm attention and MLP; the first block of a stage widens and, if it pools, halves the grid."""

    def __init__(self, config: Sam2HieraDetConfig, shape: BlockShape):
        super().__init__()
        self.shape = shape
        self.layer_norm1 = nn.LayerNorm(shape.width, eps=config.layer_norm_eps)
        self.attn = WindowAttention(shape.width, shape.out_width, shape.heads, shape.pools)
        self.layer_norm2 = nn.LayerNorm(shape.out_width, eps=config.layer_norm_eps)
        hidden = int(shape.out_width * config.mlp_ratio)
        self.mlp = FeedForward(shape.out_width, hidden, shape.out_width, 2, config.hidden_act)
        self.drop_path = DropPath(shape.drop_path)
        if shape.width != shape.out_width:
            self.proj = nn.Linear(shape.width, shape.out_width)

    def layout(self, grid: Grid) -> int:
        """Return the window side in which this block wants its tokens; 0 for plain rows."""
        if self.shape.window == 0 and not self.shape.pools:
            return grid.window  # every token sees every other: their order does not matter
        return self.shape.window if grid.fits(self.shape.window) else 0

    def forward(self, x: Tensor) -> Tensor:
        """[batch, height, width, width of the stage before] to [batch, height, width, width], pooled if it pools."""
        return self.on_grid(x, Grid(x.shape[1], x.shape[2]))[0]

    def on_grid(self, x: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
        """Tokens stored as `grid` says, to tokens (pooled if the block pools) and the attention's output."""
        normalized = self.layer_norm1(x)
        if self.shape.width != self.shape.out_width:
            x = self.proj(normalized)
            x = max_pool_2x2(x) if self.shape.pools else x
        attended, x_attended = self._attend(normalized, grid)
        out = grid.pooled() if self.shape.pools else grid
        samples = x.numel() // (out.height * out.width * x.shape[-1])
        x = x + self.drop_path(attended, samples)
        return x + self.drop_path(self.mlp(self.layer_norm2(x)), samples), x_attended

    def _attend(self, x: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
        window = self.shape.window
        if window == grid.window:
            attended = self.attn(x)
            return attended, attended
        if window == 0:
            attended = self.attn(x.reshape(-1, grid.height, grid.width, x.shape[-1])).view_as(x)
            return attended, attended
        attended = self.attn(to_windows(x, window))
        out = grid.pooled() if self.shape.pools else grid
        return from_windows(attended, window // 2 if self.shape.pools else window, out.height, out.width), attended


def block_shapes(config: Sam2HieraDetConfig) -> list[BlockShape]:
    """Return the shape of every block. A stage's first block still uses the windows of the stage before it."""
    shapes: list[BlockShape] = []
    rate_step = getattr(config, "drop_path_rate", 0.0) / max(config.depth - 1, 1)
    for stage, blocks in enumerate(config.blocks_per_stage):
        width, heads = config.embed_dim_per_stage[stage], config.num_attention_heads_per_stage[stage]
        for index in range(blocks):
            number, opens = len(shapes), stage > 0 and index == 0
            shape = BlockShape(
                width=config.embed_dim_per_stage[stage - 1] if opens else width,
                out_width=width,
                heads=heads,
                window=config.window_size_per_stage[stage - 1 if opens else stage],
                pools=opens and stage <= config.num_query_pool_stages,
                drop_path=rate_step * number,
            )
            shapes.append(replace(shape, window=0) if number in config.global_attention_blocks else shape)
    return shapes


class Sam2HieraDetModel(PretrainedModel):
    """The Hiera backbone. Pixels in, the tokens after each of the four stages out.

    Example:
        >>> import torch
        >>> from masklet import Sam2HieraDetConfig, Sam2HieraDetModel
        >>> backbone = Sam2HieraDetModel(Sam2HieraDetConfig(image_size=[64, 64]))
        >>> backbone(torch.zeros(1, 3, 64, 64)).last_hidden_state.shape
        torch.Size([1, 2, 2, 768])
    """

    config_class = Sam2HieraDetConfig
    config: Sam2HieraDetConfig
    base_model_prefix = "vision_encoder.backbone"

    def __init__(self, config: Sam2HieraDetConfig):
        super().__init__(config)
        check_backbone(config)
        side = config.window_size_per_stage[0]
        background = config.window_positional_embedding_background_size
        self.pos_embed = nn.Parameter(torch.zeros(1, config.hidden_size, *background))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, config.hidden_size, side, side))
        self.patch_embed = PatchEmbedding(config)
        self.blocks = nn.ModuleList(HieraBlock(config, shape) for shape in block_shapes(config))
        self.stage_ends = [end - 1 for end in accumulate(config.blocks_per_stage)]
        self.gradient_checkpointing = False
        self._positions = OnceAShape()
        self.apply(initialize(config.initializer_range))

    def get_input_embeddings(self) -> nn.Module:
        """Return the patch embedding."""
        return self.patch_embed

    def positions(self, height: int, width: int) -> Tensor:
        """Absolute positions [1, height, width, channels]: a coarse grid, resized, plus one window's, repeated."""
        sources = (self.pos_embed, self.pos_embed_window)
        return self._positions.get(lambda: self._compute_positions(height, width), (height, width), *sources)

    def _compute_positions(self, height: int, width: int) -> Tensor:
        coarse = F.interpolate(self.pos_embed, size=(height, width), mode="bicubic")
        side = self.pos_embed_window.shape[-1]
        repeated = self.pos_embed_window.tile(1, 1, -(-height // side), -(-width // side))
        return (coarse + repeated[:, :, :height, :width]).permute(0, 2, 3, 1)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
        **ignored: object,
    ) -> Sam2HieraDetOutput | tuple[object, ...]:
        """Encode [batch, 3, height, width]; what is None is as the configuration says.

        Returns `last_hidden_state` [batch, h, w, channels], `intermediate_hidden_states` (one a stage), and on request
        `hidden_states` (the input of the first block, then every block's output) and `attentions` (the outputs of the
        attention modules, as windows), all channels-last as in the reference.
        """
        if pixel_values is None:
            raise InvalidInputError("pixel_values is None; the backbone encodes [batch, 3, height, width].")
        wants_hidden_states = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        wants_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        x = self.patch_embed(pixel_values)
        grid = Grid(x.shape[1], x.shape[2])
        x = x + self.positions(grid.height, grid.width)
        stages: list[Tensor] = []
        hidden_states: list[Tensor] = [x]
        attentions: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            x, grid, attended = self._after(block, x, grid, wants_attentions)
            attentions += attended
            if wants_hidden_states:
                hidden_states.append(in_layout(x, grid, 0))
            if number in self.stage_ends:
                stages.append(in_layout(x, grid, 0))
        output = Sam2HieraDetOutput(
            last_hidden_state=stages[-1],
            intermediate_hidden_states=tuple(stages),
            hidden_states=tuple(hidden_states) if wants_hidden_states else None,
            attentions=tuple(attentions) if wants_attentions else None,
        )
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()

    def _after(
        self, block: nn.Module, x: Tensor, grid: Grid, wants_attentions: bool
    ) -> tuple[Tensor, Grid, list[Tensor]]:
        """Tokens after a block, how they are stored, and its attention's output.

        A block that a program replaced, hooked or changed inside is called with plain rows of the whole batch.
        """
        recomputed = self.gradient_checkpointing and torch.is_grad_enabled()
        if isinstance(block, HieraBlock) and is_plain_inside(block):
            window = block.layout(grid)
            x, grid = in_layout(x, grid, window), replace(grid, window=window)
            x, attended = self._run(block, x, grid, wants_attentions, recomputed)
            attentions = [attended if block.shape.window else in_layout(attended, grid, 0)] if wants_attentions else []
            return x, grid.pooled() if block.shape.pools else grid, attentions
        with outputs_within(block, WindowAttention if wants_attentions else ()) as attentions:
            x = in_layout(x, grid, 0)
            x = checkpoint(block, x, use_reentrant=False) if recomputed else block(x)
        return x, Grid(x.shape[1], x.shape[2]), attentions

    def _run(
        self, block: HieraBlock, x: Tensor, grid: Grid, wants_attention: bool, recomputed: bool
    ) -> tuple[Tensor, Tensor]:
        if recomputed:
            result: tuple[Tensor, Tensor] = checkpoint(block.on_grid, x, grid, use_reentrant=False)
            return result
        drops_samples = block.training and block.drop_path.rate > 0
        if wants_attention or drops_samples or grid.window == 0 or grid.window != block.shape.window:
            return block.on_grid(x, grid)
        # Windows have nothing to do with each other until the layout changes.
        x = in_pieces(lambda windows: block.on_grid(windows, grid)[0], x, grid.window**2 * block.mlp.hidden)
        return x, x


@contextmanager
def outputs_within(part: nn.Module, kinds: type[nn.Module] | tuple[()]) -> Iterator[list[Tensor]]:
    """Collect what modules of some kinds, anywhere in `part`, return in the meantime."""
    outputs: list[Tensor] = []
    watched = [each for each in part.modules() if isinstance(each, kinds)]
    hooks = [each.register_forward_hook(lambda _, __, output: outputs.append(output)) for each in watched]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def constant_positions(backbone: Sam2HieraDetModel) -> Iterator[None]:
    """Let graphs recorded meanwhile, without gradients, hold the positions of the configuration's image size.

    Else they hold how a coarse grid is enlarged, which OpenVINO does by plain loops whenever it opens a graph: for
    minutes at 1024.
    """
    size = backbone.config.image_size
    sizes = [size, size] if isinstance(size, int) else size
    with torch.no_grad():
        backbone.positions(*(side // stride for side, stride in zip(sizes, backbone.config.patch_stride, strict=True)))
    with backbone._positions.as_constant():
        yield
