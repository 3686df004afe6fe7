"""The policy pack: the rules are in `mixpanel_access.rules`, one file a family."""

from mixpanel_access.rules.pack import policy_pack

policy_pack()
