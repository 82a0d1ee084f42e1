"""Vision transformers of timm, transformers and torchvision, cut to a few small blocks.

`FAMILIES` maps a name to a function that builds the model for a `Size`. What is built is the
library's own module with its own forward function; only sizes differ from the published ones.
Needs torch, timm, transformers and torchvision.
"""

import dataclasses

import torch
from torch import nn

import hybrids
import own


@dataclasses.dataclass(frozen=True)
class Size:
    image: int = 32
    patch: int = 8
    width: int = 32
    heads: int = 2
    depth: int = 1
    classes: int = 10

    @property
    def tokens(self):
        return (self.image // self.patch) ** 2


FAMILIES = {}
# Where a family's images are not of `Size.image`.
IMAGES = {}


def family(name):
    def register(build):
        FAMILIES[name] = build
        return build

    return register


class First(nn.Module):
    """A model that returns one tensor of what another one returns."""

    def __init__(self, model, pick):
        super().__init__()
        self.model = model
        self.pick = pick

    def forward(self, image):
        return self.pick(self.model(image))


# --------------------------------------------------------------------------
# timm
# --------------------------------------------------------------------------


def timm_model(architecture, **fixed):
    """A builder of a plain ViT of timm: sizes as its constructor calls them."""

    def build(size, **changed):
        import timm

        options = dict(
            img_size=size.image,
            patch_size=size.patch,
            embed_dim=size.width,
            depth=size.depth,
            num_heads=size.heads,
            num_classes=size.classes,
        )
        options.update(fixed)
        options.update(changed)
        options = {key: value for key, value in options.items() if value is not ...}
        return timm.create_model(architecture, pretrained=False, **options)

    return build


def timm_scaled(architecture, scaled):
    """The same where the architecture calls its sizes differently."""

    def build(size):
        import timm

        return timm.create_model(architecture, pretrained=False, **scaled(size))

    return build


TIMM = {
    "vit": ("vit_tiny_patch16_224", {}),
    "vit_gap": ("vit_medium_patch16_gap_256", {}),
    "vit_features": ("vit_tiny_patch16_224", dict(num_classes=0)),
    "vit_tokens": ("vit_tiny_patch16_224", dict(num_classes=0, global_pool="")),
    "vit_dense": ("vit_tiny_patch16_224", dict(global_pool="")),
    "vit_resize": ("vit_tiny_patch16_224", dict(dynamic_img_size=True, img_size=48)),
    "vit_miil": ("vit_base_patch16_224_miil", {}),
    "vit_clip": ("vit_base_patch32_clip_224", {}),
    "vit_clip_quickgelu": ("vit_base_patch32_clip_quickgelu_224", {}),
    "vit_xp": ("vit_base_patch16_xp_224", {}),
    "vit_rpn": ("vit_base_patch16_rpn_224", {}),
    "vit_18x2": ("vit_small_patch16_18x2_224", {}),
    "vit_pwee": ("vit_pwee_patch16_reg1_gap_256", {}),
    "vit_dwee": ("vit_dwee_patch16_reg1_gap_256", {}),
    "vit_dpwee": ("vit_dpwee_patch16_reg1_gap_256", {}),
    "vit_wee": ("vit_wee_patch16_reg1_gap_256", {}),
    "vit_reg4": ("vit_betwixt_patch16_reg4_gap_256", {}),
    "vit_so150m_map": ("vit_so150m_patch16_reg4_map_256", dict(mlp_ratio=2)),
    "vit_so150m2": ("vit_so150m2_patch16_reg1_gap_256", dict(mlp_ratio=2)),
    "vit_intern": ("vit_intern300m_patch14_448", {}),
    "vit_siglip": ("vit_base_patch16_siglip_224", {}),
    "vit_siglip_gap": ("vit_base_patch16_siglip_gap_224", {}),
    "vit_rope": ("vit_small_patch16_rope_224", {}),
    "vit_rope_ape": ("vit_small_patch16_rope_ape_224", {}),
    "vit_rope_mixed": ("vit_small_patch16_rope_mixed_224", {}),
    "vit_rope_reg": ("vit_medium_patch16_rope_reg1_gap_256", {}),
    "vit_radio": ("vit_base_patch16_radio_v3", {}),
    "deit": ("deit_tiny_patch16_224", {}),
    "deit_distilled": ("deit_tiny_distilled_patch16_224", {}),
    "deit3": ("deit3_small_patch16_224", {}),
    "dinov2": ("vit_small_patch14_dinov2", {}),
    "dinov2_reg": ("vit_small_patch14_reg4_dinov2", {}),
    "dinov2_giant": ("vit_giant_patch14_dinov2", dict(mlp_ratio=4)),
    "dinov3": ("vit_small_patch16_dinov3", {}),
    "dinov3_swiglu": ("vit_small_plus_patch16_dinov3_qkvb", {}),
    "eva": ("eva_large_patch14_196", {}),
    "eva02": ("eva02_tiny_patch14_224", {}),
    "eva02_base": ("eva02_base_patch14_224", {}),
    "eva02_clip": ("eva02_base_patch16_clip_224", {}),
    "pe_core": ("vit_pe_core_small_patch16_384", {}),
    "pe_spatial": ("vit_pe_spatial_small_patch16_512", {}),
    "beit": ("beit_base_patch16_224", {}),
    "beitv2": ("beitv2_base_patch16_224", {}),
    "beit3": ("beit3_base_patch16_224", {}),
    "relpos": ("vit_relpos_small_patch16_224", {}),
    "relpos_cls": ("vit_relpos_medium_patch16_cls_224", {}),
    "relpos_rpn": ("vit_relpos_small_patch16_rpn_224", {}),
    "srelpos": ("vit_srelpos_small_patch16_224", {}),
    "flexivit": ("flexivit_small", {}),
    "naflexvit": ("naflexvit_base_patch16_gap", dict(img_size=...)),
    "naflexvit_map": ("naflexvit_base_patch16_map", dict(img_size=...)),
    "naflexvit_par": ("naflexvit_base_patch16_par_gap", dict(img_size=...)),
    "naflexvit_siglip": ("naflexvit_base_patch16_siglip", dict(img_size=...)),
    "aimv2": ("aimv2_large_patch14_224", {}),
    "cait": ("cait_xxs24_224", {}),
    "convit": ("convit_tiny", {}),
    "xcit": ("xcit_nano_12_p16_224", {}),
    "samvit": ("samvit_base_patch16", {}),
    "qk_norm": ("vit_tiny_patch16_224", dict(qk_norm=True)),
    "layer_scale": ("vit_tiny_patch16_224", dict(init_values=0.5)),
}
for name, (architecture, fixed) in TIMM.items():
    FAMILIES["timm_" + name] = timm_model(architecture, **fixed)


def mlp_mixer(block, **fixed):
    def build(size):
        from timm.models import mlp_mixer

        return mlp_mixer.MlpMixer(
            img_size=size.image,
            patch_size=size.patch,
            embed_dim=size.width,
            num_blocks=size.depth,
            num_classes=size.classes,
            block_layer=getattr(mlp_mixer, block),
            **{key: resolve(mlp_mixer) for key, resolve in fixed.items()},
        )

    return build


FAMILIES["timm_mixer"] = mlp_mixer("MixerBlock")
FAMILIES["timm_gmixer"] = mlp_mixer(
    "MixerBlock", mlp_layer=lambda module: module.GluMlp, act_layer=lambda module: nn.SiLU)
FAMILIES["timm_resmlp"] = mlp_mixer(
    "ResBlock", norm_layer=lambda module: module.Affine, mlp_ratio=lambda module: 4)
FAMILIES["timm_gmlp"] = mlp_mixer(
    "SpatialGatingBlock", mlp_layer=lambda module: module.GatedMlp, mlp_ratio=lambda module: 6)


@family("timm_tnt")
def _(size):
    import timm

    return timm.create_model(
        "tnt_s_patch16_224", img_size=size.image, patch_size=16, embed_dim=size.width,
        inner_dim=16, depth=size.depth, num_heads_inner=2, num_heads_outer=size.heads,
        num_classes=size.classes)  # fmt: skip


@family("timm_crossvit")
def _(size):
    import timm

    return timm.create_model(
        "crossvit_tiny_240", img_size=size.image, img_scale=(1.0, 1.0), patch_size=(8, 16),
        embed_dim=(size.width, 2 * size.width), num_heads=(2, 2), mlp_ratio=(2, 2, 1),
        depth=((1, size.depth, 0),), num_classes=size.classes)  # fmt: skip


@family("timm_swin")
def _(size):
    import timm

    return timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=size.image, patch_size=4, window_size=4,
        embed_dim=16, depths=(1, 1), num_heads=(2, 2), num_classes=size.classes)  # fmt: skip


