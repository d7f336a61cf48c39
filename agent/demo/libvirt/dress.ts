/**
 * Domains of the test driver as QEMU's would be, and back: their type, and what a running QEMU has. Of what is stored only
 * the type is another one, so that it comes back as it was. Pure.
 */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import { QEMU_AGENT_CHANNEL } from "../../../lib/formats/xml/channel.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";

/** The first ports of screens. */
const FIRST_PORT = 5900;
/** `virDomainState`: off, crashed. */
const OFF: ReadonlySet<number> = new Set([5, 6]);

/** A definition for the test driver. */
export const undressed = (xml: string): string =>
  xml.replace(/(<domain\b[^>]*?\btype=)(["'])(?:kvm|qemu)\2/g, "$1$2test$2");

const asKvm = (xml: string): string => xml.replace(/(<domain\b[^>]*?\btype=)(["'])test\2/g, "$1$2kvm$2");

/** A definition of the test driver as it is told: interfaces have a device of the host only while the VM runs. */
export const dressed = (xml: string): string => asKvm(xml).replace(/\s*<target dev='testnet\d+'\/>/g, "");

/** State of a running VM in addition to its definition. */
export interface Running {
  /** Number of the domain on its host. */
  readonly number: number;
  /** Whether an agent in the guest has opened its channel. */
  readonly hasAgent: boolean;
}

/** The XML of a running VM as it is told. */
export function dressedLive(xml: string, { number, hasAgent }: Running): string {
  const channel = new RegExp(`(<target type='virtio' name='${QEMU_AGENT_CHANNEL}')(/>)`);
  return asKvm(xml)
    .replace("<graphics type='vnc' port='-1'", `<graphics type='vnc' port='${FIRST_PORT + number}'`)
    .replaceAll("<target dev='testnet", "<target dev='vnet")
    .replace(
      /<serial type='pty'>\s*<target port='0'\/>/,
      `<serial type='pty'><source path='/dev/pts/${number}'/><target port='0'/><alias name='serial0'/>`,
    )
    .replace(channel, `$1 state='${hasAgent ? "connected" : "disconnected"}'$2`);
}

/** A record of a VM as it is told. @param live its live XML, dressed; undefined while it is off */
export function dressedRecord(record: DomainRecord, live: string | undefined): DomainRecord {
  const summary = live === undefined || OFF.has(record.state)
    ? { ...record.summary, virtType: "kvm" }
    : summarizeDomain(live);
  return { ...record, summary };
}
