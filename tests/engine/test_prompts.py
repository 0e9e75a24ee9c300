"""Weights, wildcards and styles in prompts: any text is one, and the same seed draws the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine import folders
from engine.errors import EngineError, FileError
from engine.prompts import styles, wildcards
from engine.prompts.emphasis import Emphasised, emphasise
from engine.prompts.evaluation import evaluated_values
from engine.prompts.styles import Style
from engine.prompts.weights import HEAVIEST, Piece, groups, is_weighted, parse, plain_text
from engine.prompts.wildcards import evaluate, has_wildcards

prompts = st.text(alphabet=r"ab ,:.12()[]{}|\_-", max_size=40) | st.text(max_size=30)


def weighted(prompt: str) -> list[tuple[str, float]]:
    """Neighbours of one weight as one."""
    found: list[tuple[str, float]] = []
    for piece in parse(prompt):
        if piece.text and found and found[-1][1] == round(piece.weight, 4):
            found[-1] = (found[-1][0] + piece.text, found[-1][1])
        elif piece.text:
            found.append((piece.text, round(piece.weight, 4)))
    return found


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red cat", [("a red cat", 1)]),
        ("a (red) cat", [("a ", 1), ("red", 1.1), (" cat", 1)]),
        ("((red))", [("red", 1.21)]),
        ("[red]", [("red", 0.9091)]),
        ("(red:1.5)", [("red", 1.5)]),
        ("(red : .5 )", [("red ", 0.5)]),
        ("(red:-1)", [("red", -1)]),
        ("(a (b:2) c:1.5)", [("a ", 1.5), ("b", 3), (" c", 1.5)]),
        ("[(a)]", [("a", 1)]),
        (r"\(a\) \[b\] \\", [(r"(a) [b] \\"[:-1], 1)]),
        (r"(a\):1.2)", [("a)", 1.2)]),
        ("(a", [("(a", 1)]),
        ("a)", [("a)", 1)]),
        (":)", [(":)", 1)]),
        ("a:1.2)", [("a:1.2)", 1)]),
        ("(a]", [("(a]", 1)]),
        ("[a:1.2)", [("[a:1.2)", 1)]),
        ("16:9 (b)", [("16:9 ", 1), ("b", 1.1)]),
        ("(a:b:1.3)", [("a:b", 1.3)]),
        ("(red:99)", [("red", HEAVIEST)]),
        (f"(red:{'9' * 400})", [("red", HEAVIEST)]),
        ("", []),
    ],
)
def test_weights_are_read_as_a1111_reads_them(
    prompt: str, expected: list[tuple[str, float]]
) -> None:
    assert weighted(prompt) == expected


@given(prompts)
def test_no_letter_of_a_prompt_is_lost(prompt: str) -> None:
    pieces = parse(prompt)
    assert "".join(piece.raw for piece in pieces) == prompt
    assert [piece.start for piece in pieces] == [
        sum(len(before.raw) for before in pieces[:index]) for index in range(len(pieces))
    ]
    assert all(abs(piece.weight) <= HEAVIEST for piece in pieces)
    assert all(0 <= g.start < g.inner_end < g.end <= len(prompt) for g in groups(prompt))


@given(st.text(alphabet="ab ,:.1{}|_-", max_size=40))
def test_a_prompt_without_brackets_is_not_touched(prompt: str) -> None:
    assert plain_text(parse(prompt)) == prompt
    assert not is_weighted(parse(prompt))


@given(st.text(max_size=30))
def test_every_text_can_be_written_so_that_it_stands_for_itself(text: str) -> None:
    escaped = "".join("\\" + letter if letter in r"\()[]{}|_" else letter for letter in text)
    assert plain_text(parse(evaluate(escaped, 1))) == text
    assert not is_weighted(parse(escaped))


@pytest.mark.parametrize("prompt", ["(" * 50_000, "(" * 20_000 + ")" * 20_000, ":" + "1" * 90_000])
def test_a_monstrous_prompt_is_read_at_once(prompt: str) -> None:
    pieces = parse(prompt)
    assert "".join(piece.raw for piece in pieces) == prompt
    evaluate("{" * 5_000 + "__" * 5_000, 1)


# ------------------------------------------------------------------ raising and lowering


@pytest.mark.parametrize(
    ("text", "start", "end", "step", "expected"),
    [
        ("a red cat", 3, 3, 0.1, "a (red:1.1) cat"),
        ("a red cat", 2, 9, 0.1, "a (red cat:1.1)"),
        ("a  red  cat", 2, 8, 0.1, "a  (red:1.1)  cat"),
        ("a (red:1.1) cat", 4, 4, 0.1, "a (red:1.2) cat"),
        ("a (red:1.1) cat", 3, 6, -0.1, "a red cat"),
        ("a (red:1.1) cat", 2, 11, 0.05, "a (red:1.15) cat"),
        ("a (red) cat", 4, 4, 0.1, "a (red:1.2) cat"),
        ("a (big red:1.2) cat", 8, 8, 0.1, "a (big red:1.3) cat"),
        ("a (big red:1.2) cat", 7, 10, 0.1, "a (big (red:1.1):1.2) cat"),
        ("well-lit", 3, 3, -0.1, "(well-lit:0.9)"),
        ("a (red:0.05)", 4, 4, -0.1, "a (red:0)"),
        ("a  b", 2, 2, 0.1, None),
        ("", 0, 0, 0.1, None),
        ("a (red b", 0, 5, 0.1, None),
    ],
)
def test_the_weight_of_a_word_is_raised_and_lowered(
    text: str, start: int, end: int, step: float, expected: str | None
) -> None:
    changed = emphasise(text, start, end, step)
    assert (changed and changed.text) == expected


def test_what_was_weighed_can_be_weighed_again() -> None:
    step = emphasise("a big red cat", 2, 9, 0.1)
    for _ in range(3):
        assert step is not None
        assert step.text[step.start : step.end] == "big red"
        step = emphasise(step.text, step.start, step.end, 0.1)
    assert step == Emphasised("a (big red:1.4) cat", 3, 10, (2, 15), "(big red:1.4)")


@given(prompts, st.integers(0, 40), st.integers(0, 40), st.sampled_from([0.1, -0.1, 0.05]))
def test_any_place_can_be_asked_for_and_no_word_is_lost(
    text: str, a: int, b: int, step: float
) -> None:
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    changed = emphasise(text, start, end, step)
    if changed:
        assert 0 <= changed.start <= changed.end <= len(changed.text)
        inner = changed.text[changed.start : changed.end]
        assert inner in text and inner.strip()


# ------------------------------------------------------------------ wildcards


@pytest.fixture
def lists(home: Path) -> Path:
    room = home / "wildcards"
    (room / "pets").mkdir(parents=True)
    (room / "mood.txt").write_text("# of the day\n happy \n\nsad\n", encoding="utf-8-sig")
    (room / "pets/small.txt").write_text("a {grey|white} mouse\na __mood__ bird\n")
    (room / "endless.txt").write_text("more __endless__\n")
    (room / "empty.txt").write_text("# nothing\n")
    return room


def drawn(text: str, seeds: int = 60) -> set[str]:
    return {evaluate(text, seed) for seed in range(seeds)}


def test_every_choice_is_drawn_and_by_the_seed_alone(lists: Path) -> None:
    assert drawn("a {red|blue|} cat") == {"a red cat", "a blue cat", "a  cat"}
    assert drawn("__mood__ cat") == {"happy cat", "sad cat"}
    assert drawn("__pets/small__") == {
        "a grey mouse",
        "a white mouse",
        "a happy bird",
        "a sad bird",
    }
    assert drawn("{a {b|c}|d}") == {"a b", "a c", "d"}
    assert evaluate("{a|b|c|d} __color__", 7) == evaluate("{a|b|c|d} __color__", 7)
    purposes = {
        (evaluate("{a|b}", s, "prompt"), evaluate("{a|b}", s, "negative_prompt")) for s in range(40)
    }
    assert len(purposes) == 4, "two texts of one seed are drawn each by itself"


def test_the_draw_stays_the_same_in_every_version() -> None:
    """Changing it would change what old prompts draw."""
    assert [evaluate("{a|b|c|d|e|f}", seed, "prompt") for seed in range(8)] == list("cdeeeeaa")


@pytest.mark.parametrize("text", ["{a", "a|b", "a}", "{a|b", "}{", "{a}", r"\{a|b\}", "a_b __ c"])
def test_what_is_no_choice_stands_for_itself(text: str) -> None:
    assert evaluate(text, 3) == text
    assert not has_wildcards(text)


@pytest.mark.parametrize("text", ["{a|b}", "x __color__", "{a {b|c} d", "{|}"])
def test_what_is_a_choice_is_seen(text: str) -> None:
    assert has_wildcards(text)


@given(prompts, st.integers(0, 2**32))
@example("{|{}", 0)
def test_what_was_drawn_draws_itself(text: str, seed: int) -> None:
    try:
        once = evaluate(text, seed)
    except EngineError:
        return
    assert evaluate(once, seed + 1) == once
    assert not has_wildcards(once)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a __unicorn__", "__unicorn__"),
        ("{a|__unicorn__}", "__unicorn__"),
        ("__pets__", "__pets__"),
        ("__endless__", "never come to an end"),
        ("__empty__", "empty.txt"),
    ],
)
def test_a_list_that_cannot_be_drawn_from_is_named(lists: Path, text: str, named: str) -> None:
    with pytest.raises(EngineError) as caught:
        evaluate(text, 1)
    assert named in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../secret", "~/x"])
def test_no_name_leads_out_of_the_folder_of_lists(home: Path, name: str) -> None:
    (home / "secret.txt").write_text("found")
    try:
        assert "found" not in evaluate(f"__{name}__", 1)
    except EngineError as error:
        assert "There is no wildcard" in error.message


def test_the_lists_that_ship_are_there_and_ones_own_come_first(lists: Path) -> None:
    assert {"animal", "color", "mood", "pets/small"} <= set(wildcards.names())
    for name in ("animal", "color", "fruit", "weather", "time", "place"):
        assert evaluate(f"__{name}__", 1)
    (lists / "color.txt").write_text("ultraviolet")
    assert evaluate("__color__", 1) == "ultraviolet"


# ------------------------------------------------------------------ styles


def test_styles_are_put_around_the_prompt_in_their_order() -> None:
    styles.save_own([Style("mine", "old {prompt} print", "color"), Style("fog", "in fog")])
    assert styles.styled("fox", "blur", "mine, fog", "stickers") == (
        "old fox print, in fog",
        "blur, color",
    )
    assert styles.styled("fox", "", "", "stickers") == ("fox", "")
    assert styles.own() == (Style("mine", "old {prompt} print", "color"), Style("fog", "in fog"))


def test_a_models_own_styles_come_first_and_ones_own_before_the_shipped() -> None:
    styles.save_own([Style("watercolor", "wet {prompt}"), Style("flat", "boring {prompt}")])
    found = {style.name: style for style in styles.styles("stickers")}
    assert next(iter(found)) == "flat"
    assert found["flat"].prompt == "(flat:5) {prompt}"
    assert found["watercolor"].prompt == "wet {prompt}"
    assert "pixel art" in found
    shipped = styles.styles("no such model")
    assert all("{prompt}" in style.prompt for style in shipped if style.name != "flat")


def as_drawn(prompt: str, style: str, negative_prompt: str = "") -> tuple[str, str]:
    values = {"prompt": prompt, "negative_prompt": negative_prompt, "style": style}
    whole = evaluated_values({**values, "model": "stickers", "seed": 5})
    assert whole["style"] == ""
    return whole["prompt"], whole["negative_prompt"]


def test_a_style_the_model_learned_is_set_against_the_prompt_without_it() -> None:
    assert as_drawn("fox", "3d", "blur") == ("(3d:5) fox", "blur, (fox:0.5)")
    assert as_drawn("(red:1.2) fox", "3d") == ("(3d:5) (red:1.2) fox", "((red:1.2) fox:0.5)")
    assert as_drawn("", "3d") == ("(3d:5)", "")
    assert as_drawn("fox :)", "3d") == ("(3d:5) fox :)", "fox :)"), (
        "a bracket alone would take the weight"
    )
    assert as_drawn("3d fox", "", "blur") == ("3d fox", "blur")


def test_other_styles_stay_on_both_sides() -> None:
    styles.save_own([Style("fog", "{prompt} in fog", "sun")])
    assert as_drawn("fox", "fog", "blur") == ("fox in fog", "blur, sun")
    assert as_drawn("fox", "fog, 3d") == ("(3d:5) fox in fog", "sun, (fox in fog:0.5)")


def test_wildcards_are_the_same_on_both_sides() -> None:
    prompt, negative_prompt = as_drawn("__color__ __animal__", "3d")
    assert negative_prompt == f"({prompt.removeprefix('(3d:5) ')}:0.5)"
    assert "_" not in prompt


def test_a_style_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineError, match="“fuzzy”"):
        styles.styled("fox", "", "fuzzy", "stickers")


@pytest.mark.parametrize(
    "content",
    ["{", "{}", "[1]", '[{"name": ""}]', '[{"name": "a,b"}]', '[{"name": "a", "prompt": 1}]'],
)
def test_a_file_of_styles_that_cannot_be_read_is_named_and_stays(home: Path, content: str) -> None:
    (home / "styles.json").write_text(content)
    with pytest.raises(FileError, match=r"styles\.json"):
        styles.styles("stickers")
    assert (home / "styles.json").read_text() == content


@given(st.text(max_size=30))
def test_every_proper_name_comes_back(name: str) -> None:
    proper = styles.proper_name(name)
    if proper:
        assert styles.names_in(styles.joined([proper, "b"])) == tuple(dict.fromkeys((proper, "b")))


def test_lists_and_styles_ship_with_the_studio() -> None:
    assert len(list((folders.RESOURCES / "wildcards").glob("*.txt"))) >= 5
    assert Piece("a", "a", 1.0, 0) == parse("a")[0]
