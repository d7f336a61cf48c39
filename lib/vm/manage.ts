/** What can be done to a machine on a page of its own: one line each, for every menu. */
import type { VM, VmState } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";

/** What of a machine says what can be done to it. */
type Managed = Pick<VM, "state" | "persistent" | "graphics">;

/** A page that does something to a machine. */
export interface ManageLink {
  /** Below the machine's own address. */
  readonly path: "console" | "rename" | "clone" | "template" | "export" | "export-ova" | "guest";
  readonly label: PlainKey;
  readonly icon: "monitor" | "edit" | "copy" | "cards" | "code" | "disc";
  /** When it can be done; always when left out. */
  readonly when?: (vm: Managed) => boolean;
  /** It is a file to keep, not a page. */
  readonly download?: true;
}

/** Nothing writes to the machine's disks. */
const OFF: readonly VmState[] = ["stopped", "crashed"];
/** QEMU is there. */
const ON: readonly VmState[] = ["running", "paused"];

/** Whether a machine is off and kept: only then may another write to its disks. */
export const isOff = ({ state, persistent }: Managed) => persistent && OFF.includes(state);

/** Whether there is a screen to be seen now. */
export const hasScreenNow = ({ state, graphics }: Pick<Managed, "state" | "graphics">): boolean =>
  ON.includes(state) && graphics.length > 0;

const LINKS: readonly ManageLink[] = [
  { path: "console", label: "vm.tab_console", icon: "monitor", when: hasScreenNow },
  { path: "rename", label: "manage.rename", icon: "edit", when: isOff },
  {
    path: "clone",
    label: "manage.clone",
    icon: "copy",
    when: (vm) => isOff(vm) || (vm.persistent && ON.includes(vm.state)),
  },
  { path: "template", label: "manage.template", icon: "cards", when: isOff },
  { path: "guest", label: "manage.guest_tools", icon: "disc" },
  { path: "export", label: "manage.export", icon: "code", download: true },
  { path: "export-ova", label: "manage.export_ova", icon: "code", when: isOff },
];

/** The links that make sense for a machine now. */
export function manageLinks(vm: Managed): readonly ManageLink[] {
  return LINKS.filter(({ when }) => when === undefined || when(vm));
}
