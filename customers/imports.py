"""Customers and contacts from files, through the same forms as on the screen."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from customers import services
from customers.forms import AddressForm, ContactForm, CustomerForm, TermsForm, check_phone, sellers
from customers.models import Contact, Customer
from ordermgmt.lib.countries import country_code
from ordermgmt.lib.importing import (
    OWN_SOURCE,
    Context,
    Field,
    Group,
    Outcome,
    Refused,
    Row,
    Target,
    own_key,
    register,
    short_key,
)
from ordermgmt.lib.typed import whole

_OWN = ("kind", "name", "legal_name", "tax_id", "email", "phone", "website", "segment", "grade", "channel", "note",
        "currency", "language")  # fmt: skip
_DEFAULTS = {"kind": "company", "currency": "EUR", "language": "en"}
_PLACE = ("line1", "line2", "postcode", "city", "region")
_PERSON = {"contact_name": "name", "contact_email": "email", "contact_phone": "phone", "contact_position": "position"}

CUSTOMER_FIELDS = (
    Field("source_key", _("Key in the source"), names=("id", "customer id", "customer number", "客户 ID", "客户编号", "编号", "会员卡号")),
    Field("name", _("Name"), required=True, names=("customer", "customer name", "company", "firma", "名称", "客户名称", "客户", "公司名称", "联系人")),
    Field("kind", _("Kind"), names=("type", "类型")),
    Field("legal_name", _("Legal name"), names=("registered name", "法定名称", "公司全称")),
    Field("tax_id", _("Tax id"), names=("vat", "vat id", "ust-id", "纳税人识别号", "税号", "统一社会信用代码")),
    Field("country", _("Country"), names=("国家", "国家/地区", "land")),
    Field("email", _("E-mail"), names=("email", "mail", "e-mail address", "电子邮箱", "邮箱")),
    Field("phone", _("Phone"), names=("telephone", "tel", "telefon", "联系电话", "电话")),
    Field("website", _("Website"), names=("url", "网址")),
    Field("segment", _("Segment"), names=("industry", "细分", "行业")),
    Field("grade", _("Grade"), names=("class", "等级", "客户等级")),
    Field("channel", _("Channel"), names=("渠道",)),
    Field("tags", _("Tags"), names=("labels", "标签")),
    Field("owner", _("Salesperson"), names=("sales rep", "sales person", "业务员", "销售人员")),
    Field("currency", _("Currency"), names=("币种", "währung")),
    Field("language", _("Language"), names=("语言",)),
    Field("note", _("Note"), names=("remarks", "comment", "备注")),
    Field("payment_days", _("Days to pay"), kind="number", names=("payment terms", "账期")),
    Field("credit_limit", _("Credit limit"), kind="number", names=("信用额度",)),
    Field("is_active", _("Active"), kind="flag", names=("status", "状态", "启用")),
    Field("contact_name", _("Contact"), names=("contact person", "联系人", "ansprechpartner")),
    Field("contact_email", _("Contact's e-mail")),
    Field("contact_phone", _("Contact's phone"), names=("mobile", "手机号码", "手机")),
    Field("contact_position", _("Contact's position"), names=("职务",)),
    Field("line1", _("Street"), names=("address", "address line 1", "straße", "地址")),
    Field("line2", _("Address line 2")),
    Field("postcode", _("Postcode"), names=("zip", "postal code", "plz", "邮编")),
    Field("city", _("City"), names=("town", "ort", "城市")),
    Field("region", _("Region"), names=("state", "province", "省/自治区", "省份")),
)  # fmt: skip


def find_customer(context: Context, key: str) -> Customer | None:
    """The customer that the source calls `key`, else one with that number or, if only one has it, that name."""
    known: dict[str, Customer | None] = context.cache.setdefault("customers", {})
    if key not in known:
        rows = Customer.objects.all()
        found = rows.filter(source_key=context.key(key)).first() or rows.filter(number=key).first()
        if found is None:
            named = list(rows.filter(name=key)[:2])
            found = named[0] if len(named) == 1 else None
        if found is None:
            return None
        known[key] = found
    return known[key]


def save_customer(context: Context, group: Group) -> Outcome:
    """One customer with main contact and address."""
    row = group.first
    key = context.key(group.key or row.text("name"))
    customer = context.find(Customer.objects.all(), group.key or row.text("name"), number=group.key)
    form = _form(CustomerForm, row, _customer_data(context, row, customer))
    terms = _terms(row, customer)
    before = customer.version if customer else None
    if customer is None:
        given = form.fields_given()
        given["owner"] = given["owner"] or context.options.get("owner")
        customer = services.create_customer(actor=context.actor, source_key=key, **given, **terms)
    else:
        mapped = {name: value for name, value in form.fields_given().items() if name in row.values}
        customer = services.edit_customer(customer, actor=context.actor, **mapped)
        customer = services.edit_terms(customer, actor=context.actor, **terms) if terms else customer
    if "is_active" in row.values:
        customer = services.set_active(customer, bool(row.values["is_active"]), actor=context.actor)
    _save_person(context, row, customer, key)
    _save_place(context, row, customer)
    _warn_of_others(context, group)
    if before is None:
        return Outcome.CREATED
    return Outcome.UNCHANGED if Customer.objects.get(pk=customer.pk).version == before else Outcome.CHANGED


def _form(form_class: Any, row: Row, data: dict[str, Any], names: dict[str, str] | None = None) -> Any:
    """The screen's form with a row in it. Raises Refused with what it says, at the row's columns."""
    form = form_class(data)
    if form.is_valid():
        return form
    back = {field: column for column, field in (names or {}).items()}
    raise Refused([row.problem(back.get(name, name), text) for name, texts in form.errors.items() for text in texts])


def _customer_data(context: Context, row: Row, customer: Customer | None) -> dict[str, Any]:
    data: dict[str, Any] = dict(_DEFAULTS)
    if customer is not None:
        data = {**model_to_dict(customer, fields=[*_OWN, "country", "owner"]), "tags": ", ".join(customer.tags)}
    data |= {name: row.text(name) for name in (*_OWN, "tags") if row.text(name)}
    if text := row.text("phone"):
        try:
            check_phone(text)
        except ValidationError as error:  # nobody is left out for a number that can't be dialled
            context.warn(row, row.headers.get("phone", ""), " ".join(error.messages))
            data["phone"] = customer.phone if customer is not None else ""
    if text := row.text("country"):
        code = country_code(text)
        if code is None:
            raise Refused([row.problem("country", _t("There is no country called “%(name)s”.") % {"name": text})])
        data["country"] = code
    if text := row.text("owner"):
        owner = _owner(context, text)
        if owner is None:
            raise Refused([row.problem("owner", _t("No salesperson is called “%(name)s”.") % {"name": text})])
        data["owner"] = owner
    return data


def _owner(context: Context, text: str) -> int | None:
    known = context.cache.setdefault("sellers", {})
    if not known:
        for user in sellers():
            known[user.email.lower()] = known[user.name.lower()] = user.pk
    pk: int | None = known.get(text.lower())
    return pk


def _terms(row: Row, customer: Customer | None) -> dict[str, Any]:
    """Terms that the row names, checked by finance's own form."""
    given = {name: row.number(name) for name in ("payment_days", "credit_limit") if row.number(name) is not None}
    if not given:
        return {}
    present = {"payment_days": customer.payment_days if customer else 30}
    form = _form(TermsForm, row, present | given)
    return {name: form.cleaned_data[name] for name in given}


