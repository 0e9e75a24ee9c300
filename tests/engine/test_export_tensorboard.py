"""Event files, read back by TensorBoard's own reader where it is there, and by a plain one."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from engine import event_files
from engine.errors import FileError
from engine.events import Event, Notice, Saved
from engine.generators.export_tensorboard import ExportTensorboard
from engine.runs import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "my run")
    run.create({"task": "train_gan", "fields": {"dataset": "digits"}})
    for step in (1, 10, 20):
        run.log(step, {"generator_loss": 1.0 / step, "d_real": 0.5})
    run.log_event(20, "finished")
    for step in (0, 10, 20):
        run.save_sample(step, Image.new("L", (31, 17), step))
    return run


def export(run: RunFolder, out: Path, **fields: object) -> tuple[Path, Sequence[Event]]:
    events: list[Event] = []
    ExportTensorboard.from_dict({"run_folder": str(run.path)} | fields).run(events.append, out)
    (path,) = [event.path for event in events if isinstance(event, Saved)]
    return path, events


def test_tensorboard_reads_curves_images_and_texts(run: RunFolder, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    path, _ = export(run, tmp_path / "out")
    assert path.parent.name == "my run", "TensorBoard calls a run by its folder"
    told = accumulator.EventAccumulator(str(path.parent), size_guidance={"images": 0})
    told.Reload()
    losses = [(event.step, event.value) for event in told.Scalars("generator_loss")]
    assert losses == [(step, pytest.approx(1.0 / step)) for step in (1, 10, 20)]
    assert [event.value for event in told.Scalars("d_real")] == [0.5] * 3
    images = told.Images("samples")
    assert [image.step for image in images] == [0, 10, 20]
    assert (images[1].width, images[1].height) == (31, 17)
    with Image.open(io.BytesIO(images[1].encoded_image_string)) as picture:
        assert picture.getpixel((3, 3)) == 10
    (finished,) = told.Tensors("events")
    assert finished.tensor_proto.string_val == [b"finished"] and finished.step == 20
    assert b'"train_gan"' in told.Tensors("run")[0].tensor_proto.string_val[0]


def test_the_checksum_is_that_of_the_standard() -> None:
    """RFC 3720, B.4: 32 bytes of zeros, and 32 that count up; before they are masked."""
    for data, crc in ((bytes(32), 0x8A9136AA), (bytes(range(32)), 0x46DD794E)):
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        assert event_files._checksum(data) == masked.to_bytes(4, "little")


def test_what_is_no_number_is_left_out_and_the_rest_is_there(
    run: RunFolder, tmp_path: Path
) -> None:
    before = export(run, tmp_path / "before")[0].stat().st_size
    run.log(30, {"generator_loss": math.nan, "d_real": 0.25})
    assert export(run, tmp_path / "after")[0].stat().st_size > before


def test_images_can_be_thinned_out_or_left_out_and_broken_ones_are_told(
    run: RunFolder, tmp_path: Path
) -> None:
    path, _ = export(run, tmp_path / "none", max_images=0)
    assert b"samples" not in path.read_bytes()
    path, _ = export(run, tmp_path / "two", max_images=2)
    assert path.read_bytes().count(b"samples") == 2
    run.sample_path(10).write_bytes(b"nothing")
    path, events = export(run, tmp_path / "broken")
    assert path.read_bytes().count(b"samples") == 2
    assert [event for event in events if isinstance(event, Notice)]


def test_once_more_replaces_the_file_and_no_run_is_an_error(run: RunFolder, tmp_path: Path) -> None:
    first, _ = export(run, tmp_path / "out")
    run.log(30, {"d_real": 0.1})
    second, _ = export(run, tmp_path / "out")
    assert first == second and list(first.parent.iterdir()) == [first]
    with pytest.raises(FileError, match="nowhere"):
        export(RunFolder(tmp_path / "nowhere"), tmp_path / "out")