@family("timm_hiera")
def _(size):
    import timm

    return timm.create_model(
        "hiera_tiny_224", img_size=size.image, embed_dim=16, num_heads=1, stages=(1, 1),
        mask_unit_size=(2, 2), q_pool=1, mask_unit_attn=(True, False), num_classes=size.classes)  # fmt: skip


# Convolutions or windows inside; of the published sizes but the depth.


@family("timm_pit")
def _(size):
    from timm.models.pit import PoolingVisionTransformer

    return PoolingVisionTransformer(
        img_size=size.image, patch_size=8, stride=4, stem_type="overlap", base_dims=(16, 16),
        depth=(1, 1), heads=(1, 2), mlp_ratio=2, num_classes=size.classes)  # fmt: skip


for name, (architecture, image) in {
    "timm_levit": ("levit_128s", 224),
    "timm_maxvit": ("maxvit_rmlp_pico_rw_256", 256),
    "timm_coatnet": ("coatnet_nano_rw_224", 224),
    "timm_mobilevit": ("mobilevit_xxs", 256),
    "timm_pvt": ("pvt_v2_b0", 224),
    "timm_twins": ("twins_svt_small", 224),
    "timm_nest": ("nest_tiny_jx", 224),
    "timm_vit_hybrid": ("vit_tiny_r_s16_p8_224", 224),
    "timm_volo": ("volo_d1_224", 224),
    "timm_convnext": ("convnext_atto", 224),
}.items():
    FAMILIES[name] = timm_scaled(architecture, lambda size: dict(num_classes=size.classes))
    IMAGES[name] = image


