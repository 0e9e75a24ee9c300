"""Weights of one's own: tiny real networks that spandrel knows, and files that want to do harm."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from engine import folders, library, metadata
from engine.errors import Cancelled, EngineError, ModelError
from engine.events import Event, Notice, Progress, Saved
from engine.gate import pickled_weights
from engine.generators.upscale import Upscale
from engine.picture_networks import torch_network
from engine.picture_networks.spandrel_import import import_spandrel
from engine.picture_networks.torch_network import TorchNetwork, load_torch
from engine.upscaling import Upscaler, load_upscaler

RNG = np.random.default_rng(0)
PICTURE = Image.fromarray(RNG.integers(0, 256, (40, 50, 3)).astype(np.uint8))


def weights(scale: int = 2) -> dict[str, torch.Tensor]:
    """A tiny SRVGGNetCompact, as Real-ESRGAN's small networks are."""
    import_spandrel()
    architecture: Any = importlib.import_module("spandrel.architectures.Compact.__arch.SRVGG")
    torch.manual_seed(0)
    network = architecture.SRVGGNetCompact(
        num_in_ch=3, num_out_ch=3, num_feat=8, num_conv=2, upscale=scale
    )
    return dict(network.state_dict())


def ignore(event: Event) -> None:
    pass


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    path = tmp_path / "2x-tiny.safetensors"
    save_file(weights(), path)
    return path


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    path = tmp_path / "2x-tiny.pth"
    torch.save({"params_ema": weights(), "iter": 5}, path)
    return path


def test_torchvision_is_never_there() -> None:
    import_spandrel()
    assert importlib.util.find_spec("torchvision") is None
    from transformers.utils import is_torchvision_available

    assert not is_torchvision_available()


def test_safetensors_and_pickles_enlarge_alike(safe: Path, pickled: Path) -> None:
    first = Upscaler(load_torch(safe, ignore)).enlarge(PICTURE, ignore)
    second = Upscaler(load_torch(pickled, ignore)).enlarge(PICTURE, ignore)
    assert first.size == (100, 80)
    assert np.array_equal(first, second)
    with torch.inference_mode():
        network = load_torch(safe, ignore)
        planes = torch.from_numpy(np.asarray(PICTURE).transpose(2, 0, 1).copy())[None] / 255
        direct = network.descriptor(planes)[0].permute(1, 2, 0).numpy() * 255
    inner = (slice(20, -20), slice(20, -20))  # the picture's edge is repeated, not black
    assert np.abs(np.asarray(first)[inner] - direct[inner]).max() <= 1


def test_tiles_leave_no_seam(safe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.asarray(Upscaler(load_torch(safe, ignore)).enlarge(PICTURE, ignore))
    monkeypatch.setattr(torch_network, "TILE", 16)
    loaded = load_torch(safe, ignore)
    tiled = TorchNetwork(loaded.name, loaded.descriptor, loaded.weights_hash, 16, 6, 4)
    made = np.asarray(Upscaler(tiled).enlarge(PICTURE, ignore))
    assert np.abs(made.astype(int) - whole).max() <= 1


def test_a_stop_comes_between_two_layers(safe: Path) -> None:
    told: list[Event] = []

    def stop(event: Event) -> None:
        told.append(event)
        if len(told) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        Upscaler(load_torch(safe, ignore)).enlarge(PICTURE, stop)
    assert all(isinstance(event, Progress) and event.step == 0 for event in told)
    Upscaler(load_torch(safe, ignore)).enlarge(PICTURE, ignore)  # nothing of it is left behind
    assert len(told) == 4


def test_the_task_takes_a_path_or_a_name_and_tells_no_path(pickled: Path, tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "photo.png")
    events: list[Event] = []
    task = Upscale(image=str(tmp_path / "photo.png"), upscaler=str(pickled))
    task.run(events.append, tmp_path / "out")
    [saved] = [event.path for event in events if isinstance(event, Saved)]
    assert saved.name == "photo-x2.png"
    assert any("pickle" in event.message for event in events if isinstance(event, Notice))
    record = metadata.read_task(saved)
    assert record is not None
    assert record.values["upscaler"] == "2x-tiny.pth"
    assert record.made_with["architecture"] == "RealESRGAN Compact"
    assert str(tmp_path) not in str(record)

    folders.upscalers().mkdir(parents=True)
    (folders.upscalers() / "2x-tiny.pth").write_bytes(pickled.read_bytes())
    assert "2x-tiny.pth" in library.upscalers()
    events.clear()
    again = Upscale(image=str(tmp_path / "photo.png"), upscaler="2x-tiny.pth")
    again.run(events.append, tmp_path / "out")
    assert not any(isinstance(event, Notice) for event in events), "converted once"
    with Image.open(saved) as first, Image.open(tmp_path / "out" / "photo-x2-2.png") as second:
        assert first.tobytes() == second.tobytes()


class Harm:
    def __reduce__(self) -> Any:
        return os.system, ("touch harmed",)


def test_programs_in_pickles_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"params": weights(), "more": Harm()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="could run programs"):
        load_torch(tmp_path / "evil.pth", ignore)
    assert not (tmp_path / "harmed").exists()
    assert not list(folders.cache().rglob("*.safetensors"))


