"""A graph of ComfyUI as it stands in a file: nodes that link to others, maybe in a circle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

MOST_NODES = 2_000
_NO_GRAPH = "they are not in the form ComfyUI writes"

# The editor's form of a graph tells values without names, in the order of the node's widgets.
_WIDGETS: dict[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "RandomNoise": ("noise_seed",),
    "CFGGuider": ("cfg",),
    "FluxGuidance": ("guidance",),
    "CLIPTextEncode": ("text",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "EmptyLatentImage": ("width", "height"),
    "EmptySD3LatentImage": ("width", "height"),
    "LoraLoader": ("lora_name", "strength_model"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
}


@dataclass(frozen=True)
class Link:
    """An input that is what another node gives out."""

    node: str


@dataclass(frozen=True)
class Node:
    name: str
    kind: str
    inputs: Mapping[str, Any]
    """Plain values, or Links."""


class Graph:
    """Every walk visits a node once, so that a circle has an end."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def nodes(self) -> Sequence[Node]:
        return tuple(self._nodes.values())

    def linked(self, node: Node, name: str) -> Node | None:
        """The node that gives `node` the input `name`."""
        link = node.inputs.get(name)
        return self._nodes.get(link.node) if isinstance(link, Link) else None

    def upstream(self, node: Node, through: str = "") -> Iterator[Node]:
        """`node` and all that lead to it, the nearest first; at first only `through` that input."""
        yield node
        waiting = deque([linked] if (linked := self.linked(node, through)) else [])
        if not through:
            waiting.extend(self._sources(node))
        seen = {node.name}
        while waiting:
            source = waiting.popleft()
            if source.name not in seen:
                seen.add(source.name)
                yield source
                waiting.extend(self._sources(source))

    def nearest(self, node: Node, names: Sequence[str], wanted: Callable[[Any], bool]) -> Any:
        """The value of the first of these inputs, at `node` or the nearest that leads to it."""
        for source in self.upstream(node):
            for name in names:
                if wanted(source.inputs.get(name)):
                    return source.inputs[name]
                given = self.linked(source, name)
                if given is not None:  # a node that holds nothing but this value
                    return next(filter(wanted, given.inputs.values()), None)
        return None

    def texts(self, node: Node, through: str, names: Sequence[str]) -> list[str]:
        """The different texts among these inputs of the nodes that lead to one input of `node`."""
        found: dict[str, None] = {}
        seen: set[str] = {node.name}
        first = self.linked(node, through)
        waiting = deque([first] if first else [])
        while waiting:
            source = waiting.popleft()
            if source.name in seen or source.kind == "ConditioningZeroOut":
                continue
            seen.add(source.name)
            own = [source.inputs[n] for n in names if isinstance(source.inputs.get(n), str)]
            found |= {text: None for text in own if text.strip()}
            if not own:
                waiting.extend(self._sources(source))
        return list(found)

    def _sources(self, node: Node) -> list[Node]:
        links = [value for value in node.inputs.values() if isinstance(value, Link)]
        return [self._nodes[link.node] for link in links if link.node in self._nodes]


def graph_of_prompt(told: Any) -> Graph:
    """From the form in which ComfyUI runs a graph; raises ValueError."""
    if not isinstance(told, dict):
        raise ValueError(_NO_GRAPH)
    _check_size(told)
    nodes = {}
    for name, node in told.items():
        if not isinstance(node, dict) or not isinstance(node.get("inputs"), dict):
            continue
        inputs = {key: _input(value) for key, value in node["inputs"].items()}
        nodes[name] = Node(name, str(node.get("class_type", ""))[:200], inputs)
    return Graph(nodes)


def graph_of_workflow(told: Any) -> Graph:
    """From the form in which its editor keeps a graph; raises ValueError."""
    nodes = told.get("nodes") if isinstance(told, dict) else None
    links = told.get("links") if isinstance(told, dict) else None
    if not isinstance(nodes, list) or not isinstance(links, list):
        raise ValueError(_NO_GRAPH)
    _check_size(nodes)
    sources = {
        str(link[0]): str(link[1]) for link in links if isinstance(link, list) and len(link) > 1
    }
    found = {}
    for node in nodes:
        if isinstance(node, dict):
            name = str(node.get("id"))[:40]
            found[name] = Node(name, str(node.get("type", ""))[:200], _told(node, sources))
    return Graph(found)


def _told(node: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    values, inputs = node.get("widgets_values"), node.get("inputs")
    told: dict[str, Any] = {}
    if isinstance(values, dict):
        told.update(values)
    elif isinstance(values, list):
        names = _WIDGETS.get(str(node.get("type")), ())
        told.update({name: value for name, value in zip(names, values, strict=False) if name})
    for entry in inputs if isinstance(inputs, list) else ():
        if isinstance(entry, dict) and str(entry.get("link")) in sources:
            told[str(entry.get("name"))] = Link(sources[str(entry["link"])])
    return told


def _input(value: Any) -> Any:
    is_link = isinstance(value, list) and len(value) == 2 and isinstance(value[0], (str, int))
    return Link(str(value[0])) if is_link else value


def _check_size(nodes: Sized) -> None:
    if len(nodes) > MOST_NODES:
        raise ValueError("their graph is too large")
