/**
 * Reading all domains of a new connection. libvirt's list of all waits for each of them; where one does not respond, they are
 * read one by one, the host's own files say which there are, and a VM without an answer is shown as its file has it.
 */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { isSystemError, namesIn } from "../../machine/files.ts";
import { isHang } from "../../libvirt/failure.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";

/** Milliseconds the list of all may take where there is another way. */
const SCAN_MS = 8000;
/** Folders of libvirt's system driver: definitions, and the state of domains that run. */
const STORED = "/etc/libvirt/qemu", RUNNING = "/run/libvirt/qemu";
/** `virDomainState`: running, off. */
const STATE = { on: 1, off: 5 } as const;

/** A domain's XML in a file of libvirt's, which may have more around it. */
const domainIn = (text: string): string | undefined => /<domain [\s\S]*<\/domain>/.exec(text)?.[0];
const uuidIn = (text: string): string | undefined => /<uuid>([0-9a-f-]{36})<\/uuid>/.exec(text)?.[1];

/**
 * Parses a definition file into a domain's record; undefined if it has none. Its time of reading is 0: all
 * other reports are newer.
 */
export function recordOfFile(text: string, isRunning: boolean): DomainRecord | undefined {
  const xml = domainIn(text), uuid = xml && uuidIn(xml), name = xml && /<name>([^<]*)<\/name>/.exec(xml)?.[1];
  if (xml === undefined || uuid === undefined || name === undefined) return undefined;
  return {
    uuid,
    name,
    state: isRunning ? STATE.on : STATE.off,
    reason: 0,
    persistent: !isRunning,
    autostart: false,
    managedSave: false,
    summary: summarizeDomain(xml),
    readAt: 0,
  };
}

/** The domains of this host by libvirt's files; undefined where these may not be read. */
async function domainsInFiles(): Promise<Map<string, DomainRecord> | undefined> {
  const found = new Map<string, DomainRecord>();
  for (const [folder, isRunning] of [[STORED, false], [RUNNING, true]] as const) {
    try {
      for (const name of await namesIn(folder)) {
        if (!name.endsWith(".xml")) continue;
        const record = recordOfFile(await Deno.readTextFile(`${folder}/${name}`), isRunning);
        if (record === undefined) continue;
        found.set(record.uuid, { ...record, persistent: record.persistent || found.has(record.uuid) });
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log.info("libvirt's files of VMs cannot be read", { folder, error: messageOf(error) });
      return undefined;
    }
  }
  return found;
}

/** The call's answer; kind `timeout` where it takes longer, though it goes on. */
async function inTime<T>(call: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new LibvirtError({ kind: "timeout", message: `no answer within ${ms / 1000} seconds` })),
      ms,
    );
  });
  call.catch((error) => log.debug("a list that came late has failed", { error }));
  return await Promise.race([call, late]).finally(() => clearTimeout(timer));
}

/**
 * Every domain, by its UUID. Of those that libvirt does not answer for the value is what a file says (`readAt` is 0 then), or
 * undefined.
 *
 * @param known UUIDs of those that were there before
 * @throws {LibvirtError}
 */
export async function scanDomains(
  link: Pick<LibvirtLink, "call" | "machine">,
  known: Iterable<string>,
): Promise<Map<string, DomainRecord | undefined>> {
  let files: Map<string, DomainRecord> | undefined;
  const scan = link.call("domainScan"), hasFiles = link.machine?.isSystem ?? false, before = [...known];
  try {
    const records = hasFiles || before.length > 0 ? await inTime(scan, SCAN_MS) : await scan;
    return new Map(records.map((record) => [record.uuid, record]));
  } catch (error) {
    if (!isHang(error)) throw error;
    files = hasFiles ? await domainsInFiles() : undefined;
    // "Not known" must not look like "none"
    if (files === undefined && before.length === 0) throw error;
    log.warn("a VM does not respond: all are read one by one", { error });
  }
  const found = new Map<string, DomainRecord | undefined>();
  await Promise.all([...new Set([...before, ...files?.keys() ?? []])].map(async (uuid) => {
    try {
      const record = await link.call("domainRead", { uuid });
      if (record !== null) found.set(uuid, record);
    } catch (error) {
      if (!isHang(error)) throw error;
      found.set(uuid, files?.get(uuid));
    }
  }));
  return found;
}
