"""What both versions of the shop sell and know. Data only: neither version may change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Product:
    """An article; `price` is in EUR, written as the price list has it. `revision` counts its changes."""

    sku: str
    name: str
    text: str
    category: str
    price: str
    tags: tuple[str, ...]
    revision: int = 1


# In the order in which they were listed, which is neither that of the sku nor that of the price.
PRODUCTS: Final = (
    Product("MUG-C", "Copper mug", "Hammered by hand", "kitchen", "14.50", ("gift", "new"), 3),
    Product("MUG-A", "Amber mug", "Glazed stoneware", "kitchen", "14.50", ("gift", "sale")),
    Product("MUG-B", "Birch mug", "Turned from one piece", "kitchen", "14.50", ("wood", "gift"), 2),
    Product("TEA-1", "Green tea", "Sencha from Uji", "pantry", "8.95", ("organic", "japan")),
    Product("TEA-2", "Tea strainer", "Fits every tea pot", "kitchen", "4.25", ("steel",)),
    Product("TEA-3", "Tea pot", "Cast iron, for a litre of tea", "kitchen", "39.00", ("iron", "gift")),
    Product("TEA-4", "Black tea", "Assam, for those who take milk in their tea", "pantry", "7.45", ("organic",)),
    Product("TEA-5", "Iced tea", "Tea and peach, without sugar; tea to go", "pantry", "2.15", ("summer", "sale")),
    Product("TEA-6", "Cosy", "Keeps the tea pot warm", "kitchen", "12.00", ("wool",)),
    Product("café-crème", "Café crème", "Ground for the French press", "pantry", "6.35", ("coffee", "organic"), 4),
    Product("COF-2", "Espresso beans", "Roasted dark, coffee for a moka pot", "pantry", "11.90", ("coffee",)),
    Product("COF-3", "Coffee grinder", "Steel burrs", "kitchen", "64.99", ("coffee", "steel", "gift")),
    Product("IST-1", "İstanbul çay bardağı", "Six glasses, İZNİK pattern", "kitchen", "18.75", ("glass", "gift")),  # noqa: RUF001 -- Turkish
    Product("ISP-1", "ISPARTA gül suyu", "Rose water", "pantry", "5.55", ("organic",)),
    Product("IRL-1", "Irish breakfast", "Strong", "pantry", "5.95", ("organic",)),
    Product("WBG-1", "Weißbierglas", "Half a litre", "kitchen", "6.05", ("glass",)),
    Product("HEB-1", "קפה טחון", "עם הל", "pantry", "9.90", ("coffee",)),
    Product("ARA-1", "شاي بالنعناع", "من المغرب", "pantry", "4.80", ("organic", "mint")),
    Product("EMO-1", "👨‍👩‍👧‍👦 mug set", "One for everybody", "kitchen", "44.44", ("gift",)),
    Product("TOW-100%", "Linen tea towel", "50 by 70", "linen", "3.33", ("sale",)),
    Product("PEN-1", "Bamboo straw", "Sold singly", "kitchen", "0.05", ("wood",)),
    Product("PEN-2", "Sugar cube", "Sold singly", "pantry", "0.15", ("sugar",)),
    Product("BOX-0", "Gift box", "Free of charge", "linen", "0.00", ("gift",)),
    Product("JPN-1", "抹茶", "Ceremonial grade", "pantry", "27.30", ("organic", "japan")),
)

RATES: Final = {"EUR": "1", "CHF": "0.945", "JPY": "162.35", "KWD": "0.3325"}
"""What one euro costs."""

DIGITS: Final = {"EUR": 2, "CHF": 2, "JPY": 0, "KWD": 3}
VAT_PERCENT: Final = {"DE": "19", "FR": "20", "CH": "8.1", "JP": "10", "KW": "0"}
COUPONS: Final = {"WELCOME10": "10", "HALF": "50", "LOYAL": "2.5"}

PRICE_CHANGES: Final = {
    "TEA-1": (("2023-01-01T00:00:00+00:00", "8.45"), ("2024-03-01T00:00:00+00:00", "8.95")),
    "COF-3": (("2023-06-01T00:00:00+00:00", "59.99"), ("2038-01-19T03:14:08+00:00", "64.99")),
    "MUG-C": (("2024-02-29T00:00:00+00:00", "14.50"),),
}
"""Each change of a price: from when on, and to what."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """What was charged: lines are (quantity, unit price)."""

    currency: str
    paid_by: str
    lines: tuple[tuple[int, str], ...]


INVOICES: Final = {
    1: Invoice("EUR", "card", ((1, "14.50"), (2, "4.25"))),
    2: Invoice("EUR", "cash", ((3, "8.95"),)),
    3: Invoice("CHF", "cash", ((1, "8.46"), (1, "4.02"))),
    4: Invoice("CHF", "card", ((2, "13.70"),)),
    5: Invoice("JPY", "card", ((1, "2354"),)),
    6: Invoice("KWD", "card", ((3, "1.125"), (1, "0.005"))),
    7: Invoice("CHF", "card", ((3, "3.33"),)),
    8: Invoice("EUR", "card", ((1, "64.99"), (-1, "14.50"))),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of long ago; `at` is an instant."""

    status: str
    at: str
    currency: str
    total: str


ORDERS: Final = {
    1001: Placed("delivered", "2024-01-05T09:30:00Z", "EUR", "51.77"),
    1002: Placed("returned", "2024-01-31T23:59:59Z", "EUR", "-14.50"),
    1003: Placed("delivered", "2024-02-12T12:00:00Z", "JPY", "2354"),
    1004: Placed("packed", "2024-02-27T18:45:10Z", "KWD", "3.380"),
    9007199254740993: Placed("packed", "2024-02-29T00:00:00Z", "EUR", "8.95"),
}

CARTS: Final = {
    "c-100": "2024-02-28T12:00:00+00:00",
    "c-101": "2024-03-05T08:00:00+00:00",
    "c-102": "2024-03-07T20:15:00+00:00",
}
"""Since when a cart holds its articles; it does so for 24 hours."""

ZONES: Final = {"UTC": (0, False), "Europe/London": (0, True), "Europe/Berlin": (1, True), "Europe/Helsinki": (2, True)}
"""Hours ahead of UTC in winter, and whether the European summer time applies."""

NAMES: Final = ("Ada", "Björn", "Çiğdem", "דנה", "Émile", "فاطمة", "Grace", "花子")
ENTRANTS: Final = tuple(f"ticket-{number:03d}" for number in range(1, 201))
