"""Mail for an installation without a mail server: each message becomes a file that can be opened."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Writes `<Message-ID>.eml` into EMAIL_FILE_PATH; the same message again replaces its file."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(str(settings.EMAIL_FILE_PATH))
        folder.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            message = mail.message()
            name = hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:40]
            temporary = folder / f".{name}.{os.getpid()}"
            temporary.write_bytes(message.as_bytes())
            temporary.replace(folder / f"{name}.eml")
        return len(email_messages)
