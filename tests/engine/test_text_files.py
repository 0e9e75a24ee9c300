"""Texts as files: read back with the library that Word documents are read with."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import docx
import pytest
from faults import assert_nothing_is_lost
from hypothesis import given
from hypothesis import strategies as st

from engine import text_files


def read(data: bytes) -> list[tuple[str, str]]:
    """(style, text) of each paragraph."""
    return [
        (paragraph.style.name if paragraph.style else "", paragraph.text)
        for paragraph in docx.Document(io.BytesIO(data)).paragraphs
    ]


def test_markdown_becomes_headings_lists_and_emphasis() -> None:
    lines = ("# A storm", "", "The **old** lighthouse *stood*; 2 * 3 * 4.", "- one", "* two")
    text = "\n".join([*lines, "3. three", "### 日本 🌊"])
    data = text_files.docx(text)
    assert read(data) == [
        ("Heading 1", "A storm"),
        ("Normal", "The old lighthouse stood; 2 * 3 * 4."),
        ("List Bullet", "one"),
        ("List Bullet", "two"),
        ("List Number", "three"),
        ("Heading 3", "日本 🌊"),
    ]
    runs = docx.Document(io.BytesIO(data)).paragraphs[1].runs
    assert [run.text for run in runs if run.bold] == ["old"]
    assert [run.text for run in runs if run.italic] == ["stood"]


@given(st.text())
def test_any_text_becomes_a_document(text: str) -> None:
    shown = "".join(told for _, told in read(text_files.docx(text)))
    letters, known = (Counter(filter(str.isalpha, part)) for part in (shown, text))
    assert letters == known, "no letter is lost, and none is made up"


def test_the_ending_decides(tmp_path: Path) -> None:
    for suffix in text_files.SUFFIXES:
        path = tmp_path / f"a{suffix.upper()}"
        text_files.write(path, "# One")
        data = path.read_bytes()
        assert data == b"# One" if suffix != ".docx" else read(data) == [("Heading 1", "One")]


@pytest.mark.parametrize("suffix", text_files.SUFFIXES)
def test_a_failing_disk_leaves_the_old_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    text_files.write(path, "old")
    assert_nothing_is_lost(tmp_path, lambda: text_files.write(path, "new"), path)


def test_an_underscore_within_a_word_is_no_emphasis() -> None:
    document = docx.Document(io.BytesIO(text_files.docx("a_long_name and _one_ **b**c")))
    assert [run.text for run in document.paragraphs[0].runs if run.italic] == ["one"]
    assert [run.text for run in document.paragraphs[0].runs if run.bold] == ["b"]
    assert document.paragraphs[0].text == "a_long_name and one bc"
