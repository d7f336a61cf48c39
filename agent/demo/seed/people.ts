/** Users of the demo, their roles, sessions and API tokens. Each browser is signed in as the demo's visitor. */
import { DAY_MS, HOUR_MS } from "../../../lib/duration.ts";
import type { Grant } from "../../../lib/contract/mod.ts";
import type { RoleRecord, SessionRecord, TokenRecord, UserRecord } from "../../access/records.ts";
import { type RecordChange, Records } from "../../store/records.ts";
import { hash } from "../world/chance.ts";
import { idFor, type Seeding } from "./moment.ts";

const everything = { kind: "everything" } as const;

interface Person {
  readonly name: string;
  readonly displayName: string;
  readonly grants: readonly Grant[];
  readonly daysAgo: number;
  readonly seenHoursAgo: number;
  readonly disabled?: true;
}

export const PEOPLE: readonly Person[] = [
  {
    name: "anna",
    displayName: "Anna Berger",
    grants: [{ role: "administrator", on: everything }],
    daysAgo: 410,
    seenHoursAgo: 1,
  },
  {
    name: "ben",
    displayName: "Ben Okafor",
    grants: [{ role: "operator", on: everything }],
    daysAgo: 302,
    seenHoursAgo: 4,
  },
  {
    name: "carla",
    displayName: "Carla Ruiz",
    grants: [
      { role: "operator", on: { kind: "project", project: idFor("project", "dev") } },
      { role: "viewer", on: everything },
    ],
    daysAgo: 188,
    seenHoursAgo: 26,
  },
  {
    name: "deniz",
    displayName: "Deniz Aydin",
    grants: [{ role: "console-only", on: { kind: "group", group: "Munich" } }],
    daysAgo: 92,
    seenHoursAgo: 75,
  },
  {
    name: "erik",
    displayName: "Erik Lund (left)",
    grants: [{ role: "operator", on: everything }],
    daysAgo: 405,
    seenHoursAgo: 1500,
    disabled: true,
  },
];

const ROLES: readonly (readonly [name: string, role: RoleRecord])[] = [
  ["console-only", {
    description: "Sees VMs and opens their consoles; changes nothing",
    permissions: ["vms.view", "host.view"],
  }],
  ["backup-auditor", {
    description: "Reads backups and the audit log",
    permissions: ["backups.view", "schedules.view", "audit.view"],
  }],
];

const CLIENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/** Boot of the host that times are of: none, they go by the wall clock alone. */
const BOOT = "before the demo";
/** No hash of any password: these accounts are shown, and cannot be signed in to. */
const NO_PASSWORD = "no password opens this account";

const momentAt = (wall: number) => ({ wall, boot: BOOT, up: 0 });

const userOf = (person: Person, now: number): UserRecord => ({
  id: idFor("user", person.name),
  name: person.name,
  displayName: person.displayName,
  disabled: person.disabled ?? false,
  grants: person.grants,
  createdAt: now - person.daysAgo * DAY_MS,
  lastSignInAt: now - person.seenHoursAgo * HOUR_MS,
  password: NO_PASSWORD,
  recovery: [],
});

const sessionOf = ({ name, seenHoursAgo }: Person, now: number): SessionRecord => ({
  id: idFor("session", name),
  userId: idFor("user", name),
  begun: momentAt(now - (seenHoursAgo + 2) * HOUR_MS),
  used: momentAt(now - seenHoursAgo * HOUR_MS),
  address: `10.10.0.${30 + hash(name) % 60}`,
  client: CLIENT,
});

function tokenOf(name: string, owner: string, grant: Grant, days: number, now: number): TokenRecord {
  return {
    id: idFor("token", name),
    name,
    userId: idFor("user", owner),
    grants: [grant],
    begun: momentAt(now - days * DAY_MS),
    livesMs: 365 * DAY_MS,
    lastUsedAt: now - HOUR_MS / 6,
    lastUsedFrom: "10.10.0.61",
  };
}

/** Writes them. */
export function seedPeople({ store, now }: Seeding): void {
  const records = new Records(store), present = PEOPLE.filter(({ disabled }) => disabled !== true);
  const tokens = [
    tokenOf("grafana", "anna", { role: "viewer", on: everything }, 140, now),
    tokenOf("ansible", "ben", { role: "operator", on: everything }, 61, now),
  ];
  const changes: RecordChange[] = [
    ...PEOPLE.map((person) => ({
      kind: "user" as const,
      key: idFor("user", person.name),
      record: userOf(person, now),
    })),
    ...ROLES.map(([key, record]) => ({ kind: "role" as const, key, record })),
    ...present.filter(({ seenHoursAgo }) => seenHoursAgo < 12).map((person) => ({
      kind: "session" as const,
      key: idFor("session secret", person.name),
      record: sessionOf(person, now),
    })),
    ...tokens.map((record) => ({ kind: "token" as const, key: idFor("token secret", record.name), record })),
  ];
  records.commit(changes);
}
