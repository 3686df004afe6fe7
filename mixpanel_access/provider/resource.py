"""`AccessResource`: what all our Pulumi resources do alike in the program's process."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import Resource

from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.run import announce


class AccessResource(Resource):
    """The base of every resource class.

    A component announces nothing: one that declares no resource today has the engine configure no provider, and what
    is deleted then is deleted with the configuration that the state remembers.
    """

    def __init__(
        self, provider: AccessProvider, resource_name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        announce()
        super().__init__(provider, resource_name, props, opts)
