"""Stand-ins for the packs that hold a face: InstantID, PuLID for Flux and PuLID for SDXL.

Class, input and output names, types, ranges and choices are those of the packs (cubiq/ComfyUI_InstantID,
lldacing/ComfyUI_PuLID_Flux_ll, cubiq/PuLID_ComfyUI), so that ComfyUI checks a graph as it would with them. They hand their
inputs through: a run proves the wiring of a graph, never a likeness.
"""

from typing import Any

import torch

Spec = tuple[Any, ...]


def real(default: float, low: float, high: float) -> Spec:
    return ("FLOAT", {"default": default, "min": low, "max": high, "step": 0.001})


def node(required: dict[str, Spec], gives: dict[str, str], optional: dict[str, Spec] | None = None) -> type:
    """A node class that hands through the named inputs, or its own name where it loads something."""

    class Node:
        RETURN_TYPES = tuple(gives.values())
        FUNCTION = "run"
        CATEGORY = "stand-in"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
            return {"required": required, **({"optional": optional} if optional else {})}

        def run(self, **inputs: Any) -> tuple[Any, ...]:
            return tuple(inputs.get(name, name) for name in gives)

    return Node


class FaceKeypointsPreprocessor:
    """Draws where a face would be: a spot in the middle, so that the mask made from it is neither empty nor everything."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "stand-in"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
        return {"required": {"faceanalysis": ("FACEANALYSIS",), "image": ("IMAGE",)}}

    def run(self, faceanalysis: Any, image: torch.Tensor) -> tuple[torch.Tensor]:
        points = torch.zeros_like(image)
        _, height, width, _ = image.shape
        points[:, height * 2 // 5 : height * 3 // 5, width * 2 // 5 : width * 3 // 5, 0] = 1.0
        return (points,)


PROVIDERS = ["CPU", "CUDA", "ROCM"]
FACE = {"image": ("IMAGE",), "model": ("MODEL",)}
SPAN = {"start_at": real(0, 0, 1), "end_at": real(1, 0, 1)}
INSTANTID = {"instantid": ("INSTANTID",), "insightface": ("FACEANALYSIS",), "control_net": ("CONTROL_NET",), **FACE}
CONDITIONS = {"positive": ("CONDITIONING",), "negative": ("CONDITIONING",)}
INSTANTID_GIVES = {"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING"}
KEYPOINTS = {"image_kps": ("IMAGE",), "mask": ("MASK",)}

NODE_CLASS_MAPPINGS = {
    "InstantIDModelLoader": node({"instantid_file": (["ip-adapter.bin"],)}, {"instantid": "INSTANTID"}),
    "InstantIDFaceAnalysis": node({"provider": ([*PROVIDERS, "CoreML"],)}, {"faces": "FACEANALYSIS"}),
    "FaceKeypointsPreprocessor": FaceKeypointsPreprocessor,
    "ApplyInstantID": node({**INSTANTID, **CONDITIONS, "weight": real(0.8, 0, 5), **SPAN}, INSTANTID_GIVES, KEYPOINTS),
    "ApplyInstantIDAdvanced": node(
        {
            **INSTANTID,
            **CONDITIONS,
            "ip_weight": real(0.8, 0, 3),
            "cn_strength": real(0.8, 0, 10),
            **SPAN,
            "noise": real(0, 0, 1),
            "combine_embeds": (["average", "norm average", "concat"], {"default": "average"}),
        },
        INSTANTID_GIVES,
        KEYPOINTS,
    ),
    "PulidFluxModelLoader": node({"pulid_file": (["pulid_flux_v0.9.1.safetensors"],)}, {"pulid": "PULIDFLUX"}),
    "PulidFluxInsightFaceLoader": node({"provider": (PROVIDERS,)}, {"faces": "FACEANALYSIS"}),
    "PulidFluxEvaClipLoader": node({}, {"eva": "EVA_CLIP"}),
    "ApplyPulidFlux": node(
        {
            "model": ("MODEL",),
            "pulid_flux": ("PULIDFLUX",),
            "eva_clip": ("EVA_CLIP",),
            "face_analysis": ("FACEANALYSIS",),
            "image": ("IMAGE",),
            "weight": real(1, -1, 5),
            **SPAN,
        },
        {"model": "MODEL"},
        {"attn_mask": ("MASK",), "options": ("OPTIONS",)},
    ),
    "PulidModelLoader": node({"pulid_file": (["ip-adapter_pulid_sdxl_fp16.safetensors"],)}, {"pulid": "PULID"}),
    "PulidInsightFaceLoader": node({"provider": ([*PROVIDERS, "CoreML"],)}, {"faces": "FACEANALYSIS"}),
    "PulidEvaClipLoader": node({}, {"eva": "EVA_CLIP"}),
    "ApplyPulid": node(
        {
            "model": ("MODEL",),
            "pulid": ("PULID",),
            "eva_clip": ("EVA_CLIP",),
            "face_analysis": ("FACEANALYSIS",),
            "image": ("IMAGE",),
            "method": (["fidelity", "style", "neutral"],),
            "weight": real(1, -1, 5),
            **SPAN,
        },
        {"model": "MODEL"},
        {"attn_mask": ("MASK",)},
    ),
}
