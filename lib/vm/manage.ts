/** What can be done to a machine on a page of its own: one line each, for every menu. */
import type { VM } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";

/** A page that does something to a machine. */
export interface ManageLink {
  /** Below the machine's own address. */
  readonly path: "rename" | "clone" | "template" | "export" | "export-ova" | "guest";
  readonly label: PlainKey;
  readonly icon: "edit" | "copy" | "cards" | "code" | "disc";
  /** Nothing may be writing to the machine's disks. */
  readonly off: boolean;
  /** It is a file to keep, not a page. */
  readonly download?: true;
}

const LINKS: readonly ManageLink[] = [
  { path: "rename", label: "manage.rename", icon: "edit", off: true },
  { path: "clone", label: "manage.clone", icon: "copy", off: true },
  { path: "template", label: "manage.template", icon: "cards", off: true },
  { path: "guest", label: "manage.guest_tools", icon: "disc", off: false },
  { path: "export", label: "manage.export", icon: "code", off: false, download: true },
  { path: "export-ova", label: "manage.export_ova", icon: "code", off: true },
];

/** The links that make sense for a machine now. */
export function manageLinks(vm: Pick<VM, "state" | "persistent">): readonly ManageLink[] {
  const isOff = vm.state === "stopped" || vm.state === "crashed";
  return LINKS.filter(({ off }) => !off || (isOff && vm.persistent));
}
