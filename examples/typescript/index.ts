import * as mixpanel from "@pulumi/mixpanel-access"; // made by `pulumi package add`: see README.md
import * as pulumi from "@pulumi/pulumi";

// What this stack's roster, `<stack>.yaml`, declares.
const roster = new mixpanel.RosterAccess("roster", { file: `${pulumi.getStack()}.yaml` });

// One person for the days of one engagement, by this program.
const kim = new mixpanel.CollaboratorAccess("kim", {
    email: "kim@agency.example.org",
    engagementName: "tracking-plan",
    engagement: {
        type: "analytics_review",
        sow: "SOW-2026-014",
        ticket: "OPS-4712",
        approver: "ana@example.com",
        starts: "2026-04-15",
        ends: "2026-07-13",
    },
    projects: { shop: { id: 1234567 } }, // an id may be another resource's output
});

export const people = roster.people;
export const grants = roster.grants;
export const serviceAccountTokens = roster.serviceAccountTokens;
export const status = kim.status;
export const roles = kim.roles;
