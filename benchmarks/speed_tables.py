"""What `speed.py` measured, as Markdown tables."""

from __future__ import annotations

from typing import Any

from benchmarks.contestants import PEERS

STAGES = ("decode", "ROI", "enhancement", "forward and map", "overlay")


def summary(results: dict[str, Any]) -> list[str]:
    """What the README shows: how many times as fast as peer A, and how soon and in how much memory."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    lines = [
        f"Speed on {results['machine']['processor']}, by engine: milliseconds from files of "
        f"{results['megapixels']:.1f} megapixels to pictures, and how many times as fast that is as the same "
        "network in eager torch under pytorch-grad-cam, film by film (in brackets: with its layers frozen, "
        f"which spares it most of the backward pass); median of {results['runs']} rounds in turn. "
        f"`make bench` ({versions}); more in "
        "[SPEED.md](benchmarks/SPEED.md).",
        "",
        "| files | views | " + " | ".join(_ours(results)) + " |",
        "|---|---|" + "---|" * len(_ours(results)),
    ]
    for row in results["rows"]:
        cells = [_times_as_fast(row, name) for name in _ours(results)]
        lines.append(f"| {row['kind']} | {row['views']} | {' | '.join(cells)} |")
    return [*lines, "", *_app(results)]


def tables(results: dict[str, Any]) -> list[str]:
    """All of it: milliseconds, ratios to the naive peer, stages, processes."""
    return [
        "# Speed",
        "",
        "Written by `make bench`; what the contestants do is in `contestants.py`. Peer A is pytorch-grad-cam "
        "with our reading and preparation, as it comes and with its layers frozen; peer B is the way of "
        "tutorials. Times as fast: median (range) of rounds in turn.",
        "",
        *_times(results),
        "",
        *_stages(results),
        "",
        *_processes(results),
        "",
        *_app(results),
    ]


def _ours(results: dict[str, Any]) -> list[str]:
    return [name for name in results["rows"][0]["ms"] if name not in PEERS]


def _ratio(spread: dict[str, float]) -> str:
    return f"{spread['median']:.1f} ({spread['low']:.1f} to {spread['high']:.1f})"


def _times_as_fast(row: dict[str, Any], name: str) -> str:
    plain, frozen = (row["ratios"][peer][name]["median"] for peer in ("peer A", "peer A, frozen"))
    return f"{row['ms'][name]:.0f} ms, {plain:.1f} ({frozen:.1f})"


def _times(results: dict[str, Any]) -> list[str]:
    names, best = list(results["rows"][0]["ms"]), _ours(results)[0]
    faster = [f"{best} to {peer}" for peer in PEERS]
    lines = [
        f"| files, ms | views | {' | '.join([*names, *faster])} |",
        "|---|---|" + "---|" * (len(names) + len(faster)),
    ]
    for row in results["rows"]:
        cells = " | ".join(f"{row['ms'][name]:.0f}" for name in names)
        ratios = " | ".join(_ratio(row["ratios"][peer][best]) for peer in PEERS)
        lines.append(f"| {row['kind']} | {row['views']} | {cells} | {ratios} |")
    return lines


def _stages(results: dict[str, Any]) -> list[str]:
    lines = [
        "Where the time of 4 views goes, ms, one step and one film after the other (our network takes all "
        "films at once):",
        "",
        "| files | | " + " | ".join(STAGES) + " |",
        "|---|---|" + "---|" * len(STAGES),
    ]
    for kind, contestants in results["stages"].items():
        for name, taken in contestants.items():
            cells = " | ".join(f"{taken[stage]:.0f}" if stage in taken else "" for stage in STAGES)
            lines.append(f"| {kind} | {name} | {cells} |")
    return lines


def _processes(results: dict[str, Any]) -> list[str]:
    lines = [
        "Started anew for 4 views of PNG:",
        "",
        "| | first result, s | peak memory, GB |",
        "|---|---|---|",
    ]
    for name, taken in results["processes"].items():
        seconds, memory = taken["first_result_ms"] / 1e3, taken["peak_mb"] / 1e3
        lines.append(f"| {name} | {seconds:.1f} | {memory:.2f} |")
    return lines


def _app(results: dict[str, Any]) -> list[str]:
    app, peak = results["app"], results["peak"]
    low, high = peak["share_range"]
    return [
        f"`python app.py`: first page after {app['first_page_s']:.1f} s, first call of a study of "
        f"{app['views']} views after {app['first_answer_s']:.1f} s, {app['rss_mb'] / 1e3:.2f} GB resident "
        f"at that moment, {app['rested_mb'] / 1e3:.2f} GB after a rest, with that study open.",
        "",
        f"In float32 the network runs at {peak['share']:.2f} ({low:.2f} to {high:.2f}) of this CPU's "
        f"convolution peak ({peak['network_gflops']:.0f} of {peak['peak_gflops']:.0f} GFLOP/s).",
    ]
