/**
 * Capabilities of the host for VMs, as libvirt reports them: read when first asked for, again after a
 * reconnect.
 */
import type { DomainKind } from "../../ffi/calls/mod.ts";
import { isPc } from "../../lib/formats/xml/machine_type.ts";
import {
  type DomainCapabilities,
  type Guests,
  plainCapabilities,
  type QemuUser,
  readDomainCapabilities,
  readGuests,
  readQemuUser,
} from "../../lib/formats/xml/capabilities.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { isUnsupported } from "../libvirt/failure.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import type { NodeInfo } from "./node_info.ts";

/** Milliseconds after which firmware or swtpm that was installed meanwhile is noticed. */
const KEEP_MS = 20_000;

interface Kept {
  readonly value: Promise<DomainCapabilities>;
  readonly at: number;
}

export class HostCapabilities {
  readonly #kept = new Map<string, Kept>();
  #guests: Promise<Guests> | undefined;
  #kvm: Promise<string | null> | undefined;
  #knownKvmTrouble: string | null | undefined;

  constructor(
    readonly link: Pick<LibvirtLink, "call" | "machine">,
    readonly make: Pick<NodeInfo, "get">,
    readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** Architectures and kinds of VMs that can run. @throws {LibvirtError} */
  guests(): Promise<Guests> {
    return this.#guests ??= this.make.get().then(({ capabilities }) => readGuests(capabilities)).catch(
      (error) => {
        this.#guests = undefined;
        throw error;
      },
    );
  }

  /** The user that QEMU runs as; undefined when libvirt does not report it. @throws {LibvirtError} */
  async qemuUser(): Promise<QemuUser | undefined> {
    return readQemuUser((await this.make.get()).capabilities);
  }

  /** libvirt's version: major * 1,000,000 + minor * 1,000 + release. @throws {LibvirtError} */
  async libvirtVersion(): Promise<number> {
    return (await this.make.get()).libvirtVersion;
  }

  /** Capabilities of a kind of VM. @throws {LibvirtError} */
  domain(kind: DomainKind): Promise<DomainCapabilities> {
    const key = JSON.stringify([kind.emulator, kind.arch, kind.machine, kind.virtType]);
    const kept = this.#kept.get(key);
    if (kept && this.clock.monotonic() - kept.at < KEEP_MS) return kept.value;
    const value = this.#readDomain(kind);
    this.#kept.set(key, { value, at: this.clock.monotonic() });
    value.catch(() => this.#kept.delete(key));
    return value;
  }

  async #readDomain(kind: DomainKind): Promise<DomainCapabilities> {
    try {
      return readDomainCapabilities(await this.link.call("domainCapabilities", kind));
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      return plainCapabilities(kind);
    }
  }

  /**
   * Why KVM cannot be used, or null when it works: what libvirt says, and, for PCs on this machine, a try.
   *
   * @throws {LibvirtError}
   */
  kvmTrouble(): Promise<string | null> {
    return this.#kvm ??= this.#findKvmTrouble().then((trouble) => this.#knownKvmTrouble = trouble).catch(
      (error) => {
        this.#kvm = undefined;
        throw error;
      },
    );
  }

  /**
   * Last result of {@link kvmTrouble}; undefined before the first. It may take seconds, which no page waits
   * for.
   */
  get knownKvmTrouble(): string | null | undefined {
    return this.#knownKvmTrouble;
  }

  async #findKvmTrouble(): Promise<string | null> {
    const { arch, guests } = await this.guests();
    const guest = guests.find((each) => each.arch === arch);
    const { machine } = this.link;
    if (!guest?.virtTypes.includes("kvm")) {
      return "libvirt does not offer it: virtualization is off in the firmware, or kvm_intel or kvm_amd is not loaded";
    }
    return machine !== null && isPc(arch) && guest.emulator !== undefined
      ? await machine.kvmTrouble(guest.emulator)
      : null;
  }

  /** Reads everything again when next asked: after a reconnect it may be another libvirt or QEMU. */
  forget(): void {
    this.#kept.clear();
    this.#guests = undefined;
    this.#kvm = undefined;
    this.#knownKvmTrouble = undefined;
  }
}
