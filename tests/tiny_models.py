"""Diffusion models of a few thousand random weights, written to disk as the real ones are: same files, same classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from splatfilm.refine.diffusion import diffusers_class, transformers_class


def _tokenizer() -> Any:
    words = ["<|startoftext|>", "<|endoftext|>", "a</w>", "room</w>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return transformers_class("CLIPTokenizer")(vocab=vocabulary, merges=[], model_max_length=16)


def _clip_text() -> Any:
    config = transformers_class("CLIPTextConfig")(
        vocab_size=8,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return transformers_class("CLIPTextModel")(config)


def _t5() -> Any:
    config = transformers_class("T5Config")(
        vocab_size=8, d_model=16, d_ff=24, d_kv=8, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    return transformers_class("T5EncoderModel")(config)


def _unet() -> Any:
    return diffusers_class("UNet2DConditionModel")(
        block_out_channels=(8, 16),
        layers_per_block=1,
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
    )


def _image_vae() -> Any:
    return diffusers_class("AutoencoderKL")(
        block_out_channels=(8, 8, 8, 8),
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )


def _scheduler() -> Any:
    return diffusers_class("DDIMScheduler")(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, clip_sample=False
    )


def stable_diffusion(folder: Path) -> Path:
    """A text-to-image pipeline with autoencoder cells of 8 pixels and four latent channels."""
    torch.manual_seed(1)
    pipeline = diffusers_class("StableDiffusionPipeline")(
        vae=_image_vae(),
        text_encoder=_clip_text(),
        tokenizer=_tokenizer(),
        unet=_unet(),
        scheduler=_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def control_net(folder: Path) -> Path:
    """A ControlNet for `stable_diffusion`, with weights that are not zero, as a trained one has."""
    torch.manual_seed(2)
    net = diffusers_class("ControlNetModel")(
        block_out_channels=(8, 16),
        layers_per_block=1,
        in_channels=4,
        cross_attention_dim=16,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        norm_num_groups=4,
        conditioning_embedding_out_channels=(8, 8, 8, 8),
    )
    with torch.no_grad():
        for weight in net.parameters():
            weight += 0.05 * torch.randn(weight.shape)
    net.save_pretrained(folder, safe_serialization=True)
    return folder


def motion_adapter(folder: Path) -> Path:
    """AnimateDiff's motion modules for `stable_diffusion`."""
    torch.manual_seed(3)
    diffusers_class("MotionAdapter")(
        block_out_channels=(8, 16),
        motion_layers_per_block=1,
        motion_norm_num_groups=4,
        motion_num_attention_heads=4,
        use_motion_mid_block=True,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def wan(folder: Path) -> Path:
    """Wan's text-to-video pipeline: cells of 8 pixels, groups of four frames."""
    torch.manual_seed(4)
    vae = diffusers_class("AutoencoderKLWan")(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    transformer = diffusers_class("WanTransformer3DModel")(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=16,
        out_channels=16,
        text_dim=16,
        freq_dim=64,
        ffn_dim=16,
        num_layers=1,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    scheduler = diffusers_class("UniPCMultistepScheduler")(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    diffusers_class("WanPipeline")(
        tokenizer=_tokenizer(), text_encoder=_t5(), vae=vae, transformer=transformer, scheduler=scheduler
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def ltx(folder: Path) -> Path:
    """LTX's text-to-video pipeline: cells of 32 pixels, groups of eight frames."""
    torch.manual_seed(5)
    vae = diffusers_class("AutoencoderKLLTXVideo")(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    )
    transformer = diffusers_class("LTXVideoTransformer3DModel")(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        num_layers=1,
        caption_channels=16,
    )
    diffusers_class("LTXPipeline")(
        scheduler=diffusers_class("FlowMatchEulerDiscreteScheduler")(),
        vae=vae,
        text_encoder=_t5(),
        tokenizer=_tokenizer(),
        transformer=transformer,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def cogvideox(folder: Path) -> Path:
    """CogVideoX's text-to-video pipeline: cells of 8 pixels, groups of four frames."""
    torch.manual_seed(6)
    transformer = diffusers_class("CogVideoXTransformer3DModel")(
        num_attention_heads=4,
        attention_head_dim=8,
        in_channels=4,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=16,
        num_layers=1,
        sample_width=2,
        sample_height=2,
        sample_frames=9,
        patch_size=2,
        temporal_compression_ratio=4,
        max_text_seq_length=226,
    )
    vae = diffusers_class("AutoencoderKLCogVideoX")(
        in_channels=3,
        out_channels=3,
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    diffusers_class("CogVideoXPipeline")(
        tokenizer=_tokenizer(),
        text_encoder=_t5(),
        vae=vae.eval(),
        transformer=transformer.eval(),
        scheduler=diffusers_class("CogVideoXDDIMScheduler")(),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


TEXT_TO_VIDEO = {"WanPipeline": wan, "LTXPipeline": ltx, "CogVideoXPipeline": cogvideox}
"""Builders by the name of the pipeline's class."""
