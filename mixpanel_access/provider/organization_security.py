"""`OrganizationSecurity`: second factor and requests for access of the organization; its single sign-on to read."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar, Final, Unpack

import pulumi

from mixpanel_access.model import roles
from mixpanel_access.model.access import Security, Topic
from mixpanel_access.model.errors import Forbidden, Invalid, MixpanelError, NotApplied
from mixpanel_access.model.resource_ids import OrganizationSecurityId
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.handler import Created, Found, Handler, Problems, Properties, known, select
from mixpanel_access.provider.resource import AccessResource, Metadata
from mixpanel_access.provider.taking import Taken

_TWO_FACTOR: Final = "two_factor_required"
_REQUEST_ACCESS: Final = "request_access"
_DISCOVERABILITY: Final = "discoverability"
_NOT_WITH_SSO: Final = (
    "Mixpanel has no second factor while single sign-on is on: leave two_factor_required out, and require single "
    "sign-on in Organization Settings > Access Security instead"
)


class OrganizationSecurityHandler(Handler[OrganizationSecurityId]):
    """What Pulumi's verbs do with `OrganizationSecurity`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = (_TWO_FACTOR, _REQUEST_ACCESS)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("two_factor_settings", "request_access_settings", "sso", _DISCOVERABILITY)
    REPEATS: ClassVar[Mapping[str, str]] = {
        "two_factor_settings": _TWO_FACTOR,
        "request_access_settings": _REQUEST_ACCESS,
    }

    def label(self, props: Properties) -> str:  # there is one
        return f"the security settings of organization {self.session.organization}"

    def identity(self, props: Properties) -> Hashable:  # there is one
        return "organization security"

    def check(self, inputs: Properties, problems: Problems) -> None:
        required = inputs.get(_TWO_FACTOR)
        if required is not None and known(required) and not isinstance(required, bool):
            problems.add(_TWO_FACTOR, f"{required!r} is neither true nor false")
        keys = inputs.get(_REQUEST_ACCESS)
        if keys is not None and known(keys):
            if not isinstance(keys, dict):
                problems.add(_REQUEST_ACCESS, f"{keys!r} is not a mapping of settings")
            elif empty := [key for key, value in keys.items() if value is None]:
                problems.add(_REQUEST_ACCESS, f"{empty[0]!r} has no value; leave out what is to stay as it is")

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge that what is given can be set here: by us, on this plan, with single sign-on as it is."""
        held = self.session.directory.security()
        own = self.session.directory.own_role()
        given = [field for field in self.INPUTS if inputs.get(field) is not None]
        for field, topic in zip(self.INPUTS, (Topic.TWO_FACTOR, Topic.REQUEST_ACCESS), strict=True):
            if field in given and topic in held.unknown:
                problems.add(field, f"it cannot be set, since it cannot be read here: {held.unknown[topic]}")
        if problems:
            return
        if given and own is not None and own not in roles.MANAGING_ROLES:
            problems.add(
                given[0],
                f"it is changed by owners and admins of the organization, and this service account is {own!r} there",
            )
        required = inputs.get(_TWO_FACTOR)
        if required is not None and required != held.two_factor_required and held.sso.enabled:
            problems.add(_TWO_FACTOR, f"it cannot be changed to {str(required).lower()}. {_NOT_WITH_SSO}")

    def diff(self, olds: Properties, news: Properties) -> bool:
        """Whether a given setting differs; settings that are no longer given stay as they are."""
        required, keys = news.get(_TWO_FACTOR), news.get(_REQUEST_ACCESS)
        changes = required is not None and required != olds.get(_TWO_FACTOR)
        if isinstance(keys, dict):
            changes = changes or not _holds(olds.get(_REQUEST_ACCESS) or {}, keys)
        return changes or not known(keys)

    def create(self, inputs: Properties) -> Created:
        """Apply the given settings; all others are adopted as they are."""
        return Created(OrganizationSecurityId(self.session.organization), self._ensure(inputs))

    def read(self, ref: OrganizationSecurityId, props: Properties) -> Found | None:
        """Read the settings; of an import, all of them, and later those that are given."""
        held = self.session.directory.security()
        imported = not any(key in props for key in (*self.INPUTS, *self.OUTPUTS))
        inputs = dict(props)
        if (imported or props.get(_TWO_FACTOR) is not None) and Topic.TWO_FACTOR not in held.unknown:
            inputs[_TWO_FACTOR] = held.two_factor_required
        if Topic.REQUEST_ACCESS not in held.unknown:
            given = held.request_access if imported else props.get(_REQUEST_ACCESS) or {}
            if given:
                inputs[_REQUEST_ACCESS] = {key: held.request_access[key] for key in given if key in held.request_access}
        outputs = self._outputs(inputs, held)
        try:
            outputs[_DISCOVERABILITY] = self.session.directory.discoverability().value
        except MixpanelError:  # what it was may have changed: it is unknown
            outputs.pop(_DISCOVERABILITY, None)
        return self.found(outputs)

    def update(self, ref: OrganizationSecurityId, olds: Properties, news: Properties) -> Properties:
        return {**self._ensure(news), **select(olds, [_DISCOVERABILITY])}

    def delete(self, ref: OrganizationSecurityId, props: Properties) -> None:
        """Change nothing: who removes the declaration does not ask for less security."""
        self.session.say(f"{self.label(props)} stay as they are; they are only no longer declared")

    def _ensure(self, inputs: Properties) -> Properties:
        """Apply the given settings and return the outputs."""
        with self.taking(OrganizationSecurityId(self.session.organization)) as taken:
            return self._apply(inputs, taken)

    def _apply(self, inputs: Properties, taken: Taken) -> Properties:
        directory = self.session.directory
        required, keys = inputs.get(_TWO_FACTOR), inputs.get(_REQUEST_ACCESS) or {}
        held = directory.security()
        if required is not None and required != held.two_factor_required:
            self._change_two_factor(lambda: directory.settings.require_two_factor(required))
            taken.add(f"change {_TWO_FACTOR}", self._outputs(inputs, held))
        if not _holds(directory.security().request_access, keys):
            directory.settings.change_request_access(keys)
            taken.add(f"change {_REQUEST_ACCESS}", self._outputs(inputs, held))
        held = directory.security()
        missed = [key for key, value in keys.items() if not _holds(held.request_access, {key: value})]
        if required is not None and required != held.two_factor_required:
            missed.insert(0, _TWO_FACTOR)
        if missed:
            what = f"change {', '.join(missed)}"
            raise self.not_applied(what, self.label(inputs), "shows another value", "Organization Settings")
        return self._outputs(inputs, held)

    def _change_two_factor(self, write: Callable[[], None]) -> None:
        """Send the change of the second factor; the error says so if single sign-on forbids it."""
        try:
            write()
        except (Forbidden, Invalid, NotApplied) as error:
            if self.session.directory.security().sso.enabled:
                error.next_step = f"{_NOT_WITH_SSO}."
            raise

    def _outputs(self, inputs: Properties, held: Security) -> Properties:
        outputs = select(inputs, self.all_inputs)
        outputs["two_factor_settings"] = dict(held.two_factor)
        outputs["request_access_settings"] = dict(held.request_access)
        sso = {
            "enabled": held.sso.enabled,
            "required": held.sso.required,
            "idp_managed": held.sso.idp_managed,
            "idp_name": held.sso.idp_name,
            "domains": None if held.sso.domains is None else sorted(held.sso.domains),
        }
        outputs["sso"] = {key: value for key, value in sso.items() if value is not None}
        return outputs


def _holds(settings: Mapping[str, Any], keys: Mapping[str, Any]) -> bool:
    """Whether the settings have each of the keys with its value."""
    return all(key in settings and settings[key] == value for key, value in keys.items())


class OrganizationSecurityProvider(AccessProvider):
    """The SDK's provider of `OrganizationSecurity`, which states name."""

    HANDLER = OrganizationSecurityHandler


