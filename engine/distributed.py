"""One training on several processes, as torchrun starts them. Alone, everything here does nothing.

Every process draws the chance of the whole batch from the same stream, computes its share of the
rows, and averages the gradients with the others: so a run means the same on any number of
processes, but for batch norm, which sees one share, and goes on with another number. The first
process owns the run folder and says which step comes next; the others follow.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import Cancelled, InvalidTask

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

    Rows = TypeVar("Rows", bound=Any)

# What the first process says instead of the number of a step. After CHANGE it gives new values of
# the task, after RELOAD the state to go on from.
WAIT, END, CHANGE, RELOAD = 0, -1, -2, -3
PARENT = os.getppid()


def count() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ.get("RANK") or 0) if count() > 1 else 0


@contextmanager
def joined() -> Iterator[None]:
    """Within, the processes can talk to each other; those that use GPUs get one each."""
    if count() == 1:
        yield
        return
    import torch
    from torch import distributed

    place, gpus = int(os.environ.get("LOCAL_RANK") or 0), torch.cuda.device_count()
    if gpus:
        torch.cuda.set_device(place % gpus)
    own_gpus = distributed.is_nccl_available() and gpus >= _count_here()
    distributed.init_process_group("cpu:gloo,cuda:nccl" if own_gpus else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _count_here() -> int:
    """How many of the processes are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE") or count())


# --------------------------------------------------------------------------- what learners use


def check_batch_size(size: int) -> None:
    """Raises InvalidTask when the processes cannot have equal shares."""
    if size % count():
        raise InvalidTask(
            "batch_size",
            f"A batch of {size} cannot be shared equally by {count()} processes.",
            f"Choose a multiple of {count()}.",
        )


def share(batch: Rows) -> Rows:
    """The rows of this process, out of those of the whole batch."""
    if count() == 1:
        return batch
    size = len(batch) // count()
    own: Rows = batch[rank() * size : (rank() + 1) * size]
    return own


def whole_like(rows: Tensor) -> Tensor:
    """A tensor of the whole batch's shape, to draw noise like; `rows` is the share of one."""
    if count() == 1:
        return rows
    import torch

    return torch.cat([rows.detach()] * count())


def gather(rows: Tensor) -> Tensor:
    """The rows of the whole batch, for a loss that compares them with each other.

    The gradient goes through one's own rows alone; it is larger by the number of processes, since
    the others' part of it is theirs to compute and `average_gradients` divides the sum.
    """
    if count() == 1:
        return rows
    import torch
    from torch import distributed

    parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(count())]
    distributed.all_gather(parts, rows.detach().contiguous())
    parts[rank()] = rows + (count() - 1) * (rows - rows.detach())
    return torch.cat(parts)


def average_gradients(parameters: Iterable[Parameter]) -> None:
    """Give every process the mean of what all found; call between `backward` and the update."""
    if count() == 1:
        return
    import torch
    from torch import distributed

    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= count()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


# --------------------------------------------------------------------------- what the loop uses


def mean(values: Mapping[str, float]) -> Mapping[str, float]:
    """What was measured on the shares, as it is for the whole batch."""
    if count() == 1:
        return values
    import torch
    from torch import distributed

    numbers = torch.tensor(list(values.values()), dtype=torch.float64)
    distributed.all_reduce(numbers)
    return dict(zip(values, (numbers / count()).tolist(), strict=True))


def from_first(value: Any = None) -> Any:
    """What the first process gives here, plain data and tensors, for all of them."""
    import torch
    from torch import distributed

    buffer = io.BytesIO()
    torch.save(value, buffer)
    box = [buffer.getvalue()]
    distributed.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return torch.load(io.BytesIO(box[0]), map_location="cpu", weights_only=True)


def say(order: int, detail: int = 0) -> None:
    """Tell the others the number of the step that comes now, WAIT, END, CHANGE or RELOAD.

    `detail` is the number of the part that steps, from 1, or 0 for all of the learner.
    Raises Cancelled when one of them was asked to stop; what comes next can only be END then.
    """
    if count() > 1 and _exchange(order, detail, False)[2] and order != END:
        raise Cancelled


def listen(asked_to_stop: bool) -> tuple[int, int]:
    """What the first process says, with its detail; WAIT when some process was asked to stop."""
    order, detail, stop = _exchange(0, 0, asked_to_stop)
    return (WAIT, 0) if stop and order != END else (order, detail)


def _exchange(order: int, detail: int, stop: bool) -> tuple[int, int, bool]:
    import torch
    from torch import distributed

    said = torch.tensor([order, detail, int(stop or _orphaned())])
    distributed.all_reduce(said)
    return int(said[0]), int(said[1]), bool(said[2])


def _orphaned() -> bool:
    """Whether torchrun was killed, which would have ended this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ and os.getppid() != PARENT
