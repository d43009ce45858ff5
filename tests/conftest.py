"""What every test stands on: the cast, signed-in clients, a seeded database, and a closing word on what ran on what."""

import contextlib
import gc
import json
import os
import pkgutil
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client, TransactionTestCase
from django.utils import translation

import tests.factories
from tests import cast
from tests.databases import Template

ROOT = Path(__file__).resolve().parent.parent
_SKIPPED: Counter[str] = Counter()
_SEEDED: list[str] = []


# --- what there is to run on -----------------------------------------------------------------------------------


@cache
def chromium() -> str:
    """The path of a Chromium, "" where there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in names if name)
    return next((path for path in found if path), "")


@cache
def data_folder() -> Path | None:
    """The folder with the shared data sets: `TEST_DATA_DIR`, or `shared/data` beside or above the checkout."""
    given = os.environ.get("TEST_DATA_DIR")
    places = [Path(given)] if given else [parent / "shared" / "data" for parent in ROOT.parents]
    return next((place for place in places if place.is_dir()), None)


def whole_data() -> bool:
    """Whether the real sets are gone through row by row (`WHOLE_DATA=1`, for a night), not by a part of them."""
    return bool(os.environ.get("WHOLE_DATA"))


def expected(key: str) -> dict[str, Any]:
    """The figures of a shared data set, computed apart from this code."""
    folder = data_folder()
    assert folder is not None
    content: dict[str, Any] = json.loads((folder / "EXPECTED.json").read_text())
    return content[key]


def _no_data() -> str:
    """Why no shared data set is read here; "" where one is (decision 0034)."""
    if not data_folder():
        return "the shared data sets are not here (TEST_DATA_DIR)"
    if connection.vendor == "postgresql" and not whole_data():
        return "SQLite reads the shared data sets (WHOLE_DATA=1 reads them here too, and whole)"
    return ""


def _missing() -> dict[str, str]:
    """Markers that can't run here, with the reason."""
    reasons = {
        "postgres": "" if connection.vendor == "postgresql" else "TEST_DATABASE_URL names no PostgreSQL",
        "redis": "" if os.environ.get("TEST_REDIS_URL") else "TEST_REDIS_URL names no Redis",
        "browser": "" if chromium() else "there is no Chromium (apt install chromium)",
        "data": _no_data(),
    }
    return {marker: reason for marker, reason in reasons.items() if reason}


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop running beside the tests
    if not hasattr(config, "workerinput"):
        from ordermgmt.lib.catalogue import compile_all

        compile_all(only_stale=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = _missing()
    for item in items:
        for marker in item.iter_markers():
            if marker.name in missing:
                item.add_marker(pytest.mark.skip(reason=f"{marker.name}: {missing[marker.name]}"))
                break


def pytest_collection_finish() -> None:
    """What is loaded now stays: looking it through for garbage again and again costs a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and isinstance(report.longrepr, tuple):
        _SKIPPED[report.longrepr[2].removeprefix("Skipped: ")] += 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    database = f"{connection.vendor} ({settings.DATABASES['default'].get('HOST') or 'embedded'})"
    broker = "Redis" if os.environ.get("TEST_REDIS_URL") else "the embedded file broker"
    browser = chromium() or "no Chromium"
    terminalreporter.write_line(f"ran on: {database}, {broker}, {browser}")
    for reason, count in sorted(_SKIPPED.items()):
        terminalreporter.write_line(f"not run: {count} × {reason}")
    if not _SKIPPED:
        terminalreporter.write_line("nothing was left out")


# --- the database ----------------------------------------------------------------------------------------------


def seed() -> None:
    """Everything the tests may take for granted: the cast, then the `seed()` of each module in `tests/factories`.

    Runs once per database; what it makes is there in every test. It must bear being run again on a reused database.
    """
    cast.seed()
    order = ["company", "customers", "inventory", "orders", "fulfilment", "billing", "reports"]
    found = {module.name for module in pkgutil.iter_modules(tests.factories.__path__)}
    for name in sorted(found, key=lambda name: (order.index(name) if name in order else -1, name)):
        module = import_module(f"tests.factories.{name}")
        if hasattr(module, "seed"):
            module.seed()
    _forget_work()


def _forget_work() -> None:
    """What the seed set off is done by no worker of a test."""
    from ordermgmt.activity.models import Delivery, Job, Notification

    for model in (Delivery, Job):
        model.objects.unfinished().update(state="cancelled")
    Notification.objects.all().delete()


_MIGRATING = contextlib.ExitStack()


@pytest.fixture(scope="session")
def database_template(request: Any, django_db_modify_db_settings: None) -> Template:
    return Template(request.config.cache.mkdir("databases"), connection.creation._get_test_db_name())


@pytest.fixture(scope="session")
def django_db_keepdb(database_template: Template, django_db_blocker: Any) -> Iterator[bool]:
    """Whether the test database is there already, copied from a template.

    Where that is new, this process makes it; the others wait until `django_db_setup` gives the lock back.
    """
    _MIGRATING.enter_context(database_template.taken())
    with django_db_blocker.unblock():
        copied = database_template.copy()
        if not database_template.is_new:
            _MIGRATING.close()
    yield copied
    if copied:
        with django_db_blocker.unblock():
            database_template.drop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, database_template: Template) -> None:
    """The test database with the seed in it; tests that really commit get it back afterwards."""
    with django_db_blocker.unblock():
        if database_template.is_new:
            database_template.save()
        _MIGRATING.close()
        seed()
        rows = json.loads(connection.creation.serialize_db_to_string())
        # Django makes these two anew after every flush, under new keys.
        rows = [row for row in rows if row["model"] not in ("contenttypes.contenttype", "auth.permission")]
        _SEEDED.append(json.dumps(rows))


@pytest.fixture
def another_database(
    django_db_setup: None, django_db_blocker: Any, database_template: Template, tmp_path: Path
) -> Iterator[Callable[[], str]]:
    """`another_database()` is the address of a new database, migrated and empty, for processes of a test's own."""
    made = []

    def make() -> str:
        name = f"more{len(made)}.sqlite3" if database_template.sqlite else f"ordermgmt_more{len(made)}_{tmp_path.name}"
        made.append(str(tmp_path / name) if database_template.sqlite else name.lower())
        with django_db_blocker.unblock():
            return database_template.another(made[-1])

    yield make
    with django_db_blocker.unblock():
        for name in made:
            database_template.drop(name)


_plain_teardown = TransactionTestCase._fixture_teardown


def _teardown_with_seed(case: TransactionTestCase) -> None:
    """Empties the tables past the append-only triggers (SQLite can't truncate), then puts the seed back."""
    triggers: list[tuple[str, str]] = []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _sql in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
        try:
            _plain_teardown(case)
        finally:
            for _name, sql in triggers:
                cursor.execute(sql)
    # Kept here and not on the connection: beside a browser's event loop the connection is another object.
    connection.creation.deserialize_db_from_string(_SEEDED[-1])


TransactionTestCase._fixture_teardown = _teardown_with_seed


@pytest.fixture(autouse=True)
def _language() -> None:
    """Each test begins in the default language: a request leaves that of its person on the thread."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    """Each test has a media folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def media() -> Path:
    """The media folder of this test."""
    return Path(default_storage.location)


# --- the cast --------------------------------------------------------------------------------------------------


def _person(key: str) -> Any:
    @pytest.fixture(name=key)
    def person(db: None) -> Any:
        from ordermgmt.accounts.models import User

        return User.objects.select_related("team").get(email=f"{key}@example.com")

    return person


sales = _person("sales")
sales2 = _person("sales2")  # another team, another department
sales_manager = _person("sales_manager")
pm = _person("pm")
pm2 = _person("pm2")
warehouse = _person("warehouse")
warehouse2 = _person("warehouse2")
consultant = _person("consultant")
consultant2 = _person("consultant2")
finance = _person("finance")
finance2 = _person("finance2")
finance_manager = _person("finance_manager")
manager = _person("manager")
admin = _person("admin")


@pytest.fixture
def client_of() -> Callable[[Any], Client]:
    """`client_of(user)`: a browser without JavaScript in which that person is signed in."""

    def sign_in(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
        return client

    return sign_in


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """`with on_commit():` runs what waits for the commit when the block ends, as a real commit would."""

    def capture() -> Any:
        return django_capture_on_commit_callbacks(execute=True)

    return capture
