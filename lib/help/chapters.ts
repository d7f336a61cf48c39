/** The chapters of the documentation, in the order in which they are listed, and which of them a page is about. */
import type { PlainKeyOf } from "../i18n/mod.ts";
import type { help } from "../i18n/en/help.ts";

/** Address of the documentation. */
export const HELP = "/help";

/** Chapters that belong together. */
export interface ChapterGroup {
  readonly label: PlainKeyOf<typeof help>;
  /** Names of files in `docs/`, without `.md`. */
  readonly chapters: readonly string[];
}

export const CHAPTER_GROUPS: readonly ChapterGroup[] = [
  {
    label: "help.group.start",
    chapters: [
      "install",
      "demo",
      "settings",
      "access",
      "projects",
      "profiles",
      "host-accounts",
      "tls",
      "privileges",
    ],
  },
  {
    label: "help.group.vms",
    chapters: [
      "guest",
      "guest-agent",
      "snapshots",
      "templates",
      "ova",
      "import",
      "domain-xml",
      "host-devices",
      "limits",
    ],
  },
  {
    label: "help.group.storage",
    chapters: ["disk-images", "image-catalog", "moving-disks", "shared-folders", "port-forwards", "bin"],
  },
  {
    label: "help.group.hosts",
    chapters: ["hosts", "migration", "maintenance", "replication", "double-starts"],
  },
  {
    label: "help.group.operation",
    chapters: ["backups", "schedules", "monitoring", "alerts", "insights", "metrics", "hangs"],
  },
  { label: "help.group.programs", chapters: ["cli", "tui", "rest", "grpc", "mcp"] },
  { label: "help.group.development", chapters: ["architecture", "fresh", "words", "release"] },
];

/** Names of all chapters, in order. */
export const CHAPTERS: readonly string[] = CHAPTER_GROUPS.flatMap(({ chapters }) => chapters);

/** Address of a page → its chapter. The first that fits holds; `*` is one part of an address. */
const PAGES: readonly (readonly [path: string, chapter: string])[] = [
  ["/vms/import-from", "import"],
  ["/vms/import-ova", "ova"],
  ["/vms/import", "ova"],
  ["/vms/move", "migration"],
  ["/vms/*/snapshots", "snapshots"],
  ["/vms/*/backups", "backups"],
  ["/vms/*/migrate", "migration"],
  ["/vms/*/replicate", "replication"],
  ["/vms/*/clone", "templates"],
  ["/vms/*/template", "templates"],
  ["/vms/*/export-ova", "ova"],
  ["/vms/*/guest", "guest"],
  ["/vms/*/disks", "disk-images"],
  ["/vms/*/hardware", "host-devices"],
  ["/vms/*/monitoring", "monitoring"],
  ["/vms/*/xml", "domain-xml"],
  ["/storage", "moving-disks"],
  ["/networks", "port-forwards"],
  ["/images", "image-catalog"],
  ["/templates", "templates"],
  ["/alerts", "alerts"],
  ["/schedules", "schedules"],
  ["/backups", "backups"],
  ["/replication", "replication"],
  ["/maintenance", "maintenance"],
  ["/bin", "bin"],
  ["/insights", "insights"],
  ["/monitoring", "monitoring"],
  ["/projects", "projects"],
  ["/profiles", "profiles"],
  ["/settings/hosts", "hosts"],
  ["/settings/placement", "maintenance"],
  ["/settings/mcp", "mcp"],
  ["/settings/users", "access"],
  ["/settings/credentials", "hosts"],
  ["/settings", "settings"],
  ["/api", "rest"],
];

const patterns = PAGES.map(([path, chapter]) => ({
  pattern: new RegExp(`^${path.replaceAll("*", "[^/]+")}(?:/|$)`),
  chapter,
}));

/** Address of the chapter that a page is about; of all chapters where it is about none. @param path without the host's part */
export function helpFor(path: string): string {
  const found = patterns.find(({ pattern }) => pattern.test(path));
  return found === undefined ? HELP : `${HELP}/${found.chapter}`;
}
