"""A film of a run: every frame in its place, read back by an independent reader."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from engine import film_files, metadata
from engine.errors import Cancelled, DatasetError, EngineError, FileError
from engine.events import Event, Notice, Progress, Saved
from engine.generators.export_timelapse import ExportTimelapse
from engine.picture_files import SOURCE_TYPE, record_in
from engine.runs import RunFolder
from engine.timelapse import Frames, chosen

COUNT = 5


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Grids of 15×17 pixels, brighter with every step."""
    run = RunFolder(tmp_path / "some run")
    run.create({"task": "train_gan", "fields": {}})
    for number in range(COUNT):
        run.save_sample(100 * number, Image.new("RGB", (15, 17), (50 * number, 10, 20)))
    return run


def export(run: RunFolder, out: Path, **fields: object) -> tuple[Path, Sequence[Event]]:
    events: list[Event] = []
    values = {"run_folder": str(run.path), "show_step": False, "scale": 1, "fps": 10} | fields
    ExportTimelapse.from_dict(values).run(events.append, out)
    (saved,) = [event.path for event in events if isinstance(event, Saved)]
    return saved, events


def reds(path: Path) -> list[int]:
    with Image.open(path) as film:
        return [frame.convert("RGB").getpixel((7, 8))[0] for frame in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("file_format", ["GIF", "WebP"])
def test_every_grid_is_a_frame_in_its_order(
    run: RunFolder, tmp_path: Path, file_format: str
) -> None:
    path, events = export(run, tmp_path / "out", file_format=file_format)
    assert path.name == f"some run-timelapse.{file_format.lower()}"
    assert reds(path) == pytest.approx([0, 50, 100, 150, 200], abs=6)
    with Image.open(path) as film:
        assert film.info["loop"] == 0
        film.load()
        assert film.info["duration"] == 100
        film.seek(COUNT - 1)
        film.load()
        assert film.info["duration"] == 1600, "the last frame stands for a moment"
    done = [event for event in events if isinstance(event, Progress)]
    assert (done[-1].step, done[-1].total) == (COUNT, COUNT)


def test_an_mp4_holds_the_frames_and_the_hold(run: RunFolder, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path, _ = export(run, tmp_path / "out", file_format="MP4")
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.average_rate == 10
        shown = [frame.to_ndarray(format="rgb24")[8, 7, 0] for frame in film.decode(stream)]
        assert (stream.width, stream.height) == (16, 18), "H.264 takes even sizes only"
    assert np.array(shown[:COUNT]) == pytest.approx([0, 50, 100, 150, 200], abs=12)
    assert len(shown) == COUNT + 15


@pytest.mark.parametrize("file_format", ["GIF", "WebP"])
def test_without_again_it_ends(run: RunFolder, tmp_path: Path, file_format: str) -> None:
    path, _ = export(run, tmp_path / "out", file_format=file_format, loop=False)
    with Image.open(path) as film:
        assert film.info.get("loop") == (1 if file_format == "WebP" else None)


@pytest.mark.parametrize("file_format", ["GIF", "WebP", "MP4"])
def test_the_file_says_that_a_model_made_it_and_how(
    run: RunFolder, tmp_path: Path, file_format: str
) -> None:
    if file_format == "MP4":
        pytest.importorskip("av")
    path, _ = export(run, tmp_path / "out", file_format=file_format)
    xmp = xmp_in(path)
    assert SOURCE_TYPE in xmp
    record = metadata.parse_record(record_in({"XML:com.adobe.xmp": xmp}) or "")
    assert record.name == "export_timelapse"
    assert record.values["fps"] == 10
    assert str(tmp_path) not in xmp, "a film names its run, never the machine"


def xmp_in(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".mp4":
        return data.partition(film_files.XMP_BOX)[2].decode()
    if path.suffix == ".gif":
        packet = data.partition(b"XMP DataXMP")[2]
        return packet[: packet.index(b"\x01\xff\xfe\xfd")].decode()
    with Image.open(path) as film:
        return str(film.info["xmp"].decode())


def test_a_long_run_is_thinned_out_evenly_and_keeps_both_ends() -> None:
    samples = [(step, Path()) for step in range(1001)]
    steps = [step for step, _ in chosen(samples, 11)]
    assert steps == list(range(0, 1001, 100))
    assert len(chosen(samples, 2000)) == 1001
    assert [step for step, _ in chosen(samples, 2)] == [0, 1000]


def test_each_frame_is_enlarged_crisply_and_names_its_step(run: RunFolder) -> None:
    frames = Frames(run.samples(), 4, show_step=True)
    first, later = frames.frame(0), frames.frame(2)
    assert first.width == 60 and first.height == 4 * 17 + 2 * 14
    assert first.getpixel((59, 67)) == (0, 10, 20)
    words = [np.asarray(frame)[68:] for frame in (first, later)]
    assert words[0].max() > 200, "something is written there"
    assert not np.array_equal(*words)


def test_damaged_and_odd_grids_are_left_out_and_named(run: RunFolder, tmp_path: Path) -> None:
    run.sample_path(100).write_bytes(b"not a picture")
    data = run.sample_path(200).read_bytes()
    run.sample_path(200).write_bytes(data[: data.index(b"IDAT") + 8])  # seen only when it is read
    Image.new("RGB", (8, 8)).save(run.sample_path(300))
    path, events = export(run, tmp_path / "out", fps=20)
    assert reds(path) == [0, 200], "Pillow joins equal frames"
    (notice,) = [event.message for event in events if isinstance(event, Notice)]
    for name in ("000100.png", "000200.png", "000300.png"):
        assert name in notice


def test_texts_are_no_frames_and_nothing_to_show_is_an_error(
    run: RunFolder, tmp_path: Path
) -> None:
    for _, path in run.samples():
        path.unlink()
    run.sample_path(5).with_suffix(".txt").write_text("once upon a time")
    with pytest.raises(DatasetError, match="no sample grids"):
        export(run, tmp_path / "out")
    with pytest.raises(FileError, match="nowhere"):
        export(RunFolder(tmp_path / "nowhere"), tmp_path / "out")


def test_without_the_library_an_mp4_is_refused_before_any_work(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("engine.film_files.find_spec", lambda name: None)
    with pytest.raises(EngineError, match="library av") as refused:
        export(run, tmp_path / "out", file_format="MP4")
    assert "GIF or WebP" in refused.value.hint
    assert not list((tmp_path / "out").iterdir())


def test_stopped_in_the_middle_it_leaves_nothing(run: RunFolder, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        ExportTimelapse(run_folder=str(run.path)).run(stop, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_long_film_is_never_in_memory_as_pictures() -> None:
    alive: list[int] = []

    class Counted(Image.Image):
        def __del__(self) -> None:
            alive.append(-1)

    def frame(number: int) -> Image.Image:
        alive.append(1)
        picture = Counted()
        picture.im = Image.new("RGB", (64, 64), (37 * number % 256, number, 0)).im
        picture._mode, picture._size = "RGB", (64, 64)
        assert sum(alive) < 8
        return picture

    data = film_files.encode("WebP", film_files.Film(100, frame, 10, True, ""))
    with Image.open(io.BytesIO(data)) as film:
        assert film.n_frames == 100
