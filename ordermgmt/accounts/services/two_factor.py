"""The second factor: codes from a telephone, and recovery codes for the day it is lost."""

import hashlib
import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from ordermgmt.accounts import events
from ordermgmt.accounts.models import RecoveryCode, User
from ordermgmt.activity.services import record

from .rights import locked, require

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread
_CODES = 10


def has_two_factor(user: User) -> bool:
    """Whether sign-in asks for a code."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def needs_two_factor(user: User) -> bool:
    """Whether one of the person's roles must have a second factor."""
    return bool(user.role_codes & set(settings.TWO_FACTOR_ROLES))


def needs_enrolment(user: User) -> bool:
    """Whether the person must set a second factor up before anything else."""
    return needs_two_factor(user) and not has_two_factor(user)


@transaction.atomic
def begin_totp(user: User) -> TOTPDevice:
    """The device that waits to be confirmed; the same one until it is, so that a reload shows the same picture.

    Raises ValidationError where two-factor sign-in is on already.
    """
    locked(user)
    if has_two_factor(user):
        raise ValidationError(_("Two-factor sign-in is on already."), code="enrolled")
    device, _made = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": "totp"})
    return device


@transaction.atomic
def confirm_totp(user: User, *, code: str) -> list[str]:
    """Switches two-factor sign-in on after the first right code. Returns the recovery codes, shown only now.

    Raises ValidationError for a wrong code or where nothing waits to be confirmed.
    """
    locked(user)
    device = TOTPDevice.objects.select_for_update(no_key=True).filter(user=user, confirmed=False).first()
    if device is None or has_two_factor(user):
        raise ValidationError(_("Start again: there is nothing to confirm."), code="nothing")
    # A wrong first code is a slip of its owner, not a guess: nothing is protected by it yet.
    device.throttling_failure_count = 0
    device.throttling_failure_timestamp = None
    if not device.verify_token(_digits(code)):
        raise ValidationError(_("This code is not right. Check that your telephone's clock is."), code="wrong")
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    record(events.TOTP_ENROLLED, user, actor=user)
    return _new_codes(user)


@transaction.atomic
def remove_totp(user: User, *, password: str) -> None:
    """Switches one's own two-factor sign-in off. Raises ValidationError for a wrong password or where a role needs it."""
    user = locked(user)
    if not user.check_password(password):
        raise ValidationError({"password": _("This is not your present password.")})
    if needs_two_factor(user):
        raise ValidationError(_("Your role needs two-factor sign-in."), code="needed")
    _remove(user, actor=user)


@transaction.atomic
def reset_two_factor(user: User, *, actor: User) -> None:
    """An administrator's help for a person who lost telephone and codes. Raises PermissionDenied."""
    require(actor, "accounts.manage_users")
    _remove(locked(user), actor=actor)


def _remove(user: User, *, actor: User) -> None:
    devices, _by_model = TOTPDevice.objects.filter(user=user).delete()
    user.recovery_codes.all().delete()
    if devices:
        record(events.TOTP_REMOVED, user, actor=actor)


@transaction.atomic
def make_recovery_codes(user: User, *, password: str) -> list[str]:
    """New recovery codes in place of all older ones. Raises ValidationError for a wrong password or without
    two-factor sign-in."""
    user = locked(user)
    if not user.check_password(password):
        raise ValidationError({"password": _("This is not your present password.")})
    if not has_two_factor(user):
        raise ValidationError(_("Switch two-factor sign-in on first."), code="off")
    return _new_codes(user)


def _new_codes(user: User) -> list[str]:
    codes = ["-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(_CODES)]
    user.recovery_codes.all().delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_digest=_digest(user, code)) for code in codes)
    record(events.RECOVERY_CODES_MADE, user, actor=user)
    return codes


@transaction.atomic
def check_code(user: User, code: str) -> bool:
    """Whether the code is the telephone's present one (never twice) or an unused recovery code, which it uses up."""
    device = TOTPDevice.objects.select_for_update(no_key=True).filter(user=user, confirmed=True).first()
    digits = _digits(code)
    if device is not None and len(digits) == device.digits and device.verify_token(digits):
        return True
    if RecoveryCode.objects.filter(user=user, code_digest=_digest(user, code), used_at=None).update(
        used_at=timezone.now()
    ):
        record(events.RECOVERY_CODE_USED, user, actor=user)
        return True
    return False


def _digits(code: str) -> str:
    bare = code.replace(" ", "")
    return bare if bare.isascii() and bare.isdigit() else ""


def _digest(user: User, code: str) -> str:
    """50 bits of chance and a person's own salt: a slow hash would add nothing."""
    plain = code.strip().lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(f"{user.pk}:{plain}".encode()).hexdigest()
