"""Which engine runs the network: 8 bits where they were checked, else the fastest, or the one asked for."""

from __future__ import annotations

import logging
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

from mura_core.errors import MuraError, WeightsError
from mura_core.glibc import give_back
from mura_core.quantisation import checked_engines, read_ranges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mura_core.pooling import Maps
    from mura_core.sidecar import Sidecar

    FloatMap = NDArray[np.float32]

_log = logging.getLogger(__name__)

PRECISIONS = ("int8", "bf16", "f32")
"""Of OpenVINO on the CPU, each a choice of `--device`."""

DEVICES = "auto, cpu, cuda or mps; or one engine of the CPU: int8, bf16, f32, torch"

_KNOWN_DEVICE = re.compile(r"auto|cpu|int8|bf16|f32|torch|mps|cuda(:\d+)?")


class Engine(Protocol):
    """Whatever runs the network. Safe among threads."""

    @property
    def name(self) -> str:
        """The library, and the precision or device, for the record."""

    def read(self, films: Sequence[FloatMap]) -> Maps:
        """Run V films, each float32 (S, S) in [0, 1]."""


class Background:
    """An engine that is made in a thread of its own; whoever asks it earlier waits."""

    def __init__(self, load: Callable[[], Engine]) -> None:
        """Start to load; an error is raised to whoever asks."""
        self._engine: Engine | None = None
        self._error: MuraError | None = None
        self._load: Callable[[], Engine] | None = load
        self._thread = Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """Of the engine, once it is there."""
        return self._wait().name

    def read(self, films: Sequence[FloatMap]) -> Maps:
        """Run V films, each float32 (S, S) in [0, 1].

        Raises:
            MuraError: The engine could not be made.
        """
        return self._wait().read(films)

    def _run(self) -> None:
        try:
            if self._load is not None:
                self._engine = self._load()
        except MuraError as error:
            self._error = error
            _log.error("%s", error)
        # With the loader go the weights as they were read.
        self._load = None
        give_back()

    def _wait(self) -> Engine:
        self._thread.join()
        if self._engine is None:
            # A new one each time: an error raised again keeps the films of everybody it was raised to.
            raise MuraError(
                str(self._error or "The network could not be started. The server's log says why.")
            )
        return self._engine


def check_device(device: str) -> None:
    """Refuse a name that stands for no engine, before anything is loaded.

    Raises:
        MuraError: The name is unknown; whether the machine has the device is found when it is used.
    """
    if not _KNOWN_DEVICE.fullmatch(device):
        raise MuraError(f"Unknown --device {device!r}. Expected {DEVICES}.")


def load_engine(
    folder: Path,
    sidecar: Sidecar,
    state: Mapping[str, Any],
    device: str,
    threads: int | None = None,
) -> Engine:
    """Build the engine that `device` means here.

    Args:
        folder: The weights folder, where the ranges for 8 bits lie.
        sidecar: What the weights are.
        state: Their tensors.
        device: "auto" is a GPU where there is one, else "cpu", the fastest engine of this CPU: 8 bits and
            bf16 only where they were checked for these weights; or the name of one engine or of a GPU.
        threads: On the CPU, how many to use; None for one a core.

    Raises:
        MuraError: There is no such device, or this network, CPU or installation cannot do it.
    """
    check_device(device)
    if device == "auto":
        device = _gpu() or "cpu"
    if device == "cpu":
        device = _fastest(folder, sidecar)
    if device in PRECISIONS:
        return _openvino(folder, sidecar, state, device, threads)
    return _torch(folder, sidecar, state, "cpu" if device == "torch" else device, threads)


def _fastest(folder: Path, sidecar: Sidecar) -> str:
    if sidecar.architecture != "densenet169" or find_spec("openvino") is None:
        return "torch"
    from mura_core.openvino_engine import has_bf16, has_int8

    if read_ranges(folder) is None:
        return "f32"
    if has_int8():
        return "int8"
    return "bf16" if has_bf16() and "openvino bf16" in checked_engines(folder) else "f32"


def _openvino(
    folder: Path,
    sidecar: Sidecar,
    state: Mapping[str, Any],
    precision: str,
    threads: int | None,
) -> Engine:
    if sidecar.architecture != "densenet169":
        raise MuraError(f"--device {precision} runs densenet169, not {sidecar.architecture}. Use torch.")
    if find_spec("openvino") is None:
        raise MuraError(f"--device {precision} needs OpenVINO: pip install openvino. Or use --device torch.")
    from mura_core.openvino_engine import OpenVinoEngine, has_int8

    if precision == "int8" and not has_int8():
        raise MuraError("This CPU has no VNNI, without which 8 bits may overflow. Use --device cpu.")
    ranges = _ranges(folder) if precision == "int8" else None
    try:
        return OpenVinoEngine(state, sidecar.preprocess.size, precision, ranges, threads)
    except (KeyError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"The weights in {folder} do not fit {sidecar.architecture} as this version builds it: "
            f"{str(error).splitlines()[0]} Use the weights that belong to this version."
        ) from error


def _ranges(folder: Path) -> Mapping[str, float]:
    from mura_core.graph import quantised_layers

    ranges = read_ranges(folder)
    if ranges is None or set(ranges) != set(quantised_layers()):
        raise WeightsError(
            f"{folder} holds no int8.json for these weights and this version. "
            "Make it (python -m mura_core quantise --help), or use --device f32."
        )
    return ranges


def _torch(
    folder: Path,
    sidecar: Sidecar,
    state: Mapping[str, Any],
    device: str,
    threads: int | None,
) -> Engine:
    if find_spec("torch") is None:
        raise MuraError(f"--device {device} needs torch: pip install torch torchvision. Or use --device cpu.")
    import torch

    from mura_core.models import build_model
    from mura_core.torch_engine import TorchEngine

    if threads is not None:
        torch.set_num_threads(threads)
    model = build_model(sidecar.architecture)
    try:
        model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    except RuntimeError as error:
        raise WeightsError(
            f"The weights in {folder} do not fit {sidecar.architecture} as this version builds it: "
            f"{str(error).splitlines()[-1].strip()} Use the weights that belong to this version."
        ) from error
    return TorchEngine(model, device)


def _gpu() -> str | None:
    """Name the GPU for torch; looked for only where there may be one, as importing torch takes seconds."""
    hope = sys.platform in ("darwin", "win32") or Path("/dev/nvidiactl").exists()
    if not hope or find_spec("torch") is None:
        return None
    from mura_core.torch_engine import choose_device

    found = choose_device("auto").type
    return None if found == "cpu" else found
