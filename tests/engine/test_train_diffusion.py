"""Training a diffusion model and drawing from it: the papers' losses, classes, exact resume."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from image_runs import (
    assert_same,
    assert_same_run,
    cancel_at,
    ignore,
    measured,
    pixels,
    weights,
    write_digits,
)
from PIL import Image
from torch import Tensor, nn

from engine import checkpoints, metadata
from engine.data.crop import SIZES
from engine.errors import Cancelled, DatasetError, InvalidTask, ModelError
from engine.events import Event, Preview, Saved
from engine.generators.sample_diffusion import SampleDiffusion
from engine.models import pixel_diffusion
from engine.models.gan import to_pixels
from engine.models.pixel_unet import OBJECTIVES, PixelUnet, PixelUnetConfig
from engine.runs import RunFolder
from engine.trainers.train_diffusion import TrainDiffusion

TINY = {"batch_size": 4, "model": "tiny", "seed": 7, "sample_every": 4, "log_every": 1} | {
    "held_out": 0.1,
    "validate_every": 3,
    "sample_steps": 2,
    "warmup_steps": 2,
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_digits(tmp_path_factory.mktemp("data"), 30, labels=True)


@pytest.fixture(scope="module", params=OBJECTIVES)
def straight(
    request: pytest.FixtureRequest, digits: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run of eight steps with checkpoints of steps 4 and 8."""
    run = tmp_path_factory.mktemp("runs") / request.param
    task(digits, objective=request.param).run(ignore, run)
    return run


def task(dataset: str, **fields: object) -> TrainDiffusion:
    values = {"dataset": dataset, "max_steps": 8, "checkpoint_every": 4, **TINY, **fields}
    return TrainDiffusion(**values)


def unet(objective: str = "flow_matching", size: int = 28, classes: int = 3) -> PixelUnet:
    names = tuple("abcdefghij"[:classes])
    return PixelUnet(PixelUnetConfig(size, 1, 8, names, objective))


class Straight(nn.Module):
    """Stands in for a UNet that has learned one image perfectly."""

    def __init__(self, image: Tensor, objective: str) -> None:
        super().__init__()
        self.image = image
        self.config = PixelUnetConfig(28, 1, 8, (), objective)

    def guided(self, x: Tensor, timestep: Tensor, classes: None, scale: float) -> Tensor:
        if self.config.objective == "flow_matching":
            return (x - self.image) / (timestep / 1000)
        alpha = DDPMScheduler().alphas_cumprod[timestep]
        return (x - alpha.sqrt() * self.image) / (1 - alpha).sqrt()


