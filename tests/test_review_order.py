"""A reader's list: the same every time, another for each reader, with repeats far from the first showing."""

from __future__ import annotations

import pytest

from mura_core.errors import SessionError
from mura_core.review.order import gap, reading_list

CASES = [f"case{number}" for number in range(40)]


def test_a_list_shows_every_case_and_so_many_of_them_twice() -> None:
    places = reading_list(CASES, seed=3, reader="kim", repeats=6)
    assert [place.number for place in places] == list(range(46))
    assert sorted(place.case_id for place in places if not place.repeat) == sorted(CASES)
    again = [place.case_id for place in places if place.repeat]
    assert len(set(again)) == len(again) == 6


def test_the_same_seed_and_reader_give_the_same_list_whatever_the_order_of_the_cases() -> None:
    once = reading_list(CASES, seed=3, reader="kim", repeats=6)
    assert once == reading_list(CASES[::-1], seed=3, reader="kim", repeats=6)


def test_readers_and_seeds_have_lists_of_their_own() -> None:
    lists = [
        tuple(place.case_id for place in reading_list(CASES, seed=seed, reader=reader, repeats=0))
        for seed in (1, 2)
        for reader in ("kim", "lee", "")
    ]
    assert len(set(lists)) == 6
    assert tuple(CASES) not in lists


def test_all_readers_see_the_same_cases_twice() -> None:
    def repeated(reader: str) -> set[str]:
        places = reading_list(CASES, seed=5, reader=reader, repeats=8)
        return {place.case_id for place in places if place.repeat}

    assert repeated("kim") == repeated("lee")


@pytest.mark.parametrize(("cases", "repeats"), [(40, 10), (40, 40), (12, 3), (6, 2), (4, 1), (2, 1)])
def test_a_repeat_comes_after_its_first_showing_at_the_promised_distance(cases: int, repeats: int) -> None:
    for seed in range(20):
        places = reading_list(CASES[:cases], seed=seed, reader="kim", repeats=repeats)
        first = {place.case_id: place.number for place in places if not place.repeat}
        distances = [place.number - first[place.case_id] for place in places if place.repeat]
        assert min(distances) >= gap(cases)


def test_repeats_are_mixed_in_and_not_kept_for_the_end() -> None:
    last_twelve = [
        place.repeat
        for seed in range(10)
        for place in reading_list(CASES, seed=seed, reader="kim", repeats=12)[-12:]
    ]
    assert 0.2 < sum(last_twelve) / len(last_twelve) < 0.8


def test_a_single_case_may_be_repeated() -> None:
    places = reading_list(["only"], seed=0, reader="kim", repeats=1)
    assert [(place.case_id, place.repeat) for place in places] == [("only", 0), ("only", 1)]


@pytest.mark.parametrize(("cases", "repeats"), [([], 0), (["a", "a"], 0), (["a"], 2), (["a"], -1)])
def test_what_makes_no_list_is_refused(cases: list[str], repeats: int) -> None:
    with pytest.raises(SessionError):
        reading_list(cases, seed=0, reader="kim", repeats=repeats)
