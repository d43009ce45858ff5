"""The settings under which the tests run: the application's own, on SQLite unless the environment names other services.

`TEST_DATABASE_URL` (PostgreSQL) and `TEST_REDIS_URL` switch the whole suite to those. Nothing else of the
surroundings counts, so that a test means the same on every machine.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# In memory where that is possible: a file, so that threads and a live server see the same database.
_VAR = tempfile.mkdtemp(prefix="ordermgmt-tests-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)  # noqa: S108
atexit.register(shutil.rmtree, _VAR, ignore_errors=True)
Path(_VAR, "static").mkdir()  # WhiteNoise warns of a folder that is not there
for _name in ("DEBUG", "DEMO", "READ_REPLICA_URL", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SITE_URL", "TIME_ZONE"):
    os.environ.pop(_name, None)
os.environ.update(
    SECRET_KEY="only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    VAR_DIR=_VAR,
    MEDIA_ROOT=str(Path(_VAR, "media")),
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{_VAR}/ordermgmt.sqlite3",
    REDIS_URL=os.environ.get("TEST_REDIS_URL", ""),
    ALLOWED_HOSTS="localhost,127.0.0.1,testserver",
)

from ordermgmt.settings import *  # noqa: E402, F403
from ordermgmt.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
NUDGE_WORKERS = False  # tests call `work_off()` where the worker would come in

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"{_VAR}/test.sqlite3"}
else:
    # Threads of a test hold connections of their own; a pool would keep the test database from being dropped.
    DATABASES["default"]["OPTIONS"].pop("pool", None)
    DATABASES["default"]["CONN_MAX_AGE"] = 0
