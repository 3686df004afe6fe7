"""`ServiceAccount`: one service account of the organization, with its token as a secret output."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Unpack

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult

from mixpanel_access.model import roles
from mixpanel_access.model.access import ServiceAccount as Account
from mixpanel_access.model.access import problem_with_account_name
from mixpanel_access.model.brakes import Brake
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.errors import Refused
from mixpanel_access.model.ids import ServiceAccountId
from mixpanel_access.provider.base import (
    GONE,
    AccessProvider,
    Metadata,
    Problems,
    Properties,
    changed,
    inspect_reach,
    known,
    select,
)
from mixpanel_access.provider.resource import AccessResource

TOKEN: Final = "token"  # noqa: S105  # the name of the property
_OUTPUTS: Final = (
    "account_id", "login", TOKEN, "created", "rotates", "last_used", "organization_role", "status",
)  # fmt: skip
LONGEST_DAYS: Final = 3650
"""Days after which another account takes the place of one, at the latest."""
_NEW_ACCOUNT: Final = ("username", "role", "expires")
"""Inputs whose change means another account: Mixpanel has no verb to change one."""


class ServiceAccountProvider(AccessProvider):
    """Gives `ServiceAccount` its life; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = (*_NEW_ACCOUNT, "rotate_after")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = _NEW_ACCOUNT
    REPEATS: ClassVar[Mapping[str, str]] = {"login": "username", "organization_role": "role", "rotates": "rotate_after"}

    def whom(self, props: Properties) -> str:
        """The account's name."""
        return f"service account {props.get('username')}"

    def subject(self, props: Properties) -> Hashable:  # noqa: ARG002  # two of one name are two accounts
        """Each resource is an account of its own."""
        return None

    def inspect(self, inputs: Properties, problems: Problems) -> None:
        """Judge name, role word, expiry and rotation."""
        name = inputs.get("username")
        if known(name) and (reason := problem_with_account_name(name)):
            problems.add("username", reason)
        elif isinstance(name, str):
            inputs["username"] = name.strip()  # as Mixpanel does: else each refresh would find another name
        role = inputs.setdefault("role", roles.CONSUMER)
        if known(role):
            word = roles.normalized(role) if isinstance(role, str) else ""
            if word in roles.SERVICE_ACCOUNT_ROLES:
                inputs["role"] = word
            else:
                problems.add(
                    "role",
                    f"{role!r} is no role of a service account; there are {', '.join(roles.SERVICE_ACCOUNT_ROLES)}",
                )
        expires = inputs.get("expires")
        if expires is not None and known(expires):
            try:
                inputs["expires"] = written(instant(expires if isinstance(expires, str) else ""))
            except ValueError:
                problems.add("expires", f"{expires!r} is no ISO 8601 date or instant")
        days = inputs.get("rotate_after")
        if days is not None and known(days) and not (type(days) is int and 0 < days <= LONGEST_DAYS):
            problems.add("rotate_after", f"{days!r} is no number of days, positive and whole, up to {LONGEST_DAYS}")

    def inspect_online(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge the role against our own, and that the expiry is still to come."""
        own = self.session.directory.own_role()
        if inputs["role"] == roles.ADMIN and own is not None and not roles.may_assign(own, roles.ADMIN):
            inspect_reach(f"service account {inputs['username']}", roles.ADMIN, own, problems)
        expires = inputs.get("expires")
        if expires and expires != olds.get("expires") and instant(expires) <= self.session.now():
            problems.add("expires", f"{expires} is past; set a day to come, or leave it out for an account without end")

    def compare(self, olds: Properties, news: Properties) -> DiffResult:
        """Another name, role or expiry is another account; so is one whose time to rotate has come."""
        before = {**olds, "username": str(olds.get("username", "")).strip()}  # earlier versions kept blanks around it
        replaces = [field for field in _NEW_ACCOUNT if before.get(field) != news.get(field)]
        if self._is_due(olds, news):
            replaces.append("rotate_after")
        return DiffResult(changes=changed(self.INPUTS, olds, news), replaces=replaces, delete_before_replace=False)

    def make(self, inputs: Properties) -> CreateResult:
        """Make the account. One of the same name may be there: it is left alone here, and said.

        Whether it is the one to be replaced, which the engine deletes next, nobody tells a create.
        """
        accounts, name = self.session.directory.accounts, inputs["username"]
        if others := [account.username for account in accounts.named(name)]:
            there = f"{', '.join(others)} is there as well"
            self.session.say(f"service account {name}: {there}; it stays, unless this one replaces it")
        expires = inputs.get("expires")
        new = accounts.create(name, inputs["role"], instant(expires) if expires else None)
        outputs = self._outputs(inputs, new.account, {TOKEN: new.token.reveal()})
        return CreateResult(str(ServiceAccountId(self.session.organization, new.account.id)), outputs)

    def look(self, id_: str, props: Properties) -> ReadResult:
        """Read the account; its token is only in the state."""
        ref = ServiceAccountId.parse(id_)
        self.own_organization(ref.organization, self.whom(props))
        account = self.session.directory.accounts.of(ref.account)
        if account is None:
            return GONE
        inputs = {"role": roles.CONSUMER, **props, "username": account.name}
        inputs["expires"] = written(account.expires) if account.expires else None
        outputs = self._outputs(inputs, account, props)
        return ReadResult(id_, outputs, select(outputs, self.all_inputs))

    def change(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Only what no request needs: when to rotate, and the metadata."""
        self.own_organization(ServiceAccountId.parse(id_).organization, self.whom(news))
        outputs = {**select(olds, _OUTPUTS), **news}
        outputs.pop("rotates", None)
        if rotates := self._rotates(olds, news):
            outputs["rotates"] = written(rotates)
        return outputs

    def unmake(self, id_: str, props: Properties) -> None:
        """Delete the account: what logs in with its token is refused from then on."""
        ref = ServiceAccountId.parse(id_)
        self.own_organization(ref.organization, self.whom(props))
        directory = self.session.directory
        account = directory.accounts.of(ref.account)
        if account is None:
            return
        own = {directory.identity().email, self.session.settings.username}
        if account.username in own and Brake.OWN_IDENTITY not in self.session.brakes.limits.released:
            raise Refused(
                f"cannot delete the service account {account.username}",
                why=f"it is the one that this runs as [{Brake.OWN_IDENTITY}]",
                next_step=f"Run as another account first. {self.session.brakes.how_to_release(Brake.OWN_IDENTITY)}",
            )
        directory.accounts.delete(ref.account)

    def _outputs(self, inputs: Properties, account: Account, history: Properties) -> Properties:
        outputs = select(inputs, self.all_inputs)
        outputs |= {"account_id": account.id, "login": account.username}
        outputs["status"] = "expired" if account.expired(self.session.now()) else "active"
        created = written(account.created) if account.created else history.get("created")
        outputs["created"] = created or written(self.session.now())
        if rotates := self._rotates(outputs, inputs):
            outputs["rotates"] = written(rotates)
        if account.last_used:
            outputs["last_used"] = written(account.last_used)
        if account.role:
            outputs["organization_role"] = account.role
        if history.get(TOKEN):
            outputs[TOKEN] = history[TOKEN]
        return outputs

    def _rotates(self, held: Properties, inputs: Properties) -> datetime | None:
        """When another account is to take this one's place, or None for never."""
        days, created = inputs.get("rotate_after"), held.get("created")
        return instant(created) + timedelta(days=days) if isinstance(days, int) and created else None

    def _is_due(self, olds: Properties, news: Properties) -> bool:
        rotates = self._rotates(olds, news)
        return rotates is not None and rotates <= self.session.now()


class ServiceAccount(AccessResource, module="mixpanel", name="ServiceAccount"):
    """One service account of the organization, for a program that works with Mixpanel.

    Mixpanel makes the name longer (`deploy-bot` becomes the login `deploy-bot.1a2b3c.mp-service-account`), and tells
    the token once, when the account is made: it is kept as a secret output. There is no verb to change an account: for
    another name, role or expiry another one is made, before the old one is deleted, and so it is once `rotate_after`
    has come.

    Args:
        resource_name: the resource's name in the stack.
        username: the name wanted, without what Mixpanel adds.
        role: `admin`, `analyst` or `consumer` (the default): the account's organization role, in Mixpanel's words.
        expires: from when on it is refused: an ISO 8601 date or instant (UTC), whole seconds; None for never.
        rotate_after: days after which another account takes its place; None for never.
        opts: Pulumi's options.
        metadata: why the account is there; see `Metadata`.
    """

    username: pulumi.Output[str]
    role: pulumi.Output[str]
    expires: pulumi.Output[str | None]
    rotate_after: pulumi.Output[int | None]
    account_id: pulumi.Output[int]
    """Mixpanel's id of the account, which a `ServiceAccountGrant` takes."""
    login: pulumi.Output[str]
    """The login name."""
    token: pulumi.Output[str | None]
    """What it logs in with, secret; None for an account that was imported."""
    created: pulumi.Output[str]
    """When it was made (ISO 8601, UTC)."""
    rotates: pulumi.Output[str | None]
    """When another account takes its place (ISO 8601, UTC); None for never."""
    last_used: pulumi.Output[str | None]
    """When it was last used (ISO 8601, UTC); None where it is unknown."""
    organization_role: pulumi.Output[str | None]
    """The organization role that Mixpanel shows; None where it does not."""
    status: pulumi.Output[str]
    """`active` or `expired`."""

    def __init__(
        self,
        resource_name: str,
        *,
        username: pulumi.Input[str],
        role: pulumi.Input[str] = roles.CONSUMER,
        expires: pulumi.Input[str | None] = None,
        rotate_after: pulumi.Input[int | None] = None,
        opts: pulumi.ResourceOptions | None = None,
        **metadata: Unpack[Metadata],
    ) -> None:
        props: dict[str, Any] = {
            "username": username,
            "role": role,
            "expires": expires,
            "rotate_after": rotate_after,
            **metadata,
            **dict.fromkeys(_OUTPUTS),
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=[TOKEN])
        super().__init__(ServiceAccountProvider(), resource_name, props, pulumi.ResourceOptions.merge(opts, secret))