class TestArithmetic:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("channels", [1, 3])
    def test_shapes(self, size: int, channels: int) -> None:
        network = PixelUnet(PixelUnetConfig(size, channels, 8, (), "ddpm"))
        images = torch.randn(2, channels, size, size)
        assert network(images, torch.tensor([1.0, 999.0])).shape == images.shape

    def test_flow_matching_learns_the_way_from_noise_to_image(self) -> None:
        images, noise = torch.randn(2, 1, 28, 28), torch.randn(2, 1, 28, 28)
        x, target = pixel_diffusion.noisy(
            images, noise, torch.tensor([250.0, 1000.0]), "flow_matching"
        )
        assert torch.allclose(x[0], 0.75 * images[0] + 0.25 * noise[0], atol=1e-5)
        assert torch.equal(x[1], noise[1])
        assert torch.allclose(
            x - torch.tensor([0.25, 1.0]).view(2, 1, 1, 1) * target, images, atol=1e-5
        )

    def test_ddpm_adds_noise_as_the_scheduler_of_diffusers_does(self) -> None:
        images, noise = torch.randn(3, 1, 28, 28), torch.randn(3, 1, 28, 28)
        times = torch.tensor([0, 400, 999])
        x, target = pixel_diffusion.noisy(images, noise, times, "ddpm")
        assert torch.allclose(x, DDPMScheduler().add_noise(images, noise, times), atol=1e-5)
        assert target is noise

    def test_the_loss_is_the_mean_squared_error(self) -> None:
        network, images = unet(), torch.randn(2, 1, 28, 28)
        nn.init.normal_(network.unet.conv_out.weight)
        noise, times = torch.randn_like(images), torch.tensor([100.0, 900.0])
        kinds = torch.tensor([0, 3])
        t = (times / 1000).view(2, 1, 1, 1)
        predicted = network((1 - t) * images + t * noise, times, kinds)
        expected = ((predicted - (noise - images)) ** 2).sum() / images.numel()
        found = pixel_diffusion.loss(network, images, noise, times, kinds)
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)

    @pytest.mark.parametrize("objective", OBJECTIVES)
    def test_times_are_drawn_all_over(self, objective: str) -> None:
        times = pixel_diffusion.drawn_times((torch.arange(1000) + 0.5) / 1000, objective)
        assert times.min() < 60
        assert times.max() > 940
        assert times.median() == pytest.approx(500, abs=2)
        if objective == "ddpm":
            assert times.tolist() == list(range(1000))

    @pytest.mark.parametrize("objective", OBJECTIVES)
    @pytest.mark.parametrize("steps", [1, 3, 50])
    def test_what_has_learned_one_image_draws_it_in_any_number_of_steps(
        self, objective: str, steps: int
    ) -> None:
        image = torch.rand(1, 1, 28, 28) * 2 - 1
        seen: list[Tensor] = []
        drawn = pixel_diffusion.draw(
            Straight(image, objective), torch.randn(1, 1, 28, 28), None, steps, 1.0,
            lambda step, images: seen.append(images),
        )  # fmt: skip
        assert torch.allclose(drawn, image, atol=0.02)
        assert len(seen) == steps
        assert all(torch.allclose(image, half_made, atol=0.02) for half_made in seen)

    def test_ddim_begins_where_there_is_nothing_but_noise(self) -> None:
        steps = pixel_diffusion.scheduler("ddpm")
        assert isinstance(steps, DDIMScheduler)
        steps.set_timesteps(10)
        assert steps.timesteps.tolist() == list(range(999, 0, -100))

    def test_guidance_leads_away_from_what_has_no_class(self) -> None:
        network, x = unet(), torch.randn(2, 1, 28, 28)
        nn.init.normal_(network.unet.conv_out.weight)
        t, kinds, empty = torch.tensor(300.0), torch.tensor([0, 2]), torch.tensor([3, 3])
        of_class, of_any = (network(x, t.expand(2), which) for which in (kinds, empty))
        guided = network.guided(x, t, kinds, 3.0)
        assert torch.allclose(guided, of_any + 3 * (of_class - of_any), atol=1e-4)
        assert torch.allclose(network.guided(x, t, kinds, 1.0), of_class, atol=1e-5)


