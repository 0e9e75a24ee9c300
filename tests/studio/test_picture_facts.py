"""What is told of how a picture was made: step by step, in words, everything."""

from __future__ import annotations

from pathlib import Path

from gallery_pictures import save_picture
from PIL import Image, PngImagePlugin

from engine import folders, metadata
from engine.generators.upscale import Upscale
from studio.picture_facts import Facts, read_facts


def test_every_step_is_told_the_last_one_first(home: Path) -> None:
    source = metadata.read_task(save_picture("drawing", "a whale", seed=5, width=0))
    path = folders.outputs() / "large.png"
    metadata.write_png(path, Image.new("RGB", (64, 64)), Upscale(image="x.png"), source=source)
    facts = read_facts(path)
    assert facts.prompt == "a whale"
    titles = [section.title for section in facts.sections]
    assert titles[:2] == ["Enlarge", "Text to image"]
    told = dict(facts.sections[1].lines)
    assert told["Seed"] == "5"
    assert told["Width"] != "0"  # in words, where 0 stands for a choice
    assert "Prompt" not in told  # it stands apart


def test_what_another_program_wrote_is_told_with_its_name(home: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a fox\nNegative prompt: blurry\nSteps: 20, Seed: 3, Size: 64x64")
    path = home / "theirs.png"
    Image.new("RGB", (64, 64)).save(path, pnginfo=info)
    facts = read_facts(path)
    assert (facts.prompt, facts.negative_prompt) == ("a fox", "blurry")
    assert "(" in facts.sections[0].title
    assert ("Seed", "3") in facts.sections[0].lines


def test_a_picture_without_settings_has_no_facts(home: Path) -> None:
    Image.new("RGB", (4, 4)).save(home / "plain.png")
    assert read_facts(home / "plain.png") == Facts()
    (home / "broken.png").write_bytes(b"")
    assert read_facts(home / "broken.png").problem
