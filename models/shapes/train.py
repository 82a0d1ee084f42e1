#!/usr/bin/env python3
"""Train and export the small segmentation model that `scripts/demo.sh --dense` compiles.

What it does
    Draws pictures of 64x64 pixels with discs, squares, triangles, rings and crosses on a
    noisy background, where colours say nothing about shapes, and trains a network of
    SegFormer's kind on them ("SegFormer: Simple and Efficient Design for Semantic
    Segmentation with Transformers", arXiv 2105.15203): overlapping patch embeddings,
    attention whose keys and values are spatially reduced, MLPs with a depthwise 3x3
    convolution, a decoder of linear layers whose maps are resized and joined. Three
    stages of two blocks. Nothing is downloaded.

    Pictures for training, calibration and testing come from generators with seeds of
    their own. The schedule is fixed; the weights at its end are exported.

What it writes (into --out, by default the folder of this script)
    shapes.onnx      input `image` f32[1,3,64,64] -> output `logits` f32[1,6,32,32]
    images.npy       uint8 [48,64,64,3], test pictures
    labels.npy       uint8 [48,64,64], the class of each pixel
    calibration.npy  uint8 [32,64,64,3]

Needs torch 2.15 with onnxscript (PyPI).

Usage
    python3 models/shapes/train.py [--out DIR] [--steps N] [--seed N]
"""

import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SIZE = 64
CLASSES = ("background", "disc", "square", "triangle", "ring", "cross")
WIDTHS, HEADS, REDUCTIONS, DEPTH, DECODER = (24, 48, 96), (1, 2, 4), (4, 2, 1), 2, 64

# --------------------------------------------------------------------------
# Pictures
# --------------------------------------------------------------------------


def mask_of(kind, x, y, radius):
    """Where a shape of a radius around 0 lies, its axes turned already."""
    distance = np.hypot(x, y)
    inside = np.maximum(abs(x), abs(y))
    if kind == 1:
        return distance < radius
    if kind == 2:
        return inside < 0.85 * radius
    if kind == 3:
        return (y > -0.5 * radius) & (y < radius - abs(x) * np.sqrt(3))
    if kind == 4:
        return (distance < radius) & (distance > 0.55 * radius)
    return (inside < radius) & (np.minimum(abs(x), abs(y)) < 0.3 * radius)


def draw(generator, count):
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    labels = np.zeros((count, SIZE, SIZE), np.uint8)
    for image, label in zip(images, labels):
        slope = generator.normal(0, 0.6, (2, 3))
        canvas = generator.uniform(60, 190, 3) + (rows[..., None] - 32) * slope[0] + (columns[..., None] - 32) * slope[1]
        for _ in range(generator.integers(2, 6)):
            kind = generator.integers(1, len(CLASSES))
            radius, angle = generator.uniform(7, 15), generator.uniform(0, 2 * np.pi)
            x, y = columns - generator.uniform(6, 58), rows - generator.uniform(6, 58)
            turned = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
            mask = mask_of(kind, *turned, radius)
            canvas[mask] = generator.uniform(0, 255, 3)
            label[mask] = kind
        image[...] = np.clip(canvas + generator.normal(0, 9, canvas.shape), 0, 255).round()
    return images, labels


def normalized(images):
    """uint8 [N,H,W,3] -> float32 [N,3,H,W], as the compiler's mean=0.5,std=0.5."""
    return torch.from_numpy((images.transpose(0, 3, 1, 2) / 255.0 - 0.5).astype(np.float32) / 0.5)


# --------------------------------------------------------------------------
# The network
# --------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, width, heads, reduction):
        super().__init__()
        self.heads = heads
        self.q, self.kv, self.proj = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)
        if reduction > 1:
            self.reduce = nn.Conv2d(width, width, reduction, reduction)
            self.norm = nn.LayerNorm(width)
        self.reduction = reduction

    def forward(self, x, height, width):
        batch, tokens, channels = x.shape
        q = self.q(x).reshape(batch, tokens, self.heads, -1).transpose(1, 2)
        if self.reduction > 1:
            x = self.reduce(x.transpose(1, 2).reshape(batch, channels, height, width))
            x = self.norm(x.flatten(2).transpose(1, 2))
        k, v = self.kv(x).reshape(batch, -1, 2, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(batch, tokens, channels))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        hidden = 3 * width
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.conv = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)

    def forward(self, x, height, width):
        x = self.fc1(x)
        batch, tokens, channels = x.shape
        x = self.conv(x.transpose(1, 2).reshape(batch, channels, height, width)).flatten(2).transpose(1, 2)
        return self.fc2(F.gelu(x))


