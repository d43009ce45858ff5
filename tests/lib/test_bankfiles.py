"""Bank files: three forms give one statement; what is broken, dangerous or doesn't add up is refused whole."""

import datetime as dt
from decimal import Decimal

import pytest

from ordermgmt.lib.bankfiles import BankFileRefused, Layout, read_bank_file
from ordermgmt.lib.bankfiles.statement import Entry, Statement
from tests.factories import bank

D = Decimal
EUR = Layout("EUR")


def _read(content: bytes, layout: Layout = EUR) -> Statement:
    return read_bank_file(content, "file", layout)[1][0]


def _rows():
    return [
        bank.row("119.00", "Rechnung INV-2026-00001 vielen Dank", name="Alpha GmbH", iban="DE02", ref="R1"),
        bank.row("-50.00", "fee", ref="R2"),
        bank.row("-119.00", "bounced", ref="R3", back=True),
    ]


@pytest.mark.parametrize(("write", "kind"), [(bank.camt, "camt"), (bank.mt940, "mt940"), (bank.table, "csv")])
def test_three_forms_say_the_same(write, kind):
    found, statements = read_bank_file(write(_rows()), "file", EUR)
    one = statements[0]
    assert (found, one.currency, len(statements)) == (kind, "EUR", 1)
    assert [entry.amount for entry in one.entries] == [D("119.00"), D("-50.00"), D("-119.00")]
    assert [entry.reference for entry in one.entries] == ["R1", "R2", "R3"]
    assert [entry.bounced for entry in one.entries] == [False, False, True]
    assert "INV-2026-00001" in one.entries[0].text
    assert (one.entries[0].name, one.entries[0].iban) == ("Alpha GmbH", "DE02")
    # The same entry has the same key, whatever form it came in.
    assert one.keys() == _read(bank.camt(_rows())).keys()


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]><Document>&lol3;</Document>"""
XXE = (
    b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document><Id>&x;</Id></Document>"""
)


@pytest.mark.parametrize(
    "content",
    [BOMB, XXE, BOMB.decode().replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"),
     b'<?xml version="1.0"?><!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd"><Document/>'],
    ids=["billion-laughs", "xxe", "utf-16", "external-dtd"],
)  # fmt: skip
def test_xml_that_declares_entities_is_refused(content):
    with pytest.raises(BankFileRefused, match="document type"):
        _read(content)


def test_the_xml_reader_alone_opens_nothing():
    """Should the first look miss it, the reader itself neither expands an entity nor takes the file."""
    from ordermgmt.lib.bankfiles import camt

    hidden = XXE.decode().replace('"1.0"', '"1.0" encoding="cp037"').encode("cp037")  # EBCDIC: no "<!DOCTYPE" in sight
    with pytest.raises(BankFileRefused):
        camt.read_camt(hidden)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (bank.camt(_rows())[:-40], "broken or cut off"),
        (b"<Document><BkToCstmrDbtCdtNtfctn/></Document>", "no statement"),
        (bank.camt(_rows()).replace(b'<Amt Ccy="EUR">50.00', b'<Amt Ccy="EUR">51.00'), "doesn't add up"),
        (bank.camt(_rows()).replace(b'<Amt Ccy="EUR">50.00', b'<Amt Ccy="USD">50.00'), "mixes currencies"),
        (bank.camt(_rows()).replace(b'<Amt Ccy="EUR">50.00', b'<Amt Ccy="EUR">NaN'), "not an amount"),
        (bank.camt(_rows()).replace(b'<Amt Ccy="EUR">50.00', b'<Amt Ccy="EUR">1e999'), "not an amount"),
        (bank.mt940(_rows()).split(b":62F:")[0], "cut off"),
        (bank.mt940(_rows()).replace(b"50,00", b"51,00", 1), "doesn't add up"),
        (bank.mt940(_rows()).replace(b":61:", b":61:X", 1), "not an entry"),
        (b"Booking date;Amount\n2026-13-41;1.00", "Row 2"),
        (b"Booking date;Amount\n2026-01-02;abc", "Row 2"),
        (b"Booking date;Text\n2026-01-02;abc", "the amount"),
        (b"Text;Amount\nabc;1.00", "day of booking"),
        (b"Date;Amount;Currency\n2026-01-02;1.00;EUR\n2026-01-02;1.00;USD", "different values"),
        (b"Date;Amount;Reference\n2026-01-02;1.00;R\n2026-01-02;1.00;R", "2 times"),
        (b"Date;Amount;Balance\n2026-01-02;1.00;10.00\n2026-01-03;1.00;12.00", "balances"),
        (b"Date;Amount\n2026-01-02;0.001", "no amount of EUR"),
        (b"Date;Amount\n2026-01-02;0", "no amount of EUR"),
        (b"\x00\x01\x02\x03" * 50, ""),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(content, sentence):
    with pytest.raises(BankFileRefused) as caught:
        _read(content)
    assert sentence in str(caught.value)
    assert str(caught.value)