def _save_person(context: Context, row: Row, customer: Customer, key: str) -> None:
    data = {field: row.text(column) for column, field in _PERSON.items() if row.text(column)}
    if "name" not in data:
        return
    present = customer.contacts.filter(source_key=short_key(f"{key}/main")).first()
    form = _form(ContactForm, row, {**data, "is_primary": present.is_primary if present else True}, _PERSON)
    given = {name: form.cleaned_data[name] for name in (*data, "is_primary")}
    if present is None:
        services.add_contact(customer, actor=context.actor, source_key=short_key(f"{key}/main"), **given)
    else:
        services.edit_contact(present, actor=context.actor, **given)


def _save_place(context: Context, row: Row, customer: Customer) -> None:
    data = {name: row.text(name) for name in _PLACE}
    if not data["line1"]:
        return
    present = customer.addresses.filter(kind="billing", is_default=True).first()
    # The row's country is the customer's; where that is not known, what the address says stays.
    country = customer.country or (present.country if present else "")
    form = _form(AddressForm, row, {**data, "kind": "billing", "country": country})
    given = {name: form.cleaned_data[name] for name in (*_PLACE, "kind", "country")}
    if present is None:
        services.add_address(customer, actor=context.actor, **given)
    else:
        services.edit_address(present, actor=context.actor, **given)


