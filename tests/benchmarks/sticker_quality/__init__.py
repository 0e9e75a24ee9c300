"""How well a text-to-image model draws stickers: `python -m tests.benchmarks.sticker_quality DATA`.

DATA is the folder that engine.data.emoji built. An evaluator, trained on the artwork alone, says
what a drawing shows; the prompts are fixed lists, chosen before any drawing was seen.
"""
