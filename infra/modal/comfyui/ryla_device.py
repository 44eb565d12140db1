"""Loaded by ComfyUI as a custom node, and no node: lets the worker move the running server to the GPU.

A memory snapshot is taken of a ComfyUI that was started with `--cpu`, since there is no GPU then. After it was restored the
worker posts to /ryla/device; the answer says which device the server uses from now on, and the worker starts it anew if that
is none of CUDA's. Runs inside ComfyUI, with its modules; must not import anything of ours.
"""

import os

import comfy.model_management as management
import torch
from aiohttp import web
from server import PromptServer

NODE_CLASS_MAPPINGS: dict[str, type] = {}


@PromptServer.instance.routes.post("/ryla/device")
async def use_gpu(_: web.Request) -> web.Response:
    """Takes the GPU, if there is one; models are loaded onto it by the next prompt."""
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    if management.cpu_state == management.CPUState.CPU and torch.cuda.is_available():
        # What `--cpu` has set when the module was imported; everything else asks these two each time.
        management.cpu_state = management.CPUState.GPU
        management.vram_state = management.set_vram_to
        management.total_vram = management.get_total_memory(management.get_torch_device()) / (1024 * 1024)
    return web.json_response({"device": str(management.get_torch_device())})
