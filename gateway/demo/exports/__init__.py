"""Writes what the five agencies recorded in the five shapes that their case systems export.

Each shape is read by the mapping of the same name, mappings/systems/demo_<name>.toml. They differ on purpose: tables,
nested XML, flat XML in attributes, a wide semicolon file in windows-1252, and a spreadsheet with two title lines.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.demo.exports.database import childrens_services
from gateway.demo.exports.sheets import food_bank, housing
from gateway.demo.exports.xml import community_trust, police
from gateway.demo.registers import Register

EXPORTS: Mapping[str, Callable[[Register, Path], None]] = {
    "childrens-services": childrens_services,
    "community-trust": community_trust,
    "police": police,
    "housing": housing,
    "food-bank": food_bank,
}
