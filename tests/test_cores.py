"""Work side by side: in order, and decoders that hang keep nobody else waiting."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from mura_core.cores import side_by_side


def test_what_comes_back_keeps_its_order() -> None:
    assert side_by_side(lambda value: value * value, range(20)) == tuple(value * value for value in range(20))
    assert side_by_side(str, (), decodes=True) == ()


def test_the_first_error_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda value: 1 // value, (2, 1, 0))


def test_hanging_decoders_delay_no_prediction() -> None:
    go_on = Event()
    with ThreadPoolExecutor(1) as reader:
        decoding = reader.submit(side_by_side, lambda _: go_on.wait(20), range(64), decodes=True)
        assert side_by_side(str, (1, 2, 3)) == ("1", "2", "3")
        assert not decoding.done()
        go_on.set()
        assert decoding.result() == (True,) * 64
