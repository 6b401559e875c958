"""Arithmetic on the columns of a table, read from text: values, derivatives and errors."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.unit_headers import split_unit

__all__ = ["ColumnFormula", "find_header"]

Array = NDArray[np.float64]
#: A node is ("number", value), ("column", name) or an operator's name followed by its nodes.
Node = tuple[Any, ...]

_PLACE = "ColumnFormula"
_LONGEST, _DEEPEST = 1000, 50
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SIGNS = str.maketrans("−·⋅×÷\u2215", "-***//")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_OPERATORS = "+-*/^()"
#: Value and derivative of every function.
_FUNCTIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "cbrt": (np.cbrt, lambda x: 1.0 / (3.0 * np.cbrt(x) ** 2)),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1.0 / x),
    "log10": (np.log10, lambda x: 1.0 / (x * math.log(10.0))),
    "abs": (np.abs, np.sign),
}
_SAME = {"ln": "log", "√": "sqrt"}


class ColumnFormula:
    r"""A property made from measured columns, with its error.

    Parameters
    ----------
    text : str
        Numbers, columns, ``+ - * / ^`` (or ``**``), parentheses and the functions sqrt, cbrt, exp, log (ln),
        log10, abs. Exponents are numbers. ``²``, ``·``, ``×``, ``−`` and full-width characters are
        understood. A header that is no word stands in backticks; of ``"S [uV/K]"`` the name ``S`` is enough.
    columns : iterable of str, optional
        Headers that may occur. Left out: every name is a column.

    Attributes
    ----------
    text : str
    columns : tuple of str
        Headers that do occur, in order.

    Raises
    ------
    InputError
        With the place of the character that is not understood, or for an unknown column.

    Notes
    -----
    Recursive descent over a fixed alphabet; nothing is evaluated but these operations. Derivatives come with
    the values (forward differentiation), so a column that occurs twice counts once in the error

    .. math:: e^2 = \sum_c \left(\frac{\partial f}{\partial c}\right)^2 e_c^2

    (delta method: first order, errors of different columns independent [1]_). One pass for each operation;
    memory one array for each column and level.

    References
    ----------
    .. [1] BIPM et al., Evaluation of measurement data: Guide to the expression of uncertainty in
       measurement, JCGM 100 (2008).

    Examples
    --------
    >>> power = ColumnFormula("S^2*sigma", ["S", "sigma"])
    >>> table = {"S": np.array([100.0, 200.0]), "sigma": np.array([2.0, 1.0])}
    >>> value, error = power.value_and_error(table, {"S": np.array([1.0, 1.0]), "sigma": 0.0})
    >>> value.tolist(), error.tolist()
    ([20000.0, 40000.0], [400.0, 400.0])
    """

    def __init__(self, text: str, columns: Iterable[str] | None = None) -> None:
        if not isinstance(text, str) or not text.strip():
            raise InputError(sentence(_PLACE, "text", "hold a formula", text, remedy="Write 'S^2*sigma'."))
        if len(text) > _LONGEST:
            raise InputError(
                sentence(_PLACE, "text", f"have at most {_LONGEST} characters", len(text),
                         remedy="Split the formula.")
            )  # fmt: skip
        self.text = text
        self._node = _Reader(text, None if columns is None else tuple(map(str, columns))).whole()
        self.columns = tuple(dict.fromkeys(_columns_of(self._node)))
        if not self.columns:
            raise InputError(
                sentence(_PLACE, "text", "name at least one column", text, remedy="Write 'S^2*sigma'.")
            )

    def __repr__(self) -> str:
        return f"ColumnFormula({self.text!r})"

    def value(self, table: Mapping[str, Any]) -> Array:
        """Values of all rows.

        Parameters
        ----------
        table : mapping of str to array-like of shape (n,)
            A DataFrame serves.

        Returns
        -------
        ndarray of shape (n,)
            NaN where a column is.

        Raises
        ------
        InputError
            For a row whose value is infinite or not defined though its columns are numbers.
        """
        return self.value_and_error(table, {})[0]

    def value_and_error(self, table: Mapping[str, Any], errors: Mapping[str, Any]) -> tuple[Array, Array]:
        """Values and their standard errors.

        Parameters
        ----------
        table : mapping of str to array-like of shape (n,)
        errors : mapping of str to float or array-like of shape (n,)
            Standard errors of columns; a column that is left out is exact.

        Returns
        -------
        value, error : ndarray of shape (n,)
            NaN where a column is.
        """
        given = {name: np.asarray(table[name], dtype=np.float64) for name in self.columns}
        with np.errstate(all="ignore"):
            value, slopes = _dual(self._node, given)
            value = np.broadcast_to(value, np.shape(given[self.columns[0]])) + 0.0
            square = np.zeros_like(value)
            for name, slope in slopes.items():
                spread = np.asarray(errors.get(name, 0.0), dtype=np.float64)
                square += np.where(spread == 0.0, 0.0, slope * spread) ** 2
            error = np.sqrt(square)
        known = np.all([np.isfinite(column) for column in given.values()], axis=0)
        for what, numbers in (("values", value), ("errors", error)):
            wrong = known & ~np.isfinite(numbers)
            if wrong.any():
                row = int(np.argmax(wrong))
                cells = {name: float(column[row]) for name, column in given.items()}
                raise InputError(
                    sentence(_PLACE, f"the {what} of {self.text!r}", "be finite", float(numbers[row]),
                             at=f"at row {row}, from {cells}",
                             remedy="Leave cells empty that were not measured.")
                )  # fmt: skip
        return np.where(known, value, np.nan), np.where(known, error, np.nan)


class _Reader:
    """Recursive descent: sums of products of signed powers of atoms."""

    def __init__(self, text: str, columns: tuple[str, ...] | None) -> None:
        self.text, self.columns, self.at, self.depth = text, columns, 0, 0
        self.tokens = self._tokens()

    def fail(self, requirement: str, got: object, place: int, remedy: str = "") -> NoReturn:
        """Raise the one error of this class."""
        where = f"at character {place + 1} of {self.text!r}"
        raise InputError(sentence(_PLACE, "text", requirement, got, at=where, remedy=remedy))

    # --- tokens: (kind, content, place) --------------------------------------------------------------

    def _tokens(self) -> list[tuple[str, Any, int]]:
        tokens: list[tuple[str, Any, int]] = []
        at = 0
        while at < len(self.text):
            if self.text[at].isspace():
                at += 1
                continue
            kind, content, end = self._next(at)
            tokens.append((kind, content, at))
            at = end
        return [*tokens, ("end", "the end", len(self.text))]

    def _next(self, at: int) -> tuple[str, Any, int]:
        """Kind, content and end of the token that begins here."""
        character = self.text[at]
        raised = _SUPERSCRIPT.match(self.text, at)
        if raised:
            digits = raised.group().translate(_SUPERSCRIPTS)
            if not re.fullmatch(r"[+-]?\d{1,3}", digits):
                self.fail("have whole numbers as superscripts", raised.group(), at, "Write x^(1/2).")
            return "raised", float(digits), raised.end()
        if character == "`":
            end = self.text.find("`", at + 1)
            if end < 0:
                self.fail("close every backtick", character, at, "Write `S (300 K)`.")
            return "column", self.column(self.text[at + 1 : end], at), end + 1
        plain = unicodedata.normalize("NFKC", character).translate(_SIGNS)
        if character == "√":
            return "function", "sqrt", at + 1
        if plain[:1].isdigit() or plain == ".":
            return self._number(at)
        if character.isidentifier():
            return self._word(at)
        if plain == "*" and self.text[at + 1 : at + 2] == "*":
            return "^", "^", at + 2
        if plain not in _OPERATORS:
            self.fail("hold numbers, columns, + - * / ^ and parentheses", character, at)
        return plain, plain, at + 1

    def _number(self, at: int) -> tuple[str, Any, int]:
        """Decimal number."""
        plain = "".join(unicodedata.normalize("NFKC", letter)[:1] for letter in self.text[at : at + 60])
        match = _NUMBER.match(plain)
        value = float(match.group()) if match else math.inf
        if match is None or not math.isfinite(value):
            self.fail("hold finite numbers with digits", plain[:10], at, "Write 0.5.")
        return "number", value, at + match.end()

    def _word(self, at: int) -> tuple[str, Any, int]:
        """Column or function."""
        end = at + 1
        while end < len(self.text) and ("a" + self.text[end]).isidentifier():
            if _SUPERSCRIPT.match(self.text, end):
                break
            end += 1
        word = self.text[at:end]
        if self.text[end:].lstrip()[:1] in ("(", "（") and self.text[end:].strip():
            name = unicodedata.normalize("NFKC", word)
            name = _SAME.get(name, name)
            if name not in _FUNCTIONS:
                self.fail(f"use the functions {', '.join(_FUNCTIONS)}", word, at, "Write * for a product.")
            return "function", name, end
        return "column", self.column(word, at), end

    def column(self, word: str, at: int) -> str:
        """Header that a word stands for."""
        if self.columns is None:
            return word
        found, hint = find_header(word, self.columns)
        if found is None:
            self.fail("name columns of the table", word, at, hint)
        return found

    # --- grammar -------------------------------------------------------------------------------------

    def take(self, *kinds: str) -> tuple[str, Any, int] | None:
        """Next token, if it is one of these."""
        token = self.tokens[self.at]
        if token[0] not in kinds:
            return None
        self.at += 1
        return token

    def whole(self) -> Node:
        """Read to the end."""
        node = self.sum()
        kind, content, place = self.tokens[self.at]
        if kind != "end":
            self.fail("have an operator between two terms", content, place, "Write * for a product.")
        return node

    def sum(self) -> Node:
        """Terms."""
        self.depth += 1
        if self.depth > _DEEPEST:
            self.fail(f"be at most {_DEEPEST} levels deep", "more", self.tokens[self.at][2], "Simplify it.")
        node = self.product()
        while token := self.take("+", "-"):
            node = (token[0], node, self.product())
        self.depth -= 1
        return node

    def product(self) -> Node:
        """Factors."""
        node = self.signed()
        while token := self.take("*", "/"):
            node = (token[0], node, self.signed())
        return node

    def signed(self) -> Node:
        """Power with signs in front."""
        negative = False
        while token := self.take("+", "-"):
            negative ^= token[0] == "-"
        node = self.power()
        return ("negative", node) if negative else node

    def power(self) -> Node:
        """Atom with exponents that are numbers; ``2^3^2`` is 2^9."""
        node = self.atom()
        while raised := self.take("raised"):
            node = ("^", node, raised[1])
        token = self.take("^")
        if token is None:
            return node
        self.depth += 1
        if self.depth > _DEEPEST:
            self.fail(f"be at most {_DEEPEST} levels deep", "more", token[2], "Simplify it.")
        exponent = self.signed()
        self.depth -= 1
        if any(True for _ in _columns_of(exponent)):
            self.fail("have numbers as exponents", "a column", token[2], "Write exp(y*log(x)).")
        with np.errstate(all="ignore"):
            value = float(_dual(exponent, {})[0])
        if not math.isfinite(value):
            self.fail("have finite exponents", value, token[2], "Write x^2 or x^(1/2).")
        return ("^", node, value)

    def atom(self) -> Node:
        """Number, column, function or parentheses."""
        kind, content, place = self.tokens[self.at]
        self.at += 1
        if kind in ("number", "column"):
            return (kind, content)
        if kind == "function":
            if content == "sqrt" and self.tokens[self.at][0] in ("number", "column"):
                return (content, self.atom())
            return (content, self.bracket())
        if kind == "(":
            self.at -= 1
            return self.bracket()
        self.fail("have a number, a column or a parenthesis here", content, place)

    def bracket(self) -> Node:
        """Sum in parentheses."""
        opened = self.take("(")
        if opened is None:
            self.fail("have a parenthesis after a function", *self.tokens[self.at][1:])
        node = self.sum()
        if self.take(")") is None:
            _, content, place = self.tokens[self.at]
            self.fail(f"close the parenthesis of character {opened[2] + 1}", content, place)
        return node


def find_header(word: str, headers: Sequence[str]) -> tuple[str | None, str]:
    """Header that a word stands for, exactly or without the header's unit; and a hint where there is none.

    Parameters
    ----------
    word : str
    headers : sequence of str

    Returns
    -------
    header : str or None
    hint : str
        Empty, or a sentence with near headers.

    Examples
    --------
    >>> find_header("S", ["S [uV/K]", "sigma"])
    ('S [uV/K]', '')
    >>> find_header("sigm", ["S [uV/K]", "sigma"])
    (None, 'Did you mean sigma?')
    """
    if word in headers:
        return word, ""
    plain = unicodedata.normalize("NFKC", word)
    bare = [name for name in headers if unicodedata.normalize("NFKC", split_unit(name)[0]) == plain]
    if len(bare) == 1:
        return bare[0], ""
    near = bare or difflib.get_close_matches(word, headers, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Columns: {', '.join(headers[:10])}."
    return None, hint


def _columns_of(node: Any) -> Iterable[str]:
    """Columns below a node, in order."""
    if not isinstance(node, tuple):
        return
    if node[0] == "column":
        yield node[1]
        return
    for part in node[1:]:
        yield from _columns_of(part)


def _dual(node: Node, table: Mapping[str, Array]) -> tuple[Any, dict[str, Any]]:
    """Value of a node and its derivatives by columns."""
    kind = node[0]
    if kind == "number":
        return np.float64(node[1]), {}
    if kind == "column":
        return table[node[1]], {node[1]: np.float64(1.0)}
    left, slopes = _dual(node[1], table)
    if kind in ("+", "-", "*", "/"):
        return _two(kind, left, slopes, *_dual(node[2], table))
    if kind == "negative":
        return -left, {name: -slope for name, slope in slopes.items()}
    if kind == "^":
        exponent = node[2]
        value, own = np.power(left, exponent), exponent * np.power(left, exponent - 1.0)
        own = np.zeros_like(value) if exponent == 0.0 else own
    else:
        function, derivative = _FUNCTIONS[kind]
        value, own = function(left), derivative(left)
    return value, {name: own * slope for name, slope in slopes.items()}


def _two(
    kind: str, a: Any, left: dict[str, Any], b: Any, right: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Sum, difference, product or quotient of two values with derivatives."""
    value, by_a, by_b = a * b, b, a
    if kind in ("+", "-"):
        value, by_a, by_b = (a + b, 1.0, 1.0) if kind == "+" else (a - b, 1.0, -1.0)
    elif kind == "/":
        value, by_a, by_b = a / b, 1.0 / b, -a / b**2
    names = dict.fromkeys((*left, *right))
    return value, {name: by_a * left.get(name, 0.0) + by_b * right.get(name, 0.0) for name in names}
