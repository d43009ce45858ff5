"""Every verb on a change request."""

from django.db.models import QuerySet

from changes.actions import CHANGE_ACTIONS
from changes.models import ChangeRequest
from ordermgmt.lib.actionviews import ActionView


class ChangeActionView(ActionView):
    """Confirming and performing."""

    actions = CHANGE_ACTIONS

    def queryset(self) -> QuerySet[ChangeRequest]:
        return ChangeRequest.objects.visible_to(self.request.user).select_related("order", "reason")