class SecurityInputs(Metadata, total=False):
    """The inputs of an `OrganizationSecurity`."""

    two_factor_required: pulumi.Input[bool | None]
    """Whether people who log in with a password or Google need two-factor authentication; left out, it stays as it
    is."""
    request_access: pulumi.Input[Mapping[str, Any] | None]
    """Settings for access requests, by Mixpanel's own keys; keys that you leave out stay as they are."""


class OrganizationSecurity(AccessResource, module="mixpanel", name="OrganizationSecurity"):
    """The security settings of the organization, of which there is one set; one stack owns them.

    Only what is given is changed, and shows as drift; everything else stays, and the outputs show it. Deleting the
    resource changes nothing in Mixpanel, and says so. Mixpanel has no second factor while single sign-on is
    on. Mixpanel offers no setting here for how long a login lasts.
    """

    two_factor_required: pulumi.Output[bool | None]
    request_access: pulumi.Output[dict[str, Any] | None]
    two_factor_settings: pulumi.Output[dict[str, Any]]
    """All two-factor settings in Mixpanel."""
    request_access_settings: pulumi.Output[dict[str, Any]]
    """All settings for access requests in Mixpanel."""
    sso: pulumi.Output[dict[str, Any]]
    """Single sign-on, read-only: `enabled`, `required`, `idp_managed`, `idp_name`, `domains`; what Mixpanel does not
    show is missing."""
    discoverability: pulumi.Output[str | None]
    """`Closed`, `Request` or `Open`, read-only, as of the last refresh. A preview or an update does not ask for it; it
    is missing if Mixpanel does not show it."""

    def __init__(
        self,
        resource_name: str,
        *,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[SecurityInputs],
    ) -> None:
        super().__init__(OrganizationSecurityProvider(), resource_name, opts, inputs)
