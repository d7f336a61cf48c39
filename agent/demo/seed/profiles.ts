/** A profile of the demo: what automation may do in the project of builds and tests. */
import { DAY_MS } from "../../../lib/duration.ts";
import { ProfileRecords, toolId } from "../../profiles/records.ts";
import { idFor, type Seeding } from "./moment.ts";

/** Commands of the skill, in their order. */
const STEPS = ["create_snapshot", "reboot_vm"] as const;

/** Writes a skill, the profile that has it, and which project has that. */
export function seedProfiles({ store, now }: Seeding): void {
  const records = new ProfileRecords(store);
  const skill = { tool_type: "skill", name: "restart-safely" } as const, profile = idFor("profile", "ci");
  records.tools.put({
    ...skill,
    id: toolId(skill.tool_type, skill.name),
    description: "A snapshot, then a restart",
    enabled: true,
    parameters: ["vm", "snapshot"],
    steps: [
      { command: STEPS[0], input: { vmId: "{{vm}}", name: "{{snapshot}}" } },
      { command: STEPS[1], input: { vmId: "{{vm}}" } },
    ],
    privateAddresses: false,
    arguments: [],
  });
  records.profiles.put({
    id: profile,
    name: "Builds",
    description: "For the build server: it takes a snapshot and restarts",
    tool_refs: [{
      ...skill,
      source_scope: null,
      permissions: { allowed_directories: [], allowed_tools: [...STEPS], disallowed_tools: [] },
    }],
    createdAt: now - 40 * DAY_MS,
    updatedAt: now - 12 * DAY_MS,
  });
  records.projects.put({ id: idFor("project", "dev"), profile, local: [] });
}
