"""What stands around signing in: sessions, single-use links, recovery codes, attempts."""

import uuid
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .user import User


class UserSessionQuerySet(models.QuerySet["UserSession"]):
    """Reads over sessions."""

    def visible_to(self, user: User) -> Self:
        """Everybody sees their own sessions and nobody else's."""
        return self.filter(user=user)

    def open(self) -> Self:
        """Sessions that were not ended; one that idled out is ended when it is next used."""
        return self.filter(ended_at=None)


class UserSession(models.Model):
    """One signed-in device of a person."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    device = models.CharField(_("device"), max_length=200, blank=True)
    started_at = models.DateTimeField(_("signed in"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = UserSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_at"]
        indexes = [models.Index(fields=["user", "-seen_at"], name="session_by_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.device}"


class AccessLink(models.Model):
    """A mailed link that lets its reader choose a password, once and for a short time. Only its digest is kept."""

    class Purpose(models.TextChoices):
        INVITE = "invite", _("Invitation")
        RESET = "reset", _("New password")

    user = models.ForeignKey(User, models.CASCADE, related_name="access_links")
    purpose = models.CharField(max_length=10, choices=Purpose)
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "purpose"], name="access_link_by_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.purpose}"


class RecoveryCode(models.Model):
    """A code for the day the telephone is lost: hashed, good for one sign-in."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    code_digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_digest"], name="recovery_code_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {'used' if self.used_at else 'open'}"


class Throttle(models.Model):
    """Failed sign-ins under one key (an account, an address, a known device), and until when it must wait; also the
    heavy work of a person within one minute."""

    key = models.CharField(max_length=80, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_failure_at = models.DateTimeField(default=timezone.now)
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["last_failure_at"], name="throttle_by_age")]

    def __str__(self) -> str:
        return f"{self.key} {self.failures}"
