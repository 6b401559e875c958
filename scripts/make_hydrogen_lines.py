"""Write the bundled table of hydrogen lines: printed wavelengths, and what they are in vacuum.

The wavelengths are those of the table "Strong lines of hydrogen" in the Handbook of Basic Atomic
Spectroscopic Data (NIST; Sansonetti and Martin 2005): in vacuum below 200 nm, in air above. Where the
handbook resolves the fine structure (Lyman alpha, Balmer alpha and beta) the components are averaged
with their printed relative intensities. Air is taken out with the dispersion formula of Peck and
Reeder (1972), the one that NIST uses: dry air at 15 degrees C and 101,325 Pa.

    python scripts/make_hydrogen_lines.py
"""

import csv
import hashlib
import logging
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/sozai/datasets/data/hydrogen_lines.csv"

# lower level, upper level, [(relative intensity, wavelength in angstrom), ...]
PRINTED = [
    (1, 2, [(1000, 1215.66824), (500, 1215.67364)]),
    (1, 3, [(300, 1025.7222)]),
    (1, 4, [(100, 972.5367)]),
    (1, 5, [(50, 949.7430)]),
    (1, 6, [(30, 937.8034)]),
    (1, 7, [(20, 930.7482)]),
    (1, 8, [(15, 926.2256)]),
    (2, 3, [(90, 6562.7110), (30, 6562.7248), (180, 6562.8518)]),
    (2, 4, [(30, 4861.2786), (10, 4861.2870), (60, 4861.3615)]),
    (2, 5, [(30, 4340.462)]),
    (2, 6, [(15, 4101.74)]),
    (2, 7, [(8, 3970.072)]),
    (2, 8, [(6, 3889.049)]),
    (2, 9, [(5, 3835.384)]),
    (3, 4, [(40, 18751.01)]),
    (3, 5, [(20, 12818.07)]),
    (3, 6, [(12, 10938.1)]),
    (3, 7, [(7, 10049.4)]),
    (3, 8, [(5, 9545.97)]),
    (4, 5, [(15, 40511.6)]),
    (4, 6, [(8, 26251.5)]),
    (4, 7, [(5, 21655.3)]),
    (5, 6, [(6, 74578.0)]),
    (5, 7, [(4, 46525.1)]),
    (6, 7, [(3, 123685.0)]),
]
SERIES = {1: "Lyman", 2: "Balmer", 3: "Paschen", 4: "Brackett", 5: "Pfund", 6: "Humphreys"}


def refractive_index(wavelength: float) -> float:
    """Return the index of standard air at a vacuum wavelength in nm (Peck and Reeder 1972)."""
    wave_number = 1e3 / wavelength  # per micrometer
    excess = 8060.51 + 2480990 / (132.274 - wave_number**2) + 17455.7 / (39.32957 - wave_number**2)
    return 1 + 1e-8 * excess


def to_vacuum(wavelength: float) -> float:
    """Take air out of a wavelength in nm; the fixed point converges at once."""
    vacuum = wavelength
    for _ in range(5):
        vacuum = wavelength * refractive_index(vacuum)
    return vacuum


def main() -> None:
    """One row a line."""
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["series", "n1", "n2", "wavelength [nm]", "printed_wavelength [nm]", "medium"])
        for lower, upper, components in PRINTED:
            total = sum(intensity for intensity, _ in components)
            printed = sum(intensity * value for intensity, value in components) / total / 10
            air = printed > 200
            vacuum = to_vacuum(printed) if air else printed
            medium = "air" if air else "vacuum"
            writer.writerow([SERIES[lower], lower, upper, f"{vacuum:.6f}", f"{printed:.6f}", medium])
    logging.getLogger(__name__).warning("%s %s", TARGET.name, hashlib.sha256(TARGET.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
