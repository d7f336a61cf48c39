/** The disks of a VM that is off, and what libvirt keeps of it, on their way to another host. */
import { Buffer } from "node:buffer";
import { ContractError, type Role, type VM } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramPath } from "../../../lib/formats/xml/nvram.ts";
import { type IncomingDisk, MOST_STATE, type StateFile } from "../../../lib/host/migration_protocol.ts";
import type { Host } from "../../hosts/host.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { readRegular, undefinedIfMissing } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { copySource } from "../../storage/copy_source.ts";
import { sendImage } from "../../storage/qemu_img.ts";
import { readTpmState } from "../lifecycle/tpm_state.ts";
import type { MigrationConversation } from "./conversation.ts";

/** A VM that is off, on its way. */
export interface OffCopy {
  readonly host: Host;
  readonly vm: VM;
  /** Its definition. */
  readonly xml: string;
  readonly talk: MigrationConversation;
  readonly job: JobHandle;
  readonly role: Role;
  /** The socket of the line of disks. */
  readonly socket: string;
  readonly disks: readonly IncomingDisk[];
  /** Bytes of each disk as its guest sees it. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly bytesPerSecond: number | undefined;
}

const failed = (error: string) => new ContractError("MigrationFailed", { error });

/** Copies what is not on shared storage, and has the VM defined there. @throws {ContractError} @throws the reason of the job's end */
export async function copyOff(copy: OffCopy): Promise<void> {
  const { host, vm, talk, job, role, socket, sizes, bytesPerSecond } = copy;
  using held = new DisposableStack();
  const targets = new Set(copy.disks.filter(({ isShared }) => !isShared).map(({ target }) => target));
  const total = [...targets].reduce((sum, target) => sum + (sizes.get(target) ?? 0), 0);
  let before = 0;
  for (const { target, source: path = "", format } of vm.disks.filter((each) => targets.has(each.target))) {
    const size = sizes.get(target) ?? 0;
    const image = await copySource(
      host,
      { path, format: format === "qcow2" ? format : "raw" },
      role,
      held,
      vm.id,
    );
    const { isZero } = await talk.ask({ do: "open-disk", target });
    job.log(`Copying ${target}: ${path}`);
    await sendImage(image, socket, {
      ...{ isZero, bytesPerSecond, signal: job.signal },
      onShare: (share) => job.progress(Math.min(before + share * size, total), total),
    });
    await talk.ask({ do: "close-disk", target });
    before += size;
  }
  for (const [name, content] of await stateOf(copy)) await talk.ask({ do: "keep-state", name, content });
  job.signal.throwIfAborted();
  await talk.ask({ do: "define" });
}

/** What libvirt keeps of it, as base64. @throws {ContractError} MigrationFailed where it cannot be read: without it the VM may not boot */
async function stateOf({ host, vm, xml }: OffCopy): Promise<(readonly [StateFile, string])[]> {
  const document = new XmlDocument(xml), found: [StateFile, Uint8Array][] = [];
  const nvram = nvramPath(document);
  // It was never started where there is none
  const variables = nvram && await undefinedIfMissing(readRegular(plainPath(nvram), MOST_STATE));
  if (variables) found.push(["nvram", variables]);
  const tpm = await readTpmState(host, document, vm.id);
  if (tpm !== undefined && "fault" in tpm) {
    throw failed(`the state of its TPM cannot be copied, because ${tpm.fault}`);
  }
  for (const { name, bytes } of tpm?.files ?? []) found.push([name, bytes]);
  return found.map(([name, bytes]) => {
    const content = Buffer.from(bytes).toString("base64");
    if (content.length > MOST_STATE) {
      throw failed(`its ${name} has ${bytes.length} bytes, which is more than is sent`);
    }
    return [name, content];
  });
}
