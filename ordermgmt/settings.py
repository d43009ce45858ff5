"""All settings, in one file, from the environment. `docs/operations.md` documents every variable (held by a test)."""

import os
import secrets
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from ordermgmt.accounts.roles import Role
from ordermgmt.lib.environment import Environment
from ordermgmt.lib.logs import configuration

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- what kind of place this is --------------------------------------------------------------------------------

VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var")
DEBUG = env.flag("DEBUG")
DEMO = env.flag("DEMO")
PORT = env.number("PORT", 8000, 1, 65535)
SITE_URL = env.web_address("SITE_URL", f"http://localhost:{PORT}")
ALLOWED_HOSTS = env.names_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", [SITE_URL] if SITE_URL.startswith("https://") else [])
REDIS_URL = env.redis("REDIS_URL")
# Without a database server and Redis everything runs on this one machine, on files below VAR_DIR.
EMBEDDED = not REDIS_URL


def _secret_key() -> str:
    """The key from the environment; on an embedded machine one that was made at the first start and is kept."""
    key = env.secret("SECRET_KEY")
    if key:
        if len(key) < 50 or len(set(key)) < 5:
            raise ImproperlyConfigured("SECRET_KEY must have at least 50 different-looking characters.")
        return key
    if not (EMBEDDED or DEBUG or DEMO):
        raise ImproperlyConfigured("SECRET_KEY must be set: 50 random characters or more, and keep it.")
    file = VAR_DIR / "secret_key"
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return file.read_text().strip()


SECRET_KEY = _secret_key()

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_fsm",
    "django_filters",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "ordermgmt.lib",
    "ordermgmt.accounts",
    "ordermgmt.company",
    "ordermgmt.activity",
    "ordermgmt.documents",
    "customers",
    "inventory",
    "orders",
    "fulfilment",
    "billing",
    "changes",
    "reports",
    "ordermgmt.operations",
    "demo",
]

MIDDLEWARE = [
    "ordermgmt.lib.logs.RequestIdMiddleware",
    "ordermgmt.activity.views.origin.origin_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "ordermgmt.lib.middleware.readable",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ordermgmt.accounts.views.middleware.SessionLimits",
    "ordermgmt.accounts.views.middleware.PrivatePages",
    "ordermgmt.accounts.views.middleware.Denials",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "ordermgmt.lib.middleware.reader",
    "ordermgmt.accounts.views.middleware.SecondFactorRequired",
    "ordermgmt.accounts.views.middleware.HeavyWork",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "ordermgmt.urls"
WSGI_APPLICATION = "ordermgmt.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "ordermgmt.navigation.navigation",
                "ordermgmt.activity.views.notifications.bell",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]

# --- databases -------------------------------------------------------------------------------------------------


_POOL_SIZE = env.number("DATABASE_POOL_SIZE", 10, 2, 200)


def _database(name: str, default: str = "") -> dict[str, Any]:
    database = env.database(name, default)
    if database.get("ENGINE", "").endswith("sqlite3"):
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        database["ENGINE"] = "ordermgmt.lib.sqlite3"
        database["OPTIONS"] = {
            # 8 writers on the defaults met hundreds of "database is locked"; IMMEDIATE met none.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        }
    elif database:
        database["OPTIONS"] = {
            **database.get("OPTIONS", {}),
            "pool": {"min_size": 1, "max_size": _POOL_SIZE, "timeout": 10},
            "connect_timeout": 5,
        }
    return database


DATABASES = {"default": _database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'ordermgmt.sqlite3'}")}
if _replica := _database("READ_REPLICA_URL"):
    DATABASES["replica"] = {**_replica, "TEST": {"MIRROR": "default"}}
    DATABASE_ROUTERS = ["ordermgmt.lib.routers.ReportRouter"]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"

# --- signing in -------------------------------------------------------------------------------------------------
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
#: Names that a password must not be made of: the product's, and the company's own.
PASSWORD_CONTEXT_WORDS = ["ordermgmt", "order management", "password", *env.names_list("PASSWORD_CONTEXT_WORDS")]
PASSWORD_CONTEXT_REST = 6  # letters that a password needs beside such a name
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": env.number("PASSWORD_MIN_LENGTH", 12, 8, 64)},
    },
    {"NAME": "ordermgmt.accounts.services.passwords.MaximumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "ordermgmt.accounts.services.passwords.ContextValidator"},
]
TWO_FACTOR_ROLES = env.names_list("TWO_FACTOR_ROLES")
if _unknown := set(TWO_FACTOR_ROLES) - set(Role):
    raise ImproperlyConfigured(f"TWO_FACTOR_ROLES names no role: {', '.join(sorted(_unknown))}.")
