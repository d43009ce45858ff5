"""Verbs of activity."""

from ordermgmt.activity.models.roots import (
    Root,
    all_roots,
    find_root,
    may_see,
    register_root,
    root_for,
    root_link,
    root_of_type,
    visible_root,
)

from .commenting import add_comment, remove_comment
from .following import create_followup, finish_followup, remind_due, reopen_followup
from .heartbeats import heartbeat, is_alive, last_heartbeat
from .jobs import Cancelled, ClaimLost, Rejected, cancel_job, enqueue, job_handler, retry_job
from .mailing import message_id, send_mail_effect
from .notifying import mark_read, notify, optional_types, set_preferences
from .recording import Origin, origin, record, record_all, snapshot, type_of
from .sending import note_sent, sent_before
from .showing import Timeline, differences, hidden_types, timeline_of
from .subscribing import subscriber
from .working import deliver, retry_delivery, run_job, sweep, work_off

__all__ = [
    "Cancelled",
    "ClaimLost",
    "Origin",
    "Rejected",
    "Root",
    "Timeline",
    "add_comment",
    "all_roots",
    "cancel_job",
    "create_followup",
    "deliver",
    "differences",
    "enqueue",
    "find_root",
    "finish_followup",
    "heartbeat",
    "hidden_types",
    "is_alive",
    "job_handler",
    "last_heartbeat",
    "mark_read",
    "may_see",
    "message_id",
    "note_sent",
    "notify",
    "optional_types",
    "origin",
    "record",
    "record_all",
    "register_root",
    "remind_due",
    "remove_comment",
    "reopen_followup",
    "retry_delivery",
    "retry_job",
    "root_for",
    "root_link",
    "root_of_type",
    "run_job",
    "send_mail_effect",
    "sent_before",
    "set_preferences",
    "snapshot",
    "subscriber",
    "sweep",
    "timeline_of",
    "type_of",
    "visible_root",
    "work_off",
]
