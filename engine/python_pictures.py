"""The lines of a copied program that begin with a picture: opening it, masks, repainting parts.

They do what engine/masks.py and engine/repainting.py do, with Pillow and NumPy alone.
"""

from __future__ import annotations

import re
from pathlib import Path

from engine import folders
from engine.errors import EngineError
from engine.frames import Box, Size
from engine.masks import left_to_draw
from engine.metadata import TaskRecord, bare_name

MOST_PIECES = 20_000
"""Into which what is drawn beyond a picture may be divided, side by side."""

_LAID_ON = """

def laid_on(paper, picture):
    sheet = Image.new("RGBA", picture.size, paper)
    sheet.alpha_composite(picture.convert("RGBA"))
    return sheet.convert("RGB")
"""
_DEPTH = """

def joined(join, values, corners=True):  # of each pixel and those around it
    wide = np.pad(values, 1, mode="edge")
    upright = join(join(wide[:-2], wide[1:-1]), wide[2:])
    beside = upright if corners else wide[1:-1]
    return join(join(beside[:, :-2], upright[:, 1:-1]), beside[:, 2:])


def depth(marked):
    found = marked.astype(np.int64)
    for step in range({feather}):
        marked = joined(np.minimum, marked, step % 2 == 0)
        found += marked
    return found
"""
_FEATHERED = """

def feathered(mask):
    values = np.asarray(mask)
    deep = depth(values > 0)
    deepest = joined(np.maximum, joined(np.maximum, deep))
    away = depth((deep == 0) | (deep != deepest))
    values = -(-values.astype(np.int64) * deep // (deep + away))
    return Image.fromarray(values.astype(np.uint8))
"""
_FEATHERED_OUTWARDS = """

def feathered(mask):
    beyond = {feather} + 1 - depth(np.asarray(mask) == 0)
    return Image.fromarray((-(-255 * beyond // ({feather} + 1))).astype(np.uint8))
"""
_SHIFTED = """

def shifted(pipe, step, timestep, tensors):  # which this pipeline of diffusers 0.42 forgets
    if step + 1 == pipe.num_timesteps:
        tensors["latents"] = tensors["latents"] + {shift}
    return tensors
"""
_REPAINT = """

def repaint(box, mask):
    part = picture.crop(box)
    count = ({width} // pipe.vae_scale_factor, {height} // pipe.vae_scale_factor)
    squares = np.asarray(mask.convert("F").resize(count, Image.Resampling.BOX)) > 0
    image = pipe(
        image=laid_on("white", part).resize(({width}, {height}), Image.Resampling.LANCZOS),
        mask_image=Image.fromarray(squares).convert("L").resize(({width}, {height}), 0),
{arguments}
        generator=generator,
        output_type="np",
    ).images[0]
    drawn = Image.fromarray((image * 255).round().astype(np.uint8))
    drawn = drawn.resize(part.size, Image.Resampling.LANCZOS)
    drawn.putalpha(mask)
    picture.alpha_composite(drawn, box[:2])
"""
_OPEN = """

original = ImageOps.exif_transpose(Image.open({image}))
"""
_FITTED = """\
picture = laid_on("white", original).resize({size}, Image.Resampling.LANCZOS)
"""
_SAVE = """\
picture.convert("RGBA" if original.has_transparency_data else "RGB").save("image.png")
"""
_INPAINT = """\
picture = original.convert("RGBA")
mask = laid_on("black", ImageOps.exif_transpose(Image.open({mask}))).convert("L")
box = {box}
repaint(box, {soft}.crop(box))
"""
_OUTPAINT = """\
picture = Image.new("RGBA", {canvas})
picture.paste(original.convert("RGBA"), {corner})
empty = Image.new("L", picture.size, 255)
empty.paste(0, {known})
for box in {boxes}:
    repaint(box, {soft}.crop(box))
    empty.paste(0, box)
"""


def beginning(record: TaskRecord, beside: Path | None, size: Size) -> str:
    """The lines that make `picture`, with which image_to_image begins."""
    return _LAID_ON + _opened(record, beside) + _FITTED.format(size=size)


def inpainting(record: TaskRecord, beside: Path | None, arguments: str, shift: float) -> str:
    """All that comes after the pipeline and the generator, for a record of inpaint."""
    box = _numbers(record, "box", 4)
    soft = _soft("mask", record)
    body = _INPAINT.format(mask=repr(_where(record, "mask", beside)), box=box, soft=soft)
    return _repainting(record, beside, arguments, shift, _FEATHERED) + body + _SAVE


def outpainting(
    record: TaskRecord, beside: Path | None, arguments: str, shift: float, canvas: Size
) -> str:
    """All that comes after the pipeline and the generator, for a record of outpaint."""
    sides = [int(record.values[name]) for name in ("left", "top", "right", "bottom")]
    known: Box = (sides[0], sides[1], canvas[0] - sides[2], canvas[1] - sides[3])
    width, height = _numbers(record, "piece", 2)
    fits = 0 < width <= canvas[0] and 0 < height <= canvas[1]
    if not fits or canvas[0] * canvas[1] > MOST_PIECES * width * height:
        raise _tells_too_little()
    boxes = left_to_draw(canvas, known, (width, height))
    body = _OUTPAINT.format(
        canvas=canvas, corner=known[:2], known=known, boxes=boxes, soft=_soft("empty", record)
    )
    return _repainting(record, beside, arguments, shift, _FEATHERED_OUTWARDS) + body + _SAVE


def _where(record: TaskRecord, field: str, beside: Path | None) -> str:
    """The path of the file that the record names: one of the canvas, or beside the picture.

    Where there is none, the bare name: the program looks for it where it is started.
    """
    name = bare_name(str(record.values[field]))
    rooms = [folders.inputs(), *([beside] if beside else []), folders.outputs()]
    found = (room / name for room in rooms if name and (room / name).is_file())
    return str(next(found, name))


def _repainting(
    record: TaskRecord, beside: Path | None, arguments: str, shift: float, feathered: str
) -> str:
    width, height = _numbers(record, "drawn_at", 2)
    feather = int(record.values["feather"])
    if shift:
        arguments += "\n    callback_on_step_end=shifted,"
    arguments = f"    width={width},\n    height={height},\n" + arguments
    indented = "\n".join("    " + line for line in arguments.splitlines())
    return "".join(
        (
            _LAID_ON,
            (_DEPTH + feathered).format(feather=feather) if feather else "",
            _SHIFTED.format(shift=shift) if shift else "",
            _REPAINT.format(width=width, height=height, arguments=indented),
            _opened(record, beside),
        )
    )


def _opened(record: TaskRecord, beside: Path | None) -> str:
    return _OPEN.format(image=repr(_where(record, "image", beside)))


def _soft(mask: str, record: TaskRecord) -> str:
    return f"feathered({mask})" if record.values["feather"] else mask


def _numbers(record: TaskRecord, name: str, count: int) -> tuple[int, ...]:
    """The whole numbers that the record tells under this name; it comes from outside."""
    told = re.findall(r"\d{1,6}", record.made_with.get(name, ""))
    if len(told) != count:
        raise _tells_too_little()
    return tuple(map(int, told))


def _tells_too_little() -> EngineError:
    return EngineError(
        "This picture does not tell which part of it was drawn, and how large.",
        "Choose one that was drawn by this version of Atelier.",
    )
