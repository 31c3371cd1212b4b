"""The same reading on Ray Data, for an archive that outgrows one machine."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from mura_core.batch.crew import Worker
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_BLOCKS = 5000


class RayReader:
    """What each actor of the cluster holds: a worker of its own."""

    def __init__(self, weights: Path, device: str) -> None:
        self._worker = Worker(weights, device)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Read one study; rows of text, so that Ray need not know what an outcome is made of."""
        import ray

        # The node stays in the journal: whoever looks after the cluster can see which one read a study.
        outcome = self._worker.read(json.loads(row["files"])) | {
            "node": ray.get_runtime_context().get_node_id()
        }
        return {"number": row["number"], "outcome": json.dumps(outcome)}


def read_all_on_ray(
    weights: Path, device: str, workers: int, orders: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Let a Ray cluster read studies: that of RAY_ADDRESS, else one started on this machine for the purpose.

    Args:
        weights: Weights folder. It, the films and this package must be at the same paths on every node.
        device: As the Predictor takes it; each actor of a "cuda" one takes a GPU for itself.
        workers: Actors.
        orders: (number, paths) of each study.

    Yields:
        (number, outcome) in the order in which they are done.

    Raises:
        MuraError: Ray is missing, the cluster cannot be reached, or an actor cannot load the weights.
    """
    items = [{"number": number, "files": json.dumps(files)} for number, files in orders]
    if not items:
        return
    # Unless its user says otherwise, nothing is reported to Ray's makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.exceptions import RayError
    except ModuleNotFoundError as error:
        raise MuraError(
            f"--ray needs {error.name}, which is not installed: pip install -e '.[ray]', or leave --ray out."
        ) from None
    try:
        if not ray.is_initialized():
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
        ray.data.DataContext.get_current().enable_progress_bars = False
        studies = ray.data.from_items(items, override_num_blocks=min(len(items), _MOST_BLOCKS))
        read = studies.map(
            RayReader,  # type: ignore[arg-type] # Ray makes one for each actor
            fn_constructor_args=(weights.resolve(), device),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            num_gpus=1 if device.startswith("cuda") else 0,
        )
        for row in read.iter_rows():
            yield row["number"], json.loads(row["outcome"])
    except (RayError, ConnectionError) as error:
        raise MuraError(f"Ray could not read the studies: {_cause(error)}") from error


def _cause(error: BaseException) -> str:
    """Find the reason under Ray's own wrapping."""
    cause = getattr(error, "cause", None) or error.__cause__
    if isinstance(cause, MuraError):
        return str(cause)
    return _cause(cause) if isinstance(cause, BaseException) else str(error).strip().splitlines()[-1]
