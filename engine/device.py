"""Where the numbers are computed: device, dtype, threads, and the environment set before torch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning barriers cost 3 to 12 times on a busy machine
    # Large tensors in large pages, where the system has them to give: an eighth of the page faults
    # of a training (a step of SmolLM2-135M takes 4 to 6 % less time).
    "THP_MEM_ALLOC_ENABLE": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # progress is reported, not printed
    "TRANSFORMERS_VERBOSITY": "error",  # the warnings repeat parts of the prompt
    "DIFFUSERS_VERBOSITY": "error",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def prepare_environment() -> None:
    """Set what torch and the Hugging Face libraries read at import; call before importing them."""
    os.environ.update(ENVIRONMENT)


def lower_priority(niceness: int = 10) -> None:
    """Let the window go first (Windows has no nice, but favours the front window by itself)."""
    if hasattr(os, "nice"):
        os.nice(niceness)


def default_threads() -> int:
    """One core is left to the window and the rest of the machine (measured: see the README).

    Processes that torchrun starts on one machine share its cores.
    """
    processes = int(os.environ.get("LOCAL_WORLD_SIZE") or 1)
    return max(1, ((os.cpu_count() or 2) - 1) // processes)


def choose_threads(number: int) -> None:
    """Compute with this many threads from the next `configure_threads` on; 0 changes nothing."""
    if number > 0:
        os.environ["ATELIER_THREADS"] = str(number)


def threads() -> int:
    """Threads of a model: ATELIER_THREADS, else the default."""
    return int(os.environ.get("ATELIER_THREADS") or default_threads())


def configure_threads() -> None:
    """Give torch its threads."""
    import torch

    torch.set_num_threads(threads())


def best_device() -> torch.device:
    """CUDA, else Apple's MPS, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """Half precision where the device is made for it, else fp32: a CPU is slow or wrong in fp16."""
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float16 if device.type == "mps" else torch.float32


def has_native_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware, which makes diffusion 2 to 4 times faster.

    Language models gain nothing (one token at a time, they wait for memory).
    """
    import torch

    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("amx_bf16") or abilities.get("avx512_bf16"))