OTP_TOTP_ISSUER = "ordermgmt"
SIGN_IN_TRIES = env.number("SIGN_IN_TRIES", 5, 1, 100)
SIGN_IN_TRIES_PER_ADDRESS = env.number("SIGN_IN_TRIES_PER_ADDRESS", 50, 1, 10000)
HEAVY_PER_MINUTE = env.number("HEAVY_PER_MINUTE", 60, 1, 10000)
SIGN_IN_WAIT_SECONDS = env.number("SIGN_IN_WAIT_SECONDS", 30, 1, 3600)
SIGN_IN_LONGEST_WAIT_SECONDS = env.number("SIGN_IN_LONGEST_WAIT_SECONDS", 900, 1, 86400)
INVITATION_HOURS = env.number("INVITATION_HOURS", 72, 1, 720)
PASSWORD_RESET_MINUTES = env.number("PASSWORD_RESET_MINUTES", 30, 5, 1440)
SESSION_IDLE_SECONDS = 60 * env.number("SESSION_IDLE_MINUTES", 30, 1, 1440)
SESSION_ABSOLUTE_SECONDS = 3600 * env.number("SESSION_HOURS", 12, 1, 168)
DEVICE_COOKIE_DAYS = 180
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, 0, 5)

# --- cookies and headers: behind TLS where the site's own address says so -----------------------------------------
_TLS = SITE_URL.startswith("https://")
_COOKIE = "__Host-" if _TLS else ""
SESSION_COOKIE_NAME = f"{_COOKIE}session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _TLS
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_COOKIE}csrf"
LANGUAGE_COOKIE_NAME = f"{_COOKIE}language"
DEVICE_COOKIE_NAME = f"{_COOKIE}device"
CSRF_FAILURE_VIEW = "ordermgmt.accounts.views.signing_in.csrf_failure"
SECURE_SSL_REDIRECT = _TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by the machine itself, without TLS
SECURE_HSTS_SECONDS = 31536000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "ordermgmt.lib.formats"
FILTERS_EMPTY_CHOICE_LABEL = "–"  # of django-filter; forms: the tag `field`
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "ordermgmt" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")

