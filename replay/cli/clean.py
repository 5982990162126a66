"""`replay clean`: what can be made again is removed: work trees of commits, and the output of commands."""

from __future__ import annotations

import typer

from replay.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("clean", epilog="Example: replay clean")(clean)


def clean(store: options.Store = None) -> None:
    """Remove the cached work trees of commits and the logs beside the store, and say how much that was.

    What a run needs at this moment stays, and so do the store and its results.
    """
    from replay.counting import sized
    from replay.services.cache import cache_root
    from replay.services.log import remove_logs
    from replay.services.records import end_leftovers
    from replay.services.trees import remove_trees
    from replay.store.place import default_store

    left = end_leftovers()
    trees, logs = remove_trees(), remove_logs(store or default_store())
    typer.echo(f"work trees: {trees.count} removed, {sized(trees.size)}, from {cache_root()}")
    typer.echo(f"logs: {logs.count} removed, {sized(logs.size)}")
    if trees.held or logs.held:
        typer.echo(f"{trees.held + logs.held} are in use by a run, and stay")
    if left:
        typer.echo(f"processes that a killed run had left behind: {left} ended")
