#!/usr/bin/env python3
"""Train and export the small vision transformer that vitq ships as its default.

What it does
    Trains a ViT (8x8 grey images, 2x2 patches -> 16 tokens plus a class token,
    width 64, 4 heads, 4 pre-norm blocks, MLP ratio 4, erf GELU; 202 k
    parameters) on scikit-learn's bundled handwritten digits, the UCI "Optical
    Recognition of Handwritten Digits" test set: 1,797 images of 8x8 pixels with
    values 0..16. Nothing is downloaded.

    The images are stored as bytes, round(value * 255 / 16), and the network
    sees (byte / 255 - 0.5) / 0.5. 540 images (stratified by class) are held
    out for testing and never looked at during training: the schedule is fixed
    and the weights exported are the exponential moving average at its end.
    The 32 calibration images come from the training part.

What it writes (into --out, by default the folder of this script)
    digits.onnx           input `input` f32[1,1,8,8] -> output `logits` f32[1,10]
    images.npy            uint8 [540,8,8], the held-out images
    labels.npy            int64 [540]
    calibration.npy       uint8 [32,8,8], training images
    reference_logits.npy  float32 [540,10], the float model on images.npy, one
                          image at a time

How long
    150 epochs: about 3.5 minutes on one core with OpenBLAS (Debian's
    libopenblas0-pthread), about 25 with the plain libblas3 that python3-torch
    brings by itself.

Accuracy
    98.15 % of the held-out images (530 of 540) in floating point.

Needs Debian's python3-torch, python3-sklearn and python3-onnx (bookworm: torch
1.13, onnx 1.12). With the same versions, BLAS, processor kind and --threads a
run repeats exactly; otherwise rounding differs, and the accuracy by a few images.
onnxruntime is used for a cross-check if it is importable and is not needed;
--verify DIR only re-checks files already written.

Usage
    /usr/bin/python3 models/digits/train.py [--out DIR] [--epochs N] [--seed N]
    python3 models/digits/train.py --verify models/digits
"""

import argparse
import collections
import math
import os
import sys
import time

import numpy as np

MEAN, STD = 0.5, 0.5
TEST_IMAGES = 540
CALIBRATION_IMAGES = 32


def preprocess(images):
    """uint8 [N,8,8] -> float32 [N,1,8,8], as the compiler's mean=0.5,std=0.5."""
    x = images.astype(np.float32)[:, None] / np.float32(255)
    return (x - np.float32(MEAN)) / np.float32(STD)


# --------------------------------------------------------------------------
# Data
# --------------------------------------------------------------------------


def load_data(seed):
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    value = digits.images.astype(np.int64)
    images = ((value * 255 + 8) // 16).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=TEST_IMAGES, stratify=labels, random_state=seed
    )
    _, calibration, _, _ = train_test_split(
        train_x,
        train_y,
        test_size=CALIBRATION_IMAGES,
        stratify=train_y,
        random_state=seed,
    )
    return train_x, train_y, test_x, test_y, calibration


# --------------------------------------------------------------------------
# Model (the layout and the parameter names of timm's VisionTransformer)
# --------------------------------------------------------------------------


