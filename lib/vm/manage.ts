/** Actions on a VM that have a page of their own: one line each, for every menu. */
import type { VM, VmState } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";
import { isLive } from "./state.ts";

/** Fields of a VM that decide which actions are possible. */
type Managed = Pick<VM, "state" | "persistent" | "graphics" | "responsive">;

/** A page that does something to a VM. */
export interface ManageLink {
  /** Below the VM's own address. */
  readonly path:
    | "console"
    | "rename"
    | "clone"
    | "template"
    | "export"
    | "export-ova"
    | "guest"
    | "log"
    | "boot"
    | "migrate"
    | "replicate"
    | "backups";
  readonly label: PlainKey;
  readonly icon:
    | "monitor"
    | "edit"
    | "copy"
    | "cards"
    | "code"
    | "disc"
    | "play"
    | "activity"
    | "download"
    | "external";
  /** When it can be done; always when left out. */
  readonly when?: (vm: Managed) => boolean;
  /** It is a file to keep, not a page. */
  readonly download?: true;
}

/** Nothing writes to the VM's disks. */
const OFF: readonly VmState[] = ["stopped", "crashed"];
/** Whether a VM is off and kept: only then may another write to its disks. */
export const disksAtRest = ({ state, persistent }: Managed) => persistent && OFF.includes(state);

/** Whether its console has something to show, be it the file for an outside viewer of a SPICE screen. */
export const offersConsole = (vm: Pick<Managed, "state" | "graphics" | "responsive">): boolean =>
  isLive(vm) && vm.graphics.length > 0 && vm.responsive;

const LINKS: readonly ManageLink[] = [
  { path: "console", label: "vm.tab_console", icon: "monitor", when: offersConsole },
  { path: "boot", label: "manage.boot", icon: "play", when: disksAtRest },
  { path: "log", label: "vm.qemu_log", icon: "activity" },
  { path: "rename", label: "manage.rename", icon: "edit", when: disksAtRest },
  {
    path: "clone",
    label: "manage.clone",
    icon: "copy",
    when: (vm) => disksAtRest(vm) || (vm.persistent && isLive(vm) && vm.responsive),
  },
  {
    path: "migrate",
    label: "manage.migrate",
    icon: "external",
    when: (vm) => disksAtRest(vm) || (vm.persistent && isLive(vm) && vm.responsive),
  },
  { path: "replicate", label: "manage.replicate", icon: "copy", when: ({ persistent }) => persistent },
  { path: "template", label: "manage.template", icon: "cards", when: disksAtRest },
  { path: "backups", label: "manage.back_up", icon: "download" },
  { path: "guest", label: "manage.guest_tools", icon: "disc" },
  { path: "export", label: "manage.export", icon: "code", download: true },
  { path: "export-ova", label: "manage.export_ova", icon: "code", when: disksAtRest },
];

/** The links that make sense for a VM now. */
export function manageLinks(vm: Managed): readonly ManageLink[] {
  return LINKS.filter(({ when }) => when === undefined || when(vm));
}
