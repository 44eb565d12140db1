"""Nodes for tests only: one that takes its time and can be interrupted, one that cannot, one that fails as it is told."""

import time
from typing import Any

import comfy.model_management
import comfy.utils
import torch

Spec = tuple[Any, ...]


class TestSleep:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "test"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
        return {"required": {"image": ("IMAGE",), "seconds": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 3600.0})}}

    def run(self, image: torch.Tensor, seconds: float) -> tuple[torch.Tensor]:
        ticks = max(1, int(seconds * 10))
        progress = comfy.utils.ProgressBar(ticks)
        for _ in range(ticks):
            comfy.model_management.throw_exception_if_processing_interrupted()
            time.sleep(0.1)
            progress.update(1)
        return (image,)


class TestDeaf(TestSleep):
    def run(self, image: torch.Tensor, seconds: float) -> tuple[torch.Tensor]:
        time.sleep(seconds)
        return (image,)


class TestFail:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "test"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Spec]]:
        return {"required": {"image": ("IMAGE",), "message": ("STRING", {"default": "asked to fail"})}}

    def run(self, image: torch.Tensor, message: str) -> tuple[torch.Tensor]:
        raise RuntimeError(message)


NODE_CLASS_MAPPINGS = {"TestSleep": TestSleep, "TestDeaf": TestDeaf, "TestFail": TestFail}
