"""Formulas typed by a user: our own small grammar, nothing is ever executed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from sozai.contracts.errors import InputError
from sozai.symbolic.formulas.canonical import split_number
from sozai.symbolic.formulas.expressions import Expression, Expressions
from sozai.symbolic.formulas.operators import OPERATIONS

__all__ = ["parse_expression", "parse_into"]

_LONGEST = 2000
_DEEPEST = 50
_HIGHEST_POWER = 64
_FUNCTIONS = {
    word: operation.name
    for operation in OPERATIONS.values()
    if operation.arity == 1
    for word in (operation.name, *operation.aliases)
}
_SYMBOLS = dict(zip("×·⋅∙∗÷∕−–—│∣", "*****//---||", strict=True))  # noqa: RUF001
_SUPERSCRIPT = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_BACKTICKS = "`｀"  # noqa: RUF001
_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?")
_SLOTS = re.compile(r"\[\s*\d+(?:\s*,\s*\d+)*\s*\]")


class _Token(NamedTuple):
    kind: str  # "number", "name", "function", "power" (superscript), an operator or "end"
    text: str
    start: int


def parse_expression(text: str, names: Iterable[str] | None = None) -> Expression:
    """Read a formula typed by a user.

    Parameters
    ----------
    text : str
        At most 2,000 characters. Numbers are kept exactly; names that are no
        plain identifiers stand in backticks; ``^`` and ``**`` are powers;
        ``|x|`` and ``abs(x)`` are magnitudes. Functions: abs, inverse, square,
        cube, sqrt, cbrt, exp, exp_neg, log (ln). Full-width characters,
        ``²``, ``·``, ``×`` and ``−`` are understood.
    names : iterable of str, optional
        Columns that may occur. Left out: every name is a column, in the order
        in which they occur.

    Returns
    -------
    Expression

    Raises
    ------
    InputError
        With a caret under the character that is not understood.

    Notes
    -----
    Recursive descent over tokens of a fixed alphabet: there are no attributes,
    subscripts, assignments or calls of anything but the functions above, and
    nothing is evaluated.

    Examples
    --------
    >>> str(parse_expression("x (1 − x)".replace(" ", "*", 1), ["x"]))
    'x*(1 - x)'
    >>> str(parse_expression("|r_B − r_A|²", ["r_A", "r_B"]))
    'abs(r_A - r_B)**2'
    """
    if not isinstance(text, str):
        raise InputError(
            f"parse_expression: text must be text. Got {type(text).__name__}. "
            "Write the formula in quotation marks."
        )
    _check_length(text)
    given = None if names is None else tuple(str(name) for name in names)
    tokens = _tokenize(text, given)
    if given is None:
        given = tuple(dict.fromkeys(token.text for token in tokens if token.kind == "name"))
    store = Expressions(given)
    return Expression(store, _Parser(store, text, tokens).parse())


def parse_into(store: Expressions, text: str) -> int:
    """Read a formula into a store that exists; its dimensions, groups and domain apply.

    Examples
    --------
    >>> store = Expressions(["x", "y"])
    >>> parse_into(store, "x")
    1
    """
    _check_length(text)
    return _Parser(store, text, _tokenize(text, store.names)).parse()


def _check_length(text: str) -> None:
    """Refuse long texts before looking at them."""
    if len(text) > _LONGEST:
        raise InputError(
            f"parse_expression: text must have at most {_LONGEST} characters. "
            f"Got {len(text)}. Split the formula."
        )


def _error(text: str, position: int, message: str) -> InputError:
    """Sentence with the piece of text around the fault and a caret below it."""
    first = max(0, position - 30)
    piece = "".join(" " if character.isspace() else character for character in text[first : position + 30])
    offset = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text[first:position])
    return InputError(f"parse_expression: {message}\n    {piece}\n    {' ' * offset}^")


# -- tokens ---------------------------------------------------------------------------------------


def _tokenize(text: str, names: tuple[str, ...] | None) -> list[_Token]:
    """Cut the text into tokens; positions are those of the original text."""
    tokens: list[_Token] = []
    at = 0
    lookup = _lookup(names)
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
            continue
        token, at = _next_token(text, at, names, lookup)
        tokens.append(token)
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _lookup(names: tuple[str, ...] | None) -> dict[str, str]:
    """Names by their spelling after Unicode normalisation, exact spelling first."""
    table: dict[str, str] = {}
    for name in names or ():
        table.setdefault(unicodedata.normalize("NFKC", name), name)
    table.update({name: name for name in names or ()})
    return table


def _next_token(
    text: str, at: int, names: tuple[str, ...] | None, lookup: dict[str, str]
) -> tuple[_Token, int]:
    """Token that begins at a position, and where it ends."""
    character = text[at]
    if character in _BACKTICKS:
        return _quoted_name(text, at, names, lookup)
    if character in _SUPERSCRIPT:
        end = at
        while end < len(text) and text[end] in _SUPERSCRIPT:
            end += 1
        return _Token("power", "".join(_SUPERSCRIPT[c] for c in text[at:end]), at), end
    if _begins_name(character):
        return _bare_name(text, at, names, lookup)
    plain = _SYMBOLS.get(character) or unicodedata.normalize("NFKC", character)
    if plain.isdigit() or plain == ".":
        return _number(text, at)
    if plain == "*" and at + 1 < len(text) and unicodedata.normalize("NFKC", text[at + 1]) == "*":
        return _Token("^", "**", at), at + 2
    if plain in "+-*/^()|" and plain:
        return _Token(plain, plain, at), at + 1
    raise _error(
        text, at, f"the text must hold numbers, columns, + - * / ^ | ( ) and functions. Got {character!r}."
    )


def _begins_name(character: str) -> bool:
    """Whether a bare name may begin here."""
    return character.isidentifier()


def _quoted_name(
    text: str, at: int, names: tuple[str, ...] | None, lookup: dict[str, str]
) -> tuple[_Token, int]:
    """Name in backticks; a doubled backtick stands for one."""
    end, letters = at + 1, []
    while end < len(text):
        if text[end] in _BACKTICKS:
            if end + 1 < len(text) and text[end + 1] in _BACKTICKS:
                letters.append("`")
                end += 2
                continue
            return _Token("name", _known(text, at, "".join(letters), names, lookup), at), end + 1
        letters.append(text[end])
        end += 1
    raise _error(
        text, at, "a backtick must be closed. Found none after this one. Add a backtick after the name."
    )


def _bare_name(
    text: str, at: int, names: tuple[str, ...] | None, lookup: dict[str, str]
) -> tuple[_Token, int]:
    """Identifier, with slots such as ``[0,1]`` where a column is so named."""
    end = at + 1
    while end < len(text) and ("a" + text[end]).isidentifier():
        end += 1
    word = text[at:end]
    slots = _SLOTS.match(text, end)
    if slots:
        full = word + slots.group().replace(" ", "")
        if full in lookup or names is None:
            return _Token("name", lookup.get(full, full), at), slots.end()
    rest = text[end:].lstrip()
    plain = unicodedata.normalize("NFKC", word)
    if rest[:1] in ("(", "（") and rest[:1]:
        if plain not in _FUNCTIONS:
            raise _error(text, at, f"a function must be one of {', '.join(_FUNCTIONS)}. Got {word[:40]!r}.")
        return _Token("function", _FUNCTIONS[plain], at), end
    return _Token("name", _known(text, at, word, names, lookup), at), end


def _known(text: str, at: int, word: str, names: tuple[str, ...] | None, lookup: dict[str, str]) -> str:
    """Column a word stands for."""
    if names is None:
        if not word:
            raise _error(text, at, "a name must not be empty. Got ''. Write it between the backticks.")
        return word
    found = lookup.get(word) or lookup.get(unicodedata.normalize("NFKC", word))
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(word, names, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Columns are {', '.join(names[:10])}."
        raise _error(text, at, f"a name must be a column of the table. Got {word[:60]!r}. {hint}")
    return found


def _number(text: str, at: int) -> tuple[_Token, int]:
    """Decimal number."""
    plain = "".join(unicodedata.normalize("NFKC", c)[:1] or c for c in text[at : at + 410])
    match = _NUMBER.match(plain)
    if match is None:
        raise _error(text, at, "a number must have digits. Got '.'. Write for example 0.5.")
    if abs(int(match.group(2) or 0)) > 300 or match.end() > 400:
        raise _error(
            text,
            at,
            f"a number must be below 1e300 and have at most 400 characters. Got {match.group()[:55]!r}.",
        )
    return _Token("number", match.group(), at), at + match.end()


# -- grammar --------------------------------------------------------------------------------------


class _Parser:
    """Recursive descent over the tokens.

    ``sum = product (("+" | "-") product)*``, ``product = power (("*" | "/") power)*``,
    ``power = atom ("^" power)?``.
    """

    def __init__(self, store: Expressions, text: str, tokens: list[_Token]) -> None:
        self.store = store
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def parse(self) -> int:
        """Id of the whole text."""
        if self.tokens[0].kind == "end":
            raise InputError(
                "parse_expression: text must hold a formula. Got an empty text. Write for example 'x*y'."
            )
        node = self.sum()
        if self.token.kind != "end":
            raise self.fail(
                f"an operator must stand between two terms. Got {self.token.text!r}. Write * for a product."
            )
        return node

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, message: str, at: int | None = None) -> InputError:
        """Error at the current token."""
        return _error(self.text, self.token.start if at is None else at, message)

    def take(self, *kinds: str) -> _Token | None:
        """Next token if it is one of these."""
        if self.token.kind in kinds:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def sum(self) -> int:
        """Terms, added once all are known."""
        self.descend()
        begins = self.token.start
        terms = [(Fraction(1), self.product())]
        while sign := self.take("+", "-"):
            terms.append((Fraction(1 if sign.kind == "+" else -1), self.product()))
        self.depth -= 1
        if len(terms) == 1:
            return terms[0][1]
        return self.guarded(begins, lambda: self.checked_sum(terms))

    def descend(self) -> None:
        """Count one level."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fail(f"a formula must be at most {_DEEPEST} levels deep. Got more. Simplify it.")

    def checked_sum(self, terms: list[tuple[Fraction, int]]) -> int:
        """Sum with the dimensions of every pair compared."""
        for (_, a), (_, b) in pairwise(terms):
            if self.store.dimension_id[a] != self.store.dimension_id[b]:
                self.store.add("add", a, b)
        return self.store.sum_of(terms)

    def product(self) -> int:
        """Factors and reciprocals, multiplied once all are known."""
        begins = self.token.start
        factors = [self.signed()]
        while operator := self.take("*", "/"):
            factor = self.signed()
            if operator.kind == "/":
                factor = self.guarded(operator.start, lambda a=factor: self.apply("inverse", a))
            factors.append(factor)
        if len(factors) == 1:
            return factors[0]
        return self.guarded(begins, lambda: self.store.product_of(factors))

    def signed(self) -> int:
        """Power with signs in front."""
        sign = Fraction(1)
        while token := self.take("+", "-"):
            sign = -sign if token.kind == "-" else sign
        node = self.power()
        return node if sign > 0 else self.store.sum_of([(sign, node)])

    def power(self) -> int:
        """Atom with an exponent that is a number."""
        begins = self.token.start
        node = self.atom()
        while True:
            if token := self.take("power"):
                exponent = Fraction(token.text) if re.fullmatch(r"-?\d{1,3}", token.text) else None
                if exponent is None:
                    raise self.fail(f"an exponent must be a whole number. Got {token.text!r}.", token.start)
            elif token := self.take("^"):
                exponent = self.exponent()
            else:
                return node
            node = self.guarded(begins, lambda a=node, e=exponent, t=token: self.raised(a, e, t))

    def exponent(self) -> Fraction:
        """Rational number to the right of ``^``."""
        begins = self.token.start
        sign = Fraction(1)
        while token := self.take("+", "-"):
            sign = -sign if token.kind == "-" else sign
        self.descend()
        number, rest = split_number(self.store, self.power())
        self.depth -= 1
        if rest != 0:
            raise self.fail(
                "an exponent must be a number. Got an expression. Use exp(...) and log(...).", begins
            )
        return sign * number

    def raised(self, node: int, exponent: Fraction, token: _Token) -> int:
        """Whole powers as products, 1/2 and 1/3 as roots."""
        if exponent.denominator == 1 and abs(exponent) <= _HIGHEST_POWER:
            power = self.store.product_of([node] * abs(int(exponent))) if exponent else 0
            return power if exponent >= 0 else self.apply("inverse", power)
        root = {2: "sqrt", 3: "cbrt"}.get(exponent.denominator)
        if root and abs(exponent.numerator) <= _HIGHEST_POWER:
            power = self.store.product_of([self.apply(root, node)] * abs(exponent.numerator))
            return power if exponent > 0 else self.apply("inverse", power)
        raise self.fail(
            f"an exponent must be a whole number up to {_HIGHEST_POWER}, or halves or thirds. "
            f"Got {exponent}.",
            token.start,
        )

    def atom(self) -> int:
        """Number, column, function, parentheses or bars."""
        token = self.token
        if self.take("number"):
            return self.guarded(token.start, lambda: self.store.constant(Fraction(token.text)))
        if self.take("name"):
            return self.store.leaf(token.text)
        if self.take("function"):
            self.expect("(", token.start)
            node = self.sum()
            self.expect(")", token.start)
            return self.guarded(token.start, lambda: self.apply(token.text, node))
        if self.take("("):
            node = self.sum()
            self.expect(")", token.start)
            return node
        if self.take("|"):
            node = self.sum()
            self.expect("|", token.start)
            return self.guarded(token.start, lambda: self.apply("abs", node))
        shown = repr(token.text) if token.text else "the end"
        raise self.fail(f"a number, a column or a parenthesis must stand here. Got {shown}.")

    def expect(self, kind: str, opened: int) -> None:
        """Closing sign of what was opened."""
        if self.take(kind) is None:
            shown = repr(self.token.text) if self.token.text else "the end"
            raise self.fail(
                f"{kind!r} must stand here for what opens at character {opened + 1}. Got {shown}."
            )

    def apply(self, name: str, *nodes: int) -> int:
        """One operator on ids."""
        return int(self.store.add(name, *nodes))

    def guarded(self, position: int, build: Callable[[], int]) -> int:
        """Put the place of the text into an error of the store."""
        try:
            return build()
        except InputError as error:
            if str(error).startswith("parse_expression:"):
                raise
            raise type(error)(str(_error(self.text, position, str(error)))) from None
