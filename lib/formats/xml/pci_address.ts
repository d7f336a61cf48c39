/** Addresses of PCI devices: `0000:01:00.0` for people, four numbers in libvirt's XML. Pure. */

/** The numbers as libvirt writes them: `0x01`, `1`. Missing ones are 0. */
export interface PciNumbers {
  readonly domain?: string | undefined;
  readonly bus?: string | undefined;
  readonly slot?: string | undefined;
  readonly function?: string | undefined;
}

/** How many hexadecimal digits each has, and the largest it may be. */
const PARTS = [["domain", 4, 0xffff_ffff], ["bus", 2, 0xff], ["slot", 2, 0x1f], ["function", 1, 7]] as const;

/** The address as people and the kernel write it; undefined when a number is none. */
export function pciAddress(numbers: PciNumbers): string | undefined {
  const written: string[] = [];
  for (const [name, digits, most] of PARTS) {
    const number = Number(numbers[name]?.trim() || 0);
    if (!Number.isInteger(number) || number < 0 || number > most) return undefined;
    written.push(number.toString(16).padStart(digits, "0"));
  }
  const [domain, bus, slot, fn] = written;
  return `${domain}:${bus}:${slot}.${fn}`;
}

/** `0000:01:00.0` as the kernel writes it. */
export const PCI_ADDRESS = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/;

/** An address's numbers as libvirt's XML has them; undefined for a text that is no address. */
export function pciNumbers(address: string): Required<{ [K in keyof PciNumbers]: string }> | undefined {
  const [, domain, bus, slot, fn] = PCI_ADDRESS.exec(address) ?? [];
  if (domain === undefined) return undefined;
  return { domain: `0x${domain}`, bus: `0x${bus}`, slot: `0x${slot}`, function: `0x${fn}` };
}
