"""Tiny real pipelines that several tests of drawing look at; none may change them."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_models

PIPELINES = {
    "stable_diffusion": tiny_models.save_stable_diffusion,
    "stable_diffusion_3": tiny_models.save_stable_diffusion_3,
    "inpainting": tiny_models.save_inpainting_stable_diffusion,
    "flux": tiny_models.save_flux,
    "pixart": tiny_models.save_pixart,
}


@pytest.fixture(scope="session")
def tiny_pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("tiny_pipelines")
    return {name: save(room / name) for name, save in PIPELINES.items()}
