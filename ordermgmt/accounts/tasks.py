"""Mails with single-use links: the link is made when the mail is written, so that no event ever holds it."""

from ordermgmt.accounts.events import PASSWORD_RESET_ASKED, USER_INVITED
from ordermgmt.accounts.models import AccessLink, User
from ordermgmt.accounts.services import mail_link
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import subscriber


@subscriber(USER_INVITED, atomic=False)
def mail_invitation(event: Event) -> None:
    """The invited person's link, unless they are in or out meanwhile."""
    person = User.objects.people().filter(pk=event.subject_id or 0, joined_at=None).first()
    if person is not None:
        mail_link(person, AccessLink.Purpose.INVITE, key=f"invitation:{event.pk}")


@subscriber(PASSWORD_RESET_ASKED, atomic=False)
def mail_reset(event: Event) -> None:
    """The link for a new password."""
    person = User.objects.active().filter(pk=event.subject_id or 0).first()
    if person is not None:
        mail_link(person, AccessLink.Purpose.RESET, key=f"reset:{event.pk}")
