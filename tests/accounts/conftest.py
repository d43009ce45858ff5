"""Fixtures about people."""

from contextlib import contextmanager

import pytest

from ordermgmt.accounts.services import invite_user
from ordermgmt.activity.services import work_off


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks):
    """`with on_commit():` lets the worker do at once what waits for the commit."""

    @contextmanager
    def capture():
        with django_capture_on_commit_callbacks(execute=True):
            yield
        work_off()

    return capture


@pytest.fixture
def invited(admin, on_commit):
    with on_commit():
        return invite_user(email="nora@example.com", name="Nora New", roles=["pm"], actor=admin)
