"""Which columns look as if they told of a person: by their name, or by the form of their values.

It errs on the side of "personal": a person takes back what is too much.
"""

import re
import unicodedata

import polars as pl

from mlops.data.profile.kinds import Kind

_PARTS = frozenset(
    (
        *("name", "names", "firstname", "lastname", "surname", "forename", "fullname", "initials"),
        *("vorname", "nachname", "prenom", "nom", "nombre", "apellido", "cognome", "nome"),
        *("username", "login"),
        *("mail", "email", "phone", "telephone", "tel", "telefon", "mobile", "handy", "fax"),
        *("address", "adresse", "addr", "street", "strasse", "rue", "calle", "via", "house"),
        *("zip", "zipcode", "postcode", "postal", "plz", "cap", "lat", "latitude", "lon", "lng"),
        *("longitude", "geo", "gps", "location", "birth", "birthday", "birthdate", "born", "dob"),
        *("geburt", "geburtsdatum", "naissance", "age", "alter", "gender", "sex", "geschlecht"),
        *("salary", "income", "wage", "gehalt", "lohn", "salaire", "sueldo", "iban", "bic"),
        *("ssn", "passport", "licence", "license", "insurance"),
        *("health", "diagnosis", "disease", "religion", "ethnicity", "race", "nationality"),
        *("marital", "union", "party", "comment", "comments", "note", "notes", "remark", "message"),
        *("bemerkung", "kommentar", "text", "description", "ip", "cookie"),
        *("password", "token", "secret", "signature", "photo", "face", "voice", "cpf", "nif"),
    )
)
"""Words of names, in English and some other languages."""
_ENTITIES = frozenset(
    (
        *("person", "employee", "agent", "owner", "user", "contact", "author", "kunde", "patient"),
        *("account", "konto", "card", "device", "session", "customer", "client", "member"),
    )
)
"""Words for whom a row may be about: such a column is a key, or tells of somebody else."""
_INSIDE = (
    *("email", "phone", "address", "adresse", "birth", "geburt", "passport", "salary", "gehalt"),
    *("firstname", "lastname", "surname", "vorname", "nachname", "telefon", "username", "gender"),
)
"""Words that tell it also within another one."""
_SHAPES = (
    ("e-mail addresses", r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    ("phone numbers", r"^(\+|00?)[0-9][0-9 ()/.-]{6,}$"),
    ("account numbers", r"^[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}[A-Z0-9 ]{6,}$"),
    ("addresses of machines", r"^([0-9]{1,3}\.){3}[0-9]{1,3}$"),
    ("positions", r"^-?[0-9]{1,3}\.[0-9]{3,}[,; ]+-?[0-9]{1,3}\.[0-9]{3,}$"),
)
_SHARE = 0.05
"""So few values of a form are enough: a single address is one too many."""
FEW = 20
"""So many different texts may be the names of categories."""
_LONG = 30


def why_personal(name: str, kind: Kind, values: pl.Series, *, is_key: bool = False) -> str:
    """Return why a column looks personal; empty if it does not.

    Args:
        name: that of the column.
        kind: what its values are.
        values: the values, in a type of this kind.
        is_key: whether it names whom or what a row is about: then many different texts are usual.
    """
    words = _words(name)
    if not _PARTS.isdisjoint(words) or any(part in "".join(words) for part in _INSIDE):
        return "its name"
    if not is_key and not _ENTITIES.isdisjoint(words):
        return "its name"
    if kind is not Kind.TEXT or values.dtype != pl.String:
        return ""
    known = values.drop_nulls().str.strip_chars()
    for what, shape in _SHAPES:
        if len(known) and int(known.str.contains(shape).sum()) >= _SHARE * len(known):
            return f"values of the form of {what}"
    return "" if is_key else _free_text(known)


def _free_text(known: pl.Series) -> str:
    """Tell of texts that may name somebody: long ones, and many different ones of letters."""
    if known.n_unique() <= FEW:
        return ""
    half = len(known) / 2
    if int((known.str.len_chars() > _LONG).sum()) > half:
        return "long texts, which may name somebody"
    if int(known.str.contains("[0-9]").sum()) < half:
        return "many different texts, which may name somebody"
    return ""


def unaccented(name: str) -> str:
    """Return a name without the marks on its letters."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return "".join(each for each in plain if not unicodedata.combining(each))


def _words(name: str) -> list[str]:
    """Return the words of a name, as in customerName, CUSTOMER_NAME or "Name (full)"."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unaccented(name))
    return [word.lower() for word in re.findall(r"[A-Za-z]+", parted)]
