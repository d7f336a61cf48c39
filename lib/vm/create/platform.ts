/** Platform of a configuration: architecture, machine type and virtualization. Pure. */
import type { VmConfig } from "../../contract/create.ts";
import { ContractError } from "../../contract/errors.ts";
import type { GuestArch, Guests } from "../../formats/xml/capabilities.ts";
import { isPc } from "../../formats/xml/machine_type.ts";
import { message, type Sentence } from "../../i18n/message.ts";

/** Platform of a VM, which the rest of its options depends on. */
export interface Platform {
  readonly arch: string;
  /** `q35`, `pc`, `virt`, or a name with its version. */
  readonly machine: string;
  readonly virtType: string;
  readonly emulator: string | undefined;
}

/** Defaults of the operating system and the server for fields that the configuration leaves out. */
export interface PlatformDefaults {
  /** The server's setting. */
  readonly virtType: "auto" | "kvm" | "qemu";
  /** Why KVM cannot be used here, or null when it works. */
  readonly kvmTrouble: string | null;
  /** Of the operating system: for PCs alone. */
  readonly machine: string;
}

/** Names of machine types by architecture; the first that QEMU has is taken. */
const MACHINES: Readonly<Record<string, readonly string[]>> = {
  aarch64: ["virt"],
  armv7l: ["virt"],
  riscv64: ["virt"],
  ppc64le: ["pseries"],
  ppc64: ["pseries"],
  s390x: ["s390-ccw-virtio"],
  loongarch64: ["virt"],
};

const unavailable = (field: string, what: Sentence, reason: Sentence) =>
  new ContractError("NotOnThisHost", { field, what, reason });

function chooseVirtType(guest: GuestArch, wanted: string, trouble: string | null): string {
  if (wanted === "auto") {
    if (guest.virtTypes.includes("kvm") && trouble === null) return "kvm";
    return guest.virtTypes.find((type) => type !== "kvm") ?? "qemu";
  }
  if (wanted === "kvm" && trouble !== null) throw unavailable("virtType", "KVM", trouble);
  // The test driver has a type of its own, and no other.
  if (guest.virtTypes.length === 1 && guest.virtTypes[0] === "test") return "test";
  if (!guest.virtTypes.includes(wanted)) {
    throw unavailable(
      "virtType",
      message`virtualization type ${wanted}`,
      message`libvirt offers ${guest.virtTypes.join(", ")} for ${guest.arch}`,
    );
  }
  return wanted;
}

function chooseMachine(guest: GuestArch, wanted: string | undefined, fallback: string): string {
  const has = (name: string) => guest.machines.some((each) => each.name === name || each.canonical === name);
  if (wanted !== undefined) {
    if (!has(wanted)) {
      throw unavailable(
        "machine",
        message`machine type ${wanted}`,
        message`QEMU does not have it for ${guest.arch}`,
      );
    }
    return wanted;
  }
  const names = isPc(guest.arch) ? [fallback, "q35", "pc"] : MACHINES[guest.arch] ?? [];
  return names.find(has) ?? guest.machines[0]?.name ?? "";
}

/**
 * The kind of VM. An error has the field it is about in its details.
 *
 * @throws {ContractError} NotOnThisHost
 */
export function choosePlatform(
  { arch, machine, virtType }: Pick<VmConfig, "arch" | "machine" | "virtType">,
  { arch: hostArch, guests }: Guests,
  defaults: PlatformDefaults,
): Platform {
  const name = arch ?? (guests.some((guest) => guest.arch === hostArch) ? hostArch : guests[0]?.arch);
  const guest = guests.find((each) => each.arch === name);
  if (guest === undefined) {
    throw unavailable(
      "arch",
      message`architecture ${name ?? "of any kind"}`,
      "no emulator for it is installed",
    );
  }
  return {
    arch: guest.arch,
    virtType: chooseVirtType(guest, virtType ?? defaults.virtType, defaults.kvmTrouble),
    machine: chooseMachine(guest, machine, defaults.machine),
    emulator: guest.emulator,
  };
}
