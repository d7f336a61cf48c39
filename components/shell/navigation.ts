/** The sidebar's entries: one line a page. */
import type { Offers } from "../../lib/access/looking.ts";
import { mayOpen } from "../../lib/access/offers.ts";
import type { PlainKey } from "../../lib/i18n/mod.ts";
import type { IconName } from "../kit/icons.ts";

/** One entry of the sidebar and of the command palette. */
export interface Destination {
  readonly href: string;
  readonly label: PlainKey;
  readonly icon: IconName;
  /** Live count next to it. */
  readonly count?: "vms";
}

export const DESTINATIONS: readonly Destination[] = [
  { href: "/", label: "nav.dashboard", icon: "dashboard" },
  { href: "/vms", label: "nav.vms", icon: "vms", count: "vms" },
  { href: "/projects", label: "nav.projects", icon: "folder" },
  { href: "/profiles", label: "nav.profiles", icon: "shield" },
  { href: "/storage", label: "nav.storage", icon: "disk" },
  { href: "/networks", label: "nav.networks", icon: "network" },
  { href: "/images", label: "nav.images", icon: "disc" },
  { href: "/templates", label: "nav.templates", icon: "cards" },
  { href: "/alerts", label: "nav.alerts", icon: "bell" },
  { href: "/schedules", label: "nav.schedules", icon: "calendar" },
  { href: "/backups", label: "nav.backups", icon: "download" },
  { href: "/replication", label: "nav.replication", icon: "copy" },
  { href: "/bin", label: "nav.bin", icon: "trash" },
  { href: "/insights", label: "nav.insights", icon: "activity" },
  { href: "/settings", label: "nav.settings", icon: "settings" },
];

/** The entries whose pages somebody may open. @param offers null: all of them */
export const destinationsFor = (offers: Offers | null): readonly Destination[] =>
  offers === null ? DESTINATIONS : DESTINATIONS.filter(({ href }) => mayOpen(offers, href));

/** Whether an address is a destination's page, or one below it. */
export function isAt(path: string, { href }: Pick<Destination, "href">): boolean {
  return path === href || (href !== "/" && path.startsWith(`${href}/`));
}