# --------------------------------------------------------------------------
# transformers
# --------------------------------------------------------------------------


def vision_config(size, **changed):
    """How most configurations of transformers call their sizes."""
    options = dict(
        image_size=size.image,
        patch_size=size.patch,
        num_channels=3,
        hidden_size=size.width,
        num_hidden_layers=size.depth,
        num_attention_heads=size.heads,
        intermediate_size=2 * size.width,
        num_labels=size.classes,
    )
    options.update(changed)
    return {key: value for key, value in options.items() if value is not ...}


def hf_model(model, config, pick, **changed):
    def build(size):
        import transformers

        values = {key: value(size) if callable(value) else value for key, value in changed.items()}
        settings = getattr(transformers, config)(**vision_config(size, **values))
        return First(getattr(transformers, model)(settings), pick)

    return build


def logits(result):
    return result.logits


def tokens(result):
    return result.last_hidden_state


def pooled(result):
    return result.pooler_output


def embeds(result):
    return result.image_embeds


HF = {
    "vit": ("ViTForImageClassification", "ViTConfig", logits, {}),
    "vit_eager": ("ViTForImageClassification", "ViTConfig", logits, dict(attn_implementation="eager")),
    "vit_tokens": ("ViTModel", "ViTConfig", tokens, {}),
    "vit_pooler": ("ViTModel", "ViTConfig", pooled, {}),
    "deit": ("DeiTForImageClassification", "DeiTConfig", logits, {}),
    "deit_distilled": ("DeiTForImageClassificationWithTeacher", "DeiTConfig", logits, {}),
    "dinov2": ("Dinov2ForImageClassification", "Dinov2Config", logits, dict(layerscale_value=0.5, mlp_ratio=2)),
    "dinov2_features": ("Dinov2Model", "Dinov2Config", tokens, dict(mlp_ratio=2)),
    "dinov2_interpolated": (
        "Dinov2ForImageClassification", "Dinov2Config", logits,
        dict(mlp_ratio=2, image_size=lambda size: size.image * 3 // 2)),  # fmt: skip
    "dinov2_swiglu": ("Dinov2ForImageClassification", "Dinov2Config", logits, dict(use_swiglu_ffn=True, mlp_ratio=2)),
    "dinov2_reg": (
        "Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersConfig", logits,
        dict(num_register_tokens=3, mlp_ratio=2)),  # fmt: skip
    "dinov3": ("DINOv3ViTModel", "DINOv3ViTConfig", pooled, dict(num_register_tokens=3)),
    "beit": ("BeitForImageClassification", "BeitConfig", logits, dict(use_relative_position_bias=True, vocab_size=16)),
    "beit_shared": (
        "BeitForImageClassification", "BeitConfig", logits,
        dict(use_shared_relative_position_bias=True, use_absolute_position_embeddings=True, vocab_size=16)),  # fmt: skip
    "data2vec": (
        "Data2VecVisionForImageClassification", "Data2VecVisionConfig", logits,
        dict(use_relative_position_bias=True)),  # fmt: skip
    "vit_msn": ("ViTMSNForImageClassification", "ViTMSNConfig", logits, {}),
    "ijepa": ("IJepaForImageClassification", "IJepaConfig", logits, {}),
    "clip": ("CLIPVisionModelWithProjection", "CLIPVisionConfig", embeds, dict(projection_dim=16)),
    "clip_pooler": ("CLIPVisionModel", "CLIPVisionConfig", pooled, dict(projection_dim=16)),
    "clip_classes": ("CLIPForImageClassification", "CLIPConfig", logits, None),
    "chinese_clip": ("ChineseCLIPVisionModel", "ChineseCLIPVisionConfig", pooled, {}),
    "siglip": ("SiglipVisionModel", "SiglipVisionConfig", pooled, {}),
    "siglip_tokens": ("SiglipVisionModel", "SiglipVisionConfig", tokens, {}),
    "siglip_classes": ("SiglipForImageClassification", "SiglipConfig", logits, None),
    "owlvit": ("OwlViTVisionModel", "OwlViTVisionConfig", pooled, {}),
    "blip": ("BlipVisionModel", "BlipVisionConfig", pooled, {}),
    "aimv2": ("Aimv2VisionModel", "Aimv2VisionConfig", pooled, {}),
    "mlcd": ("MLCDVisionModel", "MLCDVisionConfig", pooled, {}),
    "intern": ("InternVLVisionModel", "InternVLVisionConfig", tokens, {}),
    "flava": ("FlavaImageModel", "FlavaImageConfig", tokens, {}),
    "groupvit": ("GroupViTVisionModel", "GroupViTVisionConfig", pooled, None),
    "kosmos2": ("Kosmos2_5VisionModel", "Kosmos2_5VisionConfig", tokens, None),
    "vit_mae": ("ViTMAEModel", "ViTMAEConfig", tokens, {}),
    "yolos": (
        "YolosForObjectDetection", "YolosConfig", logits,
        dict(image_size=lambda size: [size.image] * 2, num_detection_tokens=5)),  # fmt: skip
    "vitpose": ("VitPoseBackbone", "VitPoseBackboneConfig", lambda result: result.feature_maps[0], dict(
        image_size=lambda size: [size.image] * 2, patch_size=lambda size: [size.patch] * 2, mlp_ratio=2)),
    "ijepa_tokens": ("IJepaModel", "IJepaConfig", tokens, {}),
    "swin": ("SwinForImageClassification", "SwinConfig", logits, dict(
        embed_dim=16, depths=[1, 1], num_heads=[2, 2], window_size=4, patch_size=4, num_hidden_layers=...,
        num_attention_heads=..., hidden_size=..., intermediate_size=...)),
}
for name, (model, config, pick, changed) in HF.items():
    if changed is not None:
        FAMILIES["hf_" + name] = hf_model(model, config, pick, **changed)


@family("hf_clip_classes")
def _(size):
    import transformers

    vision = vision_config(size)
    text = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=16)
    config = transformers.CLIPConfig(
        vision_config=vision, text_config=text, projection_dim=16, num_labels=size.classes)  # fmt: skip
    return First(transformers.CLIPForImageClassification(config), logits)


@family("hf_siglip_classes")
def _(size):
    import transformers

    vision = vision_config(size)
    text = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=16)
    config = transformers.SiglipConfig(vision_config=vision, text_config=text, num_labels=size.classes)
    return First(transformers.SiglipForImageClassification(config), logits)


