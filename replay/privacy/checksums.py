"""The checksums that tell a card number or an IBAN from any other number."""

from __future__ import annotations

from typing import Final

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL OM SO", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "FR GR IT MC MR SM BI DJ", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""How many characters an IBAN of each country has."""


def luhn_digit(digits: str) -> str:
    """Return the digit that makes these a number of which the Luhn sum is right (ISO/IEC 7812-1, annex B)."""
    total = sum(_DOUBLED[int(digit)] for digit in digits[::-2]) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)


def luhn_holds(digits: str) -> bool:
    """Tell whether the last digit is the Luhn digit of those before it."""
    return luhn_digit(digits[:-1]) == digits[-1]


def iban_digits(country: str, account: str) -> str:
    """Return the two check digits of an IBAN (ISO 13616-1, modulo 97)."""
    return f"{98 - _modulo(f'{account}{country}00'):02}"


def iban_holds(iban: str) -> bool:
    """Tell whether upper-case letters and digits are an IBAN, by its country's length and its checksum."""
    return IBAN_LENGTHS.get(iban[:2]) == len(iban) and _modulo(iban[4:] + iban[:4]) == 1


def _modulo(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text)) % 97
