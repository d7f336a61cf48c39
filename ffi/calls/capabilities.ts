/** What a hypervisor can give to a VM. */
import type { Connection } from "../connection.ts";
import { libvirt, takeString } from "../library.ts";
import { cString } from "../memory.ts";

/** The VM that is asked about; what is left out is libvirt's default. */
export interface DomainKind {
  readonly emulator?: string | undefined;
  readonly arch?: string;
  readonly machine?: string;
  readonly virtType?: string;
}

/** XML of what such a VM may have. Source: virConnectGetDomainCapabilities. */
export function domainCapabilities(
  connection: Connection,
  { emulator, arch, machine, virtType }: DomainKind,
): string {
  const word = (text: string | undefined) => text === undefined ? null : cString(text);
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
