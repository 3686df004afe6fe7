"""What Pulumi's verbs do with a `ServiceAccount`: create, rotate, delete."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from mixpanel_access.model import dates, roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Brake
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.errors import Refused
from mixpanel_access.model.resource_ids import ServiceAccountId
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.service_accounts import ServiceAccountInfo as Account
from mixpanel_access.model.service_accounts import problem_with_account_name
from mixpanel_access.model.similarity import counted
from mixpanel_access.provider.account_runs import Evidence, Retiring, is_ours, strangers
from mixpanel_access.provider.checks import check_right, refuse_reach
from mixpanel_access.provider.handler import Created, Found, Handler, Problems, Properties, changed, known, select
from mixpanel_access.provider.identities import StayingAccount

TOKEN: Final = "token"  # noqa: S105  # the name of the property
LONGEST_DAYS: Final = 3650
"""Days after which another account takes the place of one, at the latest."""
_MAY_BE_UNLISTED: Final = timedelta(hours=1)
"""How long after it was made an account that Mixpanel does not list may be there all the same."""
_NEW_ACCOUNT: Final = ("username", "role", "expires")
"""Inputs whose change means another account: Mixpanel has no verb to change one."""
_DELETED: Final = "deleted"
"""The status of an account that is gone from Mixpanel while one that it has replaced is still there."""


class ServiceAccountHandler(Handler[ServiceAccountId]):
    """What Pulumi's verbs do with a `ServiceAccount`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = (*_NEW_ACCOUNT, "rotate_after", "overlap")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = _NEW_ACCOUNT
    OUTPUTS: ClassVar[tuple[str, ...]] = (
        *("account_id", "login", TOKEN, "created", "expires_at", "rotates", "retiring", "last_used"),
        *("organization_role", "status"),
    )
    REPEATS: ClassVar[Mapping[str, str]] = {
        "login": "username",
        "retiring": "username",
        "organization_role": "role",
        "expires_at": "expires",
        "rotates": "rotate_after",
    }

    def label(self, props: Properties) -> str:
        return f"service account {props.get('username')}"

    def identity(self, props: Properties) -> Hashable:  # two of one name are two accounts
        return None

    def check(self, inputs: Properties, problems: Problems) -> None:
        _check_name(inputs, problems)
        _check_role(inputs, problems)
        _check_expiry(inputs, problems)
        if not _are_days("rotate_after", inputs, problems) or not _are_days("overlap", inputs, problems):
            return
        days, overlap = inputs.get("rotate_after"), inputs.get("overlap")
        if type(days) is int and type(overlap) is int and overlap >= days:
            problems.add(
                "overlap",
                f"`overlap` ({counted(overlap, 'day')}) must be shorter than `rotate_after` ({counted(days, 'day')})",
            )

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge the role against our own, and that the expiry is still to come."""
        own = self.session.directory.own_role()
        if inputs["role"] == roles.ADMIN and own is not None and not roles.may_assign(own, roles.ADMIN):
            refuse_reach(f"service account {inputs['username']}", roles.ADMIN, own, problems)
        if not olds:
            what = f"create the service account {inputs['username']}"
            check_right(self.session, Permission.CREATE_SERVICE_ACCOUNT, what, problems, "username")
            self._note_creation(inputs["username"], own=0)
        expires = inputs.get("expires")
        if expires and not _same_expiry(olds, inputs) and dates.ends_at(expires) <= self.session.now():
            problems.add("expires", f"{expires} is past; set a day to come, or leave it out for an account without end")

    def diff(self, olds: Properties, news: Properties) -> bool:
        """Another name, role or expiry needs another account; so does an account whose time to rotate has come."""
        replaces = self.replaced(olds, news)
        another = not {"username", "role"}.isdisjoint(replaces)
        if "expires" not in replaces and _counts_from_its_beginning(olds, news):
            self.session.say(
                f"{self.label(news)}: the present account is refused from the beginning of {news['expires']} on, as an "
                f"earlier version made it; the next one is good until the end of the day"
            )
        over, kept = self._retiring(olds, news)
        if replaces:
            self.session.rotations.note_due(news, olds, may_stay=not another)
            self._note_creation(str(news.get("username")), own=int(olds.get("account_id") or 0))
        if not another:  # access that another name or role ends is not kept
            self.session.rotations.keep(kept, int(olds.get("account_id") or 0))
            if replaces and news.get("overlap"):
                stays = f"{olds.get('login')} stays for {news['overlap']} days"
                self.session.say(f"{self.label(news)}: {stays}, with its grants, next to the one that replaces it")
        if over and not replaces:
            logins = ", ".join(one.login for one in over)
            self.session.say(f"{self.label(news)}: its overlap has ended, so {logins} is deleted")
        return changed(self.INPUTS, self.compared(olds, news), news) or bool(over)

    def compared(self, olds: Properties, news: Properties) -> Properties:
        return {**olds, "expires": news.get("expires")} if _same_expiry(olds, news) else olds

    def create(self, inputs: Properties) -> Created:
        """Create the account. First delete what a killed run has left of the name, and name other accounts."""
        accounts, name = self.session.directory.accounts, inputs["username"]
        before, may_stay = self.session.rotations.take_due(inputs) or (None, False)
        expires = inputs.get("expires")
        ends = dates.ends_at(expires) if expires else None
        with self.session.creations.one_at_a_time:
            self._clear_away(name, before)
            kept = self._replaced(before, inputs, ends) if before is not None and may_stay else []
            if kept:  # the old account may have another provider, whose process deletes it
                self.session.others.declare([StayingAccount(one.account) for one in kept])
            new = accounts.create(name, inputs["role"], ends)
            self.session.creations.made.add(new.account.id)
        # Nothing is read from here on: what fails now would lose the token, and end the accounts that stay.
        retiring = [one.row() for one in kept]
        self.session.rotations.keep(kept, new.account.id)
        outputs = self._outputs(inputs, new.account, {TOKEN: new.token.reveal(), "retiring": retiring})
        return Created(ServiceAccountId(self.session.organization, new.account.id), outputs)

    def read(self, ref: ServiceAccountId, props: Properties) -> Found | None:
        """Read the account; its token is only in the state.

        Nothing is deleted here, though an overlap is over: a preview that refreshes reads too.
        """
        accounts = self.session.directory.accounts
        account = accounts.get(ref.account)
        retiring = [one.row() for one in Retiring.all_of(props) if accounts.get(one.account) is not None]
        if account is None:
            if not retiring:
                return None
            return self.found({**props, "status": _DELETED, "retiring": retiring})
        inputs = {"role": roles.CONSUMER, **props, "username": account.name}
        inputs["expires"] = _read_expiry(account.expires, props)
        return self.found(self._outputs(inputs, account, {**props, "retiring": retiring}))

    def not_read(self, ref: ServiceAccountId) -> Properties:
        account = self.session.directory.accounts.get(ref.account)
        return {"role": account.role} if account and account.role else {}

    def update(self, ref: ServiceAccountId, olds: Properties, news: Properties) -> Properties:
        """Note when to rotate, and the metadata; delete what was replaced, once its overlap has ended."""
        outputs = {**select(olds, self.OUTPUTS), **news}
        for name in ("rotates", "retiring", "expires_at"):
            outputs.pop(name, None)
        if rotates := self._rotates(olds, news):
            outputs["rotates"] = written(rotates)
        if held := _held_expiry(olds):
            outputs["expires_at"] = written(held)
        over, kept = self._retiring(olds, news)
        for one in over:
            self._delete(one.account)
        if kept:
            outputs["retiring"] = [one.row() for one in kept]
        return outputs

    def delete(self, ref: ServiceAccountId, props: Properties) -> None:
        """Delete the account, and those that it has replaced: what logs in with their tokens is refused from then on.

        One that a new account of this run has replaced stays for the overlap.
        """
        for account in (ref.account, *(one.account for one in Retiring.all_of(props))):
            if kept := self.session.rotations.kept(account):
                retiring, _ = kept
                self.session.say(f"{self.label(props)}: {retiring.login} stays until {written(retiring.until)}")
            elif self.session.others.declares([StayingAccount(account)]):
                self.session.say(f"{self.label(props)}: account {account} stays until its overlap has ended")
            else:
                self._delete(account, created=props.get("created"))

    def _delete(self, id_: int, *, created: object = None) -> None:
        directory = self.session.directory
        account = directory.accounts.get(id_)
        if account is None:
            if created and self.session.now() - instant(str(created)) < _MAY_BE_UNLISTED:
                directory.accounts.delete(id_)
            return
        own = {directory.identity().email, self.session.settings.username}
        if account.username in own and Brake.OWN_IDENTITY not in self.session.brakes.limits.released:
            raise Refused(
                f"cannot delete the service account {account.username}",
                why=f"it is the one that this runs as [{Brake.OWN_IDENTITY}]",
                next_step=f"Run as another account first. {self.session.brakes.how_to_release(Brake.OWN_IDENTITY)}",
            )
        directory.accounts.delete(id_)

    def _retiring(self, olds: Mapping[str, Any], news: Properties) -> tuple[list[Retiring], list[Retiring]]:
        """Of the accounts that this one has replaced: those whose overlap is over, and the others.

        A shorter overlap counts for them too.
        """
        created, overlap = olds.get("created"), news.get("overlap")
        days = timedelta(days=overlap if isinstance(overlap, int) else 0)
        latest = instant(created) + days if created else self.session.now()
        rows = Retiring.all_of(olds)
        over = [one for one in rows if min(one.until, latest) <= self.session.now()]
        return over, [one for one in rows if one not in over]

    def _replaced(self, before: Mapping[str, Any], inputs: Properties, ends: datetime | None) -> list[Retiring]:
        """The accounts that stay next to a new one: the one that it replaces, and those that this one has replaced."""
        over, kept = self._retiring(before, inputs)
        overlap, accounts = inputs.get("overlap"), self.session.directory.accounts
        present = accounts.get(int(before.get("account_id") or 0))
        if present is not None and isinstance(overlap, int):
            limits = [self.session.now() + timedelta(days=overlap), present.expires, ends]
            kept = [*kept, Retiring(present.id, present.username, min(one for one in limits if one is not None))]
        return [one for one in kept if one not in over and one.until > self.session.now()]

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
        if account.expires:
            outputs["expires_at"] = written(account.expires)
        if history.get("retiring"):
            outputs["retiring"] = history["retiring"]
        if history.get(TOKEN):
            outputs[TOKEN] = history[TOKEN]
        return outputs

    def _rotates(self, held: Properties, inputs: Properties) -> datetime | None:
        """When another account is to take this one's place, or None for never."""
        days, created = inputs.get("rotate_after"), held.get("created")
        return instant(created) + timedelta(days=days) if isinstance(days, int) and created else None

    def replaced(self, olds: Properties, news: Properties) -> list[str]:
        """The inputs that need another account: Mixpanel cannot change an account."""
        before = {**olds, "username": str(olds.get("username", "")).strip()}  # earlier versions kept blanks around it
        fields = [field for field in ("username", "role") if before.get(field) != news.get(field)]
        if not _same_expiry(olds, news):
            fields.append("expires")
        if self._is_due(olds, news) or (olds.get("status") == _DELETED and not self.session.takes_only):
            fields.append("rotate_after")
        return fields

    def _is_due(self, olds: Properties, news: Properties) -> bool:
        rotates = self._rotates(olds, news)
        return rotates is not None and rotates <= self.session.now() and not self.session.takes_only

    def _note_creation(self, name: str, own: int) -> None:
        """Have the states read now if something of the name is there: later, our own creation stands there as begun."""
        others = any(one.id != own for one in self.session.directory.accounts.by_name(name))
        self.session.creations.note(name, self.session.states.all if others else None)

    def _clear_away(self, name: str, before: Mapping[str, Any] | None) -> None:
        """Delete what a killed run has left of the name, where that is certain, and report the others that are there.

        Raises:
            MixpanelError: one cannot be deleted; no other is made then.
        """
        own: set[Any] = set(self.session.creations.made)
        if before is not None:
            own |= {before.get("account_id"), *(one.account for one in Retiring.all_of(before))}
        there = [one for one in self.session.directory.accounts.by_name(name) if one.id not in own]
        if not there:
            return
        evidence = self._evidence(name)
        states = self.session.states.all() if evidence is None else evidence.states
        unread = f" ({states.why})" if states.why else ""
        for account in strangers(there, states):
            if evidence is not None and is_ours(account, evidence):
                self.session.directory.accounts.delete(account.id)
                self.session.say(
                    f"service account {name}: deleted {account.username} ({account.id}), which a run that was killed "
                    f"has left: nobody has its token"
                )
            else:
                self.session.say(
                    f"service account {name}: {account.username} ({account.id}) is there as well, and no state that "
                    f"could be read has it{unread}; it stays. If nobody uses it, delete it: "
                    f"{self._deletion(account.id)}"
                )

    def _evidence(self, name: str) -> Evidence | None:
        """What was known before the first account of a name was made; None if that was not looked at in time."""
        states, before = self.session.states, self.session.creations.states_before(name)
        if before is None:
            return None
        stack = states.own_stack()
        own = {self.session.directory.identity().email, self.session.settings.username}
        ended = states.last_run_ended(stack) if stack else None
        return Evidence(before, stack, ended, frozenset(map(same_key, own)))

    def _deletion(self, account: int) -> str:
        """The command that deletes an account; it asks for the secret of an `Organization`, as no variable has it."""
        settings = self.session.settings
        login = '"$MIXPANEL_SERVICE_ACCOUNT:$MIXPANEL_SERVICE_ACCOUNT_SECRET"'
        if settings.provider:
            login = shlex.quote(settings.username)
        path = f"/api/app/organizations/{self.session.organization}/service-accounts/{account}"
        return f"curl -X DELETE -u {login} {settings.api_url}{path}"


