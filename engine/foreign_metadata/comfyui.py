"""Reads what ComfyUI writes: the graph that ran, walked back from the picture to its prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.foreign_metadata.comfyui_graph import Graph, Node, graph_of_prompt, graph_of_workflow
from engine.foreign_metadata.found import Found, is_number, parse
from engine.foreign_metadata.samplers import take_sampler

PROGRAM = "ComfyUI"
MOST_ENDS = 20
MOST_PASSES = 20
SEEDS = ("seed", "noise_seed")
MODELS = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name")
TEXTS = (
    "text",
    "text_g",
    "text_l",
    "prompt",
    "positive",
    "clip_l",
    "clip_g",
    "t5xxl",
    "string",
    "value",
    "populated_text",
    "wildcard_text",
    "string_a",
    "string_b",
)
_FLOW = ("SD3", "Flux", "AuraFlow", "Lumina", "HiDream", "QwenImage")
# Part of a kind of node's name, and what a person calls it.
_OTHERS = {
    "ControlNet": "ControlNet",
    "IPAdapter": "IP-Adapter",
    "Hypernetwork": "hypernetwork",
    "FreeU": "FreeU",
    "Upscale": "upscaling",
    "FaceDetailer": "face detailer",
    "FaceRestore": "face restoration",
    "LoadImage": "image it began from",
    "CLIPSetLastLayer": "clip skip",
}


def read(texts: Mapping[str, str]) -> Found | None:
    """None where the texts are not a graph that draws; raises ValueError for one cut or mad."""
    graph = None
    if texts.get("prompt", "").lstrip().startswith("{"):
        graph = graph_of_prompt(parse(texts["prompt"]))
    elif texts.get("workflow", "").lstrip().startswith("{"):
        graph = graph_of_workflow(parse(texts["workflow"]))
    sampler = _first_sampler(graph) if graph else None
    if graph is None or sampler is None:
        return None
    found = Found(PROGRAM)
    _take_prompts(found, graph, sampler)
    _take_numbers(found, graph, sampler)
    _leave_others(found, graph, sampler)
    return found


def _is_sampler(node: Node) -> bool:
    """One that has a picture to begin from and says how it is drawn."""
    return "latent_image" in node.inputs and ("Sampler" in node.kind or "positive" in node.inputs)


def _first_sampler(graph: Graph) -> Node | None:
    """The one that draws from noise; those behind it work on what it drew."""
    saved = [node for node in graph.nodes() if "Save" in node.kind or "Preview" in node.kind]
    sampler = None
    for end in saved[:MOST_ENDS]:
        sampler = sampler or _sampler_among(graph.upstream(end))
    sampler = sampler or _sampler_among(graph.nodes())
    for _ in range(MOST_PASSES):
        before = sampler and _sampler_among(graph.upstream(sampler, "latent_image"), sampler)
        if not before:
            break
        sampler = before
    return sampler


def _sampler_among(nodes: Iterable[Node], other_than: Node | None = None) -> Node | None:
    return next((node for node in nodes if _is_sampler(node) and node is not other_than), None)


def _take_prompts(found: Found, graph: Graph, sampler: Node) -> None:
    guider = graph.linked(sampler, "guider") or sampler
    positive = "positive" if "positive" in guider.inputs else "conditioning"
    for field, name in (("prompt", positive), ("negative_prompt", "negative")):
        texts = graph.texts(guider, name, TEXTS) if name in guider.inputs else []
        if len(texts) > 1:
            found.leave(f"{len(texts)} texts joined for the {field.replace('_', ' ')}")
        joined = ", ".join(texts)
        found.take(**{field: found.without_networks(joined)})


def _take_numbers(found: Found, graph: Graph, sampler: Node) -> None:
    steps = graph.nearest(sampler, ("steps",), is_number)
    guidance = graph.nearest(sampler, ("guidance",), is_number)
    cfg = graph.nearest(sampler, ("cfg",), is_number)
    found.take(
        seed=graph.nearest(sampler, SEEDS, is_number),
        num_inference_steps=steps,
        guidance_scale=guidance if guidance is not None else cfg,
        model=graph.nearest(sampler, MODELS, _is_text),
    )
    empty = [n for n in graph.upstream(sampler, "latent_image") if "Empty" in n.kind]
    if empty:
        for name in ("width", "height"):
            found.take(**{name: graph.nearest(empty[0], (name,), is_number)})
    flow = any(word in node.kind for node in graph.upstream(sampler) for word in _FLOW)
    take_sampler(
        found,
        graph.nearest(sampler, ("sampler_name",), _is_text),
        graph.nearest(sampler, ("scheduler",), _is_text),
        flow=flow,
    )


def _leave_others(found: Found, graph: Graph, sampler: Node) -> None:
    denoise = graph.nearest(sampler, ("denoise",), is_number)
    if denoise is not None and denoise < 1:
        found.leave(f"denoise {denoise:g}")
    samplers = [node for node in graph.nodes() if _is_sampler(node)]
    if len(samplers) > 1:
        found.leave(f"{len(samplers) - 1} more passes over the picture (hires fix)")
    for node in graph.nodes():
        for name, value in node.inputs.items():
            if name.startswith("lora_name") and isinstance(value, str) and value != "None":
                found.take_network(value, node.inputs.get("strength_model"))
        for word, called in _OTHERS.items():
            if word in node.kind:
                found.leave(called)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
