"""Builds the captioned sticker set: `python -m engine.data.emoji --out FOLDER`.

Openly licensed emoji artwork and names come from pinned npm packages; the result is a folder of
pictures with a captions.jsonl, as the trainers read it, and the credits beside it.
"""

from __future__ import annotations

import argparse
import io
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from engine import files, folders
from engine.data import npm, recolor
from engine.errors import DatasetError

NAMES_PACKAGE = "emojibase-data@17.0.0"


@dataclass(frozen=True)
class Style:
    """One complete set of artwork; `words` are what a caption may call it."""

    name: str
    package: str
    words: tuple[str, ...]
    credit: str


STYLES = {
    style.name: style
    for style in (
        Style("flat", "@iconify-json/fluent-emoji-flat@1.2.6", ("flat", "扁平"),
              "Fluent Emoji, Microsoft Corporation, MIT"),
        Style("3d", "@iconify-json/fluent-emoji@1.2.7", ("3d", "立体"),
              "Fluent Emoji, Microsoft Corporation, MIT"),
        Style("noto", "@iconify-json/noto@1.2.9", ("noto",),
              "Noto Emoji, Google Inc, Apache-2.0"),
        Style("twemoji", "@iconify-json/twemoji@1.2.5", ("twemoji",),
              "Twemoji, Twitter Inc and other contributors, CC-BY-4.0"),
    )
}  # fmt: skip

SHA256 = {
    NAMES_PACKAGE: ("d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a"),
    "@iconify-json/fluent-emoji-flat@1.2.6": (
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"
    ),
    "@iconify-json/fluent-emoji@1.2.7": (
        "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"
    ),
    "@iconify-json/noto@1.2.9": (
        "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"
    ),
    "@iconify-json/twemoji@1.2.5": (
        "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"
    ),
}

CONCEPTS = folders.RESOURCES / "datasets" / "emoji_concepts.json"
NEWEST_UNICODE = 15.1  # what the artwork has
WELL_KNOWN_TIMES = 3  # how often the set holds what people ask for most
COLORS_EACH = 2  # other colours in which a well-known drawing is there once more
COLOR_WORDS = {color.name for color in recolor.COLORS} | {"black", "white", "brown", "rainbow"}
PEOPLE = {"baby", "boy", "girl", "man", "woman", "astronaut", "princess", "superhero", "santa"}
WANTED = ("data.json", "emojibase.json", "groups.json", "icons.json", "chars.json", "LICENSE")
STYLED = 5  # so often each caption that names the style: half of all captions do
MARGIN = 1.04  # the drawings bring most of their margin themselves


@dataclass(frozen=True)
class Concept:
    """One thing to draw: its Unicode code, names and keywords in both languages."""

    code: str
    label: str
    aliases: tuple[str, ...]
    keywords: tuple[str, ...]
    label_zh: str
    keywords_zh: tuple[str, ...]


def build(out: Path, styles: Sequence[str], size: int, packages: Path) -> int:
    """Write pictures of `size` pixels and captions.jsonl into `out`; returns how many pictures."""
    concepts = read_concepts(_fetched(NAMES_PACKAGE, packages))
    well_known = frozenset(_rules()["well_known"])
    rare = _rare_keywords(concepts)
    lines = []
    for style in (STYLES[name] for name in styles):
        package = _fetched(style.package, packages)
        drawings = read_drawings(package)
        for concept in concepts:
            svg = drawings.get(concept.code) or drawings.get(_icon_name(concept.label))
            if svg is None:
                continue
            picture = draw_svg(svg, size)
            name = f"images/{style.name}/{concept.code}.png"
            _write_picture(out / name, picture)
            line = {"file": name, "captions": captions(concept, style, rare)}
            if concept.label not in well_known:
                lines.append(line)
                continue
            lines += [line] * WELL_KNOWN_TIMES
            for color, colored in _in_other_colors(picture, concept, style):
                name = f"images/{style.name}/{concept.code}-{color.name}.png"
                _write_picture(out / name, colored)
                lines.append({"file": name, "captions": color_captions(concept, style, color)})
    if not lines:
        raise DatasetError("No artwork was found in the packages.", "Delete the cache and retry.")
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    files.write_text(out / "captions.jsonl", text)
    credits = sorted({STYLES[name].credit for name in styles} | {"Names: emojibase-data, MIT"})
    files.write_text(out / "CREDITS.txt", "\n".join(credits) + "\n")
    return len(lines)


def captions(concept: Concept, style: Style, rare: frozenset[str]) -> list[str]:
    """What people may type for this picture; the bare name appears most often.

    A trainer draws one at random for each pass, so repetition is weight.
    """
    names = [concept.label] * 6 + list(concept.aliases) * 2
    names += [word for word in concept.keywords if word in rare]
    chinese = [concept.label_zh] * 3 + [word for word in concept.keywords_zh if word in rare]
    english_word, *other_words = style.words
    styled = [f"{english_word} {concept.label}", f"{concept.label}, {english_word}"] * STYLED
    styled += [f"{concept.aliases[0]}, {english_word}"] if concept.aliases else []
    styled += [f"{word}{concept.label_zh}" for word in other_words]
    return names + chinese + styled


def color_captions(concept: Concept, style: Style, color: recolor.Color) -> list[str]:
    """What people may type for the picture in another colour."""
    names = (concept.label, *concept.aliases)
    plain = [f"{color.name} {concept.label}"] * 6 + [f"{color.name} {name}" for name in names]
    chinese = [f"{color.name_zh}{concept.label_zh}", f"{color.name_zh}的{concept.label_zh}"]
    english_word, *other_words = style.words
    styled = [f"{english_word} {color.name} {concept.label}"] * STYLED
    styled += [f"{color.name} {concept.label}, {english_word}"] * STYLED
    styled += [f"{word}{color.name_zh}{concept.label_zh}" for word in other_words]
    return plain + chinese + styled


