"""While libraries are imported Python's collector rests, and only then."""

from __future__ import annotations

import gc
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import cache
from engine.libraries import importing, loading

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As it is in a fresh process; `made_for_this` can be imported."""
    (tmp_path / "made_for_this.py").write_text("words = [[] for _ in range(1000)]\n")
    monkeypatch.syspath_prepend(tmp_path)
    was_on = gc.isenabled()
    gc.enable()
    gc.unfreeze()
    cache.clear()
    yield
    gc.unfreeze()
    if not was_on:
        gc.disable()
    cache.clear()
    sys.modules.pop("made_for_this", None)


def test_what_was_imported_is_never_looked_at_again() -> None:
    with importing():
        assert not gc.isenabled()
        importlib.import_module("made_for_this")
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000


def test_without_an_import_nothing_is_frozen() -> None:
    with importing():
        pass
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_loaded_model_can_still_be_collected() -> None:
    cache.loaded("a model", object)
    with importing():
        importlib.import_module("made_for_this")
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_collector_goes_on_after_a_failed_import() -> None:
    with pytest.raises(ImportError), importing():
        importlib.import_module("no_such_library")
    assert gc.isenabled()


def test_where_somebody_else_collects_nothing_changes() -> None:
    gc.disable()
    with importing():
        importlib.import_module("made_for_this")
    assert not gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_collector_rests_while_a_model_is_loaded_and_nothing_stays() -> None:
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


@pytest.mark.slow
def test_a_first_sticker_is_drawn_without_a_full_collection(tmp_path: Path) -> None:
    program = """
import gc, sys
from pathlib import Path
from engine.device import prepare_environment
prepare_environment()
from engine.generators.text_to_image import TextToImage
task = TextToImage(prompt="red heart", seed=1, num_inference_steps=2)
task.run(lambda event: None, Path(sys.argv[1]))
print(gc.get_stats()[2]["collections"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 0
