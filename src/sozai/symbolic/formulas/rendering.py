"""Expressions as text, LaTeX, Python source and closures."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.canonical import factors_of, split_number, terms_of
from sozai.symbolic.formulas.evaluation import reachable
from sozai.symbolic.formulas.hash_consing import PRODUCT, SCALED, SUM
from sozai.symbolic.formulas.operators import (
    ABS,
    CONSTANT,
    EXP,
    EXP_NEG,
    INVERSE,
    LEAF,
    LOG,
    OPERATIONS,
    SQRT,
)
from sozai.symbolic.formulas.typography import latex_name, latex_number, number_text, quoted

if TYPE_CHECKING:
    from sozai.symbolic.formulas.expressions import Expressions

__all__ = [
    "LATEX",
    "TEXT",
    "render",
    "to_callable",
    "to_latex",
    "to_python",
    "to_text",
    "to_texts",
]

_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # binding strength of a rendered text
_ONE_OVER = r"\frac{1}"
_NAMES = {operation.code: operation.name for operation in OPERATIONS.values()}


# -- walking --------------------------------------------------------------------------------------


class _Tree:
    """The nodes below some ids as plain integers, with the look of a store."""

    def __init__(self, store: Expressions, ids: np.ndarray) -> None:
        nodes = reachable(store.op, store.left, store.right, np.concatenate([[0], ids]))
        keys = nodes.tolist()
        self.op, self.left, self.right, self.form = (
            dict(zip(keys, getattr(store, field)[nodes].tolist(), strict=True))
            for field in ("op", "left", "right", "form")
        )
        self.constants = store.constants
        self.names = store.names


def _operands(store: _Tree, node: int) -> list[int]:
    """Direct parts of a node, with chains of + and * laid flat."""
    form = store.form[node]
    if form == SCALED:
        if store.form[store.right[node]] == SUM:  # a minus goes into the terms
            return [int(store.right[node]), *_operands(store, store.right[node])]
        return [int(store.right[node])]
    if form == PRODUCT:
        return sorted({_turned(store, factor)[0] for factor in factors_of(store, node)})
    if form == SUM:
        return [rest for _, rest in terms_of(store, node) if rest]
    return [int(child) for child in (store.left[node], store.right[node]) if child >= 0]


def _turned(store: _Tree, factor: int) -> tuple[int, bool]:
    """What is written of a factor, and whether below the line."""
    return (store.left[factor], True) if store.op[factor] == INVERSE else (factor, False)


def render(store: Expressions, ids: list[int], style: _Style) -> dict[int, tuple[str, int]]:
    """Text and binding strength of every id, without recursion, parts before wholes."""
    tree = _Tree(store, np.array(ids, dtype=np.int64))
    memo: dict[int, tuple[str, int]] = {}
    stack = list(ids)
    while stack:
        node = stack[-1]
        if node in memo:
            stack.pop()
            continue
        op = tree.op[node]
        missing = [] if op <= LEAF else [part for part in _operands(tree, node) if part not in memo]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        memo[node] = _render_one(tree, node, op, style, memo)
    return memo


def _render_one(
    store: _Tree, node: int, op: int, style: _Style, memo: dict[int, tuple[str, int]]
) -> tuple[str, int]:
    """Text and binding strength of one node whose parts are rendered."""
    if op == CONSTANT:
        return style.number(store.constants[store.left[node]])
    if op == LEAF:
        return style.name(store.names[store.left[node]]), _ATOM
    form = store.form[node]
    if form == SCALED:
        number, rest = split_number(store, node)
        if store.form[rest] == SUM and number == -1:
            return style.sum([(-n, memo[r] if r else None) for n, r in terms_of(store, rest)]), _SUM
        return _scaled_text(style, number, memo[rest])
    if form == PRODUCT or op == INVERSE:
        above: list[tuple[str, int]] = []
        below: list[tuple[str, int]] = []
        for factor, power in Counter(factors_of(store, node)).items():
            part, turned = _turned(store, factor)
            (below if turned else above).append(style.power(memo[part], power))
        return style.product(above, below)
    if form == SUM:
        return style.sum([(n, memo[r] if r else None) for n, r in terms_of(store, node)]), _SUM
    return style.function(op, memo[int(store.left[node])])


def _scaled_text(style: _Style, number: Fraction, rest: tuple[str, int]) -> tuple[str, int]:
    """Write ``number * rest`` with the sign outermost."""
    if number == -1:
        return f"-{style.wrap(rest, _PRODUCT)}", _SUM
    body = style.times(abs(number), rest)
    return (f"-{body}", _SUM) if number < 0 else (body, _PRODUCT)


class _Style:
    """Our own grammar; every text parses back to the same expression."""

    def number(self, value: Fraction) -> tuple[str, int]:
        text = number_text(value)
        if value < 0:
            return text, _SUM
        return text, _ATOM if "/" not in text else _PRODUCT

    def name(self, name: str) -> str:
        return quoted(name)

    def wrap(self, part: tuple[str, int], least: int) -> str:
        """Parentheses where the part binds less than its place needs."""
        text, strength = part
        return text if strength >= least else f"({text})"

    def times(self, number: Fraction, rest: tuple[str, int]) -> str:
        """``number * rest``; a reciprocal takes the number as its numerator."""
        front = number_text(number)
        if rest[1] == _PRODUCT and rest[0].startswith("1/"):
            return f"{front}{rest[0][1:]}"
        return f"{front}*{self.wrap(rest, _PRODUCT)}"

    def sum(self, terms: list[tuple[Fraction, tuple[str, int] | None]]) -> str:
        """Terms with their signs; a positive one first where there is one."""
        first = next((k for k, (number, _) in enumerate(terms) if number > 0), 0)
        pieces = []
        for k, (number, rest) in enumerate([terms[first], *terms[:first], *terms[first + 1 :]]):
            body = self._term(abs(number), rest)
            if k == 0:
                pieces.append(body if number >= 0 else f"-{body}")
            else:
                pieces.append(f" + {body}" if number > 0 else f" - {body}")
        return "".join(pieces)

    def _term(self, number: Fraction, rest: tuple[str, int] | None) -> str:
        """One term without its sign; ``None`` stands for a plain number."""
        if rest is None:
            return self.number(number)[0]
        return self.wrap(rest, _PRODUCT) if number == 1 else self.times(number, rest)

    def power(self, part: tuple[str, int], power: int) -> tuple[str, int]:
        return part if power == 1 else (f"{self.wrap(part, _ATOM)}**{power}", _POWER)

    def product(self, above: list[tuple[str, int]], below: list[tuple[str, int]]) -> tuple[str, int]:
        """One fraction: reciprocal factors stand behind one stroke."""
        top = "*".join(self.wrap(part, _POWER) for part in above) or "1"
        if not below:
            return top, _PRODUCT
        bottom = "*".join(self.wrap(part, _POWER) for part in below)
        return f"{top}/{bottom if len(below) == 1 else f'({bottom})'}", _PRODUCT

    def function(self, op: int, argument: tuple[str, int]) -> tuple[str, int]:
        if op == EXP_NEG:
            return f"exp(-{self.wrap(argument, _PRODUCT)})", _ATOM
        return f"{_NAMES[op]}({argument[0]})", _ATOM


class _PythonStyle(_Style):
    """NumPy source text."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def number(self, value: Fraction) -> tuple[str, int]:
        text = repr(float(value))
        return text, _SUM if value < 0 else _ATOM

    def name(self, name: str) -> str:
        return self.variables[name]

    def times(self, number: Fraction, rest: tuple[str, int]) -> str:
        front = repr(float(number))
        return f"{front}{rest[0][1:]}" if rest[0].startswith("1/") else f"{front}*{self.wrap(rest, _PRODUCT)}"

    def function(self, op: int, argument: tuple[str, int]) -> tuple[str, int]:
        least = _PRODUCT if op == EXP_NEG else _SUM
        return OPERATIONS[_NAMES[op]].numpy.format(self.wrap(argument, least)), _ATOM