def _held_expiry(olds: Properties) -> datetime | None:
    """From when on the account that is there is refused, by its state."""
    if olds.get("expires_at"):
        return instant(str(olds["expires_at"]))
    return dates.ends_at(str(olds["expires"])) if olds.get("expires") else None


def _same_expiry(olds: Properties, news: Properties) -> bool:
    """Whether the account that is there expires as declared, or as version 0.1.0 read the same day."""
    held, wanted = _held_expiry(olds), news.get("expires")
    if held is None or wanted is None:
        return held is None and wanted is None
    if not known(wanted):
        return False
    return held == dates.ends_at(wanted) or _counts_from_its_beginning(olds, news)


def _counts_from_its_beginning(olds: Properties, news: Properties) -> bool:
    """Whether a day is the one that is in the state, and the account is refused from its beginning on."""
    held, wanted = _held_expiry(olds), news.get("expires")
    if held is None or wanted is None or not known(wanted):
        return False
    return held == dates.earlier_reading(wanted) and olds.get("expires") in (wanted, written(held))


def _read_expiry(there: datetime | None, props: Properties) -> str | None:
    """An account's expiry as it is declared, where Mixpanel has that one; else as Mixpanel has it."""
    declared = props.get("expires")
    if there is None or not declared:
        return written(there) if there else None
    same = there in (dates.ends_at(declared), dates.earlier_reading(declared))
    return str(declared) if same else written(there)


