"""Stand-ins for the two nodes of ClownsharkBatwing/RES4LYF that the Danrisi graph uses, with the pack's names and ranges.

The picture is sampled by ComfyUI's own euler, so the sigmas, the seed and cfg act; eta and the sampler's name do not.
"""

from typing import Any

import comfy.sample
import comfy.samplers
import torch

Spec = tuple[Any, ...]


def wide(default: float) -> Spec:
    return ("FLOAT", {"default": default, "min": -10000.0, "max": 10000.0, "step": 0.01})


class SigmasRescale:
    RETURN_TYPES = ("SIGMAS",)
    FUNCTION = "run"
    CATEGORY = "stand-in"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
        return {"required": {"start": wide(1.0), "end": wide(0.0), "sigmas": ("SIGMAS",)}}

    def run(self, start: float, end: float, sigmas: torch.Tensor) -> tuple[torch.Tensor]:
        low, high = sigmas.min(), sigmas.max()
        return ((sigmas - low) / (high - low) * (start - end) + end,)


class ClownsharKSamplerBeta:
    RETURN_TYPES = ("LATENT", "LATENT", "OPTIONS")
    FUNCTION = "run"
    CATEGORY = "stand-in"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
        return {
            "required": {
                "eta": ("FLOAT", {"default": 0.5, "min": -100.0, "max": 100.0}),
                "sampler_name": (["linear/ralston_2s", "exponential/res_2s", "linear/euler"],),
                "scheduler": (["beta", "simple", "normal"],),
                "steps": ("INT", {"default": 30, "min": 1, "max": 10000}),
                "steps_to_run": ("INT", {"default": -1, "min": -1, "max": 10000}),
                "denoise": wide(1.0),
                "cfg": wide(5.5),
                "seed": ("INT", {"default": 0, "min": -1, "max": 0xFFFFFFFFFFFFFFFF}),
                "sampler_mode": (["standard", "unsample", "resample"],),
                "bongmath": ("BOOLEAN", {"default": True}),
            },
            "optional": {
                "model": ("MODEL",),
                "positive": ("CONDITIONING",),
                "negative": ("CONDITIONING",),
                "latent_image": ("LATENT",),
                "sigmas": ("SIGMAS",),
            },
        }

    def run(self, **given: Any) -> tuple[Any, ...]:
        model, seed = given["model"], given["seed"]
        latent = comfy.sample.fix_empty_latent_channels(model, given["latent_image"]["samples"])
        samples = comfy.sample.sample_custom(
            model,
            comfy.sample.prepare_noise(latent, seed),
            given["cfg"],
            comfy.samplers.sampler_object("euler"),
            given["sigmas"],
            given["positive"],
            given["negative"],
            latent,
            disable_pbar=True,
            seed=seed,
        )
        return ({"samples": samples}, {"samples": samples}, None)


NODE_CLASS_MAPPINGS = {"Sigmas Rescale": SigmasRescale, "ClownsharKSampler_Beta": ClownsharKSamplerBeta}
