import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.study.mathml import formula_html


def body(text):
    return formula_html(text).removeprefix('<math display="block">').removesuffix("</math>")


def words(text):
    """What a reader sees, with the fraction and power structure flattened."""
    return (
        "".join(ElementTree.fromstring(formula_html(text)).itertext())
        .replace("\u2062", "")
        .replace("\u2061", "")
    )


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a/b", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
        ("1/x", "<mfrac><mn>1</mn><mi>x</mi></mfrac>"),
        ("inverse(x)", "<mfrac><mn>1</mn><mi>x</mi></mfrac>"),
        ("x**2", "<msup><mrow><mi>x</mi></mrow><mrow><mn>2</mn></mrow></msup>"),
        ("x^2", "<msup><mrow><mi>x</mi></mrow><mrow><mn>2</mn></mrow></msup>"),
        ("square(x)", "<msup><mrow><mi>x</mi></mrow><mrow><mn>2</mn></mrow></msup>"),
        ("sqrt(x)", "<msqrt><mi>x</mi></msqrt>"),
        ("abs(x)", "<mrow><mo>|</mo><mi>x</mi><mo>|</mo></mrow>"),
        ("M_P", "<msub><mi>M</mi><mtext>P</mtext></msub>"),
        ("M_P[0]", "<msub><mi>M</mi><mtext>P, 0</mtext></msub>"),
        ("`heat flow`", "<mtext>heat flow</mtext>"),
        ("mu_B", "<msub><mi>μ</mi><mtext>B</mtext></msub>"),
        ("磁化", '<mi mathvariant="normal">磁化</mi>'),
    ],
)
def test_form(text, drawn):
    assert body(text) == drawn


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a - (b - c)", "a−(b−c)"),
        ("a - b - c", "a−b−c"),
        ("(a + b)*c", "(a+b)·c"),
        ("a*b + c", "a·b+c"),
        ("-a**2", "−a2"),
        ("(-a)**2", "(−a)2"),
        ("2e-5*x", "2×10−5x"),
        ("0.5*base*height", "0.5base·height"),
        ("a + -b", "a+(−b)"),
        ("(a+b)**3", "(a+b)3"),
        ("exp(-x)", "e−x"),
        ("log(x)", "ln(x)"),
        ("f(a, b)", "f(a,b)"),
        ("abs(a - b)*2", "|a−b|×2"),
    ],
)
def test_brackets_say_what_the_text_says(text, seen):
    assert words(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a +",
        "(a",
        "a b",
        "f(",
        "<script>",
        "a**",
        "=",
        "2**" * 999 + "2",
        "1e" + "9" * 5000 + " 1",
        "x" * 30_000,
        "(" * 999 + "a" + ")" * 999,
    ],
)
def test_what_is_no_formula_is_shown_as_typed(text):
    shown = formula_html(text)
    assert shown.startswith("<code>")
    assert "<script" not in shown


def test_left_side():
    assert formula_html("a", left="y").startswith('<math display="block"><mi>y</mi><mo>=</mo>')
    assert formula_html("a a", left="y") == "<code>y = a a</code>"


def test_quoted_names_are_escaped():
    shown = formula_html("`<img src=x onerror=alert(1)>`*2")
    assert "<img" not in shown
    assert shown.startswith("<math")


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet="ab_1.5+-*/^()`,e <>&\"'|=", max_size=40))
def test_any_text_gives_well_formed_markup(text):
    ElementTree.fromstring(formula_html(text, left=text))
