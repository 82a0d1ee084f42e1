"""Small vision transformers written as in tutorials and research code, not as in libraries."""

import torch
import torch.nn.functional as F
from torch import nn


class HeadByHead(nn.Module):
    """A projection for each head, its products one after the other, and a concatenation."""

    def __init__(self, width, heads):
        super().__init__()
        size = width // heads
        self.queries = nn.ModuleList([nn.Linear(width, size) for _ in range(heads)])
        self.keys = nn.ModuleList([nn.Linear(width, size) for _ in range(heads)])
        self.values = nn.ModuleList([nn.Linear(width, size) for _ in range(heads)])
        self.output = nn.Linear(width, width)

    def forward(self, x):
        results = []
        for query, key, value in zip(self.queries, self.keys, self.values):
            scores = query(x) @ key(x).transpose(1, 2) / query.out_features**0.5
            results.append(scores.softmax(-1) @ value(x))
        return self.output(torch.cat(results, -1))


class Einsum(nn.Module):
    """Packed qkv, products as einsum."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = (t.reshape(batch, tokens, self.heads, -1) for t in self.qkv(x).chunk(3, -1))
        scores = torch.einsum("bihd,bjhd->bhij", q, k) * (width // self.heads) ** -0.5
        x = torch.einsum("bhij,bjhd->bihd", scores.softmax(-1), v)
        return self.output(x.reshape(batch, tokens, width))


class Torch(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class TokenBatchNorm(nn.Module):
    """BatchNorm1d over the channels of tokens, in place of LayerNorm."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x):
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class RmsNorm(nn.Module):
    """As Llama's: the mean of squares, no shift."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class Gated(nn.Module):
    """SwiGLU of three projections."""

    def __init__(self, width, hidden):
        super().__init__()
        self.gate = nn.Linear(width, hidden)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


def mlp(activation):
    def build(width, hidden):
        return nn.Sequential(nn.Linear(width, hidden), activation(), nn.Linear(hidden, width))

    return build


class Block(nn.Module):
    def __init__(self, size, attention, norm, feed_forward, post_norm):
        super().__init__()
        self.norm1 = norm(size.width)
        self.attention = attention(size.width, size.heads)
        self.norm2 = norm(size.width)
        self.mlp = feed_forward(size.width, 2 * size.width)
        self.post_norm = post_norm

    def forward(self, x):
        if self.post_norm:
            x = self.norm1(x + self.attention(x))
            return self.norm2(x + self.mlp(x))
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Unfold(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.patch = size.patch
        self.projection = nn.Linear(3 * size.patch**2, size.width)

    def forward(self, image):
        patches = F.unfold(image, kernel_size=self.patch, stride=self.patch)
        return self.projection(patches.transpose(1, 2))


class Rearranged(nn.Module):
    """As with einops: b c (h p) (w q) -> b (h w) (p q c), and norms on both sides (vit-pytorch)."""

    def __init__(self, size, norms=True):
        super().__init__()
        self.patch = size.patch
        features = 3 * size.patch**2
        self.norm1 = nn.LayerNorm(features) if norms else nn.Identity()
        self.projection = nn.Linear(features, size.width)
        self.norm2 = nn.LayerNorm(size.width) if norms else nn.Identity()

    def forward(self, image):
        batch, channels, height, width = image.shape
        rows, columns, side = height // self.patch, width // self.patch, self.patch
        x = image.reshape(batch, channels, rows, side, columns, side).permute(0, 2, 4, 3, 5, 1)
        return self.norm2(self.projection(self.norm1(x.reshape(batch, rows * columns, -1))))


class Convolution(nn.Module):
    def __init__(self, size, norm=nn.Identity):
        super().__init__()
        self.projection = nn.Conv2d(3, size.width, size.patch, stride=size.patch)
        self.norm = norm(size.width)

    def forward(self, image):
        return self.norm(self.projection(image)).flatten(2).transpose(1, 2)


class Pixels(nn.Module):
    """Every pixel is a token."""

    def __init__(self, size):
        super().__init__()
        self.projection = nn.Linear(3, size.width)

    def forward(self, image):
        return self.projection(image.flatten(2).transpose(1, 2))


class Transformer(nn.Module):
    def __init__(
        self, size, embedding=Convolution, attention=Torch, norm=nn.LayerNorm, feed_forward=mlp(nn.GELU),
        post_norm=False, tokens=None, table=True, token=True, scaled_input=False, outputs="classes",
    ):  # fmt: skip
        super().__init__()
        self.embedding = embedding(size)
        tokens = tokens or size.tokens
        self.token = nn.Parameter(torch.zeros(size.width)) if token else None
        # Without a batch axis, as tutorials have it.
        self.positions = nn.Parameter(torch.zeros(tokens + token, size.width)) if table else None
        self.blocks = nn.Sequential(
            *[Block(size, attention, norm, feed_forward, post_norm) for _ in range(size.depth)]
        )
        self.norm = norm(size.width)
        self.head = nn.Linear(size.width, size.classes)
        self.scaled_input = scaled_input
        self.outputs = outputs

    def forward(self, image):
        if self.scaled_input:
            mean = torch.tensor([0.48, 0.46, 0.41])[:, None, None]
            std = torch.tensor([0.27, 0.26, 0.28])[:, None, None]
            image = ((image + 1) / 2 - mean) / std
        x = self.embedding(image)
        if self.token is not None:
            x = torch.cat([self.token.expand(x.shape[0], 1, -1), x], 1)
        if self.positions is not None:
            x = x + self.positions
        x = self.norm(self.blocks(x))
        if self.outputs == "grid":
            side = int(x.shape[1] ** 0.5)
            return x.transpose(1, 2).reshape(x.shape[0], -1, side, side)
        if self.outputs == "normalized":
            return F.normalize(self.head(x[:, 0]), dim=-1)
        if self.outputs == "pair":
            return self.head(x[:, 0]), x
        return self.head(x[:, 0] if self.token is not None else x.mean(1))


def transformer(**options):
    return lambda size: Transformer(size, **options)


OWN = {
    "own_head_by_head": transformer(attention=HeadByHead),
    "own_einsum": transformer(attention=Einsum),
    "own_mha": transformer(),
    "own_unfold": transformer(embedding=Unfold),
    "own_rearranged": transformer(embedding=lambda size: Rearranged(size, norms=False)),
    "own_patch_norms": transformer(embedding=Rearranged),
    "own_batch_norm": transformer(
        embedding=lambda size: Convolution(size, nn.BatchNorm2d), norm=TokenBatchNorm, token=False),
    "own_rms_norm": transformer(norm=RmsNorm, feed_forward=Gated),
    "own_post_norm": transformer(post_norm=True, feed_forward=mlp(nn.ReLU)),
    "own_hard_swish": transformer(feed_forward=mlp(nn.Hardswish)),
    "own_scaled_input": transformer(scaled_input=True),
    "own_grid": transformer(token=False, outputs="grid"),
    "own_normalized": transformer(outputs="normalized"),
    "own_pair": transformer(outputs="pair"),
    "own_pixels": transformer(embedding=Pixels),
}  # fmt: skip
