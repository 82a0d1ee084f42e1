"""The parts of the vision transformers that make_models.py exports, in their variants."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SIZE, CHANNELS, PATCH, DIM, HEADS, DEPTH, CLASSES = 16, 3, 4, 32, 4, 2, 10
TOKENS = (SIZE // PATCH) ** 2


# --------------------------------------------------------------------------
# Building blocks
# --------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, split="unbind", qkv_bias=True):
        super().__init__()
        self.scale = (DIM // HEADS) ** -0.5
        self.split = split
        self.qkv = nn.Linear(DIM, 3 * DIM, bias=qkv_bias)
        self.proj = nn.Linear(DIM, DIM)

    def forward(self, x):
        b, n, c = x.shape
        if self.split == "chunk":
            q, k, v = (
                t.reshape(b, n, HEADS, c // HEADS).transpose(1, 2)
                for t in self.qkv(x).chunk(3, dim=-1)
            )
        else:
            qkv = self.qkv(x).reshape(b, n, 3, HEADS, c // HEADS)
            qkv = qkv.permute(2, 0, 3, 1, 4)
            if self.split == "unbind":
                q, k, v = qkv.unbind(0)
            else:
                q, k, v = qkv[0], qkv[1], qkv[2]
        attn = (q @ k.transpose(-2, -1)) * self.scale
        attn = attn.softmax(dim=-1)
        return self.proj((attn @ v).transpose(1, 2).reshape(b, n, c))


class TorchAttention(nn.Module):
    def __init__(self):
        super().__init__()
        # In eval mode the dropout does nothing, but a rate other than zero
        # keeps torch off its fused path, which has no ONNX equivalent.
        self.mha = nn.MultiheadAttention(DIM, HEADS, dropout=0.1, batch_first=True)

    def forward(self, x):
        return self.mha(x, x, x, need_weights=False)[0]


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class NewGELU(nn.Module):
    def forward(self, x):
        inner = (2.0 / np.pi) ** 0.5 * (x + 0.044715 * torch.pow(x, 3.0))
        return 0.5 * x * (1.0 + torch.tanh(inner))


class GeluOp(torch.autograd.Function):
    """Exports as one placeholder node, which to_gelu_op() makes a Gelu."""

    @staticmethod
    def forward(ctx, x, approximate):
        return F.gelu(x, approximate=approximate)

    @staticmethod
    def symbolic(g, x, approximate):
        out = g.op("vitq.test::Gelu", x, approximate_s=approximate)
        out.setType(x.type())
        return out


class ExportedGelu(nn.Module):
    def __init__(self, approximate):
        super().__init__()
        self.approximate = approximate

    def forward(self, x):
        return GeluOp.apply(x, self.approximate)


class Mlp(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.fc1 = nn.Linear(DIM, 2 * DIM)
        self.act = act
        self.fc2 = nn.Linear(2 * DIM, DIM)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class LayerScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(DIM))

    def forward(self, x):
        return x * self.gamma


class VarNorm(nn.Module):
    """A LayerNorm that calls x.var(), biased or not."""

    def __init__(self, unbiased, eps=1e-6):
        super().__init__()
        self.unbiased, self.eps = unbiased, eps
        self.weight = nn.Parameter(torch.ones(1, 1, DIM))
        self.bias = nn.Parameter(torch.zeros(1, 1, DIM))

    def forward(self, x):
        x = x[:, None] if x.ndim == 2 else x
        var = x.var(dim=-1, keepdim=True, unbiased=self.unbiased)
        x = (x - x.mean(dim=-1, keepdim=True)) / torch.sqrt(var + self.eps)
        return x * self.weight + self.bias


def with_var_norms(model):
    for i, block in enumerate(model.blocks):
        block.norm1, block.norm2 = VarNorm(i > 0), VarNorm(i == 0)
    model.norm = VarNorm(False)
    return model


class Block(nn.Module):
    def __init__(self, attn, act, scale, post_norm, eps):
        super().__init__()
        self.norm1 = nn.LayerNorm(DIM, eps=eps)
        self.attn = attn
        self.ls1 = LayerScale() if scale else nn.Identity()
        self.norm2 = nn.LayerNorm(DIM, eps=eps)
        self.mlp = Mlp(act)
        self.ls2 = LayerScale() if scale else nn.Identity()
        self.post_norm = post_norm

    def forward(self, x):
        if self.post_norm:
            x = self.norm1(x + self.attn(x))
            return self.norm2(x + self.mlp(x))
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class ConvStem(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, 12, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(12)
        self.conv2 = nn.Conv2d(12, 24, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(24)
        self.proj = nn.Conv2d(24, DIM, 1)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.proj(x)


class MobileStem(nn.Module):
    def __init__(self):
        super().__init__()

        def layer(inputs, outputs, kernel, **options):
            padding = kernel // 2 * options.get("dilation", 1)
            conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False, **options)
            return nn.Sequential(conv, nn.BatchNorm2d(outputs))

        self.conv = layer(CHANNELS, 12, 3, stride=2)
        self.expand = layer(12, 24, 1)
        self.depthwise = layer(24, 24, 3, groups=24)
        self.project = layer(24, 12, 1)
        self.down = layer(12, 12, 5, stride=2, groups=12)
        self.grouped = layer(12, 24, 3, groups=4, dilation=2)
        self.proj = nn.Conv2d(24, DIM, 1)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = x + self.project(F.relu(self.depthwise(F.relu(self.expand(x)))))
        return self.proj(F.relu(self.grouped(self.down(x))))


class VisionTransformer(nn.Module):
    def __init__(
        self,
        attention=Attention,
        act=nn.GELU,
        pool="token",
        scale=False,
        post_norm=False,
        pre_norm=False,
        patch_bias=True,
        stem=None,
        eps=1e-6,
    ):
        super().__init__()
        self.patch_embed = stem or nn.Conv2d(
            CHANNELS, DIM, PATCH, stride=PATCH, bias=patch_bias
        )
        self.pool = pool
        tokens = TOKENS
        if pool == "token":
            self.cls_token = nn.Parameter(torch.zeros(1, 1, DIM))
            tokens += 1
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, DIM))
        self.norm_pre = nn.LayerNorm(DIM, eps=eps) if pre_norm else nn.Identity()
        self.blocks = nn.Sequential(
            *[Block(attention(), act(), scale, post_norm, eps) for _ in range(DEPTH)]
        )
        self.norm = nn.Identity() if post_norm else nn.LayerNorm(DIM, eps=eps)
        self.head = nn.Linear(DIM, CLASSES)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        if self.pool == "token":
            x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        x = self.norm_pre(x + self.pos_embed)
        x = self.blocks(x)
        if self.pool == "token":
            return self.head(self.norm(x)[:, 0])
        return self.head(self.norm(x.mean(dim=1)))


class WithRegisters(VisionTransformer):
    """Register tokens between the class token and the patches (DINOv2)."""

    def __init__(self):
        super().__init__()
        self.register_tokens = nn.Parameter(torch.zeros(1, 2, DIM))
        del self.norm_pre

    def norm_pre(self, x):
        registers = self.register_tokens.expand(x.shape[0], -1, -1)
        return torch.cat((x[:, :1], registers, x[:, 1:]), dim=1)


# --------------------------------------------------------------------------
# Hugging Face's layout, written out here because transformers is not a
# dependency; module names and the order of operations follow its ViT.
# --------------------------------------------------------------------------


class HfPatchEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.projection = nn.Conv2d(CHANNELS, DIM, PATCH, stride=PATCH)

    def forward(self, x):
        _, channels, height, width = x.shape
        if channels != CHANNELS:
            raise ValueError("wrong number of channels")
        if height != SIZE or width != SIZE:
            raise ValueError("wrong image size")
        return self.projection(x).flatten(2).transpose(1, 2)


class HfEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, DIM))
        self.patch_embeddings = HfPatchEmbeddings()
        self.position_embeddings = nn.Parameter(torch.zeros(1, TOKENS + 1, DIM))
        self.dropout = nn.Dropout(0.0)

    def forward(self, x):
        batch = x.shape[0]
        x = self.patch_embeddings(x)
        cls_tokens = self.cls_token.expand(batch, -1, -1)
        x = torch.cat((cls_tokens, x), dim=1) + self.position_embeddings
        return self.dropout(x)


class HfSelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(DIM, DIM)
        self.key = nn.Linear(DIM, DIM)
        self.value = nn.Linear(DIM, DIM)
        self.dropout = nn.Dropout(0.0)

    def transpose_for_scores(self, x):
        shape = x.size()[:-1] + (HEADS, DIM // HEADS)
        return x.view(shape).permute(0, 2, 1, 3)

    def forward(self, x):
        mixed_query = self.query(x)
        key = self.transpose_for_scores(self.key(x))
        value = self.transpose_for_scores(self.value(x))
        query = self.transpose_for_scores(mixed_query)
        scores = torch.matmul(query, key.transpose(-1, -2))
        scores = scores / (DIM // HEADS) ** 0.5
        probs = self.dropout(F.softmax(scores, dim=-1))
        context = torch.matmul(probs, value).permute(0, 2, 1, 3).contiguous()
        return context.view(context.size()[:-2] + (DIM,))


class HfDense(nn.Module):
    def __init__(self, inputs, outputs, act=None):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.intermediate_act_fn = act

    def forward(self, x):
        x = self.dense(x)
        return self.intermediate_act_fn(x) if self.intermediate_act_fn else x


class HfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = HfSelfAttention()
        self.output = HfDense(DIM, DIM)

    def forward(self, x):
        return self.output(self.attention(x))


class HfLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = HfAttention()
        self.intermediate = HfDense(DIM, 2 * DIM, nn.GELU())
        self.output = HfDense(2 * DIM, DIM)
        self.layernorm_before = nn.LayerNorm(DIM, eps=1e-12)
        self.layernorm_after = nn.LayerNorm(DIM, eps=1e-12)

    def forward(self, x):
        x = self.attention(self.layernorm_before(x)) + x
        return self.output(self.intermediate(self.layernorm_after(x))) + x


class HfEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList([HfLayer() for _ in range(DEPTH)])

    def forward(self, x):
        for layer in self.layer:
            x = layer(x)
        return x


class HfModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = HfEmbeddings()
        self.encoder = HfEncoder()
        self.layernorm = nn.LayerNorm(DIM, eps=1e-12)

    def forward(self, x):
        return self.layernorm(self.encoder(self.embeddings(x)))


class HfClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.vit = HfModel()
        self.classifier = nn.Linear(DIM, CLASSES)

    def forward(self, pixel_values):
        return self.classifier(self.vit(pixel_values)[:, 0, :])
