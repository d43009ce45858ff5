"""A framework's style sheet cut down to what our pages use: a first visit must not wait for rules that match nothing."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2

_WORD = re.compile(r"[A-Za-z][\w-]*")
#: A class whose end is filled in later: `alert-{% if …`, `bg-{0}-lt`, `state-${code}`.
_BEGINNING = re.compile(r"([A-Za-z][\w-]*-)(?=\$?\{)")
_NEGATED = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
#: Rules that hold rules.
_NESTING = ("media", "supports", "layer")
_CLASS = re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")


def class_words(paths: Iterable[Path]) -> tuple[set[str], tuple[str, ...]]:
    """Every word in the files that could name a class, and every beginning that code completes."""
    words: set[str] = set()
    beginnings: set[str] = set()
    for path in paths:
        text = path.read_text("utf-8")
        words.update(_WORD.findall(text))
        beginnings.update(_BEGINNING.findall(text))
    return words, tuple(sorted(beginnings))


def trim(css: str, words: set[str], beginnings: tuple[str, ...] = ()) -> str:
    """The style sheet without the selectors that name a class which stands nowhere."""

    def wanted(selector: str) -> bool:
        names = (name.replace("\\", "") for name in _CLASS.findall(_NEGATED.sub("", selector)))
        return all(name in words or name.startswith(beginnings) for name in names)

    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return "".join(_kept(rules, wanted))


def _kept(rules: Iterable[Any], wanted: Callable[[str], bool]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            if selectors := [one for one in _selectors(rule.prelude) if wanted(one)]:
                yield f"{','.join(selectors)}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in _NESTING and rule.content:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if text := "".join(_kept(inner, wanted)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{text}}}"
        elif rule.type == "at-rule":
            yield rule.serialize()


def _selectors(prelude: list[Any]) -> Iterator[str]:
    """The parts of a selector list; a comma inside brackets separates nothing."""
    part: list[Any] = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield tinycss2.serialize(part).strip()
            part = []
        else:
            part.append(token)
    yield tinycss2.serialize(part).strip()