def make_model(dim=64, heads=4, depth=4, ratio=4, size=8, patch=2, classes=10):
    import torch
    from torch import nn

    class PatchEmbed(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj = nn.Conv2d(1, dim, kernel_size=patch, stride=patch)

        def forward(self, x):
            return self.proj(x).flatten(2).transpose(1, 2)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = (dim // heads) ** -0.5
            self.qkv = nn.Linear(dim, 3 * dim)
            self.proj = nn.Linear(dim, dim)

        def forward(self, x):
            b, n, c = x.shape
            qkv = self.qkv(x).reshape(b, n, 3, heads, c // heads)
            q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
            attn = (q @ k.transpose(-2, -1)) * self.scale
            attn = attn.softmax(dim=-1)
            x = (attn @ v).transpose(1, 2).reshape(b, n, c)
            return self.proj(x)

    class Mlp(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(dim, dim * ratio)
            self.act = nn.GELU()
            self.fc2 = nn.Linear(dim * ratio, dim)

        def forward(self, x):
            return self.fc2(self.act(self.fc1(x)))

    class Block(nn.Module):
        def __init__(self, drop_path):
            super().__init__()
            self.norm1 = nn.LayerNorm(dim, eps=1e-6)
            self.attn = Attention()
            self.norm2 = nn.LayerNorm(dim, eps=1e-6)
            self.mlp = Mlp()
            self.drop_path = drop_path

        def drop(self, x):  # stochastic depth, in training only
            if not self.training or self.drop_path == 0:
                return x
            keep = 1 - self.drop_path
            return x * (torch.rand(x.shape[0], 1, 1) < keep) / keep

        def forward(self, x):
            x = x + self.drop(self.attn(self.norm1(x)))
            return x + self.drop(self.mlp(self.norm2(x)))

    class VisionTransformer(nn.Module):
        def __init__(self):
            super().__init__()
            tokens = (size // patch) ** 2
            self.patch_embed = PatchEmbed()
            self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
            self.pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, dim))
            self.blocks = nn.ModuleList(
                [Block(0.1 * i / max(depth - 1, 1)) for i in range(depth)]
            )
            self.norm = nn.LayerNorm(dim, eps=1e-6)
            self.head = nn.Linear(dim, classes)
            nn.init.trunc_normal_(self.pos_embed, std=0.02)
            nn.init.trunc_normal_(self.cls_token, std=0.02)
            for m in self.modules():
                if isinstance(m, nn.Linear):
                    nn.init.xavier_uniform_(m.weight)
                    nn.init.zeros_(m.bias)

        def forward(self, x):
            x = self.patch_embed(x)
            x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
            x = x + self.pos_embed
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x)[:, 0])

    return VisionTransformer()


# --------------------------------------------------------------------------
# Training
# --------------------------------------------------------------------------


def augment(x):
    """Random rotation, scale, shift and noise; x is [N,1,8,8] in [-1,1]."""
    import torch
    import torch.nn.functional as F

    n = x.shape[0]
    angle = (torch.rand(n) * 2 - 1) * math.radians(12)
    scale = 1 + (torch.rand(n) * 2 - 1) * 0.12
    shear = (torch.rand(n) * 2 - 1) * 0.12
    shift = (torch.rand(n, 2) * 2 - 1) * (1.0 / 4)  # one pixel of eight
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack(
        (cos, shear - sin, shift[:, 0], sin, cos, shift[:, 1]), dim=1
    ).reshape(n, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    # Shifted by one so that the padding is the background, -1.
    y = F.grid_sample(x + 1, grid, align_corners=False) - 1
    gain = 1 + (torch.rand(n, 1, 1, 1) * 2 - 1) * 0.1
    y = (y + 1) * gain - 1 + torch.randn_like(y) * 0.06
    keep = (torch.rand(n, 1, 1, 1) < 0.15).float()  # some stay as they are
    return torch.where(keep > 0, x, y.clamp(-1, 1))


def train(args, train_x, train_y):
    import torch
    import torch.nn.functional as F

    model = make_model()
    ema = make_model()
    ema.load_state_dict(model.state_dict())
    x = torch.from_numpy(preprocess(train_x))
    y = torch.from_numpy(train_y)

    decay = [p for p in model.parameters() if p.ndim == 2]
    plain = [p for p in model.parameters() if p.ndim != 2]
    opt = torch.optim.AdamW(
        [
            {"params": decay, "weight_decay": 0.05},
            {"params": plain, "weight_decay": 0.0},
        ],
        lr=args.lr,
    )
    batches = len(x) // args.batch
    steps = args.epochs * batches
    warmup = min(5 * batches, steps // 10 + 1)
    step = 0
    start = time.time()
    for epoch in range(args.epochs):
        model.train()
        order = torch.randperm(len(x))
        total = 0.0
        for i in range(batches):
            pick = order[i * args.batch : (i + 1) * args.batch]
            if step < warmup:
                rate = (step + 1) / warmup
            else:
                done = (step - warmup) / max(steps - warmup, 1)
                rate = 0.5 * (1 + math.cos(math.pi * done))
            for group in opt.param_groups:
                group["lr"] = args.lr * rate
            loss = F.cross_entropy(
                model(augment(x[pick])), y[pick], label_smoothing=0.05
            )
            opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            step += 1
            total += loss.item()
            keep = min(0.995, (1 + step) / (10 + step))
            with torch.no_grad():
                for e, p in zip(ema.parameters(), model.parameters()):
                    e.lerp_(p, 1 - keep)
        if epoch % 10 == 9 or epoch + 1 == args.epochs:
            print(
                "epoch %3d  loss %.4f  %.0f s"
                % (epoch + 1, total / batches, time.time() - start),
                flush=True,
            )
    return ema.eval()


# --------------------------------------------------------------------------
# Export and checks
# --------------------------------------------------------------------------


def export(model, path, opset):
    import onnx
    import torch

    torch.onnx.export(
        model,
        torch.zeros(1, 1, 8, 8),
        path,
        input_names=["input"],
        output_names=["logits"],
        opset_version=opset,
        do_constant_folding=True,
    )
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)


def verify(folder):
    """Checks the files of `folder` against each other; needs onnx only."""
    import onnx

    images = np.load(os.path.join(folder, "images.npy"))
    labels = np.load(os.path.join(folder, "labels.npy"))
    calibration = np.load(os.path.join(folder, "calibration.npy"))
    logits = np.load(os.path.join(folder, "reference_logits.npy"))
    assert images.dtype == np.uint8 and images.shape == (TEST_IMAGES, 8, 8)
    assert labels.dtype == np.int64 and labels.shape == (TEST_IMAGES,)
    assert calibration.dtype == np.uint8
    assert calibration.shape == (CALIBRATION_IMAGES, 8, 8)
    assert logits.dtype == np.float32 and logits.shape == (TEST_IMAGES, 10)
    held_out = {i.tobytes() for i in images}
    assert not any(i.tobytes() in held_out for i in calibration)

    path = os.path.join(folder, "digits.onnx")
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    right = int((logits.argmax(1) == labels).sum())
    print(
        "%s: opset %d, %d bytes, %d weights"
        % (
            path,
            proto.opset_import[0].version,
            os.path.getsize(path),
            sum(int(np.prod(i.dims)) for i in proto.graph.initializer),
        )
    )
    ops = collections.Counter(n.op_type for n in proto.graph.node)
    print("ops:", ", ".join("%s %d" % item for item in sorted(ops.items())))
    print(
        "float accuracy: %d of %d, %.2f %%"
        % (right, len(labels), 100.0 * right / len(labels))
    )
    try:
        import onnxruntime
    except ImportError:
        print("onnxruntime is not installed: the ONNX file was not executed")
        return
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = np.concatenate(
        [session.run(None, {"input": x[None]})[0] for x in preprocess(images)]
    )
    error = float(np.abs(got - logits).max())
    print("onnxruntime against reference_logits.npy: max |difference| %.2e" % error)
    assert error < 1e-3 and (got.argmax(1) == logits.argmax(1)).all()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(
        description="Train and export vitq's default digits model."
    )
    parser.add_argument("--out", default=here, help="folder to write to")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=20240)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--opset", type=int, default=17)
    parser.add_argument(
        "--verify", metavar="DIR", help="only check files already written to DIR"
    )
    args = parser.parse_args()
    if args.verify:
        verify(args.verify)
        return 0

    import torch

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    train_x, train_y, test_x, test_y, calibration = load_data(args.seed)
    print(
        "%d training, %d held-out images, torch %s"
        % (len(train_x), len(test_x), torch.__version__)
    )
    model = train(args, train_x, train_y)
    print("parameters: %d" % sum(p.numel() for p in model.parameters()))

    os.makedirs(args.out, exist_ok=True)
    with torch.no_grad():
        x = torch.from_numpy(preprocess(test_x))
        logits = torch.cat([model(i[None]) for i in x]).numpy()
    for name, array in (
        ("images", test_x),
        ("labels", test_y),
        ("calibration", calibration),
        ("reference_logits", logits.astype(np.float32)),
    ):
        np.save(os.path.join(args.out, name + ".npy"), array)
    export(model, os.path.join(args.out, "digits.onnx"), args.opset)
    verify(args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
