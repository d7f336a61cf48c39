/**
 * The machine that we run on. What is read or changed of it without libvirt – files, processes, network devices, programs,
 * ports – is reached by the `machine` of a host, which is null where the host is another machine: whoever needs it has to say
 * what becomes of such a host.
 */
import { textAt } from "./files.ts";
import { hostInterfaces } from "./interfaces.ts";
import { kvmTrouble } from "./kvm_probe.ts";
import { cpuModel, localLoad, qemuStartedAt } from "./local.ts";
import { isLocal, isLocalSystem } from "./local_uri.ts";
import { type MachineFiles, machineFiles } from "./machine_files.ts";
import { isBridge, networkDevices } from "./network_devices.ts";
import { hasProgram } from "./programs.ts";
import { QemuProcesses } from "./qemu_processes.ts";
import { type StoredVms, VmStorage } from "./vm_storage.ts";

/**
 * The address by which a server is reached from the machine that it runs on.
 *
 * @param listen the address that it listens on; one that means "everywhere", or none, is reached on loopback
 */
export const addressOnMachine = (listen: string | undefined): string =>
  !listen || listen === "0.0.0.0" || listen === "::" ? "127.0.0.1" : listen;

export class LocalMachine {
  /** Files by the paths that libvirt and people give. */
  readonly files: MachineFiles = machineFiles;
  /** The QEMUs of one host's VMs. */
  readonly processes = new QemuProcesses();
  readonly load = localLoad;
  readonly cpuModel = cpuModel;
  readonly kvmTrouble = kvmTrouble;
  readonly hasProgram = hasProgram;
  /** The text of a file below /proc or /sys; undefined where there is none. */
  readonly kernelText = textAt;
  /** Addresses of its network devices. */
  readonly addresses = (): Deno.NetworkInterfaceInfo[] => Deno.networkInterfaces();
  readonly networkDevices = networkDevices;
  readonly isBridge = isBridge;
  readonly interfaces = hostInterfaces;

  /** @param isSystem whether its libvirt is the system's: libvirt's folders below /etc, /run and /var/lib are its own */
  constructor(readonly isSystem: boolean) {}

  /** Names of its bridges. */
  async bridges(): Promise<Set<string>> {
    return new Set((await this.interfaces()).filter(({ bridge }) => bridge).map(({ name }) => name));
  }

  /** When QEMU was started for a VM, in milliseconds since 1970; undefined where that cannot be told. */
  async startedAt(name: string): Promise<number | undefined> {
    return this.isSystem ? await qemuStartedAt(name) : undefined;
  }

  /** Looks after the mounts that VMs' disks are on. @param changed told when one stops to respond, or responds again */
  mountsOf(vms: StoredVms, changed: () => void): VmStorage {
    return new VmStorage(vms, changed);
  }

  /** {@link addressOnMachine} of a server that runs here. */
  readonly addressOf = addressOnMachine;
}

/** The machine of the libvirt with this URI; null where that is not ours, and for the test driver, whose VMs are made up. */
export function localMachine(uri: string): LocalMachine | null {
  return isLocal(uri) ? new LocalMachine(isLocalSystem(uri)) : null;
}
