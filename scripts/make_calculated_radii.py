"""Write the bundled table of calculated atomic radii from pymatgen's copy of Clementi et al. (1967).

Run in an environment of its own, because the package itself does not need pymatgen:

    python -m venv radii && radii/bin/pip install pymatgen
    radii/bin/python scripts/make_calculated_radii.py
"""

import csv
import hashlib
import logging
import warnings
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/sozai/datasets/data/calculated_radii.csv"


def main() -> None:
    """Elements in the order of their atomic number; those without a value are left out."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns for every element without a value
        radii = [(element.symbol, element.atomic_radius_calculated) for element in Element]
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["element", "radius [Å]"])
        writer.writerows((symbol, float(radius)) for symbol, radius in radii if radius is not None)
    logging.getLogger(__name__).warning("%s %s", TARGET.name, hashlib.sha256(TARGET.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
