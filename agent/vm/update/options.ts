/** A VM's hardware, and the choices that the host offers. */
import type { DomainXmls } from "../../../ffi/calls/mod.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import type { Hardware, HardwareOptions, VM } from "../../../lib/contract/mod.ts";
import { readHardware } from "../../../lib/formats/xml/hardware.ts";
import { hardwareOptions } from "../../../lib/formats/xml/hardware_options.ts";
import type { HostCapabilities } from "../../hosts/capabilities.ts";
import type { NodeInfo } from "../../hosts/node_info.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";
import { shareDrivers } from "../../hosts/share_drivers.ts";

/** A VM's hardware at one moment. */
export interface HardwareState {
  readonly xmls: DomainXmls;
  /** Null when it is off. */
  readonly live: Hardware | null;
  readonly next: Hardware;
  /** Null where the host does not tell. */
  readonly options: HardwareOptions | null;
  readonly hostCpus: number;
}

/** Reads VMs' hardware. */
export class HardwareSource {
  constructor(
    readonly link: LibvirtLink,
    readonly make: NodeInfo,
    readonly capabilities: HostCapabilities,
  ) {}

  /** Reads a VM's hardware. @param secure the XMLs with their secrets @throws {LibvirtError} */
  async read(vm: VM, secure: boolean): Promise<HardwareState> {
    const [xmls, host, hostMemoryMb] = await Promise.all([
      this.link.call("domainXmls", { uuid: vm.id, secure }),
      this.make.get(),
      this.make.memoryMb(),
    ]);
    const next = readHardware(xmls.next, host.threads);
    const known = { hostCpus: host.threads, hostMemoryMb };
    return {
      xmls,
      live: xmls.live === null ? null : readHardware(xmls.live, host.threads),
      next,
      options: await this.#ask(vm.virtType, next, known),
      hostCpus: host.threads,
    };
  }

  /** Hardware in the saved memory of a suspended VM; null where that cannot be read. @throws {LibvirtError} */
  async saved({ id: uuid, name }: VM): Promise<Hardware | null> {
    try {
      const [xml, { threads }] = await Promise.all([
        this.link.call("domainSavedXml", { uuid }),
        this.make.get(),
      ]);
      return readHardware(xml, threads);
    } catch (error) {
      if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
      log.info("the saved memory of a VM cannot be read, nor gone on with", { vm: name, error });
      return null;
    }
  }

  async #ask(
    virtType: string,
    { arch, machine }: Hardware,
    host: Pick<HardwareOptions, "hostCpus" | "hostMemoryMb">,
  ): Promise<HardwareOptions | null> {
    try {
      const drivers = await shareDrivers(this, { virtType, arch, machine });
      return hardwareOptions(await this.capabilities.domain({ virtType, arch, machine }), {
        ...host,
        shareDrivers: drivers.flatMap(({ driver, unavailable }) => unavailable === undefined ? [driver] : []),
      });
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      // A driver that does not know (test:///), a machine type that this QEMU has no more.
      log.debug("the host does not tell what it can give", { machine, error });
      return null;
    }
  }
}