def test_archives_that_unpack_to_more_are_refused(pickled: Path) -> None:
    with zipfile.ZipFile(pickled, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/99", bytes(10_000_000))
    with pytest.raises(ModelError, match="packed as no weights are"):
        load_torch(pickled, ignore)


def test_numbers_that_repeat_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.pth"
    torch.save({"a": torch.zeros(1).expand(2_000_000, 1_000_000)}, path)
    assert path.stat().st_size < 10_000
    with pytest.raises(ModelError, match="unpack to more than"):
        load_torch(path, ignore)


def test_weights_that_were_exchanged_are_loaded_again(safe: Path) -> None:
    assert load_upscaler(safe, ignore).scale == 2
    assert load_upscaler(safe, ignore) is load_upscaler(safe, ignore)
    save_file(weights(scale=4), safe)
    assert load_upscaler(safe, ignore).scale == 4


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_is_no_upscaler_is_said(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"

    def refused(match: str) -> None:
        with pytest.raises(ModelError, match=match) as caught:
            load_torch(path, ignore)
        assert str(path) in caught.value.message

    def write(tensors: dict[str, torch.Tensor]) -> None:
        if suffix == ".pth":
            torch.save(tensors, path)
        else:
            save_file(tensors, path)

    path.write_bytes(b"nothing of the kind")
    refused("damaged" if suffix == ".pth" else "not a safetensors file")
    write({"a": torch.zeros(3)})
    refused("no network for pictures")
    broken = weights()
    broken["body.0.weight"] = torch.zeros(8, 8, 3, 3)
    write(broken)
    refused("does not make a colour picture")
    broken = weights()
    broken["body.2.weight"] = torch.zeros(8, 9, 3, 3)
    write(broken)
    refused("do not fit together")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused("no file of weights" if suffix == ".pth" else "cut short")
    path.unlink()
    refused("could not be read")


def test_a_file_without_weights_is_said(tmp_path: Path) -> None:
    torch.save([1, 2, 3], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="holds no weights"):
        pickled_weights.converted(tmp_path / "list.pth", ignore)


def test_without_spandrel_it_is_said_how_to_get_it(
    safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(ModelError, match="not installed") as caught:
        load_torch(safe, ignore)
    assert "--no-deps spandrel" in caught.value.hint


def test_networks_that_see_the_whole_picture_get_no_tiles(
    safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_torch(safe, ignore)
    whole = TorchNetwork(loaded.name, loaded.descriptor, "", tile=torch_network.WHOLE)
    events: list[Event] = []
    Upscaler(whole).enlarge(PICTURE, events.append)
    assert {event.total for event in events if isinstance(event, Progress)} == {1}
    monkeypatch.setattr(torch_network, "LARGEST_WHOLE", 100)
    with pytest.raises(EngineError, match="too large for that"):
        Upscaler(whole).enlarge(PICTURE, ignore)
