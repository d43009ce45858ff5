"""By what two entries are recognised as the same customer: names, tax ids, mail domains and phones in plain form."""

import re

from ordermgmt.lib.searching import normalise

_LEGAL_FORMS = (
    "股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "分公司", "公司", "集团",
)  # fmt: skip
_LEGAL = (
    "gmbh ag kg kgaa ohg gbr ug mbh co & und and company corp corporation inc incorporated ltd limited llc llp plc "
    "sa sas sarl srl spa bv nv oy ab as aps sl slu lda pty pte kk sdn bhd holding group"
)
_LEGAL_WORDS = frozenset(_LEGAL.split())
_PROVIDERS = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com icloud.com gmx.de gmx.net web.de t-online.de "
    "qq.com 163.com 126.com sina.com sina.cn sohu.com foxmail.com aliyun.com yeah.net 139.com 189.cn proton.me"
)
_SHARED_MAIL = frozenset(_PROVIDERS.split())
_FEWEST_DIGITS = 7


def name_key(name: str) -> str:
    """A name without legal form, blanks, punctuation, width and case: "Müller GmbH & Co. KG" gives "muller"."""
    plain = normalise(name)
    for form in _LEGAL_FORMS:
        plain = plain.removesuffix(form)
    plain = re.sub(r"\b(\w)\.(?=\w\b)", r"\1", plain)  # S.A.R.L. is one word
    found = re.findall(r"[^\W_]+|&", plain)
    kept = [word for word in found if word not in _LEGAL_WORDS]
    return "".join(kept or found)


def tax_key(tax_id: str) -> str:
    """A tax id without blanks and punctuation."""
    return re.sub(r"[^0-9a-z]", "", normalise(tax_id))


def domain_key(email: str) -> str:
    """The domain of an e-mail address; empty for providers where everybody has one."""
    domain = normalise(email).rpartition("@")[2]
    return "" if domain in _SHARED_MAIL else domain


def phone_key(phone: str) -> str:
    """The last nine digits of a phone number, so that +49 30 … and 030 … meet; empty when there are too few."""
    digits = re.sub(r"\D", "", normalise(phone))
    return digits[-9:] if len(digits) >= _FEWEST_DIGITS else ""
