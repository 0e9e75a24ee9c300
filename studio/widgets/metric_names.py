"""What metrics are called for people, which of them share a pane, and their colours."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

COLORS = {
    "generator_loss": "generator_curve",
    "discriminator_loss": "discriminator_curve",
    "d_real": "validation_curve",
    "d_fake": "generator_curve",
    "val_loss": "validation_curve",
    "generator_gradient_norm": "generator_curve",
    "discriminator_gradient_norm": "discriminator_curve",
}
MORE_COLORS = ("train_curve", "discriminator_curve", "validation_curve")
SHOWN_AT_FIRST = ("loss", "d")
"""The groups whose panes are there without being chosen."""


def group(name: str) -> tuple[str, str]:
    """The pane a metric belongs to, and the title of that pane."""
    if name == "loss" or name.endswith("_loss"):
        return "loss", _tr("Loss")
    if name in ("d_real", "d_fake"):
        return "d", _tr("Discriminator")
    if name.endswith("gradient_norm"):
        return "gradient_norm", _tr("Gradient norm")
    if name in ("precision", "recall"):
        return "precision_recall", _tr("Precision and recall")
    return name, label(name)


def label(name: str) -> str:
    """Beside its colour in a legend."""
    return {
        "generator_loss": _tr("Generator"),
        "discriminator_loss": _tr("Discriminator"),
        "train_loss": _tr("Training"),
        "val_loss": _tr("Held-out"),
        "d_real": _tr("D(x) real"),
        "d_fake": _tr("D(G(z)) generated"),
        "generator_gradient_norm": _tr("Generator"),
        "discriminator_gradient_norm": _tr("Discriminator"),
        "steps_per_second": _tr("Steps per second"),
        "memory_gb": _tr("Memory, GB"),
        "kid": _tr("KID"),
    }.get(name, name.replace("_", " ").capitalize())


def color(name: str, place: int) -> str:
    """The name of a field of `Colors`; `place` is where the metric stands in its pane."""
    return COLORS.get(name, MORE_COLORS[place % len(MORE_COLORS)])


def _tr(text: str) -> str:
    return QCoreApplication.translate("MetricPlot", text)
