"""The same file names in every app, short files, and nothing that hides the order of things."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROOMS = {
    *("__init__", "models", "events", "roles", "services", "forms", "filters", "actions", "tasks", "pdf", "imports"),
    *("panels", "admin", "views", "urls", "apps", "migrations", "management", "templatetags", "locale", "static"),
}
#: The roof room has its own names (decision 0002); lib is the toolbox and has no models.
# documents/profiles: import profiles, which are data
OWN_NAMES = {
    "company": {"profiles"},
    "documents": {"profiles"},
    "operations": {"probes", "doctor", "supervisor", "backup"},
}
LONGEST = 400
ELSEWHERE = re.compile(r"""(?:src|href|action|content|url\()\s*=?\s*["'(]?\s*(?:https?:)?//(?!www\.w3\.org)""")


def _apps() -> list[tuple[str, Path]]:
    own = [(config.label, Path(config.path)) for config in apps.get_app_configs()]
    return [(label, path) for label, path in own if path.is_relative_to(ROOT) and ".venv" not in path.parts]


def _sources() -> Iterator[Path]:
    for folder in [*{path for _label, path in _apps()}, ROOT / "ordermgmt"]:
        yield from (path for path in folder.rglob("*.py") if "migrations" not in path.parts)


@pytest.mark.parametrize(("label", "path"), [app for app in _apps() if app[0] != "lib"])
def test_an_app_has_only_rooms_of_known_names(label: str, path: Path) -> None:
    found = {entry.stem for entry in path.iterdir() if entry.name != "__pycache__"}
    assert found - ROOMS - OWN_NAMES.get(label, set()) == set()


def test_no_file_is_called_after_nothing() -> None:
    assert [path for path in _sources() if path.stem in {"utils", "helpers", "common", "misc", "signals"}] == []


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in _sources()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_words_for_people_stand_inside_f_strings() -> None:
    """There the collector of the catalogues does not see them: they would stay English without anybody noticing."""
    marks = {"_", "_t", "gettext", "gettext_lazy", "ngettext", "pgettext"}
    for path in _sources():
        for text in (one for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.JoinedStr)):
            called = {
                one.func.id for one in ast.walk(text) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
            }
            literal = any(
                isinstance(one, ast.Call) and one.args and isinstance(one.args[0], ast.Constant)
                for one in ast.walk(text)
            )
            assert not (called & marks and literal), f"{path.relative_to(ROOT)}:{text.lineno}"


def test_nobody_listens_to_model_signals() -> None:
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            assert module not in ("django.db.models.signals", "django.dispatch"), path


def test_lib_has_no_models() -> None:
    assert list(apps.get_app_config("lib").get_models()) == []


def test_nothing_is_loaded_from_another_host() -> None:
    pages = [*(ROOT / "templates").rglob("*"), *(ROOT / "static").rglob("*")]
    pages = [path for path in pages if path.suffix in {".html", ".css", ".js", ".svg"} and "vendor" not in path.parts]
    assert pages
    assert [str(path) for path in pages if ELSEWHERE.search(path.read_text("utf-8"))] == []


def test_no_script_and_no_style_stands_in_a_page() -> None:
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|<style|\sstyle=\"|\son[a-z]+=\""
    )
    found = []
    for path in (ROOT / "templates").rglob("*.html"):
        if not {"pdf", "emails"} & set(path.parts):
            found += [f"{path.relative_to(ROOT)}: {m.group()}" for m in inline.finditer(path.read_text("utf-8"))]
    assert found == []
