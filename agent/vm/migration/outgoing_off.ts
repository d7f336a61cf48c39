/** The disks of a VM that is off, and what libvirt keeps of it, on their way to another host. */
import { Buffer } from "node:buffer";
import { ContractError, type Role, type VM } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { type IncomingDisk, MOST_STATE } from "../../../lib/host/migration_protocol.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { copySource } from "../../storage/copy_source.ts";
import { type ImageNode, sendImage } from "../../storage/qemu_img.ts";
import type { MigrationConversation } from "./conversation.ts";
import { scan } from "../snapshots/scan.ts";
import { t } from "./findings.ts";
import { hashesOf, stateFilesOf } from "./kept_state.ts";
import type { LeavingImages } from "./leaving_images.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** A VM that is off, on its way. */
export interface OffCopy {
  readonly host: LibvirtHost;
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
  readonly images: LeavingImages;
  /** The other host is told to define it, and may have it from then on. */
  readonly onDefine: () => void;
}

const failed = (error: Sentence) => new ContractError("MigrationFailed", { error });

/** Copies what is not on shared storage, and has the VM defined there. @throws {ContractError} @throws the reason of the job's end */
export async function copyOff(copy: OffCopy): Promise<void> {
  const { host, vm, talk, job, role, socket, sizes, bytesPerSecond } = copy;
  using held = new DisposableStack();
  const targets = new Set(copy.disks.filter(({ isShared }) => !isShared).map(({ target }) => target));
  const total = [...targets].reduce((sum, target) => sum + (sizes.get(target) ?? 0), 0);
  let before = 0;
  const send = async (
    image: ImageNode,
    { target, file, size }: { target: string; file?: number; size: number },
  ): Promise<void> => {
    const part = { target, ...(file !== undefined && { file }) };
    const { isZero } = await talk.ask({ do: "open-disk", ...part });
    job.log(message`Copying ${target}: ${image.path}`);
    await sendImage(image, socket, {
      isZero,
      bytesPerSecond,
      signal: job.signal,
      onShare: (share) => job.progress(Math.min(before + share * size, total), total),
    });
    await talk.ask({ do: "close-disk", ...part });
    before += size;
  };
  for (const { target, source: path = "", format } of vm.disks.filter((each) => targets.has(each.target))) {
    const wish = { path, format: format === "qcow2" ? format : "raw" } as const;
    const image = await copySource(host, wish, role, held, vm.id), files = copy.images.files.get(target);
    if (files === undefined) await send(image, { target, size: sizes.get(target) ?? 0 });
    else {
      for (const [file, { path, bytes: size }] of files.entries()) {
        await send({ path, type: "file", backing: [], format: "raw" }, { target, file, size });
      }
    }
  }
  const sent = await sendState(copy);
  for (const { xml, isCurrent } of copy.images.snapshots) {
    await talk.ask({ do: "keep-snapshot", xml, isCurrent });
  }
  job.signal.throwIfAborted();
  const now = (await scan(host, vm)).map(({ name }) => name);
  if (now.join("\n") !== copy.images.names.join("\n")) throw failed(t("migration.was_snapshotted"));
  copy.onDefine();
  const { state } = await talk.ask({ do: "define" });
  for (const { name, sha256 } of sent) {
    if (state.find((each) => each.name === name)?.sha256 !== sha256) {
      throw failed(`its ${name} is not there as it was sent`);
    }
  }
}

/** Sends what libvirt keeps of it. @returns its hashes @throws {ContractError} MigrationFailed where it cannot be read */
async function sendState({ host, vm, xml, talk }: OffCopy): Promise<ReturnType<typeof hashesOf>> {
  const files = await stateFilesOf(host, new XmlDocument(xml), vm.id);
  for (const [name, bytes] of files) {
    const content = Buffer.from(bytes).toString("base64");
    if (content.length > MOST_STATE) {
      throw failed(`its ${name} has ${bytes.length} bytes, which is more than is sent`);
    }
    await talk.ask({ do: "keep-state", name, content });
  }
  return hashesOf(files);
}
