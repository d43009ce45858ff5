"""Mail: rendered in the reader's language, with a Message-ID that follows from what it is about."""

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation


def message_id(key: str) -> str:
    """The Message-ID of the mail called `key`: the same key gives the same id, so that a mail sent twice after a
    crash is one mail to whoever receives it."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{host}>"


def send_mail_effect(
    *,
    key: str,
    to: str,
    language: str,
    template: str,
    context: dict[str, Any],
    attachments: Sequence[tuple[str, bytes, str]] = (),
) -> None:
    """Sends one mail now: call it from a `@subscriber(…, atomic=False)` or a job, never from a page.

    `key` names the mail for ever (e.g. "invite:17"). The files `emails/<template>.subject.txt`, `.txt` and `.html`
    are rendered in `language` with `context` and `site_url`, the configured address: never the request's host.
    `attachments` are (file name, content, media type). Raises what the mail server raises; the delivery is then tried again.
    """
    with translation.override(language):
        values = {"site_url": settings.SITE_URL.rstrip("/"), "language": language, **context}
        subject = " ".join(render_to_string(f"emails/{template}.subject.txt", values).split())
        mail = EmailMultiAlternatives(
            subject,
            render_to_string(f"emails/{template}.txt", values),
            to=[to],
            headers={"Message-ID": message_id(key)},
        )
        mail.attach_alternative(render_to_string(f"emails/{template}.html", values), "text/html")
    for name, content, media_type in attachments:
        mail.attach(name, content, media_type)
    mail.send()
