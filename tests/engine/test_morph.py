"""A film from prompt to prompt: its pictures are those of Text to image, and it plays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import pytest
import tiny_models
from PIL import Image, ImageChops

from engine import files
from engine.errors import Cancelled, FileError, InvalidTask
from engine.events import Event, FilmFrame, Saved
from engine.generators.morph import Morph
from engine.generators.text_to_image import TextToImage
from engine.morphing import Transition
from engine.picture_files import SOURCE_TYPE


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_stable_diffusion(tmp_path_factory.mktemp("models") / "sd")


def ignore(event: Event) -> None:
    pass


def morph(model: Path, **fields: object) -> Morph:
    values = {"prompts": "red\n\n blue ", "model": str(model), "num_inference_steps": 2, "seed": 5}
    values |= {"seconds": 1.0, "fps": 6, "blended": 1, "file_format": "GIF"}
    return Morph.from_dict(values | fields)


def made(task: Morph, out: Path) -> tuple[list[Path], Sequence[Event]]:
    events: list[Event] = []
    task.run(events.append, out)
    return [event.path for event in events if isinstance(event, Saved)], events


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None


def drawing(model: Path, prompt: str, seed: int, **fields: object) -> TextToImage:
    values = {"prompt": prompt, "model": str(model), "num_inference_steps": 2, "seed": seed}
    return TextToImage.from_dict(values | fields)


@pytest.mark.parametrize("save", ["stable_diffusion", "stable_diffusion_xl", "stable_diffusion_3"])
def test_both_ends_of_the_way_are_the_pictures_of_the_prompts(save: str, tmp_path: Path) -> None:
    model = getattr(tiny_models, f"save_{save}")(tmp_path / "model")
    style = {"negative_prompt": "(green:1.2)"}
    before, after = drawing(model, "red", 5, **style), drawing(model, "(blue:0.8)", 6, **style)
    way = Transition(before, after, ignore)
    first, last = (next(task.draw(ignore)).image for task in (before, after))
    assert same(way.draw(0.0, ignore), first)
    assert same(way.draw(1.0, ignore), last)
    middle = way.draw(0.5, ignore)
    assert not same(middle, first)
    assert not same(middle, last)


def test_it_goes_through_every_prompt_and_back(model: Path, tmp_path: Path) -> None:
    saved, events = made(morph(model), tmp_path)
    assert [path.suffix for path in saved] == [".png", ".png", ".gif"]
    for path, prompt in zip(saved, ("red", "blue"), strict=False):
        (drawn,) = drawing(model, prompt, 5).draw(ignore)
        with Image.open(path) as picture:
            assert same(picture, drawn.image)
    places = [event.place for event in events if isinstance(event, FilmFrame)]
    assert len(places) == 7  # two prompts, the first again, and two between each
    assert {0.0, 0.5, 1.0} < set(places)
    with Image.open(saved[-1]) as film:
        assert film.n_frames == 12  # one between each two, and the end is not the beginning again
        film.seek(6)
        assert film.info["loop"] == 0


@pytest.mark.parametrize(("file_format", "codec"), [("WebM", "vp9"), ("MP4", "h264")])
def test_any_player_can_play_it(model: Path, tmp_path: Path, file_format: str, codec: str) -> None:
    saved, _ = made(morph(model, back=False, file_format=file_format), tmp_path)
    with av.open(str(saved[-1])) as container:
        (stream,) = container.streams.video
        assert (stream.codec_context.name, stream.average_rate) == (codec, 6)
        assert (stream.width, stream.height) == (16, 16)
        assert sum(1 for _ in container.decode(stream)) == 7 + 6  # and the last for a second
    data = saved[-1].read_bytes()
    assert SOURCE_TYPE.encode() in data
    assert b"&quot;morph&quot;" in data
    assert str(tmp_path).encode() not in data, "the model is told by its name alone"


def test_what_is_there_is_kept_when_it_is_stopped(model: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    stopped = False

    def stop_after_four(event: Event) -> None:
        nonlocal stopped
        events.append(event)
        if not stopped and sum(isinstance(e, FilmFrame) for e in events) == 4:
            stopped = True
            raise Cancelled

    with pytest.raises(Cancelled):
        morph(model, back=False, blended=0).run(stop_after_four, tmp_path)
    (film,) = tmp_path.glob("*.gif")
    assert Saved(film) in events
    with Image.open(film) as opened:
        assert opened.n_frames == 4


def test_a_full_disk_leaves_no_half_film(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise FileError(f"{path} could not be written: no space left.", "Make room.")

    monkeypatch.setattr(files, "write_bytes", full)
    with pytest.raises(FileError, match="no space left"):
        morph(model, seconds=0.2).run(ignore, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] in ([], [".png", ".png"])


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"prompts": "one"}, "prompts", "one prompt"),
        ({"prompts": "\n".join("x" * 25)}, "prompts", "25 prompts"),
        ({"seconds": 60, "fps": 60, "blended": 0}, "seconds", "7,200 drawings"),
        ({"loras": "a: 1\na: 1"}, "loras", "twice"),
    ],
)
def test_nonsense_is_refused_at_its_field(
    model: Path, fields: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(InvalidTask, match=words) as refused:
        morph(model, **fields)
    assert refused.value.field == field


def test_a_model_whose_prompts_cannot_be_mixed_says_so(tmp_path: Path) -> None:
    model = tiny_models.save_pixart(tmp_path / "pixart")
    with pytest.raises(InvalidTask, match="cannot be mixed"):
        morph(model).run(ignore, tmp_path)