class Block(nn.Module):
    def __init__(self, width, heads, reduction):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = Attention(width, heads, reduction), Mlp(width)

    def forward(self, x, height, width):
        x = x + self.attn(self.norm1(x), height, width)
        return x + self.mlp(self.norm2(x), height, width)


class Stage(nn.Module):
    def __init__(self, channels, width, heads, reduction):
        super().__init__()
        self.embed = nn.Conv2d(channels, width, 3, 2, padding=1)
        self.norm, self.last = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, heads, reduction) for _ in range(DEPTH))

    def forward(self, x):
        x = self.embed(x)
        batch, channels, height, width = x.shape
        x = self.norm(x.flatten(2).transpose(1, 2))
        for block in self.blocks:
            x = block(x, height, width)
        return self.last(x).transpose(1, 2).reshape(batch, channels, height, width)


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        channels = (3, *WIDTHS[:-1])
        self.stages = nn.ModuleList(Stage(*each) for each in zip(channels, WIDTHS, HEADS, REDUCTIONS))
        self.linears = nn.ModuleList(nn.Linear(width, DECODER) for width in WIDTHS)
        self.fuse = nn.Conv2d(DECODER * len(WIDTHS), DECODER, 1, bias=False)
        self.norm = nn.BatchNorm2d(DECODER)
        self.classify = nn.Conv2d(DECODER, len(CLASSES), 1)

    def forward(self, x):
        maps = []
        for stage, linear in zip(self.stages, self.linears):
            x = stage(x)
            batch, _, height, width = x.shape
            y = linear(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(batch, DECODER, height, width)
            maps.append(F.interpolate(y, size=(SIZE // 2, SIZE // 2), mode="bilinear", align_corners=False))
        return self.classify(F.relu(self.norm(self.fuse(torch.cat(maps[::-1], 1)))))


# --------------------------------------------------------------------------
# Training
# --------------------------------------------------------------------------


def accuracy(model, images, labels):
    """Pixels of the right class, and mean IoU, in percent, at the size of the pictures."""
    model.eval()
    with torch.no_grad():
        logits = F.interpolate(model(normalized(images)), size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    found = logits.argmax(1).numpy()
    ious = [((found == c) & (labels == c)).sum() / ((found == c) | (labels == c)).sum() for c in range(len(CLASSES))]
    return 100 * (found == labels).mean(), 100 * float(np.mean(ious))


def train(args):
    generator = np.random.default_rng(args.seed)
    model = Segmenter()
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.steps, pct_start=0.1)
    begin = time.monotonic()
    for step in range(args.steps):
        model.train()
        images, labels = draw(generator, args.batch)
        logits = F.interpolate(model(normalized(images)), size=(SIZE, SIZE), mode="bilinear", align_corners=False)
        loss = F.cross_entropy(logits, torch.from_numpy(labels).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}, {time.monotonic() - begin:.0f} s", flush=True)
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    model = train(args)
    images, labels = draw(np.random.default_rng(args.seed + 1), 48)
    calibration, _ = draw(np.random.default_rng(args.seed + 2), 32)
    print("test pictures: %.2f %% of the pixels, mean IoU %.2f %%" % accuracy(model, images, labels))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, array in (("images", images), ("labels", labels), ("calibration", calibration)):
        np.save(args.out / f"{name}.npy", array)
    program = torch.onnx.export(
        model.requires_grad_(False), (normalized(images[:1]),), input_names=["image"], output_names=["logits"],
        dynamo=True)  # fmt: skip
    proto = program.model_proto
    for node in proto.graph.node:
        # Stack traces of this machine.
        kept = [entry for entry in node.metadata_props if entry.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    (args.out / "shapes.onnx").write_bytes(proto.SerializeToString())


if __name__ == "__main__":
    main()
