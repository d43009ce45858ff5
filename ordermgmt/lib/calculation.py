"""The one calculation: every total on order, invoice, PDF, export and report comes out of `calculate()`.

Pure and exact. It follows EN 16931: each stored amount is rounded half up, away from zero, to the currency's exponent;
tax is computed once per category and rate. Variants hang on the tax profile: prices that include tax, and tax
rounded on every line (China), or by authority (sales tax). Turning every sign turns the result and changes no figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    localcontext,
)
from typing import Literal

from ordermgmt.lib.money import HUNDRED, ZERO, quantise, round_to, total, unit

ONE = Decimal(1)
# Wide enough for price x quantity x discount without any loss; a float in a money path is an error, not a rounding.
_EXACT = Context(prec=80, rounding=ROUND_HALF_UP, traps=[FloatOperation, InvalidOperation, DivisionByZero])


@dataclass(frozen=True)
class Adjustment:
    """An allowance (takes away) or a charge (adds), as an amount, or as `percent` of `base`.

    On a document, an allowance without a category is split over all tax rates in proportion to their lines.
    """

    kind: Literal["allowance", "charge"]
    amount: Decimal | None = None
    base: Decimal = ZERO
    percent: Decimal = ZERO
    category: str = ""
    rate: Decimal = ZERO
    reason: str = ""

    def signed(self, currency: str) -> Decimal:
        """What it adds, rounded: negative for an allowance."""
        value = self.base * self.percent / HUNDRED if self.amount is None else self.amount
        return quantise(value if self.kind == "charge" else -value, currency)


@dataclass(frozen=True)
class LineInput:
    """One line. `price` is for `base_quantity` units, before `discount_percent`, and stays unrounded."""

    quantity: Decimal
    price: Decimal
    category: str = "S"
    rate: Decimal = ZERO
    base_quantity: Decimal = ONE
    discount_percent: Decimal = ZERO
    adjustments: Sequence[Adjustment] = ()
    #: Sales tax: (name, percent) of each authority that taxes this line; without any the rate is one authority's.
    components: Sequence[tuple[str, Decimal]] = ()

    def amount(self, currency: str) -> Decimal:
        """Rounded amount of the line in the mode of its prices, after its own allowances and charges."""
        price = self.price * (HUNDRED - self.discount_percent) / HUNDRED
        gross = quantise(price * self.quantity / self.base_quantity, currency)
        return gross + total(one.signed(currency) for one in self.adjustments)


@dataclass(frozen=True)
class TaxRules:
    """How a tax profile calculates.

    Tax is rounded per "group", "line" or "component", prices are "net" or "gross" (tax included), and for sales tax
    `components` are the authorities (name, percent) that share the rate of a category. `cash` is the step that amounts
    to be paid are rounded to, by currency; a currency without one is paid to its smallest unit.
    """

    rounding: str = "group"
    price_mode: str = "net"
    components: Mapping[tuple[str, Decimal], Sequence[tuple[str, Decimal]]] = field(default_factory=dict)
    cash: Mapping[str, Decimal] = field(default_factory=dict)

    def cash_step(self, currency: str) -> Decimal:
        """What amounts to be paid in a currency are multiples of; 0 where its smallest unit is."""
        return self.cash.get(currency, ZERO)

    @property
    def gross(self) -> bool:
        """Whether prices include tax."""
        return self.price_mode == "gross"

    def authorities(self, category: str, rate: Decimal) -> Sequence[tuple[str, Decimal]]:
        """Who shares the rate of a line."""
        return self.components.get((category, rate), ())

    def priced(self, net: Decimal, rate: Decimal, currency: str) -> Decimal:
        """The price of something whose net amount is known, in the mode of the document's prices."""
        return quantise(net * _factor(rate), currency) if self.gross else net


@dataclass(frozen=True)
class DocumentInput:
    """What is to be calculated. `prepaid` is deducted from what is due, `rounding` added to it; neither is taxed.

    What is due is rounded to a multiple of `cash_step`, if there is one, before `rounding` is added: who gives a
    rounding knows what the document has to come to.
    """

    currency: str
    lines: Sequence[LineInput]
    adjustments: Sequence[Adjustment] = ()
    prepaid: Decimal = ZERO
    rounding: Decimal = ZERO
    price_mode: str = "net"
    tax_rounding: str = "group"
    cash_step: Decimal = ZERO


@dataclass(frozen=True)
class LineResult:
    """A line's net amount; tax and gross only where the profile taxes line by line."""

    net: Decimal
    tax: Decimal | None = None
    gross: Decimal | None = None