class _LatexStyle(_Style):
    """LaTeX for math mode."""

    def number(self, value: Fraction) -> tuple[str, int]:
        sign, value = ("-" if value < 0 else ""), abs(value)
        text = latex_number(value)
        return sign + text, _SUM if sign else _ATOM

    def name(self, name: str) -> str:
        return latex_name(name)

    def wrap(self, part: tuple[str, int], least: int) -> str:
        text, strength = part
        return text if strength >= least else rf"\left({text}\right)"

    def times(self, number: Fraction, rest: tuple[str, int]) -> str:
        front, body = latex_number(number), self.wrap(rest, _PRODUCT)
        if body.startswith(r"\frac{1}{") and not front.startswith("\\"):
            return rf"\frac{{{front}}}{body[len(_ONE_OVER) :]}"
        return rf"{front} \times {body}" if body[0].isdigit() else rf"{front}\,{body}"

    def power(self, part: tuple[str, int], power: int) -> tuple[str, int]:
        return part if power == 1 else (f"{self.wrap(part, _ATOM)}^{{{power}}}", _POWER)

    def product(self, above: list[tuple[str, int]], below: list[tuple[str, int]]) -> tuple[str, int]:
        """One fraction: reciprocal factors go below the line."""
        top, bottom = (
            side[0][0] if below and len(side) == 1 else r"\,".join(self.wrap(part, _PRODUCT) for part in side)
            for side in (above, below)
        )
        return (rf"\frac{{{top or 1}}}{{{bottom}}}" if below else top), _PRODUCT

    def function(self, op: int, argument: tuple[str, int]) -> tuple[str, int]:
        text = argument[0]
        if op == ABS:
            return rf"\left|{text}\right|", _ATOM
        if op == SQRT:
            return rf"\sqrt{{{text}}}", _ATOM
        if op in (EXP, EXP_NEG):
            exponent = text if op == EXP else f"-{self.wrap(argument, _PRODUCT)}"
            return rf"\mathrm{{e}}^{{{exponent}}}", _POWER
        if op == LOG:
            return rf"\ln\left({text}\right)", _POWER
        return rf"\sqrt[3]{{{text}}}", _ATOM


