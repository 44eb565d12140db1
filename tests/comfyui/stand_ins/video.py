"""Stand-ins for the nodes of PowerHouseMan/ComfyUI-AdvancedLivePortrait, and the text width of the tiny Wan.

AdvancedLivePortrait reads its command as the pack does (`motion = change:keep` a line) and gives as many frames, each a
little darker or brighter than the photo, so that the length of a video is decided by the graph alone.
"""

from typing import Any

import comfy.supported_models
import torch

Spec = tuple[Any, ...]

# The real text encoder of Wan is 4096 wide and too large for a test; the tiny model takes CLIP-L's 768.
comfy.supported_models.WAN21_T2V.unet_extra_config = {"text_dim": 768}


def real(default: float, low: float, high: float) -> Spec:
    return ("FLOAT", {"default": default, "min": low, "max": high, "step": 0.01})


class ExpressionEditor:
    RETURN_TYPES = ("IMAGE", "EDITOR_LINK", "EXP_DATA")
    FUNCTION = "run"
    CATEGORY = "stand-in"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
        return {
            "required": {
                "rotate_pitch": real(0, -20, 20),
                "rotate_yaw": real(0, -20, 20),
                "rotate_roll": real(0, -20, 20),
                "blink": real(0, -20, 5),
                "eyebrow": real(0, -10, 15),
                "wink": real(0, 0, 25),
                "pupil_x": real(0, -15, 15),
                "pupil_y": real(0, -15, 15),
                "aaa": real(0, -30, 120),
                "eee": real(0, -20, 15),
                "woo": real(0, -20, 15),
                "smile": real(0, -0.3, 1.3),
                "src_ratio": real(1, 0, 1),
                "sample_ratio": real(1, -0.2, 1.2),
                "sample_parts": (["OnlyExpression", "OnlyRotation", "OnlyMouth", "OnlyEyes", "All"],),
                "crop_factor": real(1.7, 1.5, 2.5),
            },
            "optional": {
                "src_image": ("IMAGE",),
                "motion_link": ("EDITOR_LINK",),
                "sample_image": ("IMAGE",),
                "add_exp": ("EXP_DATA",),
            },
        }

    def run(self, **given: Any) -> tuple[Any, ...]:
        link = given.get("motion_link") or [given["src_image"]]
        return (link[0], [*link, "expression"], "expression")


class AdvancedLivePortrait:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "stand-in"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
        return {
            "required": {
                "retargeting_eyes": real(0, 0, 1),
                "retargeting_mouth": real(0, 0, 1),
                "crop_factor": real(1.7, 1.5, 2.5),
                "turn_on": ("BOOLEAN", {"default": True}),
                "tracking_src_vid": ("BOOLEAN", {"default": False}),
                "animate_without_vid": ("BOOLEAN", {"default": False}),
                "command": ("STRING", {"multiline": True, "default": ""}),
            },
            "optional": {"src_images": ("IMAGE",), "motion_link": ("EDITOR_LINK",), "driving_images": ("IMAGE",)},
        }

    def run(self, command: str, motion_link: list[Any], animate_without_vid: bool, **given: Any) -> tuple[torch.Tensor]:
        frames = 0
        photo = motion_link[0]
        lights = []
        for line in command.split("\n"):
            motion, _, times = line.partition("=")
            change, _, keep = times.partition(":")
            if int(motion) >= len(motion_link) or int(change) < 1:
                raise ValueError(f"Command Err: {line}")
            frames += int(change) + int(keep)
            lights += [1.0 - 0.02 * int(motion)] * (int(change) + int(keep))
        if not animate_without_vid:
            lights = [1.0]
        return (torch.cat([photo * light for light in lights]),)


NODE_CLASS_MAPPINGS = {"ExpressionEditor": ExpressionEditor, "AdvancedLivePortrait": AdvancedLivePortrait}