# --- files -----------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.folder("STATIC_ROOT", VAR_DIR / "static")
MEDIA_ROOT = env.folder("MEDIA_ROOT", VAR_DIR / "media")
UPLOAD_LIMIT_MB = env.number("UPLOAD_LIMIT_MB", 20, 1, 500)
# Three fields for each of the 20,000 lines that an order may have, and what stands below them. Django's 1,000 refused to
# ship and receive long orders. Memory stays bounded by DATA_UPLOAD_MAX_MEMORY_SIZE, which counts names and values alike.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3 * 20_000 + 1_000
# Django's 2.5 MB refused an order of 20,000 lines by its names alone; above this a sentence says what to do.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# Hashed names once the set-up has collected the files; until then they are served from where they are.
_collected = not DEBUG and (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_USE_FINDERS = not _collected
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- the worker ------------------------------------------------------------------------------------------------

CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True  # state, progress and result live in job rows
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_DEFAULT_QUEUE = "default"
# The nameless exchange routes by the queue's name and keeps no table of its own.
# `upkeep` is what keeps the others going, so it never waits behind them.
WORK_QUEUES = ("upkeep", "default", "pdf", "reports", "import")
CELERY_TASK_QUEUES = [Queue(name, Exchange("", type="direct"), routing_key=name) for name in WORK_QUEUES]
CELERY_TASK_DEFAULT_EXCHANGE = ""
CELERY_TASK_DEFAULT_ROUTING_KEY = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
BROKER_DIR = VAR_DIR / "broker"
if EMBEDDED:
    for _part in ("messages", "control"):
        (BROKER_DIR / _part).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "filebroker://localhost"
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
else:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # A page never waits for a hung broker: the nudge gives up, the sweep delivers.
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "retry_on_timeout": True,
        "health_check_interval": 30,
        "visibility_timeout": 3600,
        "unacked_restore_throttle": 1,
    }
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    name: {"task": f"activity.{name}", "schedule": seconds, "options": {"expires": seconds * 3, "queue": queue}}
    for name, seconds, queue in (("heartbeat", 10, "upkeep"), ("sweep", 10, "upkeep"), ("remind", 900, "default"))
}
CELERY_BEAT_SCHEDULE["deem"] = {"task": "fulfilment.deem", "schedule": 3600, "options": {"expires": 3600}}
CELERY_BEAT_SCHEDULE["materials"] = {
    "task": "fulfilment.materials",
    "schedule": crontab(hour=2, minute=15),
    "options": {"expires": 6 * 3600},
}
CELERY_BEAT_SCHEDULE["reminders"] = {
    "task": "billing.reminders",
    "schedule": crontab(hour=3, minute=0),
    "options": {"expires": 6 * 3600},
}
CELERY_BEAT_SCHEDULE["changes"] = {"task": "changes.remind", "schedule": 3600, "options": {"expires": 3600}}
CELERY_BEAT_SCHEDULE["feedback"] = {"task": "fulfilment.feedback", "schedule": 3600, "options": {"expires": 3600}}
CELERY_BEAT_SCHEDULE["risks"] = {"task": "fulfilment.risks", "schedule": 3600, "options": {"expires": 3600}}
CELERY_BEAT_SCHEDULE["reports"] = {"task": "reports.subscriptions", "schedule": 900, "options": {"expires": 2700}}
CELERY_BEAT_SCHEDULE["sums"] = {"task": "reports.sums", "schedule": 60, "options": {"expires": 180}}
CELERY_BEAT_SCHEDULE["dashboards"] = {
    "task": "reports.dashboards",
    "schedule": 900,
    "options": {"expires": 900, "queue": "reports"},
}
CELERY_BEAT_SCHEDULE["check_sums"] = {
    "task": "reports.check_sums",
    "schedule": crontab(hour=3, minute=30),
    "options": {"expires": 6 * 3600},
}
# Whether pages tell workers of new work at once, for how long a worker holds a row without a sign of life, and after
# how many seconds the sweep looks for work of which no worker was told.
NUDGE_WORKERS = env.flag("NUDGE_WORKERS", True)
CLAIM_SECONDS = env.number("CLAIM_SECONDS", 60, 1, 3600)
SWEEP_AFTER_SECONDS = env.number("SWEEP_AFTER_SECONDS", 20, 1, 3600)

# --- mail, logs ------------------------------------------------------------------------------------------------

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", 587, 1, 65535)
EMAIL_HOST_USER = env.text("EMAIL_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_PASSWORD")
_mail_security = env.choice("EMAIL_SECURITY", "starttls", ["starttls", "tls", "none"])
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail_security == "starttls", _mail_security == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", "orders@localhost")
# Without a mail server, mails become files that can be looked at.
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "ordermgmt.lib.mailfiles.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOGGING = configuration(LOG_LEVEL, env.choice("LOG_FORMAT", "json", ["json", "console"]))

# --- business --------------------------------------------------------------------------------------------------

# A line discount above this many percent needs an approval.
DISCOUNT_LIMIT_PERCENT = env.decimal("DISCOUNT_LIMIT_PERCENT", "15", 0, 100)

# Everything a page needs comes from us; nothing inline, nothing framed.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
