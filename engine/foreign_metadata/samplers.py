"""The names other programs have for schedulers, and the noise schedules they join to them."""

from __future__ import annotations

from engine.foreign_metadata.found import Found
from engine.schedulers import DEFAULT_SCHEDULER, FLOW_SCHEDULERS, SCHEDULERS

_OURS = {
    "euler": "euler",
    "euler_a": "euler_ancestral",
    "heun": "heun",
    "ddim": "ddim",
    "ddpm": "ddpm",
    "plms": "pndm",
    "pndm": "pndm",
    "lcm": "lcm",
    "deis": "deis_multistep",
    "dpmpp_2m": "dpmsolver_multistep",
    "dpmpp_2": "dpmsolver_multistep",
    "dpmpp_2s": "dpmsolver_singlestep",
    "unipc": "unipc",
    "uni_pc": "unipc",
    "uni_pc_bh2": "unipc",
}
_FLOW = {"euler": "flow_match_euler", "heun": "flow_match_heun"}
_PLAIN_SCHEDULES = ("", "automatic", "normal", "simple", "sgm_uniform", "uniform")
_JOINED = ("_karras", "_exponential", "_sgm_uniform", "_k")


def take_sampler(found: Found, name: object, schedule: object = "", *, flow: bool = False) -> None:
    """Restore the scheduler that other programs call `name`; name what is not the same here.

    `flow`: of a model that learned flow matching, where the same name is another rule.
    """
    if not isinstance(name, str) or not name:
        return
    # A picture of ours that lost its record on the way tells our own names.
    ours, joined = (name, "") if name in SCHEDULERS else _ours(name)
    if flow and ours not in (DEFAULT_SCHEDULER, *FLOW_SCHEDULERS):
        ours = _FLOW.get(ours, "")
    if ours:
        found.take(scheduler=ours)
    else:
        found.leave(f"sampler {name}")
    asked = schedule if isinstance(schedule, str) and schedule else joined
    if asked.lower().replace(" ", "_") not in _PLAIN_SCHEDULES:
        found.leave(f"noise schedule {asked}")


def _ours(name: str) -> tuple[str, str]:
    """Our name ("" for none), and the noise schedule that stood in theirs."""
    plain = "_".join(name.lower().replace("++", "pp").split())
    joined = ""
    for ending in _JOINED:
        if plain.endswith(ending):
            plain = plain.removesuffix(ending)
            joined = "karras" if ending == "_k" else ending[1:]
            break
    plain = plain.removeprefix("k_").replace("euler_ancestral", "euler_a")
    return _OURS.get(plain, ""), joined
