/** Actions on a VM, and the states they are allowed in: two tables that every button, menu and form is drawn from. */
import type { Api } from "../contract/api.ts";
import type { CommandName, DeleteVmResult, VM, VmState } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";

/** Actions on a VM that need no input, and deleting it. */
export const ACTION_NAMES = [
  "start",
  "stop",
  "resume",
  "pause",
  "reboot",
  "suspend",
  "discard_memory",
  "reset",
  "force_stop",
  "delete",
] as const;
export type ActionName = typeof ACTION_NAMES[number];

/** Loss that an action asks about first. */
export interface Danger {
  /** The loss, as a sentence. */
  readonly lost: PlainKey;
}

/** One action: its words, its icon, and whether it asks first. */
export interface ActionKind {
  readonly command: CommandName;
  readonly label: PlainKey;
  /** Shown on the VM from the click until the answer. */
  readonly doing: PlainKey;
  /** Said when it was carried out, or when the guest was asked. */
  readonly done: PlainKey;
  readonly icon: "play" | "power" | "pause" | "reboot" | "suspend" | "reset" | "forceOff" | "trash";
  readonly danger?: Danger;
  /** Brings a VM to life: what one came for when it is off. */
  readonly begins?: true;
  /** Interrupts what runs on the VM, though nothing is lost. */
  readonly interrupts?: true;
  /** Can be asked for while something else is being done to the VM: the last resort when that hangs. */
  readonly always?: true;
  /** Ends when the VM reaches one of these; empty when only the guest knows. */
  readonly reaches: readonly VmState[];
}

export const ACTIONS: Readonly<Record<ActionName, ActionKind>> = {
  start: {
    command: "start_vm",
    label: "action.start",
    doing: "doing.start",
    done: "done.start",
    icon: "play",
    begins: true,
    reaches: ["running"],
  },
  stop: {
    command: "stop_vm",
    label: "action.stop",
    doing: "doing.stop",
    done: "done.stop",
    icon: "power",
    interrupts: true,
    reaches: [],
  },
  resume: {
    command: "resume_vm",
    label: "action.resume",
    doing: "doing.resume",
    done: "done.resume",
    icon: "play",
    begins: true,
    reaches: ["running"],
  },
  pause: {
    command: "pause_vm",
    label: "action.pause",
    doing: "doing.pause",
    done: "done.pause",
    icon: "pause",
    reaches: ["paused"],
  },
  reboot: {
    command: "reboot_vm",
    label: "action.reboot",
    doing: "doing.reboot",
    done: "done.reboot",
    icon: "reboot",
    interrupts: true,
    reaches: [],
  },
  suspend: {
    command: "suspend_vm",
    label: "action.suspend",
    doing: "doing.suspend",
    done: "done.suspend",
    icon: "suspend",
    reaches: ["suspended", "stopped"],
  },
  discard_memory: {
    command: "discard_saved_memory",
    label: "action.discard_memory",
    doing: "doing.discard_memory",
    done: "done.discard_memory",
    icon: "trash",
    danger: { lost: "lost.discard_memory" },
    reaches: ["stopped"],
  },
  reset: {
    command: "reset_vm",
    label: "action.reset",
    doing: "doing.reset",
    done: "done.reset",
    icon: "reset",
    danger: { lost: "lost.reset" },
    reaches: [],
  },
  force_stop: {
    command: "force_stop_vm",
    label: "action.force_stop",
    doing: "doing.force_stop",
    done: "done.force_stop",
    icon: "forceOff",
    danger: { lost: "lost.force_stop" },
    always: true,
    reaches: ["stopped"],
  },
  delete: {
    command: "delete_vm",
    label: "action.delete",
    doing: "doing.delete",
    done: "done.delete",
    icon: "trash",
    danger: { lost: "lost.delete" },
    reaches: [],
  },
};

/** Words for starting a VM whose memory was saved. */
const RESUME_FROM_DISK = {
  label: "action.resume_disk",
  doing: "doing.resume",
  done: "done.resume",
} as const;

/** State → the actions that make sense in it. A suspended VM continues by being started: libvirt finds its saved memory. */
const ALLOWED: Readonly<Record<VmState, readonly ActionName[]>> = {
  running: ["stop", "reboot", "pause", "suspend", "reset", "force_stop"],
  paused: ["resume", "suspend", "reset", "force_stop"],
  suspended: ["start", "discard_memory", "force_stop", "delete"],
  crashed: ["start", "reset", "force_stop", "delete"],
  stopped: ["start", "delete"],
};

