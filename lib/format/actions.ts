/** What can be done to a machine, and in which state: two tables that every button, menu and form is drawn from. */
import type { Api } from "../client/api.ts";
import type { VM, VmState } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";

/** Actions on a machine that need no input, and deleting it. */
export const ACTION_NAMES = [
  "start",
  "stop",
  "resume",
  "pause",
  "reboot",
  "suspend",
  "reset",
  "force_stop",
  "delete",
] as const;
export type ActionName = typeof ACTION_NAMES[number];

/** What is said before something is lost. */
export interface Danger {
  /** What will be lost, as a sentence. */
  readonly lost: PlainKey;
}

/** One action: its words, its icon, and whether it asks first. */
export interface ActionKind {
  readonly label: PlainKey;
  /** Shown on the machine from the click until the answer. */
  readonly doing: PlainKey;
  /** Said when it was carried out, or when the guest was asked. */
  readonly done: PlainKey;
  readonly icon: "play" | "power" | "pause" | "reboot" | "suspend" | "reset" | "forceOff" | "trash";
  readonly danger?: Danger;
  /** Brings a machine to life: what one came for when it is off. */
  readonly begins?: true;
  /** Ends when the machine reaches one of these; empty when only the guest knows. */
  readonly reaches: readonly VmState[];
}

export const ACTIONS: Readonly<Record<ActionName, ActionKind>> = {
  start: {
    label: "action.start",
    doing: "doing.start",
    done: "done.start",
    icon: "play",
    begins: true,
    reaches: ["running"],
  },
  stop: { label: "action.stop", doing: "doing.stop", done: "done.stop", icon: "power", reaches: [] },
  resume: {
    label: "action.resume",
    doing: "doing.resume",
    done: "done.resume",
    icon: "play",
    begins: true,
    reaches: ["running"],
  },
  pause: {
    label: "action.pause",
    doing: "doing.pause",
    done: "done.pause",
    icon: "pause",
    reaches: ["paused"],
  },
  reboot: {
    label: "action.reboot",
    doing: "doing.reboot",
    done: "done.reboot",
    icon: "reboot",
    reaches: [],
  },
  suspend: {
    label: "action.suspend",
    doing: "doing.suspend",
    done: "done.suspend",
    icon: "suspend",
    reaches: ["suspended", "stopped"],
  },
  reset: {
    label: "action.reset",
    doing: "doing.reset",
    done: "done.reset",
    icon: "reset",
    danger: { lost: "lost.reset" },
    reaches: [],
  },
  force_stop: {
    label: "action.force_stop",
    doing: "doing.force_stop",
    done: "done.force_stop",
    icon: "forceOff",
    danger: { lost: "lost.force_stop" },
    reaches: ["stopped"],
  },
  delete: {
    label: "action.delete",
    doing: "doing.delete",
    done: "done.delete",
    icon: "trash",
    danger: { lost: "lost.delete" },
    reaches: [],
  },
};

/** The actions that make sense in a state: the one most people want, those worth a button, those in the menu. */
export interface Choice {
  readonly primary: ActionName;
  readonly buttons: readonly ActionName[];
  readonly menu: readonly ActionName[];
}

/** State → actions. A suspended machine continues by being started: libvirt finds its saved memory. */
export const CHOICES: Readonly<Record<VmState, Choice>> = {
  running: { primary: "stop", buttons: ["reboot", "pause"], menu: ["suspend", "reset", "force_stop"] },
  paused: { primary: "resume", buttons: [], menu: ["suspend", "reset", "force_stop"] },
  suspended: { primary: "start", buttons: [], menu: ["force_stop", "delete"] },
  crashed: { primary: "start", buttons: [], menu: ["reset", "force_stop", "delete"] },
  stopped: { primary: "start", buttons: [], menu: ["delete"] },
};

/** Needs a definition that outlives the machine's process: a transient machine is gone once it is off. */
const PERSISTENT_ONLY: ReadonlySet<ActionName> = new Set(["suspend", "delete"]);

/** The actions of one machine. */
export function choiceOf(vm: Pick<VM, "state" | "persistent">): Choice {
  const choice = CHOICES[vm.state];
  if (vm.persistent) return choice;
  return { ...choice, menu: choice.menu.filter((name) => !PERSISTENT_ONLY.has(name)) };
}

/** Whether an action makes sense for a machine. */
export function isAllowed(name: ActionName, vm: Pick<VM, "state" | "persistent">): boolean {
  const { primary, buttons, menu } = choiceOf(vm);
  return primary === name || buttons.includes(name) || menu.includes(name);
}

/** Whether a text (from a form or a URL) is an action's name. */
export function isActionName(text: unknown): text is ActionName {
  return ACTION_NAMES.some((name) => name === text);
}

type ActionApi = Pick<
  Api,
  | "startVm"
  | "stopVm"
  | "resumeVm"
  | "pauseVm"
  | "rebootVm"
  | "suspendVm"
  | "resetVm"
  | "forceStopVm"
  | "deleteVm"
>;

/** Which disks go with a machine: all, or those chosen. */
export interface DoomedDisks {
  readonly deleteDisks?: boolean;
  readonly disks?: readonly string[];
}

const CALLS: Readonly<
  Record<ActionName, (api: ActionApi, vmId: string, doomed: DoomedDisks) => Promise<unknown>>
> = {
  start: (api, vmId) => api.startVm({ vmId }),
  stop: (api, vmId) => api.stopVm({ vmId }),
  resume: (api, vmId) => api.resumeVm({ vmId }),
  pause: (api, vmId) => api.pauseVm({ vmId }),
  reboot: (api, vmId) => api.rebootVm({ vmId }),
  suspend: (api, vmId) => api.suspendVm({ vmId }),
  reset: (api, vmId) => api.resetVm({ vmId }),
  force_stop: (api, vmId) => api.forceStopVm({ vmId }),
  delete: (api, vmId, { deleteDisks = false, disks }) =>
    api.deleteVm({ vmId, ...(disks ? { disks: [...disks] } : { deleteDisks }) }),
};

/** Carries an action out, from a form on the server or from an island in the browser. */
export async function perform(
  api: ActionApi,
  name: ActionName,
  vmId: string,
  options: DoomedDisks = {},
): Promise<void> {
  await CALLS[name](api, vmId, options);
}

/** Paths of the disks that go with a machine when its disks are deleted too: written by it alone. */
export function ownDisks(vm: Pick<VM, "disks">): string[] {
  return vm.disks
    .filter(({ device, readOnly, shareable, type }) =>
      device === "disk" && !readOnly && !shareable && (type === "file" || type === "volume")
    )
    .flatMap(({ source }) => source === undefined || source === "" ? [] : [source]);
}
