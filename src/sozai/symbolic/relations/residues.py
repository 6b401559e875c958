"""Expressions evaluated modulo a prime, on the sample or on random points of the domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.modular_elimination import inverse_modulo, residues_of, residues_of_fractions
from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CBRT,
    CONSTANT,
    CUBE,
    EXP,
    EXP_NEG,
    INVERSE,
    LEAF,
    LOG,
    MULTIPLY,
    SQRT,
    SQUARE,
    SUBTRACT,
)
from sozai.symbolic.relations.residue_kernels import execute_rational, mark_needed, mark_rational

__all__ = ["DecimalColumns", "ExpressionColumns", "SingularPrimeError", "random_points", "widened_domain"]

_ROOT = 12  # every point is a twelfth power, so that square, cube and fourth roots are rational
_EPS = float(np.finfo(np.float64).eps)


class SingularPrimeError(ArithmeticError):
    """The prime divides a denominator; another prime decides."""


@dataclass(frozen=True, eq=False)
class DecimalColumns:
    """Columns of a plain table, each number the decimal its owner wrote.

    Examples
    --------
    >>> import numpy as np
    >>> DecimalColumns(np.array([[0.5, 2.0]])).residues(np.array([0, 1]), 7).tolist()
    [[4], [2]]
    """

    values: np.ndarray

    @property
    def rational(self):
        """Every column can be evaluated exactly, shape (n_columns,)."""
        return np.ones(self.values.shape[1], dtype=bool)

    def residues(self, columns, prime):
        """Residues of ``columns``, one per row, shape (n, n_samples)."""
        return residues_of(self.values[:, columns].T, prime)


@dataclass(frozen=True, eq=False)
class ExpressionColumns:
    """Columns given as expressions of primary columns at rational points.

    Parameters
    ----------
    store : Expressions
        The expression store.
    ids : ndarray of int64, shape (n_columns,)
        The expression of each column.
    points : ndarray, shape (n_points, n_primary)
        Values of the primary columns: floats (read as decimals) or Fractions.
    roots : ndarray of Fraction, optional
        Twelfth roots of ``|points|``, for random points.

    Notes
    -----
    ``|u|`` takes the true sign of u, from floats with a running error bound and
    from fractions where the bound does not decide. Roots, exponentials and
    logarithms become random functions of the residue of their argument after
    exp(a+b) = exp a exp b, log(ab) = log a + log b, sqrt(ab) = sqrt a sqrt b,
    so that exactly the identities of these rules hold; they make sense for
    random points only.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.symbolic.operations import Expressions
    >>> store = Expressions(["x"])
    >>> square = store.add("multiply", np.array([1]), np.array([1]))
    >>> columns = ExpressionColumns(store, square, np.array([[3.0], [0.5]]))
    >>> columns.residues(np.array([0]), 7).tolist()
    [[2, 2]]
    """

    store: object
    ids: np.ndarray
    points: np.ndarray
    roots: np.ndarray | None = field(default=None, repr=False)

    @cached_property
    def rational(self):
        """Whether a column is a rational function of the primaries and absolute values."""
        op, left, right = self._arrays
        smooth = np.ones(op.size, dtype=bool)
        mark_rational(op, left, right, smooth)
        return smooth[self.ids]

    @cached_property
    def _arrays(self):
        """Op codes and children up to the largest id in use."""
        size = int(self.ids.max()) + 1 if self.ids.size else 0
        return (
            np.ascontiguousarray(self.store.op[:size], dtype=np.int64),
            np.ascontiguousarray(self.store.left[:size], dtype=np.int64),
            np.ascontiguousarray(self.store.right[:size], dtype=np.int64),
        )

    @cached_property
    def _floats(self):
        """Primary values (n_primary, n_points) and how far each may be from the rational number."""
        values = np.ascontiguousarray(self.points.T.astype(np.float64))
        whole = (values == np.floor(values)) & (np.abs(values) < 2.0**53)
        if self.roots is not None:
            whole[:] = False
        return values, np.where(whole, 0.0, _EPS * np.abs(values))

    @cached_property
    def _known_signs(self):
        """Signs decided by fractions, (id, point) -> sign."""
        return {}

    def residues(self, columns, prime, rows=slice(None)):
        """Residues of ``columns`` at the points ``rows``, shape (n, n_points), uint32."""
        op, left, right = self._arrays
        wanted = self.ids[np.asarray(columns)]
        program = _Program(op, left, right, wanted)
        values, errors = (np.ascontiguousarray(a[:, rows]) for a in self._floats)
        points = self.points[rows]
        numbers = np.arange(self.points.shape[0])[rows]
        leaves = self._leaf_residues(points, prime)
        constants = residues_of_fractions(
            np.array(list(self.store.constants) or [Fraction(0)], dtype=object), prime
        )
        sizes = np.array([float(c) for c in self.store.constants] or [0.0])
        known = np.zeros((program.n_absolute, points.shape[0]), dtype=np.int8)
        for (node, point), sign in self._known_signs.items():
            place = program.absolute.get(node, -1)
            at = np.flatnonzero(numbers == point)
            if place >= 0 and at.size:
                known[place, at[0]] = sign
        while True:
            machine = _Machine(program, leaves, constants, values, errors, sizes, known, prime, self, rows)
            residues, open_signs = machine.run()
            if not open_signs:
                return residues[program.slot[wanted]]
            for node, t in open_signs:
                sign = self._exact_sign(int(left[node]), int(numbers[t]))
                self._known_signs[(node, int(numbers[t]))] = sign
                known[program.absolute[node], t] = sign

    def _leaf_residues(self, points, prime):
        """Residues of the primaries, shape (n_primary, n_points)."""
        if points.dtype == object:
            return np.ascontiguousarray(residues_of_fractions(points.T, prime))
        return np.ascontiguousarray(residues_of(points.T, prime))

    def root_residues(self, leaf, rows, power, prime):
        """``|x|**(power/12)`` of a primary at random points."""
        exact = np.array([r**power for r in self.roots[rows, leaf]], dtype=object)
        return residues_of_fractions(exact, prime).astype(np.uint64)

    def _exact_sign(self, node, point):
        """Sign of an expression by fractions."""
        value = self._fraction(node, point, {})
        return 1 if value > 0 else -1

    def _fraction(self, node, point, seen):
        """Value of a rational expression at a point."""
        if node in seen:
            return seen[node]
        op, left, right = (int(a[node]) for a in self._arrays)
        if op == CONSTANT:
            value = Fraction(self.store.constants[left])
        elif op == LEAF:
            raw = self.points[point, left]
            value = raw if isinstance(raw, Fraction) else Fraction(Decimal(repr(float(raw))))
        else:
            a = self._fraction(left, point, seen)
            b = self._fraction(right, point, seen) if op in (ADD, SUBTRACT, MULTIPLY) else None
            value = _FRACTIONS[op](a, b)
        seen[node] = value
        return value


_FRACTIONS = {
    ADD: lambda a, b: a + b,
    SUBTRACT: lambda a, b: a - b,
    MULTIPLY: lambda a, b: a * b,
    ABS: lambda a, b: abs(a),
    INVERSE: lambda a, b: 1 / a,
    SQUARE: lambda a, b: a * a,
    CUBE: lambda a, b: a**3,
    # signs only: the float is exact enough where a root or an exponential enters
    SQRT: lambda a, b: Fraction(float(a) ** 0.5),
    CBRT: lambda a, b: Fraction(float(np.cbrt(float(a)))),
    EXP: lambda a, b: Fraction(float(np.exp(float(a)))),
    EXP_NEG: lambda a, b: Fraction(float(np.exp(-float(a)))),
    LOG: lambda a, b: Fraction(float(np.log(float(a)))),
}


def widened_domain(names, X, domain=None):
    """Interval per primary: the user's, else the training range; a constant column is given room.

    Parameters
    ----------
    names : sequence of str
    X : ndarray of shape (n_samples, n_primary)
    domain : mapping of name to (low, high), optional

    Returns
    -------
    list of (Fraction, Fraction)
    """
    given = {} if domain is None else {str(name): interval for name, interval in dict(domain).items()}
    unknown = [name for name in given if name not in set(names)]
    if unknown:
        raise InputError(
            sentence(
                "find_relations",
                "domain",
                "name columns of X",
                unknown,
                remedy=f"Columns are: {', '.join(names)}.",
            )
        )
    result = []
    for j, name in enumerate(names):
        if name in given:
            low, high = (Fraction(Decimal(repr(float(v)))) for v in given[name])
            if low > high:
                raise InputError(
                    sentence(
                        "find_relations",
                        f"domain[{name!r}]",
                        "have its low end first",
                        given[name],
                        remedy="Swap the two.",
                    )
                )
        else:
            low, high = (Fraction(Decimal(repr(float(v)))) for v in (X[:, j].min(), X[:, j].max()))
            if low == high:  # a column that never varied says nothing about the next sample
                room = abs(low) / 2 or Fraction(1)
                low, high = low - room, high + room
        result.append((low, high))
    return result


def random_points(domain, n, rng):
    """Random rational points of a box, each coordinate ± a twelfth power.

    Parameters
    ----------
    domain : sequence of (low, high)
    n : int
    rng : numpy Generator

    Returns
    -------
    points, roots : ndarray of Fraction, shape (n, len(domain))
        ``|points| == roots**12``.

    Examples
    --------
    >>> import numpy as np
    >>> points, roots = random_points([(0, 1)], 3, np.random.default_rng(0))
    >>> all(0 <= p <= 1 and p == r**12 for p, r in zip(points[:, 0], roots[:, 0]))
    True
    """
    points = np.empty((n, len(domain)), dtype=object)
    roots = np.empty_like(points)
    for j, (low, high) in enumerate(domain):
        for i in range(n):
            points[i, j], roots[i, j] = _twelfth_power(low, high, rng)
    return points, roots


def _twelfth_power(low, high, rng):
    """One random ± twelfth power inside [low, high] and its root; an end point if there is none."""
    for _ in range(50):
        x = float(low) + (float(high) - float(low)) * float(rng.random())
        if x == 0.0:
            continue
        size = abs(x) ** (1 / _ROOT)
        digits = 22 - int(np.floor(np.log2(size)))
        root = Fraction(round(size * 2.0**digits)) / Fraction(2) ** digits
        value = root**_ROOT if x > 0 else -(root**_ROOT)
        if low <= value <= high:
            return value, root
    return Fraction(low), Fraction(float(abs(low)) ** (1 / _ROOT)).limit_denominator(2**22)


class _Program:
    """The part of the store that some columns need, in an order that can be executed."""

    def __init__(self, op, left, right, wanted):
        need = np.zeros(op.size, dtype=bool)
        need[wanted] = True
        track = np.zeros(op.size, dtype=bool)
        mark_needed(op, left, right, need, track)
        self.nodes = np.flatnonzero(need)
        self.slot = np.full(op.size, -1, dtype=np.int64)
        self.slot[self.nodes] = np.arange(self.nodes.size)
        self.op, self.left, self.right = op, left, right
        self.track_slot = np.full(op.size, -1, dtype=np.int64)
        tracked = np.flatnonzero(track)
        self.track_slot[tracked] = np.arange(tracked.size)
        self.n_tracked = tracked.size
        nodes = np.flatnonzero(need & (op == ABS))
        self.absolute_slot = np.full(op.size, -1, dtype=np.int64)
        self.absolute_slot[nodes] = np.arange(nodes.size)
        self.absolute = {int(node): k for k, node in enumerate(nodes)}
        self.n_absolute = nodes.size
        self.stops = np.flatnonzero(op[self.nodes] >= SQRT)


class _Machine:
    """One execution of a program modulo one prime."""

    def __init__(self, program, leaves, constants, values, errors, sizes, known, prime, columns, rows):
        m = leaves.shape[1]
        self.program, self.prime, self.columns, self.rows = program, prime, columns, rows
        self.leaves, self.constants, self.values, self.errors = leaves, constants, values, errors
        self.sizes, self.known = sizes, known
        self.residues = np.zeros((program.nodes.size, m), dtype=np.uint32)
        self.track = np.zeros((program.n_tracked, m))
        self.error = np.zeros((program.n_tracked, m))
        self.open = np.zeros((program.n_absolute, m), dtype=bool)

    def run(self):
        """Residues of every node (n_nodes, n_points), and the signs that floats could not tell."""
        start = 0
        for stop in [*self.program.stops.tolist(), self.program.nodes.size]:
            self._rational(start, stop)
            if stop < self.program.nodes.size:
                self._transcendental(stop)
            start = stop + 1
        nodes = np.array(list(self.program.absolute), dtype=np.int64)
        return self.residues, [(int(nodes[k]), int(t)) for k, t in np.argwhere(self.open)]

    def _rational(self, start, stop):
        """Execute the nodes start..stop-1, all rational."""
        p = self.program
        singular = execute_rational(
            p.nodes[start:stop], p.op, p.left, p.right, p.slot, p.track_slot, p.absolute_slot,
            self.leaves, self.constants, self.values, self.errors, self.sizes, self.known,
            np.uint64(self.prime), self.residues, self.track, self.error, self.open,
        )  # fmt: skip
        if singular:
            raise SingularPrimeError(f"{self.prime} divides a denominator")

    def _of(self, node):
        """Residues of a node already executed."""
        return self.residues[self.program.slot[node]].astype(np.uint64)

    def _transcendental(self, position):
        """Execute one root, exponential or logarithm, and its float where a sign depends on it."""
        p = self.program
        node = int(p.nodes[position])
        op, argument = int(p.op[node]), int(p.left[node])
        if op in (SQRT, CBRT):
            result = self._root(argument, 2 if op == SQRT else 3)
        elif op == LOG:
            result = self._log(argument)
        else:
            result = self._exp(argument)
            result = inverse_modulo(result, self.prime) if op == EXP_NEG else result
        self.residues[position] = result
        if p.track_slot[node] >= 0:
            x = self.track[p.track_slot[argument]]
            function = {
                SQRT: np.sqrt,
                CBRT: np.cbrt,
                EXP: np.exp,
                EXP_NEG: lambda v: np.exp(-v),
                LOG: np.log,
            }[op]
            with np.errstate(all="ignore"):
                value = function(x)
            self.track[p.track_slot[node]] = value
            self.error[p.track_slot[node]] = 1e-12 * np.abs(value)

    def _times(self, a, b):
        return a * b % np.uint64(self.prime)

    def _random(self, residues, salt):
        """Apply a fixed random function to the residues; never 0."""
        mixed = residues * np.uint64(0x9E3779B97F4A7C15) + np.uint64((salt * 0xBF58476D1CE4E5B9) % 2**64)
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        return mixed % np.uint64(self.prime - 1) + np.uint64(1)

    def _folded(self, node):
        """Residues up to sign, and where the sign was turned."""
        x = self._of(node)
        turned = x > np.uint64(self.prime // 2)
        return np.where(turned, np.uint64(self.prime) - x, x), turned

    def _root(self, node, degree):
        """Square or cube root of ``|node|`` (with its sign for cube roots)."""
        p = self.program
        op, a, b = int(p.op[node]), int(p.left[node]), int(p.right[node])
        if op == LEAF and self.columns.roots is not None:
            root = self.columns.root_residues(a, self.rows, _ROOT // degree, self.prime)
            negative = (self.values[a] < 0) & (degree == 3)
            return np.where(negative, np.uint64(self.prime) - root, root)
        if op == MULTIPLY:
            return self._times(self._root(a, degree), self._root(b, degree))
        if op == INVERSE:
            return inverse_modulo(self._root(a, degree), self.prime)
        if (op == SQUARE and degree == 2) or (op == CUBE and degree == 3):
            return self._absolute(a) if degree == 2 else self._of(a)
        if op == ABS and degree == 2:
            return self._root(a, degree)
        if op == CONSTANT and not self._of(node).any():
            return self._of(node)
        if op == CONSTANT and (self._of(node) == 1).all():
            return self._of(node)
        folded, turned = self._folded(node)
        value = self._random(folded, degree)
        return np.where(turned & (degree == 3), np.uint64(self.prime) - value, value)

    def _absolute(self, node):
        """Residues of ``|node|`` by the sign of its float."""
        x = self._of(node)
        values = self.columns.store.evaluate(np.array([node]), self.values.T)[:, 0]
        return np.where(values < 0, (np.uint64(self.prime) - x) % np.uint64(self.prime), x)

    def _exp(self, node):
        """Exponential of a node: sums become products."""
        p = self.program
        op, a, b = int(p.op[node]), int(p.left[node]), int(p.right[node])
        if op == ADD:
            return self._times(self._exp(a), self._exp(b))
        if op == SUBTRACT:
            return self._times(self._exp(a), inverse_modulo(self._exp(b), self.prime))
        if op == LOG:
            return self._of(a)
        if op == MULTIPLY and CONSTANT in (p.op[a], p.op[b]):
            constant, other = (a, b) if p.op[a] == CONSTANT else (b, a)
            value = Fraction(self.columns.store.constants[int(p.left[constant])])
            if value.denominator == 1 and abs(value) <= 12:
                power = self._exp(other)
                result = np.ones_like(power)
                for _ in range(abs(int(value))):
                    result = self._times(result, power)
                return result if value > 0 else inverse_modulo(result, self.prime)
        folded, turned = self._folded(node)
        value = np.where(folded == 0, np.uint64(1), self._random(folded, 5))
        return np.where(turned, inverse_modulo(value, self.prime), value)

    def _log(self, node):
        """Logarithm of ``|node|``: products become sums."""
        p, prime = self.program, np.uint64(self.prime)
        op, a, b = int(p.op[node]), int(p.left[node]), int(p.right[node])
        if op == MULTIPLY:
            return (self._log(a) + self._log(b)) % prime
        if op == INVERSE:
            return (prime - self._log(a)) % prime
        if op in (SQUARE, CUBE):
            return self._times(self._log(a), np.uint64(2 if op == SQUARE else 3))
        if op in (SQRT, CBRT):
            half = inverse_modulo(np.array([2 if op == SQRT else 3]), self.prime)[0]
            return self._times(self._log(a), half)
        if op == ABS:
            return self._log(a)
        if op in (EXP, EXP_NEG):
            return self._of(a) if op == EXP else (prime - self._of(a)) % prime
        folded, _ = self._folded(node)
        return np.where(folded == 1, np.uint64(0), self._random(folded, 7))
