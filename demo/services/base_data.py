"""What is there before the first order: people, goods, stock, customers."""

import random
from dataclasses import dataclass, field
from decimal import Decimal

from customers.models import Customer
from customers.services import add_address, add_contact, create_customer, edit_terms
from inventory.models import (
    Product,
    ProductCategory,
    SpecificationAttribute,
    SpecificationTemplate,
    Supplier,
    SupplierPrice,
    Unit,
    Warehouse,
)
from inventory.services import (
    create_product,
    create_supplier,
    open_stock,
    save_bom_line,
    save_setup,
    save_template,
    set_supplier_price,
)
from ordermgmt.accounts.models import Department, Team, User
from ordermgmt.accounts.services import (
    DEMO_DOMAIN,
    DEMO_PASSWORD,
    create_user,
    edit_profile,
    save_department,
    save_team,
    system_user,
)
from ordermgmt.company.services import default_seller, edit_company

from .words import (
    ASSEMBLIES,
    BOMS,
    BUYERS,
    CATEGORIES,
    CHINESE_PEOPLE,
    CHINESE_POSITIONS,
    FAMILY,
    GIVEN,
    GOODS,
    MATERIALS,
    PEOPLE,
    POSITIONS,
    SELLER,
    STEEL_SUPPLIERS,
    SUPPLIERS,
    TEAMS,
    Buyer,
    Good,
)

#: What one euro is worth where a customer orders in another currency: invented and fixed.
RATES = {"EUR": Decimal(1), "CNY": Decimal("7.80"), "GBP": Decimal("0.85"), "USD": Decimal("1.10")}
_EU = {"FR", "NL", "IT", "SE", "PL"}


@dataclass
class Company:
    """The demo company as its year begins."""

    chance: random.Random
    people: dict[str, User] = field(default_factory=dict)
    goods: dict[str, Product] = field(default_factory=dict)
    customers: list[Customer] = field(default_factory=list)
    warehouse: Warehouse = field(default_factory=Warehouse)

    def seller_of(self, customer: Customer) -> User:
        """Who looks after a customer."""
        return self.people["xiaoshou" if customer.country == "CN" else "sales"]


def tax_category(country: str) -> str:
    """How a sale to a country is taxed by a German seller."""
    if country == "DE":
        return "S"
    return "K" if country in _EU else "G"


def found(company: Company) -> None:
    """Fills an empty company. Everything goes through the verbs that the pages use."""
    edit_company(default_seller(), actor=system_user(), **SELLER)
    people(company)
    _goods(company)
    _boms(company)
    _suppliers(company)
    _customers(company)


def people(company: Company) -> None:
    """One person per role, and their teams."""
    system = system_user()
    departments = {
        name: save_department(Department(), name=name, actor=system) for name in dict.fromkeys(TEAMS.values())
    }
    teams = {
        name: save_team(Team(), name=name, department=departments[department], actor=system)
        for name, department in TEAMS.items()
    }
    for person in PEOPLE:
        user = create_user(
            email=f"{person.key}@{DEMO_DOMAIN}",
            name=person.name,
            roles=person.roles,
            team=teams[person.team],
            password=DEMO_PASSWORD,
            language=person.language,
            actor=system,
        )
        zone = "Asia/Shanghai" if person.language == "zh-hans" else "Europe/Berlin"
        company.people[person.key] = edit_profile(user, time_zone=zone)


def _goods(company: Company) -> None:
    system = system_user()
    units = {unit.code: unit for unit in Unit.objects.all()}
    for code, name, decimals in (
        ("pcs", "piece", 0),
        ("set", "set", 0),
        ("m", "metre", 2),
        ("h", "hour", 2),
        ("day", "day", 1),
    ):
        if code not in units:
            units[code] = Unit(code=code, name=name, decimals=decimals)
            save_setup(units[code], actor=system)
    categories = {}
    for name in CATEGORIES:
        categories[name] = ProductCategory(name=name)
        save_setup(categories[name], actor=system)
    template = _template(system)
    default = Warehouse.objects.filter(is_default=True).first()
    company.warehouse = default or Warehouse(code="MAIN", name="Main warehouse", is_default=True)
    if default is None:
        save_setup(company.warehouse, actor=system)
    for good in (*GOODS, *MATERIALS, *ASSEMBLIES):
        company.goods[good.sku] = _product(company, good, categories, units, template, system)


