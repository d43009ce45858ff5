"""What is registered fits together: events speak, permissions exist, actions lead to services, migrations are complete."""

import importlib
import re
import string
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from ordermgmt.accounts.roles import PERMISSIONS
from ordermgmt.activity.events import EventType, all_types
from ordermgmt.lib.actions import Action, ActionSet

ROOT = Path(settings.BASE_DIR)
USED = re.compile(
    r"""(?:has_perm\(|permission=|permission_required\s*=\s*|permission\s*=\s*|permissions?\s*:\s*str\s*=\s*)"""
    r"""\(?["']([a-z_]+\.[a-z_]+)["']|\bperms\.([a-z_]+\.[a-z_]+)"""
)


def _own_labels() -> list[str]:
    return [config.label for config in apps.get_app_configs() if Path(config.path).is_relative_to(ROOT)]


def _sources() -> list[Path]:
    folders = [Path(config.path) for config in apps.get_app_configs() if config.label in _own_labels()]
    found = [path for folder in folders for path in folder.rglob("*.py") if "migrations" not in path.parts]
    return [*found, *(ROOT / "ordermgmt").glob("*.py"), *(ROOT / "templates").rglob("*.html")]


@pytest.mark.parametrize(
    "event_type",
    [one for one in all_types() if not one.name.startswith("tests.")],
    ids=lambda event_type: event_type.name,
)
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_event_speaks_both_languages(event_type: EventType, language: str) -> None:
    with translation.override("en"):
        english = str(event_type.message)
    with translation.override(language):
        sentence = str(event_type.message)
    places = {place for _, place, _, _ in string.Formatter().parse(sentence) if place}
    assert places == {place for _, place, _, _ in string.Formatter().parse(english) if place}
    assert sentence.format(**dict.fromkeys(places, "7"))
    if language != "en":
        assert sentence != english
    app, _, what = event_type.name.partition(".")
    assert app in _own_labels()
    assert what.isidentifier()


def test_every_permission_that_code_asks_for_is_in_the_table() -> None:
    unknown = {}
    for path in _sources():
        for match in USED.finditer(path.read_text("utf-8")):
            name = match.group(1) or match.group(2)
            if name not in PERMISSIONS:
                unknown[name] = str(path.relative_to(ROOT))
    assert unknown == {}


def test_every_permission_of_the_table_is_asked_for() -> None:
    text = "\n".join(path.read_text("utf-8") for path in _sources() if path.name != "roles.py")
    assert [name for name in PERMISSIONS if name not in text] == []


def test_every_permission_names_an_app() -> None:
    assert {name.partition(".")[0] for name in PERMISSIONS} - set(_own_labels()) == set()


def _actions() -> list[Action]:
    found: dict[int, Action] = {}
    for config in apps.get_app_configs():
        rooms = [Path(config.path) / name for name in ("actions.py", "actions/__init__.py")]
        if any(room.exists() for room in rooms) and config.label in _own_labels() and config.label != "lib":
            for value in vars(importlib.import_module(f"{config.name}.actions")).values():
                if isinstance(value, ActionSet):
                    found |= {id(action): action for action in value}
    return list(found.values())


@pytest.mark.parametrize("action", _actions(), ids=lambda action: f"{action.perform.__module__}-{action.name}")
def test_every_action_is_performed_by_a_service(action: Action) -> None:
    module = action.perform.__module__
    room = module.split(".")
    # Directly a service, or a few lines beside the action that call one.
    assert "services" in room or "actions" in room, module
    if "actions" in room:
        called = [getattr(value, "__module__", "") or "" for value in vars(importlib.import_module(module)).values()]
        has_services = "services" in vars(importlib.import_module(module))
        assert has_services or any(".services." in name for name in called), f"{module} calls no service"
    assert action.transition or action.permission, f"{action.name} asks for no right"
    assert str(action.label)


@pytest.mark.parametrize("action", _actions(), ids=lambda action: f"{action.perform.__module__}-{action.name}")
def test_every_action_says_in_its_own_words_what_was_done(action: Action) -> None:
    if callable(action.done):
        return  # it depends on the result: the verb's own test reads it
    with translation.override("en"):
        english = str(action.done)
    assert english.endswith((".", "”.")), f"{action.name} says nothing"
    with translation.override("zh-hans"):
        assert str(action.done) != english


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_are_a_line(db: None) -> None:
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    leaves = [node for label in _own_labels() for node in loader.graph.leaf_nodes(label)]
    assert len(leaves) == len({label for label, _name in leaves})