class TestTraining:
    def test_says_what_it_measures(self, straight: Path) -> None:
        values = measured(straight)
        assert list(values) == list(range(1, 9))
        assert all(found.keys() >= {"loss", "gradient_norm"} for found in values.values())
        assert [step for step, found in values.items() if "val_loss" in found] == [1, 3, 6, 8]
        said = json.loads((straight / "run.json").read_text())
        assert said["model"]["classes"] == list("0123456789")
        assert len(said["dataset"]["labels_sha256"]) == 64

    def test_the_loss_falls_on_what_is_learned_and_on_what_is_held_out(self, digits: str) -> None:
        torch.manual_seed(0)
        learner = task(digits, max_steps=24, batch_size=8, learning_rate=4e-3).learner(ignore)
        first, *_, last = [learner.step(step) for step in range(1, 25)]
        for name in ("loss", "val_loss"):
            assert last[name] < 0.8 * first[name]

    def test_classes_reach_the_network_and_are_dropped_as_often_as_asked(self, digits: str) -> None:
        learner = task(digits).learner(ignore)
        chosen, dropped = learner.learned[:4], torch.tensor([False, True, False, False])
        labels = learner.data.labels[chosen].tolist()
        assert learner._classes(chosen, dropped).tolist() == [labels[0], 10, *labels[2:]]
        moved = {}
        for rate in (0.0, 1.0):
            torch.manual_seed(0)
            learner = task(digits, class_dropout=rate).learner(ignore)
            table = learner.unet.unet.class_embedding.weight
            before = table.detach().clone()
            for step in (1, 2, 3):  # the first moves nothing but the last layer, which began at 0
                learner.step(step)
            moved[rate] = (table != before).any(1).tolist()
        assert moved[0.0][:10].count(True) >= 4
        assert not moved[0.0][10]
        assert moved[1.0] == [False] * 10 + [True]

    def test_the_grid_has_a_column_for_each_class(self, straight: Path) -> None:
        assert pixels(RunFolder(straight).samples()[-1][1]).shape == (152, 302)

    def test_the_grid_is_drawn_with_the_averaged_weights(self, straight: Path, digits: str) -> None:
        learner = task(digits, objective=straight.name).learner(ignore)
        path = RunFolder(straight).checkpoint_path(8)
        learner.average.load_state_dict(checkpoints.load_tensors(path, "unet_ema"))
        drawn = np.asarray(learner.sample())
        assert np.array_equal(drawn, pixels(RunFolder(straight).samples()[-1][1]))

    def test_classes_can_be_left_out(self, digits: str, tmp_path: Path) -> None:
        task(digits, classes="off", max_steps=1).run(ignore, tmp_path / "run")
        assert RunFolder(tmp_path / "run").description()["model"]["classes"] == []

    def test_asking_for_classes_where_there_are_none_is_an_error(self, tmp_path: Path) -> None:
        unsorted = write_digits(tmp_path, 4)
        with pytest.raises(DatasetError, match=r"not sorted into classes\. Sort them into sub-"):
            task(unsorted, classes="on").run(ignore, tmp_path / "run")
        assert not RunFolder(tmp_path / "run").exists
        task(unsorted, classes="auto", max_steps=1).run(ignore, tmp_path / "run")

    def test_sub_folders_of_color_images_are_classes(self, tmp_path: Path) -> None:
        for name in ("red", "blue"):
            (tmp_path / "images" / name).mkdir(parents=True)
            for shade in range(3):
                image = Image.new("RGB", (32, 32), name)
                image.putpixel((shade, shade), (9, 9, 9))
                image.save(tmp_path / "images" / name / f"{shade}.png")
        task(str(tmp_path / "images"), max_steps=1).run(ignore, tmp_path / "run")
        run = RunFolder(tmp_path / "run")
        assert run.description()["model"]["classes"] == ["blue", "red"]
        assert pixels(run.samples()[-1][1]).shape == (5 * 34 + 2, 2 * 34 + 2, 3)


class TestResume:
    @pytest.mark.parametrize("stop_at", [1, 5])
    def test_a_stopped_run_goes_on_bit_for_bit(
        self, digits: str, straight: Path, stop_at: int, tmp_path: Path
    ) -> None:
        with pytest.raises(Cancelled):
            task(digits, objective=straight.name).run(cancel_at(stop_at), tmp_path / "run")
        torch.manual_seed(123)  # another process would not have the same state either
        TrainDiffusion(max_steps=8, resume=True).run(ignore, tmp_path / "run")
        assert_same_run(straight, tmp_path / "run")

    def test_samples_and_validation_do_not_change_what_is_learned(
        self, digits: str, straight: Path, tmp_path: Path
    ) -> None:
        other = task(digits, objective=straight.name, sample_every=8, validate_every=8)
        other.run(ignore, tmp_path / "run")
        assert_same(weights(straight), weights(tmp_path / "run"))


