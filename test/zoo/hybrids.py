"""Vision transformers with convolutions, windows or pyramids, cut to a few small blocks.

`HYBRIDS` maps a name to a library's architecture and the size of its images, `OPTIONS` to what is
smaller than published. As in families.py, what is built is the library's own module.
"""

import torch
from torch import nn

# The name of timm's architecture, and the images' size.
HYBRIDS = {
    "timm_swin_64": ("swin_tiny_patch4_window7_224", 64),
    "timm_swinv2": ("swinv2_tiny_window8_256", 64),
    "timm_mobilevit_64": ("mobilevit_xxs", 64),
    "timm_mobilevitv2": ("mobilevitv2_050", 64),
    "timm_efficientvit_mit": ("efficientvit_b0", 64),
    "timm_efficientvit_msra": ("efficientvit_m0", 64),
    "timm_efficientformer": ("efficientformer_l1", 224),
    "timm_efficientformerv2": ("efficientformerv2_s0", 64),
    "timm_poolformer": ("poolformer_s12", 64),
    "timm_poolformerv2": ("poolformerv2_s12", 64),
    "timm_pvt_64": ("pvt_v2_b0", 64),
    "timm_levit_64": ("levit_128s", 64),
    "timm_coatnet_64": ("coatnet_pico_rw_224", 64),
    "timm_tinyvit": ("tiny_vit_5m_224", 64),
    "timm_fastvit": ("fastvit_t8", 64),
    "timm_repvit": ("repvit_m0_9", 64),
    "timm_maxvit_64": ("maxvit_rmlp_pico_rw_256", 64),
    "timm_davit": ("davit_tiny", 64),
    "timm_twins_64": ("twins_svt_small", 64),
    "timm_twins_pcpvt": ("twins_pcpvt_small", 64),
    "timm_xcit_64": ("xcit_nano_12_p8_224", 64),
    "timm_coat": ("coat_tiny", 64),
    "timm_visformer": ("visformer_tiny", 64),
    "timm_swiftformer": ("swiftformer_xs", 64),
    "timm_edgenext": ("edgenext_xx_small", 64),
    "timm_ghostnet": ("ghostnet_050", 64),
    "timm_mobilenetv3": ("mobilenetv3_small_050", 64),
    "hf_segformer": ("SegformerForImageClassification", 64),
    "hf_segformer_dense": ("SegformerForSemanticSegmentation", 64),
    "own_cct": ("CompactConvolutionalTransformer", 32),
}

OPTIONS = {
    "timm_swin_64": dict(img_size=64, window_size=4, embed_dim=16, depths=(2, 1), num_heads=(2, 2)),
    "timm_swinv2": dict(img_size=64, window_size=4, embed_dim=16, depths=(2, 1), num_heads=(2, 2)),
    "timm_efficientvit_mit": dict(widths=(8, 16, 16, 32, 32), depths=(1, 1, 1, 1, 1), head_widths=(64, 64)),
    "timm_efficientvit_msra": dict(img_size=64),
    "timm_efficientformer": dict(depths=(1, 1, 1, 2), embed_dims=(16, 16, 32, 32)),
    "timm_efficientformerv2": dict(img_size=64),
    "timm_pvt_64": dict(depths=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32), num_heads=(1, 1, 2, 2)),
    "timm_levit_64": dict(img_size=64, embed_dim=(32, 48, 64), key_dim=16, num_heads=(2, 3, 4), depth=(1, 1, 1)),
    "timm_coatnet_64": dict(img_size=64, depths=(1, 1, 1, 1), embed_dim=(16, 32, 32, 64), stem_width=(8, 16)),
    "timm_tinyvit": dict(embed_dims=(16, 32, 32, 64), depths=(1, 1, 1, 1), num_heads=(1, 2, 2, 4),
                         window_sizes=(4, 4, 4, 2)),
    "timm_fastvit": dict(layers=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32)),
    "timm_repvit": dict(embed_dim=(16, 16, 32, 32), depth=(1, 1, 1, 1)),
    "timm_maxvit_64": dict(img_size=64, depths=(1, 1, 1, 1), embed_dim=(32, 32, 64, 64)),
    "timm_davit": dict(depths=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32), num_heads=(1, 1, 2, 2), window_size=4),
    "timm_twins_64": dict(img_size=64, depths=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32), num_heads=(1, 1, 2, 2),
                          wss=(4, 4, 4, 2)),
    "timm_twins_pcpvt": dict(img_size=64, depths=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32), num_heads=(1, 1, 2, 2)),
    "timm_xcit_64": dict(img_size=64, embed_dim=32, depth=1, num_heads=2),
    "timm_coat": dict(img_size=64, embed_dims=(32, 32, 32, 32), serial_depths=(1, 1, 1, 1), parallel_depth=1),
    "timm_visformer": dict(img_size=64, embed_dim=48, init_channels=8, num_heads=2, depth=(1, 1, 1)),
    "timm_swiftformer": dict(layers=[1, 1, 1, 1], embed_dims=[16, 16, 32, 32]),
    "timm_edgenext": dict(depths=(1, 1, 2, 1), dims=(16, 16, 32, 32)),
}


class CompactConvolutionalTransformer(nn.Module):
    """CCT as its authors describe it: a tokenizer of convolutions, and attention pooling of the sequence."""

    def __init__(self, classes, width=32, heads=2):
        super().__init__()
        self.heads = heads
        self.tokenizer = nn.Sequential(
            nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.ReLU(), nn.MaxPool2d(3, 2, 1))  # fmt: skip
        self.position = nn.Parameter(torch.zeros(1, 64, width))
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.projection = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.norm = nn.LayerNorm(width)
        self.pool = nn.Linear(width, 1)
        self.head = nn.Linear(width, classes)

    def attention(self, x):
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5, dim=-1)
        return self.projection((weights @ v).transpose(1, 2).reshape(batch, tokens, width))

    def forward(self, image):
        x = self.tokenizer(image).flatten(2).transpose(1, 2) + self.position
        x = x + self.attention(self.norm1(x))
        x = self.norm(x + self.mlp(self.norm2(x)))
        weights = torch.softmax(self.pool(x), dim=1).transpose(1, 2)
        return self.head((weights @ x).squeeze(1))


def build(name, classes):
    architecture, image = HYBRIDS[name]
    options = OPTIONS.get(name, {})
    if name.startswith("own_"):
        return CompactConvolutionalTransformer(classes)
    if name.startswith("hf_"):
        import transformers

        config = transformers.SegformerConfig(
            image_size=image, depths=[1, 1, 1, 1], hidden_sizes=[16, 16, 32, 32], num_attention_heads=[1, 1, 2, 2],
            decoder_hidden_size=32, num_labels=classes)  # fmt: skip
        return getattr(transformers, architecture)(config)
    import timm

    if "poolformer" in name: # whose constructors by name have fixed depths
        from timm.models import metaformer

        second = name.endswith("v2")
        first_only = dict(downsample_norm=None, mlp_act=nn.GELU, mlp_bias=True, res_scale_init_values=None)
        return metaformer.MetaFormer(
            depths=(1, 1, 1, 1), dims=(16, 16, 32, 32), use_mlp_head=False, num_classes=classes,
            norm_layers=metaformer.GroupNorm1NoBias if second else metaformer.GroupNorm1,
            **({} if second else first_only))  # fmt: skip
    return timm.create_model(architecture, pretrained=False, num_classes=classes, **options)
