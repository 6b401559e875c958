"""Our expression text as MathML, which every browser draws without a script."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

__all__ = ["formula_html"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|`(?P<quoted>[^`]*)`"
    r"|(?P<name>[^\W\d]\w*(?:\[\d+(?:,\s*\d+)*\])?)"
    r"|(?P<sign>\*\*|[-+*/^(),=·×²³−]))"
)
_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "\N{GREEK SMALL LETTER NU}",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
    "Delta": "Δ",
    "Omega": "Ω",
}
_MAX_LENGTH, _MAX_DEPTH = 20_000, 60
# How tightly each form binds: sums, signs, products and fractions, powers, things that need no brackets.
_SUM, _SIGNED, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4, 5


class _Piece(NamedTuple):
    """MathML of one part, how tightly it binds, and whether it is a number."""

    markup: str
    binding: int
    numeric: bool = False


class _NotOurGrammarError(ValueError):
    """The text is no expression; it is shown as typed."""


def formula_html(text: str, *, left: str | None = None) -> str:
    r"""Turn an expression, or ``left = expression``, into a MathML element; other text into ``<code>``.

    Nothing is evaluated: the text is split into numbers, names and signs, and only
    their layout changes (fractions, powers, bars, roots).

    Parameters
    ----------
    text : str
        Expression in our grammar, such as ``0.5*base*height - 2e-5``. Names that
        are no plain identifiers stand in backticks.
    left : str, optional
        Name on the left of an equals sign.

    Returns
    -------
    str
        ``<math>...</math>`` or ``<code>...</code>``; user text is escaped.

    Examples
    --------
    >>> formula_html("a/b")
    '<math display="block"><mfrac><mi>a</mi><mi>b</mi></mfrac></math>'
    >>> formula_html("no formula <b>")
    '<code>no formula &lt;b&gt;</code>'
    """
    try:
        body = _Layout(text).whole()
    except _NotOurGrammarError:
        shown = f"{left} = {text}" if left else text
        return f"<code>{html.escape(str(shown))}</code>"
    equals = "" if left is None else f"{_name(left)}<mo>=</mo>"
    return f'<math display="block">{equals}{body}</math>'


class _Layout:
    """One pass over the tokens, operator by operator, from loose to tight."""

    def __init__(self, text: str):
        if len(text) > _MAX_LENGTH:
            raise _NotOurGrammarError
        self.tokens = list(_tokens(text))
        self.position = 0
        self.depth = 0

    def whole(self) -> str:
        piece = self._sum()
        if self._accept("="):
            piece = _Piece(f"{piece.markup}<mo>=</mo>{self._sum().markup}", _SUM)
        if self.position != len(self.tokens):
            raise _NotOurGrammarError
        return piece.markup

    def _sum(self) -> _Piece:
        self._go_deeper()
        piece = self._product()
        while sign := self._accept("+", "-", "−"):
            right = _bracketed(self._product(), _PRODUCT)
            piece = _Piece(f"{piece.markup}<mo>{'+' if sign == '+' else '−'}</mo>{right}", _SUM)
        self.depth -= 1
        return piece

    def _product(self) -> _Piece:
        piece = self._signed()
        while sign := self._accept("*", "/", "·", "×"):
            right = self._signed()
            if sign == "/":
                piece = _Piece(f"<mfrac>{_row(piece)}{_row(right)}</mfrac>", _PRODUCT, numeric=True)
            else:
                between = _times(piece, right)
                markup = f"{_bracketed(piece, _PRODUCT, lead=True)}{between}{_bracketed(right, _PRODUCT)}"
                piece = _Piece(markup, _PRODUCT, right.numeric)
        return piece

    def _signed(self) -> _Piece:
        signs = 0
        while sign := self._accept("+", "-", "−"):
            signs += sign != "+"
        piece = self._power()
        return _Piece(f"<mo>−</mo>{_bracketed(piece, _PRODUCT)}", _SIGNED) if signs % 2 else piece

    def _power(self) -> _Piece:
        base = self._atom()
        if raised := self._accept("²", "³"):
            return _raise(base, _Piece(f"<mn>{2 if raised == '²' else 3}</mn>", _ATOM))
        if self._accept("**", "^"):
            self._go_deeper()
            raised_to = self._signed()
            self.depth -= 1
            return _raise(base, raised_to)
        return base

    def _atom(self) -> _Piece:
        kind, text = self._next()
        if kind == "number":
            return _number(text)
        if kind == "quoted":
            return _Piece(f"<mtext>{html.escape(text)}</mtext>", _ATOM)
        if kind == "sign" and text == "(":
            piece = self._sum()
            self._expect(")")
            return piece if piece.binding >= _PRODUCT else _Piece(piece.markup, _SUM)
        if kind == "name":
            return self._call(text) if self._accept("(") else _Piece(_name(text), _ATOM)
        raise _NotOurGrammarError

    def _call(self, name: str) -> _Piece:
        inner = self._sum()
        more = []
        while self._accept(","):
            more.append(self._sum().markup)
        self._expect(")")
        if name in _FORMS and not more:
            return _FORMS[name](inner)
        listed = "<mo>,</mo>".join([inner.markup, *more])
        return _Piece(
            f"<mi>{html.escape(name)}</mi><mo>&#x2061;</mo><mrow><mo>(</mo>{listed}<mo>)</mo></mrow>", _ATOM
        )

    def _go_deeper(self) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _NotOurGrammarError

    def _next(self) -> tuple[str, str]:
        if self.position >= len(self.tokens):
            raise _NotOurGrammarError
        self.position += 1
        return self.tokens[self.position - 1]

    def _accept(self, *signs: str) -> str:
        if self.position < len(self.tokens):
            kind, text = self.tokens[self.position]
            if kind == "sign" and text in signs:
                self.position += 1
                return text
        return ""

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise _NotOurGrammarError


def _tokens(text: str) -> list[tuple[str, str]]:
    """Kind and text of each token; anything else is not our grammar."""
    found, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _NotOurGrammarError
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    if not found:
        raise _NotOurGrammarError
    return found


def _number(text: str) -> _Piece:
    """Decimal, or decimal times a power of ten."""
    digits, _, exponent = text.lower().partition("e")
    if not exponent:
        return _Piece(f"<mn>{digits}</mn>", _ATOM, numeric=True)
    power = re.sub(r"^([-+]?)0*(?=\d)", r"\1", exponent).lstrip("+").replace("-", "−")
    ten = f"<msup><mn>10</mn><mn>{power}</mn></msup>"
    return _Piece(f"<mn>{digits}</mn><mo>×</mo>{ten}", _PRODUCT, numeric=True)


def _name(text: str) -> str:
    """Name with what follows the first underscore, or a slot, as its index."""
    body, slots = text[:-1].split("[", 1) if text.endswith("]") and "[" in text else (text, "")
    head, _, index = body.partition("_")
    if not head or not (index or slots):
        return _identifier(text if not head else body)
    below = ", ".join(part for part in (index.replace("_", ", "), slots) if part)
    shown = _GREEK.get(below, below)
    return f"<msub>{_identifier(head)}<mtext>{html.escape(shown)}</mtext></msub>"


def _identifier(text: str) -> str:
    shown = html.escape(_GREEK.get(text, text))
    return f"<mi>{shown}</mi>" if len(shown) == 1 else f'<mi mathvariant="normal">{shown}</mi>'


def _row(piece: _Piece) -> str:
    """One element, as a fraction or a power needs it."""
    single = (
        piece.binding == _ATOM
        and not piece.markup.startswith(("<mo>", "<mrow><mo>("))
        and _is_single(piece.markup)
    )
    return piece.markup if single else f"<mrow>{piece.markup}</mrow>"


def _is_single(markup: str) -> bool:
    """Tell whether the markup is one leaf element."""
    return re.fullmatch(r"<(mi|mn|mtext)[^>]*>[^<]*</\1>|<msub>.*</msub>", markup) is not None


def _bracketed(piece: _Piece, needed: int, *, lead: bool = False) -> str:
    """Markup in brackets when it binds more loosely than its place needs; a leading sign needs none."""
    if piece.binding >= needed or (lead and piece.binding == _SIGNED):
        return piece.markup
    return f"<mrow><mo>(</mo>{piece.markup}<mo>)</mo></mrow>"


def _raise(base: _Piece, exponent: _Piece) -> _Piece:
    shown = base.markup if base.binding == _ATOM else f"<mo>(</mo>{base.markup}<mo>)</mo>"
    return _Piece(f"<msup><mrow>{shown}</mrow><mrow>{exponent.markup}</mrow></msup>", _POWER, base.numeric)


def _times(left: _Piece, right: _Piece) -> str:
    """Cross between numbers, thin space after a coefficient, dot between names."""
    if right.numeric:
        return "<mo>×</mo>"
    return "<mo>&#x2062;</mo><mspace width='0.2em'/>" if left.numeric else "<mo>·</mo>"


def _bars(piece: _Piece) -> _Piece:
    return _Piece(f"<mrow><mo>|</mo>{piece.markup}<mo>|</mo></mrow>", _ATOM)


def _over(piece: _Piece) -> _Piece:
    return _Piece(f"<mfrac><mn>1</mn>{_row(piece)}</mfrac>", _PRODUCT, numeric=True)


def _exponential(piece: _Piece, sign: str = "") -> _Piece:
    inner = f"<mo>−</mo>{_bracketed(piece, _PRODUCT)}" if sign else piece.markup
    return _Piece(f"<msup><mi>e</mi><mrow>{inner}</mrow></msup>", _POWER)


_FORMS = {
    "abs": _bars,
    "inverse": _over,
    "inverse_abs": lambda piece: _over(_bars(piece)),
    "square": lambda piece: _raise(piece, _Piece("<mn>2</mn>", _ATOM)),
    "cube": lambda piece: _raise(piece, _Piece("<mn>3</mn>", _ATOM)),
    "sqrt": lambda piece: _Piece(f"<msqrt>{piece.markup}</msqrt>", _ATOM),
    "cbrt": lambda piece: _Piece(f"<mroot>{_row(piece)}<mn>3</mn></mroot>", _ATOM),
    "exp": _exponential,
    "exp_neg": lambda piece: _exponential(piece, "-"),
    "log": lambda piece: _Piece(
        f"<mi>ln</mi><mo>&#x2061;</mo><mrow><mo>(</mo>{piece.markup}<mo>)</mo></mrow>", _ATOM
    ),
}