@dataclass(frozen=True)
class TaxGroup:
    """Basis and tax of one category and rate (percent), of one authority where several tax the same."""

    category: str
    rate: Decimal
    basis: Decimal
    tax: Decimal
    authority: str = ""


@dataclass(frozen=True)
class Totals:
    """The result, all in the document's currency: due = grand_total - prepaid + rounding."""

    lines: list[LineResult]
    line_total: Decimal
    allowances: Decimal
    charges: Decimal
    tax_basis: Decimal
    taxes: list[TaxGroup]
    tax_total: Decimal
    grand_total: Decimal
    prepaid: Decimal
    rounding: Decimal
    due: Decimal


@dataclass(frozen=True)
class _Piece:
    """A signed share of the document in one category and rate, in the mode of its prices until it is netted."""

    category: str
    rate: Decimal
    amount: Decimal
    tax: Decimal | None = None
    components: Sequence[tuple[str, Decimal]] = ()

    @property
    def key(self) -> tuple[str, Decimal]:
        return (self.category, self.rate)

    @property
    def group(self) -> "_Key":
        """What an allowance over everything is split by: pieces that are taxed alike."""
        return (self.category, self.rate, tuple(self.components))


_Key = tuple[str, Decimal, tuple[tuple[str, Decimal], ...]]


def calculate(document: DocumentInput) -> Totals:
    """All totals of a document. Raises ValueError for a currency that is none, or a base quantity of zero."""
    if any(line.base_quantity == ZERO for line in document.lines):
        raise ValueError("a base quantity is not zero")
    with localcontext(_EXACT):
        lines = [
            _Piece(line.category, line.rate, line.amount(document.currency), components=line.components)
            for line in document.lines
        ]
        adjustments = [piece for one in document.adjustments for piece in _spread(one, lines, document.currency)]
        if document.tax_rounding == "line":
            pieces, taxes, residue = _per_line(lines + adjustments, document)
        elif document.tax_rounding == "component":
            pieces, taxes, residue = lines + adjustments, _per_component(lines + adjustments, document.currency), ZERO
        else:
            pieces, taxes, residue = _per_group(lines + adjustments, document)
        return _totals(document, pieces, len(lines), taxes, residue)


def split_by_weight(
    amount: Decimal, weights: Sequence[Decimal], currency: str, cash_step: Decimal = ZERO
) -> list[Decimal]:
    """`amount` in shares proportional to `weights` by largest remainder: the sum is exact and signs are symmetric.

    Where all weights add up to zero the shares are equal. With a `cash_step` each is a multiple of it, as `amount` must
    be. Raises ValueError without weights.
    """
    if not weights:
        raise ValueError("an amount is split into at least one part")
    with localcontext(_EXACT):
        weight = total(weights)
        exact = [amount * one / weight if weight else amount / len(weights) for one in weights]
        return _largest_remainder(exact, round_to(amount, cash_step, currency), cash_step or unit(currency))


def _largest_remainder(exact: Sequence[Decimal], target: Decimal, step: Decimal) -> list[Decimal]:
    """Whole multiples of `step` near `exact` whose sum is `target`; the largest remainders are rounded up, then the first."""
    lead = target or next((share for share in exact if share), ZERO)
    sign = -1 if lead < 0 else 1
    units = [sign * share / step for share in exact]
    floors = [share.to_integral_value(ROUND_FLOOR) for share in units]
    missing = int(sign * target / step - total(floors))
    by_remainder = sorted(range(len(units)), key=lambda place: (floors[place] - units[place], place))
    for place in by_remainder[:missing]:
        floors[place] += 1
    return [sign * share * step for share in floors]


def _spread(one: Adjustment, lines: list[_Piece], currency: str) -> list[_Piece]:
    """An adjustment with a category is one piece; without, one per category and rate of the lines."""
    if one.category or not lines:
        return [_Piece(one.category or "S", one.rate, one.signed(currency))]
    sums: dict[_Key, Decimal] = {}
    for line in lines:
        sums[line.group] = sums.get(line.group, ZERO) + line.amount
    shares = split_by_weight(one.signed(currency), list(sums.values()), currency)
    return [
        _Piece(category, rate, share, components=components)
        for (category, rate, components), share in zip(sums, shares, strict=True)
    ]


def _sums(pieces: Iterable[_Piece]) -> dict[tuple[str, Decimal], Decimal]:
    sums: dict[tuple[str, Decimal], Decimal] = {}
    for piece in pieces:
        sums[piece.key] = sums.get(piece.key, ZERO) + piece.amount
    return sums