def test_camt_splits_collective_entries_and_leaves_pending_ones():
    entry = (
        '<Ntry><NtryRef>N1</NtryRef><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        "<BookgDt><DtTm>2026-01-02T09:00:00+01:00</DtTm></BookgDt><NtryDtls>"
        '<TxDtls><Amt Ccy="EUR">10.00</Amt><RltdPties><Dbtr><Pty><Nm>A</Nm></Pty></Dbtr></RltdPties></TxDtls>'
        '<TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">20.00</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls></Ntry>'
        '<Ntry><Amt Ccy="EUR">99.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>'
    )
    content = bank.camt([bank.row(30)]).decode()
    start, end = content.index("<Ntry>"), content.index("</Stmt>")
    one = _read((content[:start] + entry + content[end:]).replace(".001.02", ".001.08").encode())
    assert [(item.amount, item.reference, item.name) for item in one.entries] == [
        (D("10.00"), "2026-01-02 N1/1", "A"),
        (D("20.00"), "2026-01-02 N1/2", ""),
    ]
    assert one.entries[0].booked_on == dt.date(2026, 1, 2)


MT = """{1:F01BANKDEFFXXXX}{2:I940}{4:
:20:ONE
:25:NL08DEUT0319809633EUR
:28C:1/1
:60F:C251230EUR100,00
:61:2512310101D10,00NTRF//REF1
:86:/EREF/E1/NAME/Beta BV/IBAN/NL91/REMI/USTD//Invoice 7
:61:2601020102RC5,50NTRFNONREF
extra words
:86:plain
text
:62M:C260102EUR84,5
-}
:20:TWO
:25:NL08DEUT0319809633EUR
:28C:1/2
:60M:C260102EUR84,50
:62F:C260102EUR84,50
-
"""


def test_mt940_of_other_banks():
    kind, (one, two) = read_bank_file(MT.encode(), "x.sta", EUR)
    assert (kind, one.account, two.entries) == ("mt940", "NL08DEUT0319809633", [])
    first, second = one.entries
    assert (first.booked_on, first.amount, first.reference) == (dt.date(2026, 1, 1), D("-10.00"), "REF1")
    assert (first.name, first.iban, first.text) == ("Beta BV", "NL91", "Invoice 7")
    # RC takes a credit back.
    assert (second.amount, second.bounced, second.text) == (D("-5.50"), True, "plain text")


def test_tables_by_kept_columns_and_in_chinese():
    layout = Layout("EUR", {"date": "Wann", "amount": "Wieviel", "text": "Was", "date_form": "%d.%m.%Y"})
    one = _read("Wann;Wieviel;Was\n03.04.2026;1.234,50;Hallo".encode("cp1252"), layout)
    assert [(item.booked_on, item.amount, item.text) for item in one.entries] == [
        (dt.date(2026, 4, 3), D("1234.50"), "Hallo")
    ]
    with pytest.raises(BankFileRefused, match="no column “Wann”"):
        _read(b"Date;Amount\n2026-01-02;1.00", layout)
    text = "交易日期,收入,支出,余额,对方户名,摘要,流水号\n2026-01-02,1000.00,,1500.00,甲方有限公司,货款,8\n2026-01-03,,20.00,1480.00,银行,手续费,9\n"
    one = _read(text.encode("gb18030"), Layout("CNY"))
    assert (one.opening, one.closing, [item.amount for item in one.entries]) == (D(500), D(1480), [D(1000), D(-20)])
    newest_first = b"Date;Amount;Balance\n2026-01-03;2.00;13.00\n2026-01-02;1.00;11.00"
    assert (_read(newest_first).opening, _read(newest_first).closing) == (D(10), D(13))


def test_equal_entries_without_a_reference_are_counted():
    day = dt.date(2026, 1, 2)
    twice = Statement("A", "EUR", entries=[Entry(day, D(5), text="a"), Entry(day, D(5), text="A ")])
    assert len(set(twice.keys())) == 2
    assert twice.keys()[:1] == Statement("A", "EUR", entries=[Entry(day, D("5.00"), text="a")]).keys()
    nonref = Entry(day, D(5), reference="NONREF")
    assert nonref.own_reference == ""
