"""Tiny random model files under the real names, so that ComfyUI's own loaders, samplers and decoders run on a CPU in a second.

tests/comfyui/install runs it in ComfyUI's folder: `tiny_models.py OUT_DIR`. Pictures come from one diffusion transformer of
the SD3 kind (1 block, 64 wide), CLIP-L and TAESD; videos from a Wan 2.1 of one block with its own kind of VAE.
"""

import json
import sys
from pathlib import Path
from typing import Any

out = Path(sys.argv[1])
# ComfyUI reads the command line when it is imported.
sys.argv = [sys.argv[0], "--cpu"]

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import comfy.ldm.modules.diffusionmodules.mmdit as mmdit  # noqa: E402
import comfy.ldm.wan.model  # noqa: E402
import comfy.ldm.wan.vae  # noqa: E402
import comfy.ops  # noqa: E402
import comfy.t2i_adapter.adapter  # noqa: E402
import comfy.taesd.taesd  # noqa: E402
import torch  # noqa: E402
from comfy.clip_model import CLIPTextModel  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

HALF = torch.float16
PICTURE_CHECKPOINTS = ("flux1-dev-fp8", "flux1-schnell-fp8", "sd_xl_base_1.0")


def drawn(module: torch.nn.Module, scale: float) -> dict[str, torch.Tensor]:
    """Random weights of a module; scales are one and offsets zero, so that numbers stay finite."""
    weights = {}
    for name, value in module.state_dict().items():
        if name.endswith("position_ids"):
            weights[name] = torch.arange(value.shape[-1]).expand(value.shape).clone()
        elif name.endswith("bias"):
            weights[name] = torch.zeros(value.shape, dtype=HALF)
        elif name.endswith("gamma") or (value.ndim <= 1 and name.endswith("weight")):
            weights[name] = torch.ones(value.shape, dtype=HALF)
        elif value.ndim == 0:
            weights[name] = value.to(HALF)
        else:
            weights[name] = (torch.randn(value.shape) * scale).to(HALF)
    return weights


def save(weights: dict[str, torch.Tensor], *path: str) -> None:
    """Writes one model file."""
    file = out.joinpath(*path)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, file)


def transformer(context: int, pooled: int) -> dict[str, torch.Tensor]:
    """A diffusion transformer for 16 latent channels; ComfyUI reads its sizes from the shapes."""
    options: dict[str, Any] = {"operations": comfy.ops.disable_weight_init, "dtype": HALF, "device": "cpu"}
    return drawn(
        mmdit.OpenAISignatureMMDITWrapper(
            in_channels=16,
            patch_size=2,
            out_channels=16,
            depth=1,
            input_size=None,
            adm_in_channels=pooled,
            context_embedder_config={
                "target": "torch.nn.Linear",
                "params": {"in_features": context, "out_features": 64},
            },
            num_patches=36864,
            pos_embed_max_size=192,
            pos_embed_scaling_factor=None,
            **options,
        ),
        0.05,
    )


def pictures() -> None:
    """Checkpoints, and the split files of Z-Image."""
    config = json.loads(Path("comfy/sd1_clip_config.json").read_text())
    clip = drawn(CLIPTextModel(config, HALF, "cpu", comfy.ops.disable_weight_init), 0.02)
    vae = drawn(comfy.taesd.taesd.TAESD(latent_channels=16), 0.1)
    vae["vae_scale"] = torch.tensor(1.0)
    vae["vae_shift"] = torch.tensor(0.0)
    checkpoint = {f"model.diffusion_model.{name}": value for name, value in transformer(4096, 2048).items()}
    checkpoint |= {f"first_stage_model.{name}": value for name, value in vae.items()}
    checkpoint |= {f"text_encoders.clip_l.transformer.{name}": value for name, value in clip.items()}
    save(checkpoint, "checkpoints", f"{PICTURE_CHECKPOINTS[0]}.safetensors")
    for name in PICTURE_CHECKPOINTS[1:]:
        link = out / "checkpoints" / f"{name}.safetensors"
        link.unlink(missing_ok=True)
        link.symlink_to(f"{PICTURE_CHECKPOINTS[0]}.safetensors")
    save(transformer(768, 768), "diffusion_models", "z_image_turbo_bf16.safetensors")
    save(clip, "text_encoders", "qwen_3_4b.safetensors")
    save(clip, "text_encoders", "umt5_xxl_fp8_e4m3fn_scaled.safetensors")
    save(vae, "vae", "ae.safetensors")


def adapters() -> None:
    """A LoRA whose one key really changes the picture, and a ControlNet file that loads."""
    key = "lora_unet_joint_blocks_0_x_block_attn_qkv"
    lora = {
        f"{key}.lora_up.weight": (torch.randn(192, 4) * 0.5).half(),
        f"{key}.lora_down.weight": (torch.randn(4, 64) * 0.5).half(),
        f"{key}.alpha": torch.tensor(4.0),
    }
    save(lora, "loras", "test-lora.safetensors")
    adapter = comfy.t2i_adapter.adapter.Adapter(cin=192, channels=[8, 16, 32, 32], nums_rb=2, ksize=1, sk=True, use_conv=False)
    save(drawn(adapter, 0.05), "controlnet", "instantid", "diffusion_pytorch_model.safetensors")


def videos() -> None:
    """Wan 2.1 text to video: one block, its text width that of CLIP-L (stand_ins/video.py tells ComfyUI so)."""
    wan = comfy.ldm.wan.model.WanModel(
        model_type="t2v", dim=128, ffn_dim=64, num_heads=1, num_layers=1, in_dim=16, out_dim=16, text_dim=768,
        device="cpu", dtype=HALF, operations=comfy.ops.disable_weight_init,
    )  # fmt: skip
    save(drawn(wan, 0.05), "diffusion_models", "wan2.1_t2v_1.3B_fp16.safetensors")
    vae = comfy.ldm.wan.vae.WanVAE(dim=8, z_dim=16, temperal_downsample=[False, True, True])
    save(drawn(vae, 0.1), "vae", "wan_2.1_vae.safetensors")


torch.manual_seed(0)
pictures()
adapters()
videos()
