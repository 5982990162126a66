"""The options of the command line, as types: what several commands take is written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SELECT = "Which cases"
_SEND = "How they are sent"
_JUDGE = "What comes out"

Old = Annotated[
    str | None,
    typer.Option(
        metavar="X", envvar="REPLAY_OLD", help="Compare against X: a URL, module:attribute, git:REF or recorded."
    ),
]
New = Annotated[
    str | None,
    typer.Option(
        metavar="X", envvar="REPLAY_NEW", help="Put X to the test: a URL, module:attribute, git:REF or . (this tree)."
    ),
]
Traffic = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE", envvar="REPLAY_TRAFFIC", help="Replay recorded traffic; repeatable.", rich_help_panel=_SELECT
    ),
]
Goldens = Annotated[
    str | None,
    typer.Option(metavar="DIR", envvar="REPLAY_GOLDENS", help="Replay the goldens in DIR.", rich_help_panel=_SELECT),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN", help="Take cases whose id is or matches PATTERN; repeatable.", rich_help_panel=_SELECT
    ),
]
Tag = Annotated[
    list[str] | None,
    typer.Option(metavar="T", help="Take cases with tag T; repeatable.", rich_help_panel=_SELECT),
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="i/n", help="Take part i of n; sessions stay whole.", rich_help_panel=_SELECT),
]
Limit = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Take the first N cases.", rich_help_panel=_SELECT),
]
SkipBad = Annotated[
    bool,
    typer.Option("--skip-bad", help="Pass over bad records, and count them.", rich_help_panel=_SELECT),
]
NoCheck = Annotated[
    bool,
    typer.Option("--no-check", help="Do not read all captures before sending.", rich_help_panel=_SELECT),
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        envvar="REPLAY_CONCURRENCY",
        min=1,
        max=1024,
        help="Keep N cases under way (8; with a timetable at most 256); 1 keeps the file's order.",
        rich_help_panel=_SEND,
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        metavar="N",
        envvar="REPLAY_WORKERS",
        min=1,
        max=64,
        help="Send and compare from N processes; sessions stay whole.",
        rich_help_panel=_SEND,
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(metavar="N/s", help="Begin cases at a steady rate, such as 200/s.", rich_help_panel=_SEND),
]
Speed = Annotated[
    str | None,
    typer.Option(metavar="Nx", help="Begin cases as recorded, N times as fast.", rich_help_panel=_SEND),
]
MaxGap = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="With --speed: let no recorded gap last longer.", rich_help_panel=_SEND),
]
Order = Annotated[
    str | None,
    typer.Option(
        metavar="ORDER",
        envvar="REPLAY_ORDER",
        help="Who is asked first: random, old-first or together.",
        rich_help_panel=_SEND,
    ),
]
Warmup = Annotated[
    int,
    typer.Option(metavar="N", min=0, help="Send N safe cases beforehand, and count none.", rich_help_panel=_SEND),
]
Repeat = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Send every case N times; repeats are no evidence.", rich_help_panel=_SEND),
]
Duration = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Send the cases again and again for TIME.", rich_help_panel=_SEND),
]
Noise = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        envvar="REPLAY_NOISE",
        min=0,
        max=20,
        help="Ask old K times more; what it also shows against itself is noise.",
        rich_help_panel=_SEND,
    ),
]
Writable = Annotated[
    str | None,
    typer.Option(metavar="SIDE", help="Send unsafe methods to old, new or both.", rich_help_panel=_SEND),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N", envvar="REPLAY_SEED", min=0, help="Derive each case's seed from N.", rich_help_panel=_SEND
    ),
]
Freeze = Annotated[
    str | None,
    typer.Option(
        metavar="INSTANT",
        envvar="REPLAY_FREEZE",
        help="Freeze cases without an instant of their own at INSTANT.",
        rich_help_panel=_SEND,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print what would be sent, by method and host; send nothing.", rich_help_panel=_SEND
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the newest run where it was cut off.", rich_help_panel=_SEND),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SIDE=TEXT",
        help="Call the version of old or new TEXT, such as new=$SHA; repeatable.",
        rich_help_panel=_JUDGE,
    ),
]
Gate = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", envvar="REPLAY_GATE", help="Judge only the gate NAME of cut_when.", rich_help_panel=_JUDGE
    ),
]
Collect = Annotated[
    bool,
    typer.Option("--collect", help="Store results, and leave the verdict for later.", rich_help_panel=_JUDGE),
]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="KIND:FILE",
        help="Write a json, junit or markdown report to FILE; repeatable.",
        rich_help_panel=_JUDGE,
    ),
]
Criteria = Annotated[
    list[str] | None,
    typer.Option(
        "--criterion",
        metavar="SENTENCE",
        help="Judge by SENTENCE instead of cut_when; repeatable.",
        rich_help_panel=_JUDGE,
    ),
]
Experiments = Annotated[
    list[str] | None,
    typer.Option(
        "--experiment",
        metavar="PATTERN",
        help="Judge the open runs of experiments whose name is or matches PATTERN; repeatable.",
        rich_help_panel=_SELECT,
    ),
]
Env = Annotated[
    str | None,
    typer.Option(metavar="NAME", envvar="REPLAY_ENV", help="Lay replay.NAME.yaml over the settings."),
]
Store = Annotated[
    Path | None,
    typer.Option(metavar="FILE", envvar="REPLAY_STORE", help="Read and keep results in FILE."),
]
Last = Annotated[int | None, typer.Option(metavar="N", min=1, help="Show the newest N runs alone.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Stores = Annotated[
    list[Path] | None,
    typer.Option("--store", metavar="FILE", envvar="REPLAY_STORE", help="Take shards from FILE; repeatable."),
]
Into = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keep the whole run in FILE; otherwise in the store of this folder."),
]
InFull = Annotated[bool, typer.Option("--all", help="Name everything that is lacking.")]
CaseId = Annotated[str, typer.Argument(metavar="ID", help="A case's id, or its correlation id.")]
FromRun = Annotated[str | None, typer.Option(metavar="RUN", help="Take it from RUN; the newest that has it otherwise.")]
RunId = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="A run's id or its beginning; the newest otherwise.")
]
RunIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN]...", help="Runs, by their ids or the beginnings of them; the newest otherwise."),
]
WithSession = Annotated[
    bool | None,
    typer.Option("--session/--alone", help="Bring what led to it in its session; by itself, where it uses that."),
]
