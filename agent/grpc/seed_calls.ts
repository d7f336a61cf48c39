/** The seed's calls as commands. Each is dispatched as who calls: rights, audit and errors are those of the commands. */
import { ContractError } from "../../lib/contract/errors.ts";
import { type CommandName, COMMANDS, type VM } from "../../lib/contract/mod.ts";
import { inputFields } from "../../lib/contract/rest.ts";
import { withIds } from "../http/place_names.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** Carries out a command as who calls. */
export type SeedDispatch = (command: CommandName, input: unknown) => Promise<unknown>;

interface SeedDisk {
  readonly path: string;
  readonly readonly: boolean;
  readonly format?: string;
}
interface SeedNic {
  readonly tap?: string;
  readonly mac?: string;
  readonly network?: string;
}
interface SeedConfig {
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly initramfs?: string;
  readonly cmdline?: string;
  readonly disks: readonly SeedDisk[];
  readonly nics: readonly SeedNic[];
  readonly userData?: string;
}
/** Input of a call: each has some of these fields. */
interface SeedInput {
  readonly id?: string;
  readonly vmId?: string;
  readonly name?: string;
  readonly config?: SeedConfig;
  readonly timeoutSeconds?: number;
  readonly disk?: SeedDisk;
  readonly nic?: SeedNic;
  readonly path?: string;
  readonly mac?: string;
}

/** Milliseconds between looks whether a VM is off, and for the longest. */
const LOOK_MS = 500, MOST_SECONDS = 600;
/** The network of a card that names none. */
const USUAL_NETWORK = "default";

const invalid = (reason: Sentence, field: string) => new ContractError("InvalidInput", { reason, field });
const seconds = (ms: number | undefined) => Math.floor((ms ?? 0) / 1000);

function stateOf({ state, operation }: VM): string {
  if (operation === "starting") return "VM_STATE_STARTING";
  if (operation === "stopping") return "VM_STATE_STOPPING";
  return state === "running" || state === "paused" ? "VM_STATE_RUNNING" : "VM_STATE_STOPPED";
}

/** A VM as the seed has it. */
export function seedVm(vm: VM): Record<string, unknown> {
  return {
    id: vm.id,
    name: vm.name,
    state: stateOf(vm),
    config: {
      vcpus: vm.cpuCount,
      memoryMb: vm.memoryMb,
      kernel: "",
      disks: vm.disks.flatMap(({ source, readOnly }) =>
        source === undefined ? [] : [{ path: source, readonly: readOnly }]
      ),
      nics: vm.networkInterfaces.map(({ mac, network, target }) => ({
        ...(target !== undefined && { tap: target }),
        mac,
        network,
      })),
    },
    createdAt: seconds(vm.createdAt),
    ...(vm.startedAt !== undefined && { startedAt: seconds(vm.startedAt) }),
  };
}

/** A disk of the seed as commands take it. */
const diskOf = ({ path, readonly, format }: SeedDisk) => ({
  path,
  ...(readonly && { readOnly: true }),
  ...(format !== undefined && format !== "" && { format }),
});

/** A card of the seed as commands take it. @throws {ContractError} InvalidInput for one with a device of its own */
function nicOf({ tap, mac, network = USUAL_NETWORK }: SeedNic) {
  if (tap !== undefined && tap !== "") {
    throw invalid("the host's device of a card cannot be chosen: leave tap out, and set network", "tap");
  }
  return { network, ...(mac !== undefined && mac !== "" && { mac }) };
}

/** `create_vm`'s input. @throws {ContractError} InvalidInput */
function configOf({ name, config }: SeedInput): Record<string, unknown> {
  if (config === undefined) throw invalid("config is missing", "config");
  const { kernel, initramfs, cmdline, userData } = config;
  return {
    name: name === undefined || name === "" ? `vm-${crypto.randomUUID().slice(0, 8)}` : name,
    cpuCount: config.vcpus,
    memoryMb: config.memoryMb,
    disks: config.disks.map(diskOf),
    nics: config.nics.map(nicOf),
    ...(kernel !== "" && {
      kernel: {
        path: kernel,
        ...(initramfs !== undefined && { initrd: initramfs }),
        ...(cmdline !== undefined && { args: cmdline }),
      },
    }),
    ...(userData !== undefined && { cloudInit: { userData } }),
  };
}

/** The seed's calls by name. @param isGone whether the client waits for the answer no longer */
export function seedCalls(
  dispatch: SeedDispatch,
  isGone: () => boolean,
): Readonly<Record<string, (input: SeedInput) => Promise<unknown>>> {
  /** The id of the VM that an input names. */
  const idOf = async (given: string | undefined): Promise<string> => {
    if (given === undefined || given === "") throw invalid("no VM is named: its UUID or its name", "id");
    const { vmId } = await withIds(
      (command, input) => dispatch(command as CommandName, input),
      { vmId: given },
      inputFields(COMMANDS.get_vm),
    );
    return vmId as string;
  };
  const vm = async (vmId: string) => await dispatch("get_vm", { vmId }) as VM;
  const after = async (given: string | undefined, command: CommandName, more: object = {}) => {
    const vmId = await idOf(given);
    await dispatch(command, { vmId, ...more });
    return seedVm(await vm(vmId));
  };
  return {
    CreateVm: async (input) => {
      const { id } = await dispatch("create_vm", configOf(input)) as { id: string };
      return seedVm(await vm(id));
    },
    GetVm: async ({ id }) => seedVm(await vm(await idOf(id))),
    ListVms: async () => ({ vms: (await dispatch("get_vms", {}) as VM[]).map(seedVm) }),
    DeleteVm: async ({ id }) => {
      await dispatch("delete_vm", { vmId: await idOf(id) });
      return {};
    },
    StartVm: ({ id }) => after(id, "start_vm"),
    StopVm: async ({ id, timeoutSeconds = 0 }) => {
      const vmId = await idOf(id);
      await dispatch("stop_vm", { vmId });
      const end = performance.now() + Math.min(timeoutSeconds, MOST_SECONDS) * 1000;
      for (;;) {
        const now = await vm(vmId);
        if (now.state === "stopped" || isGone() || performance.now() >= end) return seedVm(now);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    KillVm: ({ id }) => after(id, "force_stop_vm"),
    AttachDisk: ({ vmId, disk }) => {
      if (disk === undefined) throw invalid("disk is missing", "disk");
      return after(vmId, "attach_disk", diskOf(disk));
    },
    DetachDisk: async ({ vmId: given, path }) => {
      const vmId = await idOf(given), { disks } = await vm(vmId);
      const disk = disks.find(({ source }) => source !== undefined && source === path);
      if (disk === undefined) throw new ContractError("DiskNotFound", { path: path ?? "" });
      return await after(vmId, "detach_disk", { target: disk.target });
    },
    AttachNic: ({ vmId, nic }) => after(vmId, "attach_nic", nicOf(nic ?? {})),
    DetachNic: ({ vmId, mac }) => after(vmId, "detach_nic", { mac: mac ?? "" }),
  };
}
