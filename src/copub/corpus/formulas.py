"""Formulas in titles and abstracts as plain text: MathML, TeX, "/sub 2/", subscripts, and "CO 2" all read "CO2".

Publishers hand the same title over in all of these forms, with and without spaces around the formula. A formula is
a word of its own beside other words; an index alone belongs to the word before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from string import ascii_letters

_MATH = re.compile(
    r"<((?:\w+:)?(?:math|inline-formula|disp-formula|formula|tex-math|tex))\b[^<>]{0,2000}>(.{0,20000}?)</\1\s*>",
    re.I | re.S,
)
_ANNOTATION = re.compile(
    r"<((?:\w+:)?(?:annotation|annotation-xml|tex-math|alt-text))\b[^<>]*>.*?</\1\s*>", re.I | re.S
)
_HAS_MATHML = re.compile(r"<(?:\w+:)?math\b", re.IGNORECASE)
_MATH_SPACE = re.compile(r"<(?:\w+:)?mspace\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_PREAMBLE = re.compile(r"\\documentclass.{0,2000}?\\begin\s*\{document\}(.{0,2000}?)\\end\s*\{document\}", re.S)
_TEX = re.compile(
    r"\$\$([^$]{1,400})\$\$|\$((?!\s)[^$]{0,200}?[\\_^{][^$]{0,200}?)\$|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]", re.S
)
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?[ ]?|\\([^A-Za-z])")
_FONTS = frozenset({
    "rm", "mathrm", "text", "textrm", "mathbf", "textbf", "bf", "it", "mathit", "textit", "hbox", "mbox", "mathsf",
    "mathcal", "boldsymbol", "bm", "operatorname", "left", "right", "big", "ensuremath", "textsubscript", "sf", "ce",
    "textsuperscript", "limits", "displaystyle", "textstyle", "scriptstyle", "bar", "hat", "tilde", "vec", "overline",
})  # fmt: skip
_SIGNS = {"times": "×", "cdot": "·", "pm": "±", "to": "→", "rightarrow": "→", "infty": "∞", "sim": "~", "circ": "°",
          "degree": "°", "approx": "≈",
          "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "%": "%", "&": "&", "#": "#"}  # fmt: skip
_BRACED = re.compile(r"\\(?:mathrm|text|textsubscript|textsuperscript|ce)\s*\{[^{}]{0,40}\}")
_LETTER = re.compile(
    r"\\(?:alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|varphi|"
    r"chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega)(?![A-Za-z])"
)
_SLASHED = re.compile(r"([/(\[{])su[bp]\s+([^/()\[\]{}\s][^/()\[\]{}]{0,20})[/)\]}]", re.IGNORECASE)
_INDEX = re.compile(r"(?<![a-z]{2})(?<=[A-Za-z)\]])[_^]\{?([\dxynδ][\d.xyn+\-−δ]{0,5})\}?(?![A-Za-z]{2})")
_SMALL_SIGNS = "₀₁₂₃₄₅₆₇₈₉₊₋"
_SMALL = str.maketrans(_SMALL_SIGNS, "0123456789+-")
_IS_INDEX = re.compile(r"[\d.+\-−–δxyn]{1,6}|[_^].*", re.S)

_ELEMENT = (
    "A[cglmrstu]|B[aehikr]?|C[adefmorsu]?|Dy|E[rsu]|F[erm]?|G[ade]|H[efgo]?|I[nr]?|Kr?|L[airu]|M[dgnot]|N[abdeiop]?|"
    "Os?|P[abdmortu]?|R[abehnu]|S[bceimnr]?|T[abcehilm]|U|V|W|Xe|Yb?|Z[nr]"
)
_COMMON = "CO|NO|SO|H|N|O|CH|NH|VO|WO|WS|UO|PO|CN|CF|BF|PF|NF|HO|HNO|SF|KNO|CS|WSe|BN"
_MAY_BE_APART = re.compile(r" [0-9](?:(?<=[BCFHIKNOPSUVWY] .)|(?<=[A-Z][a-z] .))")
_MAY_BE_CHAIN = re.compile(r" [0-9]{1,2} [A-Z]")
"""What every text with such a formula has: found at once, as each begins with a fixed sign."""
_CHAIN = re.compile(
    rf"(?<![\w-])(?:(?:{_ELEMENT}){{1,4}} [0-9]{{1,2}} ){{1,5}}(?:{_ELEMENT}){{1,4}}(?: \d{{1,2}})?(?![\w.%])"
)
_SINGLE = re.compile(
    rf"(?<![\w-])(?!CoV)(?:(?:{_COMMON}) [2-4]|(?=(?:[A-Z][a-z]?){{2,4}} )(?=[A-Z]*[a-z])(?:{_ELEMENT}){{2,4}}"
    r" (?:[2-9]|1[0-9]))(?![\w.,]?\d|%|\w)"
)
_HAS_BRACKETED = re.compile(r"\((?<=[A-Za-z]\()\d{1,2}\)")  # a fixed sign first: it is searched for at once
_BRACKETED = re.compile(rf"(?<!\w)(?:(?:{_ELEMENT})(?:\(\d{{1,2}}\))?){{1,8}}(?![\w(])")
_SEVERAL = re.compile(rf"(?=.*[a-z])(?:{_ELEMENT}).*(?:{_ELEMENT}).*")
_USUAL = frozenset((
    "CO(2)", "H(2)O", "H(2)", "H(2)O(2)", "H(2)S", "N(2)", "N(2)O", "NO(2)", "NO(3)", "SO(2)", "CH(4)", "NH(3)",
    "VO(2)", "WO(3)", "SF(6)", "CF(4)", "C(60)", "C(70)",
))  # fmt: skip


def plain_formulas(text: str) -> str:
    """Return a text with its marked-up formulas as plain text; entities must be resolved."""
    if "</" in text:
        text = _replaced(_MATH, text, lambda match: _of_mathml(match.group(0), match.group(2)))
    if "\\" in text or "$" in text:
        text = _replaced(_PREAMBLE, text, lambda match: _of_tex(match.group(1).replace("$", "")))
        text = _replaced(_TEX, text, lambda match: _of_tex(next(filter(None, match.groups()), "")))
        text = _BRACED.sub(lambda match: _of_tex(match.group(0)).lstrip("_"), text)
        text = _LETTER.sub(lambda match: _of_tex(match.group(0)), text)
    if "sub " in text or "sup " in text or "SUB " in text:
        text = _SLASHED.sub(r"\2", text)
    if "_" in text or "^" in text:
        text = _INDEX.sub(r"\1", text)
    is_small = not text.isascii() and any(sign in text for sign in _SMALL_SIGNS)
    return text.translate(_SMALL) if is_small else text


def joined_formulas(text: str) -> str:
    """Return a text with the numbers of chemical formulas joined to them: "Al 2 O 3" and "CO 2" are one word.

    A number is joined where it is between symbols of elements, or behind a formula that is common or holds
    several elements with small letters ("MoS 2"); elsewhere ("Part I 2", "HIV 1") it stays. PubMed's older records
    have brackets: "MoS(2)", but also the group "SU(2)".
    """
    if "(" in text and _HAS_BRACKETED.search(text):
        text = _BRACKETED.sub(_unbracketed, text)
    if not _MAY_BE_APART.search(text):
        return text
    if _MAY_BE_CHAIN.search(text):
        text = _without_spaces(_CHAIN, text)
    return _without_spaces(_SINGLE, text)


def _without_spaces(formula: re.Pattern[str], text: str) -> str:
    """Take the spaces out of every formula; each begins with the letters before a number, and is tried there alone."""
    pieces: list[str] = []
    end = 0
    for apart in _MAY_BE_APART.finditer(text):
        start = apart.start()
        while start > end and text[start - 1] in ascii_letters:
            start -= 1
        match = formula.match(text, start) if start >= end else None
        if match:
            pieces += text[end:start], match.group(0).replace(" ", "")
            end = match.end()
    return "".join((*pieces, text[end:]))


def _unbracketed(match: re.Match[str]) -> str:
    formula = match.group(0)
    is_formula = "(" in formula and (formula in _USUAL or _SEVERAL.fullmatch(formula))
    return formula.replace("(", "").replace(")", "") if is_formula else formula


def _replaced(pattern: re.Pattern[str], text: str, plain: Callable[[re.Match[str]], str]) -> str:
    """Replace every match, with a space where a formula would run into the word beside it."""
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        formula = plain(match)
        before, after = text[end : match.start()], text[match.end() : match.end() + 1]
        left = before[-1:] or (pieces[-1][-1:] if pieces else "")
        is_index = bool(_IS_INDEX.fullmatch(formula))
        shown = formula.lstrip("_^")
        pieces.append(before)
        if left.isalnum() and shown[:1].isalnum() and not is_index:
            pieces.append(" ")
        pieces.append(shown)
        if after.isalnum() and (shown[-1:].isalnum() or shown[-1:] == ")") and not (is_index and after.isupper()):
            pieces.append(" ")
        end = match.end()
    return "".join([*pieces, text[end:]])


def _of_mathml(whole: str, inner: str) -> str:
    inner = _ANNOTATION.sub("", inner) if _HAS_MATHML.search(whole) else _PREAMBLE.sub(r"\1", inner)
    inner = _MATH_SPACE.sub(" ", inner)
    plain = _TAG.sub("", re.sub(r">\s+<", "><", inner)).strip()
    return _of_tex(plain.replace("$", "")) if re.search(r"[\\$_^{]", plain) else plain


def _of_tex(text: str) -> str:
    plain = _COMMAND.sub(_of_command, text)
    is_index = plain.lstrip(" {").startswith(("_", "^"))
    plain = re.sub(r"[{}_^]", "", plain.replace("~", " ")).strip()
    return ("_" if is_index else "") + plain


def _of_command(match: re.Match[str]) -> str:
    name = match.group(1) or match.group(2)
    if name in _FONTS:
        return ""
    if name in _SIGNS:
        return _SIGNS[name]
    try:
        size = "CAPITAL" if name[0].isupper() else "SMALL"
        return unicodedata.lookup(f"GREEK {size} LETTER {name.removeprefix('var').upper()}")
    except KeyError:
        return " " if not name.isalpha() else f"{name} "
