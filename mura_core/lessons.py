"""What several trained networks together say of the training films, for one network to learn (distillation).

Their mean is steadier than any of them, and says of every place of a film how suspicious it is, where a label
says yes or no of the whole (Hinton, Vinyals and Dean 2015). They read the films upright and clean; the
pupil sees them turned, noisy and inverted, and is to say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatMap = NDArray[np.float32]

GRID = 20
"""Rows and columns of a lesson's map; the finest grid of a teacher at 448 px has 14."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """What the teachers say of N films.

    Attributes:
        logits: float32 (N,), of the films.
        local_logits: float32 (N, GRID, GRID), of every place of the network's square.
    """

    logits: FloatMap
    local_logits: FloatMap

    def shifted(self, shift: float) -> Lessons:
        """The same with another prior: the shift of a bias moves films and places alike."""
        return Lessons(self.logits + np.float32(shift), self.local_logits + np.float32(shift))

    def draw_map(self, index: int, size: int) -> NDArray[np.uint8]:
        """How suspicious every pixel of a film is: uint8 (size, size), the probability from 0 to 255."""
        enlarged = cv2.resize(self.local_logits[index], (size, size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.round(255 / (1 + np.exp(-enlarged))), dtype=np.uint8)
