"""Chinese capital numerals, as receipts and invoices in China print amounts of yuan."""

from decimal import Decimal

from ordermgmt.lib.money import quantise

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def rmb_capitals(amount: Decimal) -> str:
    """`amount` of CNY in capitals: 1409.50 is 壹仟肆佰零玖元伍角. Ends in 整 without 分; inner zeros collapse to one 零.

    Raises ValueError from 10**16 on.
    """
    cents = int(quantise(abs(amount), "CNY") * 100)
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    if yuan >= 10**16:
        raise ValueError("capital numerals end at ten quadrillion")
    text = "负" if amount < 0 and cents else ""
    if yuan:
        text += _integer(yuan) + "元"
    elif not cents:
        text += "零元"
    if jiao:
        # A zero before the 角 is said where the yuan end in one, as the printed rule has it.
        text += ("零" if yuan and yuan % 10 == 0 else "") + _DIGITS[jiao] + "角"
    elif fen and yuan:
        text += "零"
    if fen:
        return text + _DIGITS[fen] + "分"
    return text if jiao else text + "整"


def rmb_capitals_accepted(amount: Decimal) -> list[str]:
    """Every form that the printed rule allows for `amount`: 整 after 角, and a 零 before 仟 and 角, may be left out or said."""
    official = rmb_capitals(amount)
    yuan, sign, rest = official.partition("元")
    wholes = [yuan]
    head, wan, tail = yuan.partition("万")
    if wan and head.endswith("拾") and tail[1:2] == "仟":
        wholes = [yuan, f"{head}万零{tail}"]
    rests = [rest.removeprefix("零"), rest] if "角" in rest and rest.startswith("零") else [rest]
    if rest.endswith("角"):
        rests += [f"{one}整" for one in rests]
    return [f"{whole}元{end}" for whole in wholes for end in rests] if sign else [official]


def _integer(number: int) -> str:
    text, zero = "", False
    for group in range(3, -1, -1):
        part = number // 10 ** (4 * group) % 10000
        if part == 0:
            zero = zero or bool(text)
            continue
        spoken, gap = _group(part)
        text += ("零" if text and (zero or gap) else "") + spoken + _GROUPS[group]
        zero = False
    return text


def _group(part: int) -> tuple[str, bool]:
    """Four digits in words, and whether they begin with a zero."""
    text, zero = "", False
    for place in range(3, -1, -1):
        digit = part // 10**place % 10
        if digit == 0:
            zero = bool(text)
            continue
        text += ("零" if zero else "") + _DIGITS[digit] + _PLACES[place]
        zero = False
    return text, part < 1000
