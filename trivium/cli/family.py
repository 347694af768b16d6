"""``trivium family``: members of the family of data centres."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from trivium.cli import options
from trivium.cli.types import ExistingFile


@click.group()
def family() -> None:
    """Make data centres of other climates, sizes and loads.

    docs/family.md describes them.
    """


@family.command("list")
@options.as_json
def list_members(as_json: bool) -> None:
    """Print climates, sizes, loads and grids."""
    from trivium.plants.data_center.family import climates, grid, load, sizes

    figures = {
        "climates": {zone: climate.station for zone, climate in climates.CLIMATES.items()},
        "sizes": {size: f"{watts / 1e6:g} MW of IT load" for size, watts in sizes.SIZES.items()},
        "loads": {name: profile.description for name, profile in load.PROFILES.items()},
        "grids": {name: f"{each.emissions:g} kg/kWh on average" for name, each in grid.GRIDS.items()},
    }
    width = max(len(name) for part in figures.values() for name in part)
    lines = [
        line
        for heading, part in figures.items()
        for line in (heading, *(f"  {name:{width}}  {text}" for name, text in part.items()))
    ]
    options.show("\n".join(lines), figures, as_json=as_json)


@family.command()
@click.argument("name", help="climate-size-load, with +storage, +faults, @grid or #seed behind it.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), help="Where the test case is written.")
@click.option(
    "--epw",
    type=ExistingFile(".epw", "a weather file"),
    metavar="FILE",
    help="A weather file of EnergyPlus whose weather takes the place of the climate's.",
)
@options.as_json
def make(name: str, folder: Path, epw: Path | None, as_json: bool) -> None:
    """Write the test case of a member into a folder."""
    from trivium.plants.data_center.family import member

    made = member.make(replace(member.parse(name), epw=epw), folder)
    version = (made / "version.txt").read_text(encoding="utf-8").strip()
    text = f"{name}, version {version}, is in {made}; type: trivium serve --resources {made}"
    options.show(text, {"member": name, "version": version, "folder": str(made)}, as_json=as_json)