def _product(
    company: Company,
    good: Good,
    categories: dict[str, ProductCategory],
    units: dict[str, Unit],
    template: SpecificationTemplate,
    system: User,
) -> Product:
    product = create_product(
        actor=system,
        sku=good.sku,
        name=good.name,
        description=good.chinese,
        kind="service" if good.supply == "service" else "goods",
        category=categories[good.category],
        unit=units[good.unit],
        list_price=Decimal(good.price),
        cost=Decimal(good.cost),
        currency="EUR",
        is_stocked=good.supply == "stock",
        reorder_point=Decimal(good.target // 4),
        lead_days={"stock": 10, "make": 28, "service": 0}[good.supply],
        specification_template=template if good.sku in ("CV-600", "CV-900") else None,
    )
    if good.target:
        open_stock(
            product, company.warehouse, Decimal(good.target), key=f"demo-opening-{good.sku}", actor=system,
            reason="Opening stock",
        )  # fmt: skip
    return product


def _boms(company: Company) -> None:
    for sku, rows in BOMS.items():
        for place, (component, quantity, scrap) in enumerate(rows, start=1):
            save_bom_line(
                company.goods[sku], component=company.goods[component], quantity=Decimal(quantity),
                scrap_percent=Decimal(scrap), position=10 * place, actor=company.people["pm"],
            )  # fmt: skip


def _template(system: User) -> SpecificationTemplate:
    kinds = SpecificationAttribute.Kind
    return save_template(
        SpecificationTemplate(name="Belt conveyor"),
        [
            SpecificationAttribute(
                key="length", label="Length", kind=kinds.NUMBER, unit="mm", minimum=Decimal(500),
                maximum=Decimal(6000), required=True, help="Between the axes of the end rollers.",
            ),
            SpecificationAttribute(
                key="speed", label="Speed", kind=kinds.NUMBER, unit="m/min", minimum=Decimal(2), maximum=Decimal(60),
                required=True, help="At full load.",
            ),
            SpecificationAttribute(
                key="colour", label="Colour", kind=kinds.CHOICE, choices=["RAL 7035", "RAL 5010", "stainless"],
                required=True, help="Of frame and covers.",
            ),
        ],
        actor=system,
    )  # fmt: skip


def _suppliers(company: Company) -> None:
    system = system_user()
    suppliers: list[Supplier] = []
    for number, (name, country, days) in enumerate(SUPPLIERS):
        suppliers.append(
            create_supplier(
                actor=system,
                name=name,
                country=country,
                lead_days=days,
                email=f"orders@supplier{number + 1}.example",
                language="zh-hans" if country == "CN" else "en",
            )
        )
    for place, good in enumerate(good for good in GOODS if good.supply == "stock"):
        supplier = suppliers[place % len(suppliers)]
        price = SupplierPrice(
            supplier=supplier, product=company.goods[good.sku], price=Decimal(good.cost), currency="EUR",
            lead_days=supplier.lead_days,
        )  # fmt: skip
        set_supplier_price(price, actor=system)

    for number, (name, country, days, percent) in enumerate(STEEL_SUPPLIERS):
        email = f"orders@steel{number + 1}.example"
        supplier = create_supplier(actor=system, name=name, country=country, lead_days=days, email=email)
        for good in MATERIALS:
            price = SupplierPrice(
                supplier=supplier, product=company.goods[good.sku], price=Decimal(good.cost) * percent / 100,
                currency="EUR", lead_days=days,
            )  # fmt: skip
            set_supplier_price(price, actor=system)


def _customers(company: Company) -> None:
    company.customers = [_customer(company, number, buyer) for number, buyer in enumerate(BUYERS, start=1)]


def _customer(company: Company, number: int, buyer: Buyer) -> Customer:
    chance, chinese = company.chance, buyer.country == "CN"
    seller = company.people["xiaoshou" if chinese else "sales"]
    customer = create_customer(
        actor=seller,
        name=buyer.name,
        legal_name=buyer.legal,
        country=buyer.country,
        currency=buyer.currency,
        language="zh-hans" if chinese else "en",
        segment=buyer.segment,
        grade=chance.choice(["A", "B", "B", "C"]),
        channel=chance.choice(["direct", "fair", "referral", "web"]),
        email=f"office@customer{number}.example",
        phone=f"+{'86' if chinese else '49'} 555 01{number:02d}",
        tags=chance.sample(["key account", "service contract", "export", "retrofit"], k=chance.randint(0, 2)),
    )
    names = CHINESE_PEOPLE if chinese else None
    for place in range(2):
        name = names[(number + place) % len(names)] if names else f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"
        positions = CHINESE_POSITIONS if chinese else POSITIONS
        add_contact(
            customer, actor=seller, name=name, email=f"contact{place + 1}@customer{number}.example",
            position=positions[(number + place) % len(positions)],
        )  # fmt: skip
    postcode, _space, city = buyer.city.partition(" ") if buyer.city[0].isdigit() else ("", "", buyer.city)
    for kind in ("billing", "delivery"):
        add_address(
            customer, actor=seller, kind=kind, name=buyer.legal, line1=buyer.street, postcode=postcode, city=city,
            country=buyer.country,
        )  # fmt: skip
    limit = Decimal(chance.choice([60, 120, 250, 400])) * 1000 * RATES[buyer.currency]
    return edit_terms(
        customer, actor=company.people["finance.manager"], payment_days=chance.choice([14, 30, 30, 45]),
        credit_limit=limit.quantize(Decimal(1)),
    )  # fmt: skip