@family("hf_siglip2")
def _(size):
    """NaFlex takes patches, their mask and the shape of the grid; here patches come from an image."""
    import transformers

    config = transformers.Siglip2VisionConfig(
        **vision_config(size, image_size=..., num_patches=size.tokens))  # fmt: skip

    class FromImage(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = transformers.Siglip2VisionModel(config)
            grid = size.image // size.patch
            self.register_buffer("shapes", torch.tensor([[grid, grid]]))
            self.register_buffer("mask", torch.ones(1, size.tokens, dtype=torch.int64))

        def forward(self, image):
            side, grid = size.patch, size.image // size.patch
            patches = image.reshape(-1, 3, grid, side, grid, side).permute(0, 2, 4, 3, 5, 1)
            patches = patches.reshape(-1, grid * grid, side * side * 3)
            return self.model(patches, self.mask, self.shapes).pooler_output

    return FromImage()


# --------------------------------------------------------------------------
# torchvision
# --------------------------------------------------------------------------


@family("tv_vit")
def _(size):
    from torchvision.models import VisionTransformer

    return VisionTransformer(
        image_size=size.image, patch_size=size.patch, num_layers=size.depth, num_heads=size.heads,
        hidden_dim=size.width, mlp_dim=2 * size.width, num_classes=size.classes)  # fmt: skip


@family("tv_swin")
def _(size):
    from torchvision.models import SwinTransformer

    return SwinTransformer(
        patch_size=[4, 4], embed_dim=16, depths=[1, 1], num_heads=[2, 2], window_size=[4, 4],
        mlp_ratio=2, num_classes=size.classes)  # fmt: skip


@family("tv_maxvit")
def _(size):
    from torchvision.models import MaxVit

    return MaxVit(
        input_size=(size.image, size.image), stem_channels=8, partition_size=4, block_channels=[16],
        block_layers=[1], head_dim=8, stochastic_depth_prob=0.0, num_classes=size.classes)  # fmt: skip


FAMILIES.update(own.OWN)


def hybrid(name):
    def build(size):
        model = hybrids.build(name, size.classes)
        return First(model, logits) if name.startswith("hf_") else model

    return build


for name, (_, image) in hybrids.HYBRIDS.items():
    FAMILIES[name] = hybrid(name)
    IMAGES[name] = image
