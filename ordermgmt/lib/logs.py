"""Logging: one line of JSON per event, in UTC, with the id of the request or task that it belongs to."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/healthz", "/readyz", "/static/")
_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "csrf")

logger = structlog.get_logger("ordermgmt.request")


def _without_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "…"
    return event


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _without_secrets,
    ]


def _calm(level: str) -> str:
    return "WARNING" if level == "INFO" else level


def configuration(level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error at `level`, as "json" or readable ("console")."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
        if style == "json"
        else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "house": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _shared(),
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "house"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
            # Each job says in its own row how it went; the schedule alone would fill a line every few seconds.
            **{name: {"level": _calm(level)} for name in ("celery", "kombu")},
            # WeasyPrint and fontTools tell about every glyph.
            "fontTools": {"level": "ERROR"},
            "weasyprint": {"level": "ERROR"},
        },
    }


_TOKEN = re.compile(r"/[\w-]{40,}/")  # a mailed link works once; until then nobody learns it from a log


class RequestIdMiddleware:
    """Gives every request an id (the proxy's, if it sent a sane one), logs it, and hands it back in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        request.id = request_id  # type: ignore[attr-defined]
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if not request.path.startswith(_QUIET):
                level = logging.ERROR if response.status_code >= 500 else logging.INFO
                logger.log(
                    level,
                    "request",
                    method=request.method,
                    path=_TOKEN.sub("/…/", request.path),
                    status=response.status_code,
                    milliseconds=round((time.monotonic() - started) * 1000, 1),
                    user=getattr(getattr(request, "user", None), "pk", None),
                )
        response["X-Request-ID"] = request_id
        return response
