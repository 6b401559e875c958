"""Write the bundled table of effective ionic radii from pymatgen's copy of Shannon (1976).

Run in an environment of its own, because the package itself does not need pymatgen:

    python -m venv radii && radii/bin/pip install pymatgen
    radii/bin/python scripts/build_ionic_radii.py
"""

import csv
import hashlib
import logging
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/sozai/datasets/data/shannon_radii.csv"
NUMBERS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV"]
GEOMETRIES = {"SQ": "square planar", "PY": "pyramidal"}
SPINS = {"": "", "High Spin": "high", "Low Spin": "low"}
UNNAMED = {"Eu": 3}  # pymatgen leaves out the charge of one entry of europium; Shannon prints Eu3+


def rows(symbol: str, radii: dict) -> list[tuple[str, int, int, str, str, float]]:
    """(element, charge, coordination, geometry, spin, radius), sorted."""
    found = []
    for charge, by_coordination in radii.items():
        for label, by_spin in by_coordination.items():
            geometry = GEOMETRIES.get(label[-2:], "")
            number = NUMBERS.index(label[:-2] if geometry else label) + 1
            for spin, radius in by_spin.items():
                found.append(
                    (
                        symbol,
                        int(charge or UNNAMED[symbol]),
                        number,
                        geometry,
                        SPINS[spin],
                        radius["ionic_radius"],
                    )
                )
    return sorted(found)


def main() -> None:
    """Elements in the order of their atomic number; those without a radius are left out."""
    from pymatgen.core import Element

    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["element", "charge", "coordination", "geometry", "spin", "radius [Å]"])
        for element in sorted(Element, key=lambda element: element.Z):
            radii = element.data.get("Shannon radii")
            if isinstance(radii, dict) and element.symbol not in ("D", "T"):
                writer.writerows(rows(element.symbol, radii))
    logging.getLogger(__name__).warning("%s %s", TARGET.name, hashlib.sha256(TARGET.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
