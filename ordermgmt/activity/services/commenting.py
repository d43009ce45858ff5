"""Comments on root objects, with @mentions of people who may see them."""

import re
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ordermgmt.activity import events
from ordermgmt.activity.models import Comment
from ordermgmt.activity.models.roots import find_root, may_see

from .recording import record, type_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

COMMENT_LIMIT = 5000


def named_people(text: str) -> list["User"]:
    """The active people whose full name or e-mail address stands behind an @ in the text, longest name first."""
    after = [match.end() for match in re.finditer("@", text)]
    if not after:
        return []
    starts = [text[place : place + 200].casefold() for place in after]
    found = []
    for person in get_user_model().objects.active():  # the people of one company
        names = (person.name.casefold(), person.email.casefold())
        if any(start.startswith(names) and _ends(start, names) for start in starts):
            found.append(person)
    return found


def _ends(start: str, names: tuple[str, ...]) -> bool:
    """“@Ann” is not meant by “@Anna”; Chinese names need no space behind them."""
    rests = [start[len(name) :] for name in names if start.startswith(name)]
    return any(not rest or not (rest[0].isascii() and rest[0].isalnum()) for rest in rests)


@transaction.atomic
def add_comment(root: models.Model, *, text: str, actor: "User") -> Comment:
    """Writes a comment on an object and tells whoever is mentioned and the object's people.

    Raises PermissionDenied where `actor` may not see the object, ValidationError for an empty or overlong text and
    for a mention of somebody who may not see it (nothing is written: the writer shall know).
    """
    if not may_see(actor, type_of(root), root.pk):
        raise PermissionDenied
    text = text.replace("\x00", "").strip()
    if not text or len(text) > COMMENT_LIMIT:
        raise ValidationError(_("A comment has 1 to %(limit)s characters."), params={"limit": COMMENT_LIMIT})
    people = named_people(text)
    blind = [person.name for person in people if not may_see(person, type_of(root), root.pk)]
    if blind:
        raise ValidationError(
            _("%(names)s may not see this and would not be told. Take the mention out."),
            params={"names": ", ".join(blind)},
        )
    comment = Comment.objects.create(root_type=type_of(root), root_id=root.pk, author=actor, text=text)
    comment.mentioned.set(people)
    record(events.COMMENTED, comment, root=root, actor=actor)
    return comment


@transaction.atomic
def remove_comment(comment: Comment, *, actor: "User") -> Comment:
    """Takes one's own comment back: its text is gone, that it was there stays. A second time changes nothing.

    Raises PermissionDenied for somebody else's comment.
    """
    comment = Comment.objects.select_for_update(no_key=True).get(pk=comment.pk)
    if comment.author_id != actor.pk:
        raise PermissionDenied
    if comment.removed_at is None:
        comment.text, comment.removed_at = "", timezone.now()
        comment.save(update_fields=["text", "removed_at"])
        root = find_root(comment.root_type, comment.root_id)
        record(events.COMMENT_REMOVED, comment, root=root, actor=actor)
    return comment
