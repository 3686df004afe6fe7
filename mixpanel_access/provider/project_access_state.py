"""What the state and the inputs of a `ProjectAccess` say: who is declared, who was added by hand, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from mixpanel_access.model.address import same_key
from mixpanel_access.model.grants import by_key, is_exclusive, single_grants
from mixpanel_access.provider.handler import Properties
from mixpanel_access.provider.taking import is_unread

IMPORTED: Final = "imported"
"""The output of a resource that was imported by its id and not updated since: nobody knows who is declared."""


def declared(props: Properties) -> set[str]:
    """Whose grants the program declared when the state was written, there or lost, by the key of the address."""
    return (by_key(props.get("grants", {})).keys() - added_by_hand(props)) | lost(props)


def given(props: Properties, *, exclusive: bool) -> set[str]:
    """Whose grants the stack gave or adopted, and so takes away once they are no longer declared.

    An import declares everybody. Only an exclusive resource then takes away what its program does not declare.
    """
    return set() if props.get(IMPORTED) and not exclusive else declared(props)


def unchanged(olds: Properties, news: Properties) -> dict[str, str]:
    """The roles in a shared project that are declared as the state has them, by the key of the address.

    An update for other people leaves them alone, as that of a `ProjectGrant` does: a preview shows no change of them.
    Only a refresh finds what was changed by hand.
    """
    if is_exclusive(news) or is_unread(olds):
        return {}
    before, now = by_key(olds.get("grants", {})), by_key(news.get("grants", {}))
    return {key: role for key, role in before.items() if now.get(key) == role and key not in lost(olds)}


def lost(props: Properties) -> set[str]:
    """Whose declared grant was missing at the last read."""
    return {same_key(email) for email in props.get("lost") or ()}


def without_waiting(outputs: Properties, waiting: Iterable[str]) -> Properties:
    """The outputs without the grants of people whose invitation waits: they are not lost, since nobody ever had them.

    So the next preview shows them, and nobody who leaves the program meanwhile is looked for.
    """
    keys = set(map(same_key, waiting))
    if not keys or not outputs.get("lost"):
        return outputs
    rest = [email for email in outputs["lost"] if same_key(email) not in keys]
    return {**{name: value for name, value in outputs.items() if name != "lost"}, **({"lost": rest} if rest else {})}


def added_by_hand(props: Properties) -> set[str]:
    """Whose grant nobody declared at the last read."""
    return {same_key(email) for email in props.get("undeclared") or ()}


def declared_otherwise(olds: Properties, news: Properties) -> AbstractSet[str]:
    """Who is declared now and stands in the state as added by hand, or lost the grant and is declared no longer."""
    if not isinstance(grants := news["grants"], Mapping):
        return set()
    now = by_key(grants).keys()
    return (added_by_hand(olds) & now) | (lost(olds) - now)


def singles(props: Properties) -> dict[str, Properties]:
    """Each declared grant, with the properties of a `ProjectGrant`, by the key of the address."""
    return {same_key(str(grant["email"])): grant for grant in single_grants(props)}
