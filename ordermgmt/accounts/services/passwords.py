"""Passwords: rules, change, and a new one by a mailed link."""

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.accounts import events
from ordermgmt.accounts.models import AccessLink, User
from ordermgmt.activity.services import record

from .links import drop_links, use_link
from .rights import locked
from .sessions import end_all_sessions
from .throttling import block, seconds_to_wait

_BETWEEN_MAILS = 120  # seconds; nobody fills a colleague's letter box


class MaximumLengthValidator:
    """Refuses what is too long to be typed, and would only keep the hasher busy."""

    def __init__(self, max_length: int = 128) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(
                _("A password has at most %(max)d characters.") % {"max": self.max_length}, code="password_too_long"
            )

    def get_help_text(self) -> str:
        return _("A password has at most %(max)d characters.") % {"max": self.max_length}


class ContextValidator:
    """Refuses passwords that are little more than the name of the product or the company."""

    def validate(self, password: str, user: User | None = None) -> None:
        bare = "".join(character for character in password.lower() if character.isalpha())
        for word in settings.PASSWORD_CONTEXT_WORDS:
            plain = "".join(character for character in word.lower() if character.isalpha())
            if plain and plain in bare and len(bare) - len(plain) < settings.PASSWORD_CONTEXT_REST:
                raise ValidationError(
                    _("This password is too close to “%(word)s”, which anybody would try first.") % {"word": word},
                    code="password_context",
                )

    def get_help_text(self) -> str:
        return _("Your password can't be made from the name of this application or of the company.")


def check_password_rules(password: str, user: User) -> None:
    """Raises ValidationError with a sentence for each rule that the password breaks."""
    validate_password(password, user)


@transaction.atomic
def change_password(user: User, *, old: str, new: str, session_key: str = "") -> User:
    """A person's own new password. Every other session ends.

    Raises ValidationError with `old` or `new` where the old one is wrong or the new one breaks a rule.
    """
    user = locked(user)
    if not user.check_password(old):
        raise ValidationError({"old": _("This is not your present password.")})
    try:
        check_password_rules(new, user)
    except ValidationError as error:
        raise ValidationError({"new": error.messages}) from error
    user.set_password(new)
    user.save(update_fields=["password"])
    end_all_sessions(user, but=session_key)
    drop_links(user, AccessLink.Purpose.RESET)
    record(events.PASSWORD_CHANGED, user, actor=user)
    return user


@transaction.atomic
def ask_password_reset(email: str) -> None:
    """Has the worker mail a link, where the address belongs to somebody who may sign in; else does nothing.

    The caller's answer is the same in both cases.
    """
    user = User.objects.active().filter(email__iexact=email.strip()).first()
    if user is not None and not seconds_to_wait([key := f"reset:{user.pk}"]):
        block(key, seconds=_BETWEEN_MAILS)
        record(events.PASSWORD_RESET_ASKED, user, actor=None)


@transaction.atomic
def reset_password(link: AccessLink, *, password: str) -> User:
    """Uses the link: a new password, and every session ends. Raises ValidationError for a weak password or a link
    that was used meanwhile."""
    user = locked(link.user)
    check_password_rules(password, user)
    if not user.is_active or not use_link(link):
        raise ValidationError(_("This link has been used already."), code="used")
    user.set_password(password)
    user.save(update_fields=["password"])
    end_all_sessions(user)
    drop_links(user, AccessLink.Purpose.RESET)
    record(events.PASSWORD_RESET, user, actor=user)
    return user