def _check_name(inputs: Properties, problems: Problems) -> None:
    """Judge the name, and strip it as Mixpanel does."""
    name = inputs.get("username")
    if known(name) and (reason := problem_with_account_name(name)):
        problems.add("username", reason)
    elif isinstance(name, str):
        inputs["username"] = name.strip()  # as Mixpanel does: else each refresh would find another name


def _check_role(inputs: Properties, problems: Problems) -> None:
    """Judge the role word, which is `consumer` where the program gives none."""
    role = inputs.setdefault("role", roles.CONSUMER)
    if known(role):
        word = roles.normalized(role) if isinstance(role, str) else ""
        if word in roles.SERVICE_ACCOUNT_ROLES:
            inputs["role"] = word
        else:
            problems.add(
                "role",
                f"{role!r} is not a role of a service account; there are {', '.join(roles.SERVICE_ACCOUNT_ROLES)}",
            )


def _check_expiry(inputs: Properties, problems: Problems) -> None:
    """Judge the expiry, and write it in one form."""
    expires = inputs.get("expires")
    if expires is not None and known(expires):
        try:
            inputs["expires"] = dates.normalized(expires if isinstance(expires, str) else "")
        except ValueError:
            problems.add("expires", f"{expires!r} is not an ISO 8601 date or instant")


def _are_days(field: str, inputs: Properties, problems: Problems) -> bool:
    """Judge a number of days, which may be left out or not known yet."""
    days = inputs.get(field)
    if days is None or not known(days) or (type(days) is int and 0 < days <= LONGEST_DAYS):
        return True
    problems.add(field, f"{days!r} is not a number of days, positive and whole, up to {LONGEST_DAYS}")
    return False
