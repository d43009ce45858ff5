"""What can happen to a customer."""

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, register

CUSTOMER_CREATED = register(EventType("customers.created", _("created the customer"), icon="user-plus"))
CUSTOMER_EDITED = register(EventType("customers.edited", _("changed the customer"), icon="pencil"))
TERMS_EDITED = register(EventType("customers.terms_edited", _("changed the payment terms"), icon="credit-card"))
CUSTOMER_ACTIVATED = register(EventType("customers.activated", _("made the customer active"), icon="check"))
CUSTOMER_DEACTIVATED = register(EventType("customers.deactivated", _("made the customer inactive"), icon="ban"))
CONTACT_SAVED = register(
    EventType(
        "customers.contact_saved",
        _("saved the contact {name}"),
        icon="address-book",
        permission="customers.view_contact",
    )
)
CONTACT_REMOVED = register(
    EventType(
        "customers.contact_removed", _("removed the contact {name}"), icon="trash", permission="customers.view_contact"
    )
)
CERTIFICATE_SAVED = register(
    EventType("customers.certificate_saved", _("entered the exemption certificate {number}"), icon="percentage")
)
CERTIFICATE_REMOVED = register(
    EventType("customers.certificate_removed", _("removed the exemption certificate {number}"), icon="trash")
)
ADDRESS_SAVED = register(EventType("customers.address_saved", _("saved the address {text}"), icon="map-pin"))
ADDRESS_REMOVED = register(EventType("customers.address_removed", _("removed the address {text}"), icon="trash"))
OWNER_ASSIGNED = register(
    EventType("customers.owner_assigned", _("gave the customer to a colleague"), icon="user-check")
)
