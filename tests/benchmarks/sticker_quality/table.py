"""The figures as the Markdown table of a model card."""

from __future__ import annotations

from tests.benchmarks.sticker_quality.naming import Figures


def markdown(figures: Figures) -> str:
    parts = [_named(figures), _styles(figures["styles"]), _apart(figures["seeds"])]
    parts += [_nearest(figures["nearest"]), _combined(figures["combinations"])]
    parts += [_speed(figures["speed"]), _evaluator(figures)]
    return "\n\n".join(parts) + "\n"


def _named(figures: Figures) -> str:
    concepts = figures["concepts"]
    rows = [
        ("200 concepts by English name, two seeds", concepts["drawn"]),
        ("… by Chinese name", concepts["chinese"]),
        ("100 paraphrases that occur in no caption", figures["paraphrases"]),
        ("The real artwork of these concepts", concepts["artwork"]),
        ("… through the model's own autoencoder", concepts["artwork_through_autoencoder"]),
        ("Chance: the same drawings, judged by another concept's name",
         concepts["drawn_judged_by_another_name"]),
    ]  # fmt: skip
    lines = [f"| {text} | {_percents(row)} | {row['pictures']:,} |" for text, row in rows]
    head = ["| The evaluator recognises | top-1 | top-5 | pictures |", "|---|---|---|---|"]
    return "\n".join([*head, *lines])


def _percents(row: Figures) -> str:
    return f"{row['top_1']:.1%} | {row['top_5']:.1%}"


def _styles(figures: Figures) -> str:
    names = figures["styles"]
    drawn, real = figures["drawn"], figures["artwork"]
    typed = figures["drawn_by_a_word_in_the_prompt"]
    decoded = figures["artwork_through_autoencoder"]
    head = f"| Style asked for \\ seen | {' | '.join(names)} |"
    lines = [head, "|---" * (len(names) + 1) + "|"]
    for name, row in zip(names, drawn["seen"], strict=True):
        lines.append(f"| {name} | {' | '.join(f'{part:.0%}' for part in row)} |")
    told = (
        f"Styles: {drawn['right']:.1%} of {drawn['pictures']} drawings are told to be in the style "
        f"chosen ({typed['right']:.1%} where its word is only typed before the prompt), of the "
        f"real artwork of these concepts {real['right']:.1%} "
        f"({decoded['right']:.1%} through the model's autoencoder), by a classifier that has never "
        "seen these concepts. The concept of the drawings is right in "
        f"{figures['concept_of_drawn']['top_1']:.1%} "
        f"({figures['concept_of_drawn_by_a_word']['top_1']:.1%})."
    )
    return "\n".join(lines) + "\n\n" + told


def _apart(figures: Figures) -> str:
    rows = [
        ("two seeds of one prompt", "two_seeds_of_one_prompt"),
        ("artwork of one concept in two styles", "two_styles_of_one_concept"),
        ("artwork of two concepts in one style", "two_concepts_in_one_style"),
    ]
    lines = ["| How far apart, on average | by pixels | to the evaluator |", "|---|---|---|"]
    for text, key in rows:
        lines.append(f"| {text} | {figures[key]['pixels']:.3f} | {figures[key]['features']:.3f} |")
    differ = f"{figures['seeds_in_different_styles']:.0%}"
    return "\n".join([*lines, "", f"In {differ} of the prompts the two seeds differ in style."])


def _nearest(figures: Figures) -> str:
    return (
        f"Nearest artwork: {figures['samples']} samples are {figures['mean_distance']:.3f} from it "
        "on average (pixels, root mean square), and that artwork "
        f"{figures['mean_distance_of_that_artwork_to_another_style']:.3f} from the nearest of its "
        f"concept in another style; {figures['nearer_than_another_style']:.0%} of the samples are "
        "nearer to their artwork than that."
    )


def _combined(figures: list[Figures]) -> str:
    lines = ["| Prompt | in the captions | looks most like |", "|---|---|---|"]
    for row in figures:
        known = "yes" if row["in_captions"] else "no"
        lines.append(f"| {row['prompt']} | {known} | {', '.join(row['looks_like'])} |")
    return "\n".join(lines)


def _speed(figures: Figures) -> str:
    return (
        f"A sticker ({figures['steps']} steps with guidance, {figures['threads']} thread) takes "
        f"{figures['warm_cpu_seconds']:.2f} s of CPU time with the model warm and "
        f"{figures['cold_cpu_seconds']:.1f} s from a cold start; "
        f"{figures['previews_of_a_picture']:.0f} previews come while it is drawn."
    )


def _evaluator(figures: Figures) -> str:
    evaluator = figures["evaluator"]
    size, weights = evaluator["parameters"] / 1e6, evaluator["weights"][:12]
    text = (
        f"The evaluator: a convolutional network of {size:.1f} M parameters, trained on the "
        f"artwork alone (`tests/benchmarks/sticker_quality`, weights {weights}), knows "
        f"{evaluator['concepts']} concepts"
    )
    unseen = evaluator.get("never_seen")
    if unseen is None:
        return text + "."
    return (
        f"{text}; of {unseen['pictures']} Firefox OS drawings, a style it never saw, it names "
        f"{unseen['top_1']:.1%} right, {unseen['top_5']:.1%} among its first five."
    )