def _per_line(pieces: list[_Piece], document: DocumentInput) -> tuple[list[_Piece], list[TaxGroup], Decimal]:
    """China: every line's tax is rounded by itself, and totals are sums."""
    netted = []
    for piece in pieces:
        if document.price_mode == "gross":
            net = quantise(piece.amount / _factor(piece.rate), document.currency)
            netted.append(replace(piece, amount=net, tax=piece.amount - net))
        else:
            netted.append(replace(piece, tax=quantise(piece.amount * piece.rate / HUNDRED, document.currency)))
    taxes: dict[tuple[str, Decimal], Decimal] = {}
    for piece in netted:
        taxes[piece.key] = taxes.get(piece.key, ZERO) + (piece.tax or ZERO)
    return netted, [TaxGroup(*key, basis, taxes[key]) for key, basis in _sums(netted).items()], ZERO


def _per_group(pieces: list[_Piece], document: DocumentInput) -> tuple[list[_Piece], list[TaxGroup], Decimal]:
    """EN 16931: tax once per category and rate. Prices that include tax leave a residue, which goes to `rounding`."""
    if document.price_mode != "gross":
        taxes = [
            TaxGroup(*key, basis, quantise(basis * key[1] / HUNDRED, document.currency))
            for key, basis in _sums(pieces).items()
        ]
        return pieces, taxes, ZERO
    netted, taxes, residue = list(pieces), [], ZERO
    for key, gross in _sums(pieces).items():
        places = [place for place, piece in enumerate(pieces) if piece.key == key]
        net = quantise(gross / _factor(key[1]), document.currency)
        exact = [pieces[place].amount / _factor(key[1]) for place in places]
        for place, share in zip(places, _largest_remainder(exact, net, unit(document.currency)), strict=True):
            netted[place] = replace(pieces[place], amount=share)
        tax = quantise(net * key[1] / HUNDRED, document.currency)
        taxes.append(TaxGroup(*key, net, tax))
        residue += gross - net - tax
    return netted, taxes, residue


def _per_component(pieces: list[_Piece], currency: str) -> list[TaxGroup]:
    """Sales tax: each authority's own rate on the sum of the lines that it taxes, rounded once per authority."""
    sums: dict[tuple[str, Decimal, str], Decimal] = {}
    for piece in pieces:
        for name, percent in piece.components or [("", piece.rate)]:
            key = (piece.category, percent, name)
            sums[key] = sums.get(key, ZERO) + piece.amount
    return [
        TaxGroup(category, percent, basis, quantise(basis * percent / HUNDRED, currency), name)
        for (category, percent, name), basis in sums.items()
    ]


def _factor(rate: Decimal) -> Decimal:
    return ONE + rate / HUNDRED


def _totals(
    document: DocumentInput, pieces: list[_Piece], lines: int, taxes: list[TaxGroup], residue: Decimal
) -> Totals:
    nothing = quantise(ZERO, document.currency)
    line_total = nothing + total(piece.amount for piece in pieces[:lines])
    # An allowance stays one on a document whose signs are turned: what it is follows from its kind, not its sign.
    charges, allowances = _adjusted(document, pieces[lines:], nothing)
    basis = line_total + charges - allowances
    tax_total = nothing + total(group.tax for group in taxes)
    prepaid = quantise(document.prepaid, document.currency)
    payable = basis + tax_total - prepaid + residue
    cash = round_to(payable, document.cash_step, document.currency) - payable
    rounding = quantise(document.rounding, document.currency) + residue + cash
    return Totals(
        lines=[_line(piece) for piece in pieces[:lines]],
        line_total=line_total,
        allowances=allowances,
        charges=charges,
        tax_basis=basis,
        taxes=sorted(taxes, key=lambda group: (group.category, group.rate, group.authority)),
        tax_total=tax_total,
        grand_total=basis + tax_total,
        prepaid=prepaid,
        rounding=rounding,
        due=basis + tax_total - prepaid + rounding,
    )


def _adjusted(document: DocumentInput, pieces: list[_Piece], nothing: Decimal) -> tuple[Decimal, Decimal]:
    """Sums of charges and of allowances, netted, both as positive amounts."""
    charges = allowances = nothing
    groups = max(1, len({(line.category, line.rate, tuple(line.components)) for line in document.lines}))
    rest = iter(pieces)
    for one in document.adjustments:
        amount = total(next(rest).amount for _ in range(1 if one.category else groups))
        if one.kind == "charge":
            charges += amount
        else:
            allowances -= amount
    return charges, allowances


def _line(piece: _Piece) -> LineResult:
    return LineResult(piece.amount, piece.tax, None if piece.tax is None else piece.amount + piece.tax)
