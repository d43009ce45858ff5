"""Models of the people who use the application."""

from .access import AccessLink, RecoveryCode, Throttle, UserSession
from .saved_view import SavedView
from .team import Department, Team
from .user import RoleAssignment, User

__all__ = [
    "AccessLink",
    "Department",
    "RecoveryCode",
    "RoleAssignment",
    "SavedView",
    "Team",
    "Throttle",
    "User",
    "UserSession",
]
