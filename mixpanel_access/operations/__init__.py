"""What operators do around the grants: no printing, and no Pulumi engine but through `engine/`.

Whatever runs the engine raises `EngineError` where that fails, and whatever reads Mixpanel `MixpanelError`. The
docstrings here name only other errors under `Raises:`.
"""