TEXT, LATEX = _Style(), _LatexStyle()
"""The two styles that need nothing but the expression."""


# -- text -----------------------------------------------------------------------------------------


def to_text(store: Expressions, node: int) -> str:
    """Text that our grammar parses back to the same id."""
    return to_texts(store, np.array([node]))[0]


def to_texts(store: Expressions, ids: np.ndarray) -> list[str]:
    """Texts of many expressions, shared parts rendered once."""
    memo = render(store, ids.tolist(), TEXT)
    return [memo[node][0] for node in ids.tolist()]


def to_latex(store: Expressions, node: int) -> str:
    """LaTeX source for math mode."""
    return render(store, [node], LATEX)[node][0]


def to_python(store: Expressions, node: int) -> str:
    """Source text of a function ``formula(columns used)`` that needs only NumPy."""
    names = [store.names[j] for j in store.columns_of(node)]
    variables = _variables(names)
    body = render(store, [node], _PythonStyle(variables))[node][0]
    arguments = ", ".join(variables[name] for name in names)
    renamed = [f"    # {variables[name]}: {name!r}\n" for name in names if variables[name] != name]
    return f"import numpy as np\n\n\ndef formula({arguments}):\n{''.join(renamed)}    return {body}\n"


def _variables(names: list[str]) -> dict[str, str]:
    """Python identifiers for column names, unique."""
    chosen: dict[str, str] = {}
    for name in names:
        word = re.sub(r"\W+", "_", name).strip("_") or "column"
        if not word.isidentifier() or keyword.iskeyword(word) or word in ("np", "formula"):
            word = f"column_{word}"
        while word in chosen.values():
            word += "_"
        chosen[name] = word
    return chosen


# -- closures -------------------------------------------------------------------------------------

_UFUNCS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "abs": np.abs,
    "inverse": np.reciprocal,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "exp": np.exp,
    "exp_neg": lambda value: np.exp(-value),
    "log": np.log,
}


def to_callable(store: Expressions, node: int) -> Callable[..., np.ndarray]:
    """Closure over the tree; arguments are the columns used, in table order."""
    nodes = reachable(store.op, store.left, store.right, np.array([node])).tolist()
    columns = store.columns_of(node)
    names = tuple(store.names[j] for j in columns)
    steps = []
    position = {at: k for k, at in enumerate(nodes)}
    for at in nodes:
        op, left, right = int(store.op[at]), int(store.left[at]), int(store.right[at])
        if op == CONSTANT:
            steps.append((None, float(store.constants[left]), -1))
        elif op == LEAF:
            steps.append((None, None, columns.index(left)))
        else:
            steps.append((_UFUNCS[_NAMES[op]], position[left], position[right] if right >= 0 else -1))

    def formula(*arguments: Any) -> np.ndarray:
        if len(arguments) != len(names):
            raise InputError(
                sentence(
                    "formula",
                    "arguments",
                    f"be the {len(names)} columns {', '.join(names)}",
                    f"{len(arguments)} arguments",
                    remedy="Pass one array per column.",
                )
            )
        given = [np.asarray(argument, dtype=np.float64) for argument in arguments]
        values: list[Any] = []
        for function, first, second in steps:
            if function is None:
                values.append(given[second] if first is None else np.float64(first))
            else:
                values.append(
                    function(values[first]) if second < 0 else function(values[first], values[second])
                )
        return values[-1]

    formula.__doc__ = f"{to_text(store, node)}, arguments {', '.join(names) or 'none'}."
    return formula
