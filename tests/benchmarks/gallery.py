"""The gallery with 20,000 pictures: reading them, searching, scrolling through all of them.

    python -m tests.benchmarks.gallery [--pictures 20000]

Makes real PNGs with our metadata in a temporary folder, and prints each figure as a ratio against
the plain way: reading every file again, SQL's LIKE over the same rows, decoding the whole picture.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image, ImageDraw
from PySide6.QtWidgets import QApplication

from engine import device, folders
from engine.gallery.index import NAME, Index
from engine.gallery.pictures import Mark
from engine.gallery.query import parse
from engine.gallery.search import Order
from engine.gallery.thumbnails import Thumbnails
from engine.gate.images import open_image
from engine.generators.text_to_image import TextToImage
from engine.metadata import record_of, record_text
from engine.picture_files import KEYWORD, PARAMETERS, encode_png
from engine.picture_settings import settings_in
from engine.readable_settings import parameters
from studio.theme import Theme
from studio.thumbnail_loader import ThumbnailLoader
from studio.widgets.gallery_grid import GalleryGrid

SIDE, LARGE = 96, 768  # pixels
FEW = 200  # files of which the plain way is measured, where all would take too long
WINDOW = (1366, 700)
STEP = 400  # pixels between two frames: as fast as a person can scroll
FRAME = 1000 / 60

ANIMALS = [
    "fox",
    "cat",
    "dog",
    "owl",
    "whale",
    "horse",
    "panda",
    "tiger",
    "sloth",
    "crab",
    "otter",
    "goat",
    "heron",
    "bee",
]
THINGS = [
    "hat",
    "castle",
    "teapot",
    "kite",
    "lamp",
    "bicycle",
    "violin",
    "rocket",
    "guitar",
    "umbrella",
    "cake",
    "boat",
]
LOOKS = [
    "flat",
    "3d",
    "watercolour",
    "oil",
    "pencil",
    "neon",
    "pastel",
    "gothic",
    "minimal",
    "baroque",
]
PLACES = [
    "in the snow",
    "on the moon",
    "under water",
    "at night",
    "in a forest",
    "by the sea",
    "in Paris",
]
CHINESE = ["红色的狐狸", "雪地里的猫", "月亮上的城堡", "海边的马"]
QUERIES = [
    *("fox", "f", "re", "watercolour cat", '"in the snow"', "狐狸", "猫", "owl -night", "seed:777"),
    *("model:stickers", "tag:kept", "star", "date:2026-11", "size:96", "neon tag:kept star", ""),
    *("nothing of this kind", "red fox in the snow 3d", "task:text", "name:0012", "paris boat"),
]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pictures", type=int, default=20_000)
    count = arguments.parse_args().pictures
    device.prepare_environment()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as home:
        os.environ["ATELIER_HOME"] = home
        with timed(f"making {count:,} pictures"):
            make_pictures(count)
        index = Index()
        scans(index, count)
        searches(index)
        thumbnails(index)
        scrolling(count)
        index.close()


# ------------------------------------------------------------------ the pictures


def make_pictures(count: int) -> None:
    folders.outputs().mkdir(parents=True)
    chance = random.Random(1)
    drawings = [drawing(chance, SIDE) for _ in range(50)]
    now = time.time()
    for number in range(count):
        look, animal, thing = (chance.choice(kind) for kind in (LOOKS, ANIMALS, THINGS))
        prompt = f"{look} {animal} with a {thing} {chance.choice(PLACES)}, number {number}"
        if number % 10 == 0:
            prompt = f"{chance.choice(CHINESE)} {look}"
        record = record_of(TextToImage(prompt=prompt, seed=number), model_hash="ab" * 32)
        image = drawings[number % len(drawings)]
        texts = {KEYWORD: record_text(record), PARAMETERS: parameters(record, image.size, "")}
        path = folders.outputs() / f"{number:05d}.png"
        path.write_bytes(encode_png(image, texts, "benchmark"))
        os.utime(path, (now - 600 * number,) * 2)


def drawing(chance: random.Random, side: int) -> Image.Image:
    image = Image.new("RGB", (side, side), "white")
    if side == LARGE:  # as hard to pack as a photograph
        image = Image.effect_noise((side, side), 40).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        corner = [chance.randrange(side) for _ in range(2)]
        color = tuple(chance.randrange(256) for _ in range(3))
        draw.ellipse((*corner, corner[0] + side // 2, corner[1] + side // 2), fill=color)
    return image


# ------------------------------------------------------------------ scans and searches


def scans(index: Index, count: int) -> None:
    with timed("first scan") as first:
        index.scan()
    with timed("scan without changes") as again:
        assert not index.scan()
    print(f"  nothing changed: 1/{first[0] / again[0]:.0f} of the first scan")
    with timed("1,000 stars and tags"):
        numbers = index.search(parse(""))[: min(1000, count)]
        index.change_marks(numbers, lambda mark: Mark(True, ("kept",)))


def searches(index: Index) -> None:
    times = {text: measured(lambda text=text: index.search(parse(text))) for text in QUERIES}
    best = [measured(lambda text=text: index.search(parse(text), Order.BEST)) for text in QUERIES]
    flat = [each for per_query in (*times.values(), *best) for each in per_query]
    print(f"searches: {figures(flat)}; the slowest is {slowest(times)!r}")
    with_cpu = [cpu_of(lambda text=text: index.search(parse(text))) for text in QUERIES]
    print(f"  with the CPU to themselves: {figures(with_cpu)}")
    plain = sqlite3.connect(folders.home() / NAME)
    like = (
        "SELECT id FROM pictures WHERE prompt || model || tags || notes LIKE ?"
        " ORDER BY modified DESC"
    )
    words = ["fox", "neon", "狐狸", "nothing of this kind", "castle"]
    found = [
        each for word in words for each in measured(lambda word=word: index.search(parse(word)))
    ]
    scanned = [
        each
        for word in words
        for each in measured(lambda word=word: plain.execute(like, (f"%{word}%",)).fetchall())
    ]
    plain.close()
    print(f"  words: {figures(found)}; with LIKE over the same rows: {figures(scanned)}")
    print(f"  ratio of medians {statistics.median(scanned) / statistics.median(found):.1f}")
    files = sorted(folders.outputs().iterdir())
    begin = time.perf_counter()
    for path in files[:FEW]:
        settings = settings_in(path)
        assert settings and "fox" not in str(settings.values.get("model"))
    every = (time.perf_counter() - begin) / FEW * len(files)
    ratio = every / statistics.median(found) * 1000
    print(f"  reading all files instead: {every:.1f} s, {ratio:,.0f} times as long")


def thumbnails(index: Index) -> None:
    chance = random.Random(2)
    paths = []
    for number in range(40):
        path = folders.outputs() / f"large-{number}.png"
        drawing(chance, LARGE).save(path)
        paths.append(path)
    index.add(paths)
    pictures = index.pictures(index.search(parse("name:large")))
    small = Thumbnails()
    first = [measured(lambda p=p: small.get(p, 256), 1)[0] for p in pictures]
    kept = [each for p in pictures for each in measured(lambda p=p: small.get(p, 256), 3)]
    whole = [measured(lambda p=p: open_image(p.path), 1)[0] for p in pictures]
    small.close()
    print(f"thumbnails of {LARGE}×{LARGE}: made {figures(first)}; kept {figures(kept)}")
    ratio = statistics.median(whole) / statistics.median(kept)
    print(f"  decoding the picture: {figures(whole)}; ratio of medians {ratio:.1f}")


# ------------------------------------------------------------------ scrolling


def scrolling(count: int) -> None:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    Theme(app, "dark")
    index = Index()
    loader = ThumbnailLoader(index, app)
    grid = GalleryGrid(loader)
    grid.resize(*WINDOW)
    grid.show()
    numbers = index.search(parse(""))
    with timed(f"showing {len(numbers):,} pictures"):
        grid.show_numbers(numbers)
        app.processEvents()
    for words, pause in (("as fast as it goes", 0.0), ("60 frames a second", FRAME)):
        walls, works = scroll(app, grid, pause)
        late = sum(frame > FRAME for frame in walls) / len(walls)
        print(f"scrolling through all, {words}: {len(walls)} frames of {STEP} pixels")
        print(f"  {figures(walls)}; {late:.1%} longer than {FRAME:.1f} ms")
        print(f"  of that work of the window's own thread: {figures(works)}")
        with timed("  until all pictures at the end are there"):
            while loader.is_busy:
                app.processEvents()
                time.sleep(0.005)
    grid.close()


def scroll(app: QApplication, grid: GalleryGrid, pause: float) -> tuple[list[float], list[float]]:
    """Milliseconds for each frame from the top to the end, and those in which we had the CPU."""
    bar = grid.verticalScrollBar()
    walls, works = [], []
    for place in range(0, bar.maximum() + STEP, STEP):
        begin, worked = time.perf_counter(), time.thread_time()
        bar.setValue(place)
        app.processEvents()  # paints, and takes in what has been loaded
        spent = (time.perf_counter() - begin) * 1000
        works.append((time.thread_time() - worked) * 1000)
        walls.append(spent)
        if pause > spent:
            time.sleep((pause - spent) / 1000)
    return walls, works


# ------------------------------------------------------------------ figures


@contextmanager
def timed(what: str) -> Iterator[list[float]]:
    seconds = [0.0]
    begin = time.perf_counter()
    yield seconds
    seconds[0] = time.perf_counter() - begin
    print(f"{what}: {seconds[0]:.2f} s", flush=True)


def measured(work: Callable[[], object], times: int = 10) -> list[float]:
    """Milliseconds of each of several calls."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        found.append((time.perf_counter() - begin) * 1000)
    return found


def cpu_of(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time: what another program takes away does not count."""
    begin = time.thread_time()
    work()
    return (time.thread_time() - begin) * 1000


def figures(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"median {statistics.median(ordered):.2f} ms, 99 % within {last:.1f} ms"


def slowest(times: dict[str, list[float]]) -> str:
    return max(times, key=lambda text: statistics.median(times[text]))


if __name__ == "__main__":
    main()
