"""The decoder's transformer: prompt tokens and image tokens attend to each other (SAM paper, appendix A)."""

from typing import NamedTuple

from torch import Tensor, nn

from masklet.configuration import Sam2MaskDecoderConfig
from masklet.modeling.decoder_attention import DecoderAttention, ImageToTokens, TokensToImage
from masklet.modeling.layers import FeedForward
from masklet.modeling.plain_calls import is_plain_inside


class SharedStart(NamedTuple):
    """What the first block makes of all objects at once, as long as they see the same image tokens.

    Attributes:
        tokens: of the objects, updated [batch, objects, n, channels].
        image: the image tokens, projected for their look at them.
    """

    tokens: Tensor
    image: Tensor

    def of(self, part: slice) -> "SharedStart":
        """Return that of some of the objects."""
        return SharedStart(self.tokens[:, part], self.image)


class TwoWayBlock(nn.Module):
    """Self-attention of the tokens, tokens to image, MLP, image to tokens; each followed by a layer norm."""

    def __init__(self, config: Sam2MaskDecoderConfig, is_first: bool):
        super().__init__()
        width, heads, rate = config.hidden_size, config.num_attention_heads, config.attention_downsample_rate
        self.is_first = is_first
        self.self_attn = DecoderAttention(width, heads)
        self.layer_norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = TokensToImage(width, heads, rate)
        self.layer_norm2 = nn.LayerNorm(width)
        # The reference takes the depth of this MLP from the number of transformer layers; both are 2 in every model.
        self.mlp = FeedForward(width, config.mlp_dim, width, config.num_hidden_layers)
        self.layer_norm3 = nn.LayerNorm(width)
        self.layer_norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = ImageToTokens(width, heads, rate)

    def forward(
        self, tokens: Tensor, image: Tensor, token_positions: Tensor, image_positions: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return updated tokens, updated image tokens, and what the image took from the tokens."""
        image_keys = image + image_positions
        tokens = self._updated(tokens, image, image_keys, token_positions, bias)
        taken = self.cross_attn_image_to_token(image_keys, tokens + token_positions, tokens)
        return tokens, self.layer_norm4(image + taken), taken

    def start(self, tokens: Tensor, image: Tensor, image_positions: Tensor) -> SharedStart:
        """Return what this block, the first one, finds of image tokens that all objects share."""
        image_keys = image + image_positions
        updated = self._updated(tokens, image, image_keys, tokens, None)
        return SharedStart(updated, self.cross_attn_image_to_token.projected(image_keys))

    def after(self, start: SharedStart, image: Tensor, token_positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `forward` does, of objects that have been started."""
        tokens = start.tokens
        taken = self.cross_attn_image_to_token.of_projected(start.image, tokens + token_positions, tokens)
        return tokens, self.layer_norm4(image + taken), taken

    def _updated(
        self, tokens: Tensor, image: Tensor, image_keys: Tensor, token_positions: Tensor, bias: Tensor | None
    ) -> Tensor:
        if self.is_first:
            # The first block's tokens are nothing but their positions: no residual, no positions to add.
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            positioned = tokens + token_positions
            tokens = tokens + self.self_attn(positioned, positioned, tokens)
        tokens = self.layer_norm1(tokens)
        seen = self.cross_attn_token_to_image(tokens + token_positions, image_keys, image, bias)
        tokens = self.layer_norm2(tokens + seen)
        return self.layer_norm3(tokens + self.mlp(tokens))


class TwoWayTransformer(nn.Module):
    """Two-way blocks and a last look of the tokens at the image."""

    def __init__(self, config: Sam2MaskDecoderConfig):
        super().__init__()
        self.layers = nn.ModuleList(TwoWayBlock(config, index == 0) for index in range(config.num_hidden_layers))
        self.final_attn_token_to_image = TokensToImage(
            config.hidden_size, config.num_attention_heads, config.attention_downsample_rate
        )
        self.layer_norm_final_attn = nn.LayerNorm(config.hidden_size)

    def start(self, tokens: Tensor, image: Tensor, image_positions: Tensor) -> SharedStart | None:
        """Return what can be made of all objects before they are taken in pieces, for `forward`; None if nothing can.

        Arguments are as of `forward`, without guidance.
        """
        first = self.layers[0]
        assert isinstance(first, TwoWayBlock)
        if image.shape[1] > 1 or not first.cross_attn_image_to_token.can_be_shared(tokens.shape[2]):
            return None
        return first.start(tokens, image, image_positions)

    def forward(
        self,
        tokens: Tensor,
        image: Tensor,
        image_positions: Tensor,
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
        start: SharedStart | None = None,
        read: int | None = None,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Tokens [batch, objects, n, channels] and image tokens [batch, 1 or objects, pixels, channels], updated.

        `attention_similarity` is added to the scores of tokens looking at the image, in the blocks only;
        `target_embedding` to the tokens before each block (both from PerSAM; the tokens' positions are taken after the
        first addition, as in the reference). `start` is what the first block already made of these objects. Of the
        tokens only the first `read` ones have to be returned, None: all. Also returns, for each block, what the image
        took from the tokens.
        """
        if target_embedding is not None:
            tokens = tokens + target_embedding
        positions, taken_by_block = tokens, []
        for index, block in enumerate(self.layers):
            if target_embedding is not None and index > 0:
                tokens = tokens + target_embedding
            if start is not None and isinstance(block, TwoWayBlock) and block.is_first:
                tokens, image, taken = block.after(start, image, positions)
            else:
                tokens, image, taken = block(tokens, image, positions, image_positions, attention_similarity)
            taken_by_block.append(taken)
        if is_plain_inside(self.final_attn_token_to_image, self.layer_norm_final_attn):
            tokens, positions = tokens[:, :, :read], positions[:, :, :read]
        tokens = tokens + self.final_attn_token_to_image(tokens + positions, image + image_positions, image)
        return self.layer_norm_final_attn(tokens), image, taken_by_block
