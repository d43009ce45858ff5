"""The verbs on a customer, a contact and an address, as pages and dialogs offer them."""

from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from customers import services
from customers.forms import AddressForm, CertificateForm, ContactForm, OwnerForm, TagForm, TermsForm
from customers.models import Customer
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker


def _must_be(active: bool) -> Any:
    def blockers(customer: Customer) -> list[Blocker]:
        if customer.is_active == active:
            return []
        return [Blocker(_("The customer is inactive already.") if active else _("The customer is active already."))]

    return blockers


def _deactivate(customer: Customer, **kwargs: Any) -> Customer:
    return services.set_active(customer, False, **kwargs)


def _activate(customer: Customer, **kwargs: Any) -> Customer:
    return services.set_active(customer, True, **kwargs)


CUSTOMER_ACTIONS = ActionSet(
    Action(
        "add-contact", _("Add a contact"), services.add_contact, permission="customers.edit_customer",
        form=ContactForm, icon="user-plus", done=_("The contact has been saved."),
    ),
    Action(
        "add-address", _("Add an address"), services.add_address, permission="customers.edit_customer",
        form=AddressForm, icon="map-pin", done=_("The address has been saved."),
    ),
    Action(
        "add-certificate", _("Add an exemption certificate"), services.add_certificate,
        permission="customers.edit_terms", form=CertificateForm, icon="percentage",
        done=_("The certificate has been saved."),
    ),
    Action(
        "terms", _("Payment terms"), services.edit_terms, permission="customers.edit_terms",
        form=TermsForm, icon="credit-card", done=_("The payment terms have been saved."),
    ),
    Action(
        "assign", _("Give to a colleague"), services.assign_owner, permission="customers.edit_customer",
        form=OwnerForm, icon="user-check", bulk=True, done=_("The customer has a new salesperson."),
    ),
    Action(
        "tag", _("Add tags"), services.add_tags, permission="customers.edit_customer",
        form=TagForm, icon="tag", bulk=True, done=_("The tags have been added."),
    ),
    Action(
        "deactivate", _("Make inactive"), _deactivate, permission="customers.edit_customer", allowed=_must_be(True),
        consequences=lambda _customer: [_t("refuse new orders of this customer; orders that run go on")],
        icon="ban", done=_("The customer is inactive."),
    ),
    Action(
        "activate", _("Make active"), _activate, permission="customers.edit_customer", allowed=_must_be(False),
        icon="check", done=_("The customer is active."),
    ),
)  # fmt: skip

CONTACT_ACTIONS = ActionSet(
    Action(
        "edit", _("Edit the contact"), services.edit_contact, permission="customers.edit_customer", form=ContactForm,
        done=_("The contact has been saved."),
    ),
    Action(
        "remove", _("Remove the contact"), services.remove_contact, permission="customers.edit_customer", danger=True,
        consequences=lambda _contact: [_t("take this person off the list; documents of the past keep the name")],
        done=_("The contact has been removed."),
    ),
)  # fmt: skip

ADDRESS_ACTIONS = ActionSet(
    Action(
        "edit", _("Edit the address"), services.edit_address, permission="customers.edit_customer", form=AddressForm,
        done=_("The address has been saved."),
    ),
    Action(
        "remove", _("Remove the address"), services.remove_address, permission="customers.edit_customer", danger=True,
        consequences=lambda _address: [_t("take this address off the list; documents of the past keep it")],
        done=_("The address has been removed."),
    ),
)  # fmt: skip

CERTIFICATE_ACTIONS = ActionSet(
    Action(
        "remove", _("Remove the certificate"), services.remove_certificate, permission="customers.edit_terms",
        danger=True, done=_("The certificate has been removed."),
        consequences=lambda _certificate: [_t("tax new orders again; documents of the past keep its number")],
    ),
)  # fmt: skip