/** Needs a definition that outlives the VM's process: a transient VM is gone once it is off. */
const PERSISTENT_ONLY: ReadonlySet<ActionName> = new Set(["suspend", "delete"]);

/** Fields of a VM that decide which actions make sense. */
type Actable = Pick<VM, "state" | "persistent" | "responsive">;

/** Whether an action makes sense for a VM in its state. */
function fits(name: ActionName, vm: Actable): boolean {
  return ALLOWED[vm.state].includes(name) && (vm.persistent || !PERSISTENT_ONLY.has(name));
}

/** Whether an action can be asked for: of a VM that does not respond, only the last resort. */
export function isAllowed(name: ActionName, vm: Actable): boolean {
  return fits(name, vm) && (vm.responsive || ACTIONS[name].always === true);
}

/**
 * The places of a VM's buttons. An action never leaves its place, so that a second click cannot meet another one.
 * Starting and resuming share a place: both bring the VM to life, and no state allows both.
 */
export const BUTTON_SLOTS: readonly (readonly ActionName[])[] = [
  ["start", "resume"],
  ["stop"],
  ["reboot"],
  ["pause"],
];

/** The places in a VM's menu. */
export const MENU_SLOTS: readonly (readonly ActionName[])[] = [
  ["suspend", "discard_memory"],
  ["reset"],
  ["force_stop"],
  ["delete"],
];

/** The places of the buttons in a row or on a card of the list. */
export const ROW_SLOTS = BUTTON_SLOTS.slice(0, 2);

/** Present content of a place: the action, and whether it makes sense in this state. */
export interface Slot {
  readonly name: ActionName;
  readonly allowed: boolean;
  /** Why it is not, where its state does not say it. */
  readonly reason?: PlainKey;
}

/** Content of each place for a VM: the action that is allowed, else its first one, switched off. */
export function slotsOf(
  slots: readonly (readonly ActionName[])[],
  vm: Actable,
): Slot[] {
  return slots.map((names) => {
    const fitting = names.find((name) => fits(name, vm));
    if (fitting === undefined) return { name: names[0]!, allowed: false };
    const allowed = isAllowed(fitting, vm);
    return { name: fitting, allowed, ...(!allowed && { reason: "action.no_response" as const }) };
  });
}

/** Every action that is allowed, in the order of the places. */
export function allowedActions(vm: Actable): ActionName[] {
  return slotsOf([...BUTTON_SLOTS, ...MENU_SLOTS], vm).filter(({ allowed }) => allowed).map(({ name }) =>
    name
  );
}

/** The words of an action on a VM: starting a suspended VM resumes it from disk. */
export function actionWords(
  name: ActionName,
  { state }: Pick<VM, "state">,
): Pick<ActionKind, "label" | "doing" | "done"> {
  return name === "start" && state === "suspended" ? RESUME_FROM_DISK : ACTIONS[name];
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
  | "discardSavedMemory"
  | "resetVm"
  | "forceStopVm"
  | "deleteVm"
>;

/** Disks to delete with a VM, and whether for good. */
export interface DoomedDisks {
  readonly disks?: readonly string[];
  /** It does not go into the bin. */
  readonly permanently?: boolean;
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
  discard_memory: (api, vmId) => api.discardSavedMemory({ vmId }),
  reset: (api, vmId) => api.resetVm({ vmId }),
  force_stop: (api, vmId) => api.forceStopVm({ vmId }),
  delete: (api, vmId, { disks = [], permanently }) =>
    api.deleteVm({ vmId, disks: [...disks], ...(permanently && { permanently }) }),
};

/** Carries an action out, from a form on the server or from an island in the browser. @returns what the command gave */
export async function perform(
  api: ActionApi,
  name: ActionName,
  vmId: string,
  options: DoomedDisks = {},
): Promise<unknown> {
  return await CALLS[name](api, vmId, options);
}

/** Result of an action that deletes; undefined for others. */
export function deletedBy(name: ActionName, answer: unknown): DeleteVmResult | undefined {
  return name === "delete" ? answer as DeleteVmResult : undefined;
}
