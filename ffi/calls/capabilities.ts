/** Hardware that a hypervisor can give to a VM. */
import type { Connection } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, ok, takeString } from "../library.ts";
import { cString } from "../memory.ts";

/** The VM that is asked about; what is left out is libvirt's default. */
export interface DomainKind {
  readonly emulator?: string | undefined;
  readonly arch?: string;
  readonly machine?: string;
  readonly virtType?: string;
}

const word = (text: string | undefined) => text === undefined ? null : cString(text);

/** XML of what such a VM may have. Source: virConnectGetDomainCapabilities. */
export function domainCapabilities(
  connection: Connection,
  { emulator, arch, machine, virtType }: DomainKind,
): string {
  return takeString(
    libvirt().symbols.virConnectGetDomainCapabilities(
      connection.pointer,
      word(emulator),
      word(arch),
      word(machine),
      word(virtType),
      0,
    ),
  );
}

/** `VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE`: why is an error. `virCPUCompareResult`: incompatible. */
const FAIL_INCOMPATIBLE = 1, INCOMPATIBLE = 0;

/** A processor that a VM of a kind is to have. */
export interface WantedCpu extends DomainKind {
  /** The `<cpu>` of a domain. */
  readonly xml: string;
}

/**
 * Whether the hypervisor can give a processor to a VM.
 *
 * @returns libvirt's words for what is missing; null where it can
 * Source: virConnectCompareHypervisorCPU.
 */
export function compareCpu(connection: Connection, wanted: WantedCpu): string | null {
  const { emulator, arch, machine, virtType, xml } = wanted;
  try {
    const result = ok(
      libvirt().symbols.virConnectCompareHypervisorCPU(
        connection.pointer,
        word(emulator),
        word(arch),
        word(machine),
        word(virtType),
        cString(xml),
        FAIL_INCOMPATIBLE,
      ),
    );
    return result === INCOMPATIBLE ? "" : null;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === VIR_ERR.CPU_INCOMPATIBLE) return error.message;
    throw error;
  }
}
