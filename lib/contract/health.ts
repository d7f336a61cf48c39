/** How the host fares: what the doctor finds. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { NOTHING_IN, oneOf, SentenceText } from "./schema.ts";

/** How bad: nothing, something that may bite, something that does. */
export const HEALTH_LEVELS = ["ok", "warning", "problem"] as const;
export type HealthLevel = typeof HEALTH_LEVELS[number];

/** Areas that are looked at, in the order they are shown. */
export const HEALTH_AREAS = [
  "libvirt",
  "kvm",
  "qemu",
  "modules",
  "groups",
  "firewall",
  "storage",
  "locks",
  "cluster",
  "clock",
  "names",
  "ports",
  "state",
  "certificate",
] as const;

export const HealthFinding = Type.Object({
  area: oneOf(HEALTH_AREAS),
  level: oneOf(HEALTH_LEVELS),
  what: SentenceText({ description: "what is so, in a sentence" }),
  advice: Type.Optional(SentenceText({ description: "what to do about it" })),
  command: Type.Optional(Type.String({ description: "the command that does it here, run as root" })),
});
export type HealthFinding = Static<typeof HealthFinding>;

export const healthCommands = {
  get_host_health: command({
    summary: "Examine the host: libvirt, KVM, firewall, storage, clock, own state",
    role: "administrator",
    input: NOTHING_IN,
    output: Type.Array(HealthFinding),
    errors: ["NotOnThisHost"],
    route: "GET /host/health",
    cli: ["host", "health"],
    columns: ["level", "area", "what", "command"],
    readOnly: true,
    withoutLibvirt: true,
  }),
};
