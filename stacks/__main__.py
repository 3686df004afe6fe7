"""One stack: what its roster, `<stack>.yaml` beside this file, declares."""

from pathlib import Path

import pulumi

from mixpanel_access.component import roster_program

roster_program(Path(__file__).with_name(f"{pulumi.get_stack()}.yaml"))
