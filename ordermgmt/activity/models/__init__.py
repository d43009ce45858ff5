"""Models of what happened and who is told."""

from .comment import Comment
from .delivery import Delivery
from .event import Event
from .followup import FollowUp
from .heartbeat import Heartbeat
from .job import Job
from .notification import Notification, Preference
from .sent_form import SentForm
from .work import Work, WorkState

__all__ = [
    "Comment",
    "Delivery",
    "Event",
    "FollowUp",
    "Heartbeat",
    "Job",
    "Notification",
    "Preference",
    "SentForm",
    "Work",
    "WorkState",
]
