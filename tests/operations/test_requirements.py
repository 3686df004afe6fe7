"""The hashed requirements that the policy pack brings along."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.new_project import LOCK, WHEEL, read_wheel, with_wheel, write_pack

ROOT = Path(__file__).parents[2]


def locked(file: Path) -> dict[str, frozenset[str]]:
    """Each package with its version, and the hashes of its files."""
    parts = re.split(r"^(?=\S)", file.read_text(), flags=re.MULTILINE)
    return {
        part.split(" ")[0]: frozenset(re.findall(r"--hash=(sha256:\w{64})", part)) for part in parts if "==" in part
    }


def test_they_are_those_of_the_lock() -> None:
    """In the same versions with the same hashes, so that what was tested is what is installed."""
    own, whole = locked(ROOT / LOCK), locked(ROOT / "requirements.lock")
    assert {"pulumi", "pulumi-policy"} <= {name.partition("==")[0] for name in own}
    assert all(hashes and whole[name] == hashes for name, hashes in own.items())


def test_the_wheel_has_its_hash_too() -> None:
    """As pip reads it, in the folder of the file."""
    first = with_wheel(b"wheel").splitlines()[0]
    assert first == f"./{WHEEL} --hash=sha256:{hashlib.sha256(b'wheel').hexdigest()}"


@pytest.mark.parametrize("name", ["mixpanel_access-0.0.1-py3-none-any.whl", "other.whl", WHEEL])
def test_what_is_no_wheel_of_this_version_is_refused(tmp_path: Path, name: str) -> None:
    """Another version, another package, and a file that is not there; nothing is written."""
    if name != WHEEL:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match=name if name == WHEEL else f"the wheel of this version is {WHEEL}"):
        write_pack(tmp_path / "pack", tmp_path / name)
    assert not (tmp_path / "pack").exists()


def test_a_folder_with_a_file_of_the_pack_stays_as_it_is(tmp_path: Path) -> None:
    """All files are written, or none."""
    wheel = tmp_path / WHEEL
    wheel.write_bytes(b"wheel")
    assert read_wheel(wheel) == b"wheel"
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "requirements.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot make the policy pack .*requirements.txt already"):
        write_pack(tmp_path / "pack", wheel)
    assert [file.name for file in (tmp_path / "pack").iterdir()] == ["requirements.txt"]
