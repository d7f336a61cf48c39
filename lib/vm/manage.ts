/** What can be done to a machine on a page of its own: one line each, for every menu. */
import type { VM, VmState } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";

/** A page that does something to a machine. */
export interface ManageLink {
  /** Below the machine's own address. */
  readonly path: "rename" | "clone" | "template" | "export" | "export-ova" | "guest";
  readonly label: PlainKey;
  readonly icon: "edit" | "copy" | "cards" | "code" | "disc";
  /** In which states it can be done; any when left out. */
  readonly states?: readonly VmState[];
  /** It is a file to keep, not a page. */
  readonly download?: true;
}

/** Nothing writes to the machine's disks. */
const OFF: readonly VmState[] = ["stopped", "crashed"];

const LINKS: readonly ManageLink[] = [
  { path: "rename", label: "manage.rename", icon: "edit", states: OFF },
  { path: "clone", label: "manage.clone", icon: "copy", states: [...OFF, "running", "paused"] },
  { path: "template", label: "manage.template", icon: "cards", states: OFF },
  { path: "guest", label: "manage.guest_tools", icon: "disc" },
  { path: "export", label: "manage.export", icon: "code", download: true },
  { path: "export-ova", label: "manage.export_ova", icon: "code", states: OFF },
];

/** The links that make sense for a machine now. */
export function manageLinks(vm: Pick<VM, "state" | "persistent">): readonly ManageLink[] {
  return LINKS.filter(({ states }) => states === undefined || (states.includes(vm.state) && vm.persistent));
}
