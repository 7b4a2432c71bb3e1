"""The base of every record that bench/ hands on: immutable, unknown keys refused."""

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An immutable record. Inapplicable fields are None and always present in JSON."""
