"""Fields of a phase map: colors that are told apart, boundaries, and places where a name fits."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, label, minimum_filter1d
from scipy.spatial import QhullError, Voronoi, cKDTree

__all__ = ["FieldName", "boundary_lines", "field_colors", "letter_width", "name_places", "nearest_points"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Lightness and chroma (OKLab) between which the colors of fields lie: pale, so that ink is read on them.
_LIGHT, _CHROMA = (0.76, 0.93), (0.03, 0.16)
#: Parts of one field smaller than this share of the map get no name of their own.
_SPECK = 0.002
#: Width and height of a letter, in parts of the size of the font.
_WIDTH, _ROOM = 0.58, 1.25


@dataclass(frozen=True)
class FieldName:
    """One name of a field and where it stands.

    Attributes
    ----------
    code : int
        Which label.
    x, y : float
        Middle of the text.
    fits : bool
        Whether the whole name fits; its number is written otherwise.
    tip : (float, float) or None
        Point that a line leads to, for a field smaller than its number.

    Examples
    --------
    >>> FieldName(0, 0.5, 0.2, True).fits
    True
    """

    code: int
    x: float
    y: float
    fits: bool
    tip: tuple[float, float] | None = None


@lru_cache(maxsize=64)
def field_colors(n: int) -> tuple[str, ...]:
    """Colors of n fields; the first of many are those of few.

    Notes
    -----
    Each color is the one farthest from all before it (OKLab) among pale ones, so that neighbors are told
    apart without knowing which fields are neighbors.

    Examples
    --------
    >>> field_colors(2) == field_colors(28)[:2]
    True
    """
    steps = np.arange(0.35, 1.0001, 0.05)
    rgb = np.array(np.meshgrid(steps, steps, steps, indexing="ij")).reshape(3, -1).T
    lab = _oklab(rgb)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    kept = (lab[:, 0] >= _LIGHT[0]) & (lab[:, 0] <= _LIGHT[1]) & (chroma >= _CHROMA[0])
    kept &= chroma <= _CHROMA[1]
    rgb, lab = rgb[kept], lab[kept]
    blue = int(np.argmin(lab[:, 2] + 0.2 * lab[:, 1]))
    chosen, distance = [blue], np.full(len(lab), np.inf)
    for _ in range(n - 1):
        distance = np.minimum(distance, ((lab - lab[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(np.argmax(distance)))
    return tuple("#" + "".join(f"{round(255 * value):02x}" for value in rgb[k]) for k in chosen[:n])


def nearest_points(points: Array, low: Array, high: Array, size: tuple[int, int], scale: Array) -> Codes:
    """Number of the nearest point at every pixel, shape (height, width), the lowest row first.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
    low, high : ndarray of shape (2,)
    size : (int, int)
        Width and height in pixels.
    scale : ndarray of shape (2,)
        Lengths by which the two axes are compared.

    Notes
    -----
    The last few answers are kept, 1 MB each, so that the frames of an animation share one; they are
    read-only.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> nearest_points(points, np.zeros(2), np.ones(2), (4, 1), np.ones(2)).tolist()
    [[0, 0, 1, 1]]
    """
    corners = tuple(low.tolist()), tuple(high.tolist()), tuple(scale.tolist())
    return _nearest(np.ascontiguousarray(points, dtype=np.float64).tobytes(), size, *corners)


@lru_cache(maxsize=8)
def _nearest(
    data: bytes,
    size: tuple[int, int],
    low: tuple[float, ...],
    high: tuple[float, ...],
    scale: tuple[float, ...],
) -> Codes:
    """The same by what can be looked up."""
    points = np.frombuffer(data, dtype=np.float64).reshape(-1, 2)
    width, height = size
    x = low[0] + (np.arange(width) + 0.5) / width * (high[0] - low[0])
    y = low[1] + (np.arange(height) + 0.5) / height * (high[1] - low[1])
    pixels = np.column_stack([part.ravel() for part in np.meshgrid(x, y)])
    lengths = np.array(scale)
    found = cKDTree(points / lengths).query(pixels / lengths)[1]
    near = np.asarray(found.reshape(height, width), dtype=np.int64)
    near.flags.writeable = False
    return near


def boundary_lines(
    points: Array, codes: Codes, low: Array, high: Array, scale: Array
) -> tuple[list[Array], list[tuple[int, int]]]:
    """Lines halfway between points of different labels, and the two points of each.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
    codes : ndarray of int of shape (n,)
    low, high : ndarray of shape (2,)
        Corners of the drawing.
    scale : ndarray of shape (2,)
        Lengths by which the two axes are compared.

    Returns
    -------
    lines : list of ndarray of shape (2, 2)
        They may leave the drawing and are to be clipped.
    pairs : list of (int, int)
    """
    if len(points) < 2 or len(np.unique(codes)) < 2:
        return [], []
    far = 10.0 * (high - low) / scale
    middle = 0.5 * (low + high) / scale
    fence = middle + far * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1], [0, 2], [0, -2], [2, 0], [-2, 0]])
    try:
        cells = Voronoi(np.vstack([points / scale, fence]))
    except QhullError:
        return [], []
    lines, pairs = [], []
    for (i, j), (a, b) in zip(cells.ridge_points, cells.ridge_vertices, strict=True):
        if i < len(points) and j < len(points) and a >= 0 and b >= 0 and codes[i] != codes[j]:
            lines.append(cells.vertices[[a, b]] * scale)
            pairs.append((int(min(i, j)), int(max(i, j))))
    return lines, pairs


def name_places(
    codes: Codes, names: list[str], low: Array, high: Array, points_per_pixel: float, size: float
) -> list[FieldName]:
    """Where the names of fields stand: whole where they fit, as numbers where they do not.

    Parameters
    ----------
    codes : ndarray of int of shape (height, width)
        Label of every pixel; -1 outside.
    names : list of str
    low, high : ndarray of shape (2,)
    points_per_pixel : float
        Points (1/72 inch) to a pixel.
    size : float
        Size of the font, in points.

    Returns
    -------
    list of FieldName
        At least one for every label on the map.
    """
    found: list[FieldName] = []
    taken: list[tuple[float, float, float, float]] = []
    area = max(int((codes >= 0).sum()), 1)
    parts = []
    for code in np.unique(codes[codes >= 0]):
        fields, count = label(codes == code, structure=np.ones((3, 3)))
        sizes = np.bincount(fields.ravel())[1:]
        largest = int(np.argmax(sizes))
        boxes = find_objects(fields)
        parts += [
            (int(sizes[k]), int(code), fields[boxes[k]] == k + 1, boxes[k])
            for k in range(count)
            if k == largest or sizes[k] >= _SPECK * area
        ]
    step = (high - low) / np.array([codes.shape[1], codes.shape[0]])
    height = _ROOM * size / points_per_pixel
    whole = {
        code: any(_room(mask, letter_width(names[code], size) / points_per_pixel, height) is not None
                  for _, other, mask, _ in parts if other == code)
        for code in {part[1] for part in parts}
    }  # fmt: skip
    for _, code, mask, box in sorted(parts, key=lambda part: -part[0]):
        text = names[code] if whole[code] else "00"
        width = letter_width(text, size) / points_per_pixel
        place = _room(mask, width, height)
        origin = np.array([box[1].start, box[0].start], dtype=np.float64)
        pole = origin + _pole(mask)[::-1] + 0.5
        if place is not None:
            middle, tip = origin + np.array(place)[::-1] + 0.5, None
        elif whole[code]:
            continue
        else:
            middle = _beside(pole, width, height, taken)
            tip = tuple((low + pole * step).tolist())
        taken.append((middle[0], middle[1], width, height))
        x, y = (low + middle * step).tolist()
        found.append(FieldName(code, x, y, whole[code], tip))  # type: ignore[arg-type]
    return found


def _room(mask: NDArray[np.bool_], width: float, height: float) -> tuple[int, int] | None:
    """Pixel around which a text fits within a field, as far from its edge as can be."""
    w, h = int(np.ceil(width)) | 1, int(np.ceil(height)) | 1
    if w > mask.shape[1] or h > mask.shape[0]:
        return None
    edged = np.pad(mask, 1)
    inside = minimum_filter1d(minimum_filter1d(edged, w, axis=1), h, axis=0)
    if not inside.any():
        return None
    depth = np.where(inside, distance_transform_edt(edged), -1.0)
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return int(row) - 1, int(column) - 1


def _pole(mask: NDArray[np.bool_]) -> Array:
    """Pixel of a field that is farthest from its edge."""
    depth = distance_transform_edt(np.pad(mask, 1))
    return np.array(np.unravel_index(int(np.argmax(depth)), depth.shape), dtype=np.float64) - 1.0


def _beside(
    pole: Array, width: float, height: float, taken: list[tuple[float, float, float, float]]
) -> Array:
    """Place near a point where no other name stands."""
    for radius in (0.0, 1.3, 2.2, 3.2, 4.5):
        for turn in range(1 if radius == 0 else 12):
            angle = np.pi / 6 * turn + np.pi / 4
            place = pole + radius * np.array([width * np.cos(angle), height * np.sin(angle)])
            clear = all(
                abs(place[0] - x) > 0.5 * (width + w) or abs(place[1] - y) > 0.5 * (height + h)
                for x, y, w, h in taken
            )
            if clear:
                return np.asarray(place)
    return pole


def letter_width(text: str, size: float) -> float:
    """Width of a text in points, about; Japanese letters are twice as wide.

    Examples
    --------
    >>> letter_width("相", 10.0) > letter_width("a", 10.0)
    True
    """
    wide = sum(2.0 if unicodedata.east_asian_width(letter) in "WF" else 1.0 for letter in text)
    return _WIDTH * size * (wide + 0.6)


def _oklab(rgb: Array) -> Array:
    """Colors in coordinates of even perceived distance [Björn Ottosson, 2020]."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array([
        [0.4122214708, 0.2119034982, 0.0883024619],
        [0.5363325363, 0.6806995451, 0.2817188376],
        [0.0514459929, 0.1073969566, 0.6299787005],
    ])  # fmt: skip
    return np.asarray(np.cbrt(cones) @ np.array([
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ]))  # fmt: skip