def _warn_of_others(context: Context, group: Group) -> None:
    """Rows of the same key with another name: the first one counts."""
    for row in group.rows[1:]:
        if row.text("name") != group.first.text("name"):
            context.warn(
                row, row.headers.get("name", ""), _t("Another row with this key has another name; it was taken.")
            )


def save_contact(context: Context, group: Group) -> Outcome:
    """One contact of a customer that is there already."""
    row = group.first
    customer = find_customer(context, row.text("customer"))
    if customer is None:
        raise Refused(
            [row.problem("customer", _t("There is no customer “%(name)s”.") % {"name": row.text("customer")})]
        )
    key = short_key(f"{customer.source_key or customer.number}/{group.key or row.text('name')}")
    present = customer.contacts.filter(source_key=key).first()
    if present is None and context.source == OWN_SOURCE and (pk := whole(row.text("source_key"))) is not None:
        present = customer.contacts.filter(pk=pk).first()
    data = {name: row.text(name) for name in ("name", "email", "phone", "position")}
    form = _form(ContactForm, row, {**data, "is_primary": bool(row.values.get("is_primary"))})
    given = {name: value for name, value in form.cleaned_data.items() if name != "version"}
    if "is_primary" not in row.values:
        del given["is_primary"]
    if present is None:
        services.add_contact(customer, actor=context.actor, source_key=key, **given)
        return Outcome.CREATED
    before = present.version
    services.edit_contact(present, actor=context.actor, **given)
    changed = Customer.objects.values_list("version", flat=True).get(pk=customer.pk) != before
    return Outcome.CHANGED if changed else Outcome.UNCHANGED


def customer_rows() -> Iterator[dict[str, Any]]:
    """Every customer with terms and billing address; contacts have a file of their own."""
    rows = Customer.objects.select_related("owner").prefetch_related("addresses").order_by("pk")
    for customer in rows.iterator(chunk_size=1000):
        place = next((one for one in customer.addresses.all() if one.kind == "billing" and one.is_default), None)
        yield {
            "source_key": own_key(customer.source_key, customer.number),
            **model_to_dict(customer, fields=[*_OWN, "country", "payment_days", "credit_limit", "is_active"]),
            "tags": ", ".join(customer.tags),
            "owner": customer.owner.email if customer.owner else "",
            **({name: getattr(place, name) for name in _PLACE} if place else {}),
        }


def contact_rows() -> Iterator[dict[str, Any]]:
    """Every contact of every customer."""
    rows = Contact.objects.select_related("customer").order_by("pk")
    for contact in rows.iterator(chunk_size=1000):
        yield {
            "source_key": own_key(contact.source_key, str(contact.pk)).rpartition("|")[2],
            "customer": own_key(contact.customer.source_key, contact.customer.number),
            **model_to_dict(contact, fields=["name", "email", "phone", "position", "is_primary"]),
        }


CUSTOMERS = register(
    Target(
        "customers", _("Customers"), CUSTOMER_FIELDS, keys=(("source_key",), ("name",)), save=save_customer, order=10,
        rows=customer_rows,
    )
)  # fmt: skip
CONTACTS = register(
    Target(
        "contacts",
        _("Contacts"),
        (
            Field(
                "customer", _("Customer"), required=True, names=("customer name", "company", "客户", "客户名称", "公司")
            ),
            Field("source_key", _("Key in the source"), names=("id", "contact id", "编号")),
            Field("name", _("Name"), required=True, names=("contact", "contact name", "联系人", "姓名")),
            Field("email", _("E-mail"), names=("email", "mail", "电子邮箱", "邮箱")),
            Field("phone", _("Phone"), names=("telephone", "tel", "mobile", "手机号码", "联系电话", "电话")),
            Field("position", _("Position"), names=("title", "job", "职务")),
            Field("is_primary", _("Main contact"), kind="flag", names=("主要联系人",)),
        ),
        keys=(("customer", "source_key"), ("customer", "name")),
        save=save_contact,
        order=20,
        rows=contact_rows,
    )
)
