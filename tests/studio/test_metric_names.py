"""What is measured of quality has names that people know, and panes of what can be compared."""

from __future__ import annotations

from studio.widgets import metric_names


def test_precision_and_recall_share_a_pane_and_kid_has_its_own() -> None:
    pane, title = metric_names.group("precision")
    assert metric_names.group("recall") == (pane, title) == (pane, "Precision and recall")
    assert metric_names.group("kid") == ("kid", "KID")
    assert metric_names.label("recall") == "Recall"
    assert pane not in metric_names.SHOWN_AT_FIRST
