"""What could draw faster, each measured beside the plain way, and what it changes in the picture.

    python -m tests.benchmarks.speed_options [MODEL [SIZE]]

CPU seconds of a picture with the model warm: the median of five, the ways taking turns; the gain
against the plain way, and the PSNR of the picture against the plain way's. What has to be prepared
(a compiler's work) stands apart. Without a model: the embedded one.

What came of it with the embedded model on a CPU without bfloat16, and so is not offered:
channels_last gains no more than the runs differ (1.05 times); bfloat16 is 14 times slower, which
is why it is taken only where the CPU multiplies it; attention by matrices is no faster than SDPA;
the compiled blocks gain 1.2 times after a minute or more of preparation, which hundreds of pictures
would have to earn; diffusers 0.42 has the first-block cache for other transformers than this one.
Fewer steps pay, and the field of the steps says how much.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from engine import device, library
from engine.events import Event

STEPS = 20
ROUNDS = 5


def ignore(event: Event) -> None:
    pass


def picture(pipe: Any, size: int, steps: int, options: dict[str, Any]) -> Any:
    import torch

    return pipe(
        "red heart",
        num_inference_steps=steps,
        guidance_scale=3.0,
        width=size,
        height=size,
        generator=torch.Generator("cpu").manual_seed(1),
        output_type="np",
        **options,
    ).images[0]


def denoiser_of(pipe: Any) -> Any:
    return getattr(pipe, "unet", None) or pipe.transformer


def channels_last(pipe: Any) -> None:
    import torch

    for part in (denoiser_of(pipe), pipe.vae):
        part.to(memory_format=torch.channels_last)


def in_bfloat16(pipe: Any) -> None:
    import torch

    pipe.to(torch.bfloat16)


def matrix_attention(pipe: Any) -> None:
    """All of attention's weights at once, which SDPA avoids."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    forward = denoiser_of(pipe).forward

    def by_matrices(*args: Any, **kwargs: Any) -> Any:
        with sdpa_kernel(SDPBackend.MATH):
            return forward(*args, **kwargs)

    denoiser_of(pipe).forward = by_matrices


def first_block_cache(pipe: Any) -> None:
    from diffusers import FirstBlockCacheConfig

    denoiser_of(pipe).enable_cache(FirstBlockCacheConfig(threshold=0.1))


def compiled(pipe: Any) -> None:
    """The blocks that come again and again (a compiler must be there)."""
    denoiser = denoiser_of(pipe)
    if not hasattr(denoiser, "transformer_blocks"):
        denoiser.compile_repeated_blocks(fullgraph=True)
        return
    for block in denoiser.transformer_blocks:
        block.compile(fullgraph=True)


WAYS: dict[str, tuple[Callable[[Any], None] | None, int]] = {
    "plain": (None, STEPS),
    "channels_last": (channels_last, STEPS),
    "bfloat16": (in_bfloat16, STEPS),
    "attention without SDPA": (matrix_attention, STEPS),
    "first-block cache": (first_block_cache, STEPS),
    "torch.compile of the blocks": (compiled, STEPS),
    "10 steps": (None, 10),
    "6 steps": (None, 6),
}


def psnr(one: Any, other: Any) -> float:
    import numpy as np

    error = float(np.mean((one - other) ** 2))
    return 10 * float(np.log10(1 / error)) if error else float("inf")


def main() -> None:
    from engine.pipelines import load_text_to_image

    model = sys.argv[1] if sys.argv[1:] else library.EMBEDDED_IMAGE_MODEL
    loaded = load_text_to_image(library.find(model), ignore)
    size = int(sys.argv[2]) if sys.argv[2:] else loaded.own_size()[0]
    options = loaded.text_length()
    ready: dict[str, tuple[Any, int]] = {}
    first: dict[str, Any] = {}
    for name, (prepare, steps) in WAYS.items():
        pipe = copy.deepcopy(loaded.pipe)
        pipe.set_progress_bar_config(disable=True)
        began = time.perf_counter()
        try:
            if prepare:
                prepare(pipe)
            first[name] = picture(pipe, size, steps, options)
        except (RuntimeError, ValueError, AttributeError, KeyError, TypeError) as error:
            print(f"{name}: not possible here ({str(error).splitlines()[0][:90]})", flush=True)
            continue
        ready[name] = (pipe, steps)
        print(f"{name}: ready after {time.perf_counter() - began:.1f} s", flush=True)
    taken: dict[str, list[float]] = {name: [] for name in ready}
    for _ in range(ROUNDS):
        for name, (pipe, steps) in ready.items():
            began = time.process_time()
            picture(pipe, size, steps, options)
            taken[name].append(time.process_time() - began)
    plain = statistics.median(taken["plain"])
    print(f"{'':30}{'CPU s':>8}{'gain':>8}{'PSNR':>8}")
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        difference = psnr(first[name], first["plain"])
        print(f"{name:30}{median:8.2f}{plain / median:7.2f}×{difference:8.1f}")


if __name__ == "__main__":
    device.prepare_environment()
    device.configure_threads()
    main()
