"""What one chooses of a new project."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

NAME: Final = "mixpanel-access"
"""The project's name in Pulumi.yaml."""


class CI(StrEnum):
    """Whose workflow a project gets."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


class Backend(StrEnum):
    """Where a project keeps its states."""

    PULUMI_CLOUD = "pulumi-cloud"
    S3 = "s3"
    GCS = "gcs"
    AZBLOB = "azblob"
    FILE = "file"
