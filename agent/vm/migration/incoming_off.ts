/** A VM that comes while it is off: its disks are written by QEMU's server of network block devices, one after the other. */
import { Buffer } from "node:buffer";
import { ContractError } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramPath } from "../../../lib/formats/xml/nvram.ts";
import { withImagesAt } from "../../../lib/formats/xml/snapshot.ts";
import {
  type MigrationAnswers,
  MOST_SNAPSHOTS,
  type StateFile,
} from "../../../lib/host/migration_protocol.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { writeAll } from "../../../lib/write_all.ts";
import { sleep } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isTaken, isThere } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { type ProgramEnd, runProgram } from "../../machine/programs.ts";
import { identityAt } from "../../operations/file_identity.ts";
import type { Noted, Operation } from "../../operations/operation.ts";
import type { FileMade, SnapshotOfMove, VmIncoming } from "../../operations/step.ts";
import { hashesOf, stateFilesOf } from "./kept_state.ts";
import { type MadeImage, movedPaths, relinkImages } from "./image_files.ts";
import { recordMoved } from "./moved_snapshots.ts";
import { putTpmState, type TpmStateFile } from "../lifecycle/tpm_state.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** Milliseconds until the server listens, between looks for that, and at most for a disk. */
const LISTENS_MS = 10_000, LOOK_MS = 20, DISK_MS = 7 * 86_400_000;
/** Mode of a file of UEFI variables until libvirt gives it to QEMU's user. */
const NVRAM_MODE = 0o600;

const failed = (error: Sentence) => new ContractError("MigrationFailed", { error });

/** Parts of a VM that comes while it is off, with the host and the operation. */
export interface IncomingParts {
  readonly host: LibvirtHost;
  readonly operation: Operation;
  readonly vmId: string;
  readonly name: string;
  /** The definition that it gets. */
  readonly xml: string;
  readonly images: readonly MadeImage[];
  /** The operation's record of the move. */
  readonly noted: Noted<VmIncoming>;
  /** The socket at which disks are written. */
  readonly socket: string;
}

export class IncomingOff implements AsyncDisposable {
  readonly #over = new AbortController();
  #serving: { readonly image: MadeImage; readonly ended: Promise<ProgramEnd> } | undefined;
  readonly #written = new Set<MadeImage>();
  #nvram: Uint8Array<ArrayBuffer> | undefined;
  readonly #tpm: TpmStateFile[] = [];
  readonly #snapshots: SnapshotOfMove[] = [];

  constructor(private readonly parts: IncomingParts) {}

  /** Begins to take the content of a disk. @throws {ContractError} MigrationFailed */
  async openDisk(target: string, file?: number): Promise<{ isZero: boolean }> {
    const { images, socket, host: { clock } } = this.parts,
      image = images.find((each) => each.target === target && each.image?.index === file);
    if (image === undefined || this.#serving !== undefined || this.#written.has(image)) {
      throw failed(`disk ${oneLine(target, 40)} is not to be written now`);
    }
    const { path, format, type } = image;
    const args = [
      ...["--format", image.image === undefined ? format : "raw", "--socket", socket, "--cache", "writeback"],
      ...["--discard", "unmap", "--detect-zeroes", "unmap", "--", plainPath(path)],
    ];
    const ended = runProgram("qemu-nbd", args, { limitMs: DISK_MS, signal: this.#over.signal });
    this.#serving = { image, ended };
    const until = clock.monotonic() + LISTENS_MS;
    // It ends only where it cannot begin
    const early = ended.then(
      ({ stderr }) => stderr.trim() || "qemu-nbd has ended",
      (error: Error) => error.message,
    );
    while (!await isThere(socket)) {
      const why = await Promise.race([early, sleep(clock, LOOK_MS)]);
      if (typeof why === "string") throw failed(`the disk cannot be written: ${oneLine(why, 300)}`);
      if (clock.monotonic() > until) throw failed("the disk cannot be written: qemu-nbd does not listen");
    }
    return { isZero: type === "file" };
  }

  /** Waits until all that came of a disk is written. @throws {ContractError} MigrationFailed */
  async closeDisk(target: string, file?: number): Promise<Record<never, never>> {
    const serving = this.#serving, image = serving?.image;
    if (serving === undefined || image?.target !== target || image.image?.index !== file) {
      throw failed(`disk ${oneLine(target, 40)} is not being written`);
    }
    // It ends once its client has gone
    const { success, stderr } = await serving.ended;
    this.#serving = undefined;
    if (!success) throw failed(`disk ${target} was not written whole: ${oneLine(stderr.trim(), 300)}`);
    this.#written.add(serving.image);
    return {};
  }

  /** Takes what libvirt keeps of the VM. */
  keepState(name: StateFile, content: string): Record<never, never> {
    const bytes = Uint8Array.from(Buffer.from(content, "base64"));
    if (name === "nvram") this.#nvram = bytes;
    else this.#tpm.push({ name, bytes });
    return {};
  }

  /** Takes a snapshot's record. @throws {ContractError} MigrationFailed for too many @throws {XmlError} */
  keepSnapshot(xml: string, isCurrent: boolean): Record<never, never> {
    if (this.#snapshots.length >= MOST_SNAPSHOTS) throw failed("it has too many snapshots");
    this.#snapshots.push({ xml: withImagesAt(xml, movedPaths(this.parts.images)), isCurrent });
    return {};
  }

  /** Defines the VM with its snapshots, once all of it is here. @throws {ContractError} MigrationFailed @throws {LibvirtError} @throws {ImageError} */
  async define(): Promise<MigrationAnswers["define"]> {
    const { host, operation, noted, vmId, images, xml } = this.parts;
    if (!images.every((each) => this.#written.has(each))) throw failed("disks are missing");
    await relinkImages(images, this.#over.signal);
    await this.#putNvram();
    await putTpmState(operation, vmId, this.#tpm);
    if (this.#snapshots.length > 0) noted.know({ snapshots: this.#snapshots }, true);
    await host.link.call("domainDefineXml", { xml, unchecked: true });
    await recordMoved(host, vmId, this.#snapshots);
    const document = new XmlDocument(xml);
    return { state: hashesOf(await stateFilesOf(host, document, vmId)) };
  }

  /** Puts the UEFI variables where the VM finds them. */
  async #putNvram(): Promise<void> {
    const { operation, xml } = this.parts;
    if (this.#nvram === undefined) return;
    const document = new XmlDocument(xml);
    const path = nvramPath(document);
    if (path === undefined) return;
    if (await isTaken(plainPath(path))) {
      throw failed(`there are UEFI variables of another VM at ${path}: move them away`);
    }
    const noted = operation.add<FileMade>({ kind: "file-made", path, file: null, at: Date.now() });
    using file = await hostFiles.open(plainPath(path), { write: true, createNew: true, mode: NVRAM_MODE });
    noted.know({ file: await identityAt(path) });
    await writeAll(file, this.#nvram);
    await file.sync();
  }

  /** Ends what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error("the move has ended"));
    await this.#serving?.ended.catch(() => {/* ended by us, or told before */});
  }
}
