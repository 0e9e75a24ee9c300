"""The lines of a copied program by which it takes as little memory as the task did."""

from __future__ import annotations

from dataclasses import dataclass

from engine.gate.model_folder import Component, PipelineFolder, read_config
from engine.memory_plans import AS_IT_IS, FRAGILE, PLANS, Savings, read_as, savings
from engine.metadata import TaskRecord
from engine.picture_memory import tile_sizes

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_NARROW = """
from diffusers.hooks import apply_layerwise_casting


def narrow(part, storage):  # weights are kept narrow, and widened while they compute
    skipped = tuple(getattr(part, "_keep_in_fp32_modules", None) or ())
{fragile}    apply_layerwise_casting(
        part,
        storage_dtype=storage,
        compute_dtype=torch.{dtype},
        skip_modules_pattern=skipped,
        skip_modules_classes=(torch.nn.Embedding,),
    )
    for module in part.modules():
        if not hasattr(module, "_diffusers_hook"):
            own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
            for tensor in own:
                if tensor.is_floating_point():
                    tensor.data = tensor.data.to(torch.{dtype})


{calls}
"""
_FRAGILE = f"""\
    skipped += {FRAGILE!r}
    skipped += tuple(getattr(part, "_skip_layerwise_casting_patterns", None) or ())
"""
_WIDE_LORAS = """
from peft.tuners.tuners_utils import BaseTunerLayer

found = BaseTunerLayer._get_base_layer_device_and_dtype  # LoRAs stay as wide as is computed in
BaseTunerLayer._get_base_layer_device_and_dtype = lambda self, layer: (
    found(self, layer)[0],
    torch.{dtype},
)
"""
_TILED = """\
pipe.vae.enable_tiling()
pipe.vae.tile_sample_min_size, pipe.vae.tile_latent_min_size = {sizes}
"""


@dataclass(frozen=True)
class MemoryLines:
    """What a program says of memory; `computed` is the dtype of the record, on its device."""

    pipeline: PipelineFolder
    saving: Savings
    computed: str
    device: str

    def dtype(self) -> str:
        """In which the weights are read, as an expression."""
        if not self.saving.narrow:
            return f"torch.{self.computed}"
        read = {part.name: read_as(part) for part in self._networks()}
        if len(set(read.values())) == 1:
            return f"torch.{next(iter(read.values()))}"
        pairs = "".join(f"{name!r}: torch.{dtype}, " for name, dtype in read.items())
        return "{" + pairs + f'"default": torch.{self.computed}' + "}"

    def placed(self) -> str:
        """What follows the pipeline: `.to(device)`, but where its parts come and go."""
        if not self.saving.offload:
            return f".to({self.device!r})"
        return f"\npipe.enable_{self.saving.offload}_cpu_offload(device={self.device!r})"

    def lines(self, loras: bool) -> str:
        """What comes before LoRAs are loaded, if there are any."""
        wide = _WIDE_LORAS.format(dtype=self.computed) if loras and self.saving.narrow else ""
        return (self._narrowed() if self.saving.narrow else "") + wide + self._tiled()

    def _narrowed(self) -> str:
        eight = "float8_e4m3fn" if self.saving.eight_bit else ""
        return _NARROW.format(
            dtype=self.computed,
            fragile=_FRAGILE if eight else "",
            calls="\n".join(
                f"narrow(pipe.{part.name}, torch.{eight or read_as(part)})"
                for part in self._networks()
            ),
        )

    def _tiled(self) -> str:
        vae = next((part for part in self.pipeline.components if part.name == "vae"), None)
        if not self.saving.tiled or vae is None:
            return ""
        config = read_config(self.pipeline.path / vae.name / "config.json")
        sizes = tile_sizes(vae.class_name, config)
        return _TILED.format(sizes=f"{sizes[0]}, {sizes[1]}") if sizes else ""

    def _networks(self) -> list[Component]:
        return [part for part in self.pipeline.components if part.kind == "model"]


def of(record: TaskRecord, pipeline: PipelineFolder) -> MemoryLines:
    """The lines for a record, which comes from outside: what it says is checked."""
    computed = next((d for d in _BYTES if d == record.made_with.get("dtype")), "float32")
    device = record.made_with.get("device", "cpu")
    plan = record.values.get("memory_plan", AS_IT_IS)
    plan = plan if plan in PLANS else AS_IT_IS
    return MemoryLines(pipeline, savings(str(plan), device, _BYTES[computed]), computed, device)
