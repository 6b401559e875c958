"""Canonical forms with rational numbers: sums, products and functions of exact constants."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.hash_consing import LONGEST_CHAIN, NUMBER, PRODUCT, SCALED, SUM
from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CBRT,
    CUBE,
    EXP,
    EXP_NEG,
    INVERSE,
    LOG,
    MULTIPLY,
    SQRT,
    SQUARE,
    SUBTRACT,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sozai.symbolic.formulas.expressions import Expressions

__all__ = ["combine", "factors_of", "product_of", "scaled", "split_number", "sum_of", "terms_of"]

ONE = Fraction(1)


def split_number(store: Expressions, node: int) -> tuple[Fraction, int]:
    """Number in front and the rest; a plain number has the rest 1 (id 0)."""
    form = store.form[node]
    if form == NUMBER:
        return store.constants[store.left[node]], 0
    if form == SCALED:
        return store.constants[store.left[store.left[node]]], int(store.right[node])
    return ONE, int(node)


def scaled(store: Expressions, number: Fraction, node: int) -> int:
    """Put a number in front of an expression."""
    inner, rest = split_number(store, node)
    number = number * inner
    if rest == 0 or number == 0:
        return store.constant(number)
    return rest if number == 1 else store.intern(MULTIPLY, store.constant(number), rest)


def factors_of(store: Expressions, node: int) -> list[int]:
    """Factors of a product chain, in order; one factor for anything else."""
    factors = []
    while store.form[node] == PRODUCT:
        factors.append(int(store.right[node]))
        node = int(store.left[node])
    return [int(node), *reversed(factors)]


def terms_of(store: Expressions, node: int) -> list[tuple[Fraction, int]]:
    """Terms of a sum chain as (number, rest), in order; one term for anything else."""
    terms = []
    while store.form[node] == SUM:
        number, rest = split_number(store, int(store.right[node]))
        terms.append((-number if store.op[node] == SUBTRACT else number, rest))
        node = int(store.left[node])
    return [split_number(store, node), *reversed(terms)]


def sum_of(store: Expressions, terms: Iterable[tuple[Fraction, int]]) -> int:
    """Canonical sum of numbers times expressions: like terms collected, number first, then by id."""
    collected: dict[int, Fraction] = {}
    stack = list(terms)
    while stack:
        outer, node = stack.pop()
        inner, rest = split_number(store, node)
        number = outer * inner
        if store.form[rest] == SUM and abs(number) == 1:
            stack.extend((number * part, term) for part, term in terms_of(store, rest))
        else:
            collected[rest] = collected.get(rest, Fraction(0)) + number
    entries = sorted((rest, number) for rest, number in collected.items() if number != 0)
    if not entries:
        return store.constant(Fraction(0))
    common = abs(entries[0][1])
    if len(entries) == 1 or common == 1 or any(abs(number) != common for _, number in entries):
        common = ONE
    sign = 1 if entries[0][1] > 0 else -1
    chain = -1
    for rest, number in entries:
        term = scaled(store, abs(number) / common, rest)
        op = ADD if number * sign > 0 else SUBTRACT
        chain = term if chain < 0 else store.intern(op, chain, term)
    return scaled(store, sign * common, chain)


def product_of(store: Expressions, nodes: Iterable[int]) -> int:
    """Canonical product: numbers in front, factors sorted by id."""
    number, factors = ONE, []
    for node in nodes:
        inner, rest = split_number(store, node)
        number *= inner
        if rest:
            factors.extend(factors_of(store, rest))
    if not factors or number == 0:
        return store.constant(number)
    if len(factors) > LONGEST_CHAIN:
        raise InputError(
            sentence(
                "Expressions.add",
                "a product",
                f"have at most {LONGEST_CHAIN} factors",
                len(factors),
                remedy="Use a lower power.",
            )
        )
    if store.cancel:
        factors = _without_reciprocals(store, factors)
        if not factors:
            return store.constant(number)
    factors.sort()
    chain = factors[0]
    for factor in factors[1:]:
        chain = store.intern(MULTIPLY, chain, factor)
    return scaled(store, number, chain)


def _without_reciprocals(store: Expressions, factors: list[int]) -> list[int]:
    """Factors without those that meet their reciprocal."""
    counts = Counter(factors)
    for factor in list(counts):
        if store.op[factor] == INVERSE:
            base = int(store.left[factor])
            met = min(counts[factor], counts.get(base, 0))
            counts.subtract({factor: met, base: met})
    return list(counts.elements())


def combine(store: Expressions, op: int, left: int, right: int) -> int:
    """Canonical node of one operator, numbers evaluated exactly."""
    if op == ADD:
        return sum_of(store, [(ONE, left), (ONE, right)])
    if op == SUBTRACT:
        return sum_of(store, [(ONE, left), (-ONE, right)])
    if op == MULTIPLY:
        return product_of(store, [left, right])
    if op in (SQUARE, CUBE):
        return product_of(store, [left] * (2 if op == SQUARE else 3))
    if op == ABS:
        number, rest = split_number(store, left)
        return scaled(store, abs(number), _magnitude(store, rest))
    if op == INVERSE:
        return _inverse(store, left)
    if op in (EXP, EXP_NEG):
        return _exponential(store, left, 1 if op == EXP else -1)
    if op == LOG:
        return _logarithm(store, left)
    return _root(store, op, left)


def _inverse(store: Expressions, node: int) -> int:
    """Reciprocal: that of the number in front times that of every factor, 1/(1/a) = a."""
    number, rest = split_number(store, node)
    if number == 0:
        raise InputError(
            sentence(
                "Expressions.add", "the divisor", "not be zero", 0, remedy="Remove the division by zero."
            )
        )
    turned = [
        int(store.left[factor]) if store.op[factor] == INVERSE else store.intern(INVERSE, factor)
        for factor in (factors_of(store, rest) if rest else ())
    ]
    return product_of(store, [store.constant(1 / number), *turned])


def _magnitude(store: Expressions, node: int) -> int:
    """|a| of an expression without a number in front: |ab| = |a||b|, |1/a| = 1/|a|."""
    if node == 0 or (store.declared[node] and store.lower[node] >= 0):
        return node
    op = store.op[node]
    if op == MULTIPLY:
        factors = factors_of(store, node)
        parts = []
        for factor in sorted(set(factors)):
            even, odd = divmod(factors.count(factor), 2)
            parts += [factor] * (2 * even) + [_magnitude(store, factor)] * odd
        return product_of(store, parts)
    if op in (INVERSE, CBRT):
        return store.add_one(op, store.add_one(ABS, int(store.left[node])))
    return node if op in (ABS, EXP, EXP_NEG, SQRT) else store.intern(ABS, node)


def _exponential(store: Expressions, argument: int, sign: int) -> int:
    """Exponential; a negative number in front turns exp into exp_neg."""
    number, rest = split_number(store, argument)
    number *= sign
    if number == 0:
        return store.constant(ONE)
    if rest == 0:
        return store.intern(EXP, store.constant(number))
    return store.intern(EXP if number > 0 else EXP_NEG, scaled(store, abs(number), rest))


def _logarithm(store: Expressions, argument: int) -> int:
    """Natural logarithm; log(exp(a)) = a, log(1) = 0."""
    number, rest = split_number(store, argument)
    if rest == 0:
        _require_positive("log", "be positive", number, allowed=number > 0)
        return store.constant(Fraction(0)) if number == 1 else store.intern(LOG, argument)
    if store.op[argument] in (EXP, EXP_NEG):
        return scaled(store, ONE if store.op[argument] == EXP else -ONE, int(store.left[argument]))
    return store.intern(LOG, argument)


def _root(store: Expressions, op: int, argument: int) -> int:
    """Square or cubic root; exact for perfect powers of rationals."""
    number, rest = split_number(store, argument)
    if op == SQRT:
        if rest == 0:
            _require_positive("sqrt", "not be negative", number, allowed=number >= 0)
            top, bottom = isqrt(number.numerator), isqrt(number.denominator)
            if Fraction(top * top, bottom * bottom) == number:
                return store.constant(Fraction(top, bottom))
        return store.intern(SQRT, argument)
    sign = -1 if number < 0 else 1
    number = abs(number)
    if rest == 0:
        top, bottom = round(number.numerator ** (1 / 3)), round(number.denominator ** (1 / 3))
        if Fraction(top**3, bottom**3) == number:
            return store.constant(sign * Fraction(top, bottom))
    return scaled(store, Fraction(sign), store.intern(CBRT, scaled(store, number, rest)))


def _require_positive(function: str, requirement: str, number: Fraction, *, allowed: bool) -> None:
    """Refuse a function of a number outside its domain."""
    if not allowed:
        raise InputError(
            sentence(
                "Expressions.add",
                f"the argument of {function}",
                requirement,
                str(number),
                remedy="Remove this term.",
            )
        )
