"""What can happen to people, teams and their access."""

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, register

USER_CREATED = register(EventType("accounts.user_created", _("created the user {name}"), icon="user-plus"))
USER_INVITED = register(EventType("accounts.user_invited", _("invited {name}"), icon="mail"))
INVITATION_ACCEPTED = register(EventType("accounts.invitation_accepted", _("accepted the invitation"), icon="check"))
ROLES_ASSIGNED = register(EventType("accounts.roles_assigned", _("changed the roles of {name}"), icon="shield"))
TEAM_ASSIGNED = register(EventType("accounts.team_assigned", _("changed the team of {name}"), icon="users"))
USER_DISABLED = register(EventType("accounts.user_disabled", _("disabled {name}"), icon="user-off"))
USER_ENABLED = register(EventType("accounts.user_enabled", _("enabled {name}"), icon="user-check"))
PROFILE_EDITED = register(EventType("accounts.profile_edited", _("changed the profile"), icon="user"))
PASSWORD_CHANGED = register(EventType("accounts.password_changed", _("changed the password"), icon="key"))
PASSWORD_RESET_ASKED = register(EventType("accounts.password_reset_asked", _("asked for a new password"), icon="key"))
PASSWORD_RESET = register(EventType("accounts.password_reset", _("set a new password by a mailed link"), icon="key"))
SIGNED_IN = register(EventType("accounts.signed_in", _("signed in from {address}"), icon="login"))
SIGN_IN_FAILED = register(EventType("accounts.sign_in_failed", _("failed to sign in from {address}"), icon="lock"))
SIGNED_OUT = register(EventType("accounts.signed_out", _("signed out"), icon="logout"))
SESSION_ENDED = register(EventType("accounts.session_ended", _("ended the session on {device}"), icon="logout"))
TOTP_ENROLLED = register(EventType("accounts.totp_enrolled", _("switched two-factor sign-in on"), icon="shield-lock"))
TOTP_REMOVED = register(EventType("accounts.totp_removed", _("switched two-factor sign-in off"), icon="shield-off"))
RECOVERY_CODES_MADE = register(EventType("accounts.recovery_codes_made", _("made new recovery codes"), icon="key"))
RECOVERY_CODE_USED = register(EventType("accounts.recovery_code_used", _("signed in with a recovery code"), icon="key"))
DEPARTMENT_SAVED = register(EventType("accounts.department_saved", _("saved the department {name}"), icon="building"))
TEAM_SAVED = register(EventType("accounts.team_saved", _("saved the team {name}"), icon="users"))
TEAM_REMOVED = register(EventType("accounts.team_removed", _("removed the team {name}"), icon="trash"))
