"""Verbs of people and their access."""

from .demo import DEMO_DOMAIN, DEMO_PASSWORD, demo_logins
from .departments import remove_team, save_department, save_team
from .disabling import disable_user, enable_user
from .granting import assign_roles, assign_team
from .inviting import accept_invitation, invite_again, invite_user
from .links import find_link, make_link
from .mailing import mail_link
from .passwords import ask_password_reset, change_password, reset_password
from .people import create_user, system_user, users_with_role
from .profile import edit_profile
from .rights import require
from .saved_views import remove_view, save_view
from .sessions import begin_session, close_session, end_other_sessions, end_session, touch_session
from .signing_in import MustWait, check_password, note_failure, note_sign_in, note_sign_out, record_denial
from .throttling import count_failure, device_cookie, keys_for, may_go_on, seconds_to_wait
from .two_factor import (
    begin_totp,
    check_code,
    confirm_totp,
    has_two_factor,
    make_recovery_codes,
    needs_enrolment,
    needs_two_factor,
    remove_totp,
    reset_two_factor,
)

__all__ = [
    "DEMO_DOMAIN",
    "DEMO_PASSWORD",
    "MustWait",
    "accept_invitation",
    "ask_password_reset",
    "assign_roles",
    "assign_team",
    "begin_session",
    "begin_totp",
    "change_password",
    "check_code",
    "check_password",
    "close_session",
    "confirm_totp",
    "count_failure",
    "create_user",
    "demo_logins",
    "device_cookie",
    "disable_user",
    "edit_profile",
    "enable_user",
    "end_other_sessions",
    "end_session",
    "find_link",
    "has_two_factor",
    "invite_again",
    "invite_user",
    "keys_for",
    "mail_link",
    "make_link",
    "make_recovery_codes",
    "may_go_on",
    "needs_enrolment",
    "needs_two_factor",
    "note_failure",
    "note_sign_in",
    "note_sign_out",
    "record_denial",
    "remove_team",
    "remove_totp",
    "remove_view",
    "require",
    "reset_password",
    "reset_two_factor",
    "save_department",
    "save_team",
    "save_view",
    "seconds_to_wait",
    "system_user",
    "touch_session",
    "users_with_role",
]