def _in_other_colors(
    picture: Image.Image, concept: Concept, style: Style
) -> Iterator[tuple[recolor.Color, Image.Image]]:
    """A few colours, the same each time; none for people, or for what is named by its colour."""
    words = {*concept.label.split()}
    hue = recolor.main_hue(picture)
    if hue is None or words & COLOR_WORDS or words & PEOPLE:
        return
    colors = recolor.other_colors(hue)
    own = random.Random(f"{style.name} {concept.code}")
    for color in own.sample(colors, min(COLORS_EACH, len(colors))):
        yield color, recolor.recolored(picture, hue, color)


def read_concepts(names: Path) -> list[Concept]:
    """The concepts chosen for this set, in Unicode order."""
    meta = json.loads((names / "meta/groups.json").read_text(encoding="utf-8"))
    english = json.loads((names / "en/data.json").read_text(encoding="utf-8"))
    chinese = {
        entry["hexcode"]: entry
        for entry in json.loads((names / "zh/data.json").read_text(encoding="utf-8"))
    }
    short = json.loads((names / "en/shortcodes/emojibase.json").read_text(encoding="utf-8"))
    rules = _rules()
    chosen = [entry for entry in english if _wanted(entry, meta, rules)]
    chosen.sort(key=lambda entry: entry["order"])
    return [_concept(entry, chinese[entry["hexcode"]], short) for entry in chosen]


def _rules() -> dict[str, list[str]]:
    rules: dict[str, list[str]] = json.loads(CONCEPTS.read_text(encoding="utf-8"))
    return rules


def _concept(entry: dict[str, Any], chinese: dict[str, Any], short: dict[str, Any]) -> Concept:
    aliases = short.get(entry["hexcode"], [])
    aliases = [aliases] if isinstance(aliases, str) else aliases
    label = entry["label"].replace("’", "'").lower()
    spoken = [alias.replace("_", " ").lower() for alias in aliases]
    return Concept(
        code=entry["hexcode"].lower(),
        label=label,
        aliases=tuple(alias for alias in dict.fromkeys(spoken) if alias != label),
        keywords=tuple(word.lower() for word in entry.get("tags", ())),
        label_zh=chinese["label"],
        keywords_zh=tuple(chinese.get("tags", ())),
    )


def _wanted(entry: dict[str, Any], meta: dict[str, Any], rules: dict[str, list[str]]) -> bool:
    """What people ask for: no flags, no keycaps, one of each person, nothing hard to tell apart."""
    if "group" not in entry or entry["version"] > NEWEST_UNICODE:
        return False
    if meta["groups"][str(entry["group"])] not in rules["groups"]:
        return False
    if meta["subgroups"][str(entry["subgroup"])] in rules["skipped_subgroups"]:
        return False
    label = entry["label"]
    return not (
        label in rules["skipped_labels"]
        or label.startswith(tuple(rules["skipped_beginnings"]))
        or any(part in label for part in rules["skipped_parts"])
    )


def _rare_keywords(concepts: Sequence[Concept]) -> frozenset[str]:
    """Keywords that point at three concepts at most: alone they still say what to draw."""
    counts = Counter(
        word for concept in concepts for word in {*concept.keywords, *concept.keywords_zh}
    )
    return frozenset(word for word, count in counts.items() if count <= 3)


def read_drawings(package: Path) -> dict[str, str]:
    """SVG texts by Unicode code (where the package says it) and by icon name."""
    icons = json.loads((package / "icons.json").read_text(encoding="utf-8"))
    codes = json.loads((package / "chars.json").read_text(encoding="utf-8"))
    default = (icons.get("width", 16), icons.get("height", 16))
    found = {}
    for name, icon in icons["icons"].items():
        width, height = icon.get("width", default[0]), icon.get("height", default[1])
        found[name] = _svg(icon["body"], width, height)
    for code, name in codes.items():
        if name in found:
            found[code] = found[name]
    return found


def _svg(body: str, width: float, height: float) -> str:
    side = max(width, height) * MARGIN
    left, top = (width - side) / 2, (height - side) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {side} {side}">{body}</svg>'
    )


def _icon_name(label: str) -> str:
    return label.replace(" ", "-").replace("'", "").replace(":", "").replace(".", "")


def draw_svg(svg: str, size: int) -> Image.Image:
    """Drawn at twice the size, on white, and reduced: smoother edges than the renderer's own."""
    import resvg_py

    drawn = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * size, height=2 * size))
    with Image.open(io.BytesIO(drawn), formats=["PNG"]) as picture:
        flat = Image.new("RGBA", picture.size, "white")
        flat.alpha_composite(picture.convert("RGBA"))
    return flat.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def _write_picture(path: Path, picture: Image.Image) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    files.write_bytes(path, buffer.getvalue())


def _fetched(package: str, cache: Path) -> Path:
    return npm.fetch(package, SHA256[package], WANTED, cache)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.data.emoji", description=__doc__)
    parser.add_argument("--out", type=Path, default=folders.cache() / "emoji")
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=[*STYLES])
    parser.add_argument("--size", type=int, default=128)
    arguments = parser.parse_args()
    build(arguments.out, arguments.styles, arguments.size, folders.cache() / "npm")


if __name__ == "__main__":
    main()
