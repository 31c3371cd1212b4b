"""On a Hugging Face Space with ZeroGPU: a GPU is lent for the length of a call, to a process made for it."""

from __future__ import annotations

import importlib
import logging
import os
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from mura_core.errors import MuraError
from mura_core.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST_S = 20
"""What is asked for at a time; a study takes a second or two. Less is lent sooner."""

_CALLS = ("predict", "compare", "stability")
_log = logging.getLogger(__name__)


def load_predictor(weights: Path | None, device: str) -> Predictor:
    """Load the model: in the background, except on a Space with ZeroGPU, where its calls run on the GPU lent.

    To be called before the page is served: `spaces` then packs what lies on the GPU to come.

    Args:
        weights: As `Predictor.load` takes it.
        device: Likewise; "auto" stands for the lent GPU on such a Space.

    Raises:
        MuraError: As `Predictor.load`.
    """
    # The variable that `spaces` goes by: on other Spaces the package is there too, and lends nothing.
    lent = os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "t", "true"}
    if device != "auto" or not lent:
        return Predictor.load(weights, device, background=True)
    try:
        # Every Space has it, and no other machine needs it. Before CUDA is touched: it takes CUDA's place.
        spaces = importlib.import_module("spaces")
    except ImportError:
        return Predictor.load(weights, device, background=True)
    predictor = Predictor.load(weights, "cuda")
    on_cpu = cache(lambda: Predictor.load(weights, "cpu"))
    for name in _CALLS:
        setattr(predictor, name, _lent(spaces.GPU, getattr(predictor, name), on_cpu))
    return predictor


def _lent(
    gpu: Callable[..., Any], method: Callable[..., Any], on_cpu: Callable[[], Predictor]
) -> Callable[..., Any]:
    """Let a method run on a lent GPU, or on the CPU where none is lent: the day's share may be used up."""

    def stated(*given: Any) -> Any:
        # Of an error that leaves the process with the GPU, the name of its class alone would arrive.
        try:
            return method(*given)
        except MuraError as error:
            return error

    on_gpu = gpu(stated, duration=LONGEST_S)

    @wraps(method)
    def call(*given: Any) -> Any:
        try:
            answer = on_gpu(*given)
        except Exception as error:  # noqa: BLE001 - whatever kept the GPU away, the study is read
            _log.warning("no GPU was lent (%s): the study is read on the CPU", type(error).__name__)
            return getattr(on_cpu(), method.__name__)(*given)
        if isinstance(answer, MuraError):
            raise answer
        return answer

    return call