class TestSampling:
    def draw(self, run: Path, out: Path, **fields: object) -> tuple[list[Path], list[Event]]:
        events: list[Event] = []
        values = {"run_folder": str(run), "num_images": 3, "seed": 5, "num_inference_steps": 2}
        SampleDiffusion.from_dict({**values, **fields}).run(events.append, out)
        return [event.path for event in events if isinstance(event, Saved)], events

    def test_image_i_is_what_the_unet_makes_of_the_noise_and_class_of_seed_plus_i(
        self, straight: Path, tmp_path: Path
    ) -> None:
        paths, events = self.draw(straight, tmp_path, checkpoint=4, save_images=True)
        network = PixelUnet(PixelUnetConfig(28, 1, 16, tuple("0123456789"), straight.name)).eval()
        path = RunFolder(straight).checkpoint_path(4)
        network.load_state_dict(checkpoints.load_tensors(path, "unet_ema"))
        for index, single in enumerate(paths[1:]):
            noise = torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(5 + index))
            with torch.inference_mode():
                kind = torch.tensor([5 + index])
                expected = pixel_diffusion.draw(network, noise, kind, 2, 2.0)
            assert np.array_equal(pixels(single), to_pixels(expected)[0, ..., 0])
        record = metadata.read_task(paths[1])
        assert record and (record.name, record.values["checkpoint"]) == ("sample_diffusion", 4)
        previews = [event for event in events if isinstance(event, Preview)]
        assert [event.index for event in previews] == [0, 0, 1, 1, 2, 2]
        assert previews[-1].image.size == (28, 28)
        alone, _ = self.draw(straight, tmp_path, checkpoint=4, seed=7, num_images=1)
        assert np.array_equal(pixels(alone[0])[2:30, 2:30], pixels(paths[3]))

    def test_class_steps_guidance_and_weights_make_a_difference(
        self, straight: Path, tmp_path: Path
    ) -> None:
        # Eight steps teach the classes too little to be seen.
        run = RunFolder(Path(shutil.copytree(straight, tmp_path / "run")))
        step, state = checkpoints.load(run.checkpoint_path(8))
        for name in ("unet", "unet_ema"):
            state[name]["unet.class_embedding.weight"] *= 30
            state[name]["unet.conv_out.weight"] *= 30
        checkpoints.save(run.checkpoint_path(8), step, state)
        every = [
            pixels(self.draw(run.path, tmp_path, **fields)[0][0]).tobytes()
            for fields in (
                *({"class_name": name} for name in ("each", "any", "3", "7")),
                *({"num_inference_steps": 3}, {"guidance_scale": 5.0}, {"weights": "last"}),
            )
        ]
        assert len(set(every)) == len(every)

    def test_a_class_that_was_not_learned_is_refused_and_those_that_were_are_named(
        self, straight: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(InvalidTask, match=r"no class named 'cat'.*0, 1, 2") as caught:
            self.draw(straight, tmp_path, class_name="cat")
        assert caught.value.field == "class_name"

    @pytest.mark.parametrize(
        ("entries", "message"),
        [
            ({"task": "train_gan"}, "holds a run of train_gan, not of a diffusion model"),
            ({"model": {"image_size": 28}}, "does not describe a diffusion model"),
            ({"model": {"classes": [1]}}, "does not describe a diffusion model"),
            ({"model": {"width": 9}}, "does not describe a diffusion model"),
            ({"model": {"width": 32}}, "do not fit"),
        ],
    )
    def test_a_run_of_another_kind_is_an_error(
        self, straight: Path, tmp_path: Path, entries: dict[str, object], message: str
    ) -> None:
        run = RunFolder(Path(shutil.copytree(straight, tmp_path / "run")))
        said = json.loads((straight / "run.json").read_text())
        if "image_size" not in entries.get("model", {"image_size": 0}):
            entries = {"model": {**said["model"], **entries["model"]}}
        (run.path / "run.json").write_text(json.dumps(said | entries))
        with pytest.raises(ModelError, match=message):
            self.draw(run.path, tmp_path / "out")
