/** VMs that are made of replicas: by a switch-over, for good; as a test, for a while. */
import { Buffer } from "node:buffer";
import { confineDefinition, confineDisk, confineFiles } from "../../lib/backup/confine.ts";
import {
  ContractError,
  type NetworkChoices,
  type Output,
  type SwitchOverPlan,
} from "../../lib/contract/mod.ts";
import { type CopiedDisk, makeCopy, setDisk } from "../../lib/formats/xml/clone.ts";
import { xml } from "../../lib/formats/xml/build.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { cardPlaces, placeCards } from "../../lib/formats/xml/migration.ts";
import { keepsVariables, nvramHolder, setNvram, usualNvram } from "../../lib/formats/xml/nvram.ts";
import { protectNewDomain } from "../../lib/formats/xml/screen_passwords.ts";
import { hasEmulatedTpm } from "../../lib/formats/xml/tpm.ts";
import { readDomain } from "../../lib/formats/xml/trial.ts";
import { child, children, childText } from "../../lib/formats/xml/tree.ts";
import type { MigrationFinding } from "../../lib/host/migration_protocol.ts";
import { messageOf } from "../../lib/text/message.ts";
import { vmNameOf } from "../../lib/vm/vm_name.ts";
import { unpluggedCard } from "../../lib/backup/trial_definition.ts";
import type { Principal } from "../access.ts";
import { makeEmptyImage } from "../backups/write_disk.ts";
import { putNvram } from "../backups/restore.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { isTaken, undefinedIfMissing } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { makeFolderAsStep } from "../operations/made_folder.ts";
import type { Operation } from "../operations/operation.ts";
import type { ReplicaPromoted, TrialVm } from "../operations/step.ts";
import { keyOf } from "../operations/operation_record.ts";
import { freeCopyName } from "../storage/free_name.ts";
import { rebaseImage } from "../storage/qemu_img.ts";
import { requireReachable } from "../storage/reachable.ts";
import { sizeOfDefinition } from "../vm/vm_size.ts";
import { requireFreeVmName } from "../vm/lifecycle/rename.ts";
import { requireNothingLeft } from "../vm/lifecycle/named_files.ts";
import { putTpmState, tpmPlaceFault, type TpmStateFile } from "../vm/lifecycle/tpm_state.ts";
import { checkCards } from "../vm/migration/incoming_checks.ts";
import { findingText } from "../vm/migration/findings.ts";
import { networksByName } from "../vm/migration/move.ts";
import type { ReplicationRecords, StoredReplica } from "./records.ts";
import type { ReplicaClaims } from "./replica_claims.ts";
import { FOLDER_MODE, ReplicaFolder, type ReplicaState } from "./replica_folder.ts";
import { removeReplicaFolder } from "./replica_place.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

export const notPossible = (reason: Sentence) => new ContractError("ReplicationNotPossible", { reason });

/** Folder of a test, in that of the replica. */
const TEST_FOLDER = "test";

/** Services for promotions of replicas: the host, records of replicas, and claims on them. */
export interface PromotionServices {
  readonly host: () => LibvirtHost;
  readonly records: ReplicationRecords;
  readonly claims: ReplicaClaims;
}

/** A replica that has a whole increment, with what it holds. */
interface Whole {
  readonly folder: ReplicaFolder;
  readonly state: ReplicaState & { readonly finished: NonNullable<ReplicaState["finished"]> };
}

/** Files of the host that a VM is booted from directly. */
const BOOT_FILES = ["kernel", "initrd"] as const;

/** The part of a definition that is the same on this host: a kernel that lies at its path here. */
async function sameHere(document: XmlDocument): Promise<XmlDocument | undefined> {
  const os = document.find("os"), paths = BOOT_FILES.map((name) => childText(os, name)?.trim());
  if (os === undefined || paths[0] === undefined) return undefined;
  for (const path of paths) if (path !== undefined && !await isTaken(plainPath(path))) return undefined;
  return new XmlDocument(`<domain>${document.sourceOf(os)}</domain>`);
}

/** The definition of the VM, as far as it stays within it: what names files and devices of the other host is left out. */
async function definitionIn({ state }: Whole, warnings: string[]): Promise<XmlDocument> {
  const read = readDomain(state.definition);
  if ("fault" in read) throw notPossible(message`its definition cannot be taken: ${read.fault.message}`);
  warnings.push(...confineDefinition(read.document, await sameHere(read.document)));
  return read.document;
}

/**
 * Has a definition be that of the replica's VM, whose name and id were found to be free here: what another KVM Manager sent may
 * say those of a VM of this host, which would be redefined.
 *
 * @throws {ContractError} ReplicationNotPossible
 */
export function requireOwnDefinition(
  document: XmlDocument,
  { vmId, vmName }: Pick<StoredReplica, "vmId" | "vmName">,
): void {
  if (childText(document.root, "uuid")?.trim() !== vmId) {
    throw notPossible("its definition is that of another VM");
  }
  const name = document.find("name");
  if (name === undefined) throw notPossible("its definition has no name");
  // It may have been renamed since the last increment
  if (name.text !== vmName) document.setText(name, vmName);
}

const disksOf = (document: XmlDocument) => children(document.find("devices"), "disk");
const targetOf = (disk: ReturnType<typeof disksOf>[number]) => child(disk, "target")?.attributes.dev ?? "";

/** Gives a definition the replica's disks, and no other files. */
function fitDisks(document: XmlDocument, disks: ReadonlyMap<string, CopiedDisk>, warnings: string[]): void {
  const find = (target: string) => disksOf(document).find((disk) => targetOf(disk) === target);
  for (const target of disks.keys()) {
    confineDisk(document, () => find(target));
    setDisk(document, target, disks.get(target)!);
  }
  warnings.push(...confineFiles(document, new Set([...disks.values()].map(({ path }) => path))));
}

/** UEFI variables, where the VM keeps any. */
function variablesIn({ state }: Whole, document: XmlDocument): Uint8Array<ArrayBuffer> | undefined {
  const found = keepsVariables(document) ? state.state.find(({ name }) => name === "nvram") : undefined;
  return found && Uint8Array.from(Buffer.from(found.content, "base64"));
}

/** The state of the TPM, where the VM has one. */
function tpmIn(
  host: LibvirtHost,
  { state }: Whole,
  document: XmlDocument,
  warnings: string[],
): TpmStateFile[] {
  if (!hasEmulatedTpm(document)) return [];
  const files = state.state.flatMap(({ name, content }) =>
    name === "nvram" ? [] : [{ name, bytes: Uint8Array.from(Buffer.from(content, "base64")) }]
  );
  const fault = tpmPlaceFault(host, document);
  if (files.length === 0 || fault === undefined) return files;
  warnings.push(`The state of its TPM was not put there, because ${fault}: it begins empty`);
  return [];
}

export class Promotion {
  /** Tests that this process began, by replica. */
  readonly #tests = new Map<string, Operation>();

  constructor(private readonly services: PromotionServices) {}

  /** A replica with a whole increment, whose increments are merged. @throws {ContractError} @throws {ReplicaDamaged} */
  async #whole(replica: StoredReplica, signal = new AbortController().signal, merge = true): Promise<Whole> {
    if (replica.promoted !== undefined) throw notPossible("a VM was made of the replica already");
    const folder = new ReplicaFolder(replica.folder), state = await folder.read();
    const merged = merge ? await folder.merge(state, signal) : state;
    const { finished } = merged;
    if (finished === null) throw notPossible("no increment of it is whole yet");
    return { folder, state: { ...merged, finished } };
  }

  /** The definition of its last whole increment; undefined where there is none. @throws {ReplicaDamaged} @throws {Error} */
  async #definition({ folder, promoted }: StoredReplica): Promise<string | undefined> {
    if (promoted !== undefined) return undefined;
    const { finished, definition } = await new ReplicaFolder(folder).read();
    return finished === null ? undefined : definition;
  }

  /**
   * Networks that the VM's cards need here, and that are missing or off. @throws {ReplicaDamaged} @throws
   * {XmlError}
   */
  async check(replica: StoredReplica): Promise<MigrationFinding[]> {
    const definition = await this.#definition(replica);
    return definition === undefined ? [] : await checkCards(this.services.host(), definition);
  }

  /** Networks that its VM's cards come into here. @throws {ReplicaDamaged} @throws {XmlError} */
  async networksOf(replica: StoredReplica): Promise<NonNullable<SwitchOverPlan["networks"]>> {
    const { networks } = this.services.host().inventory, definition = await this.#definition(replica);
    const places = definition === undefined ? [] : cardPlaces(definition);
    return places.filter(({ kind }) => kind === "network").map(({ name }) => {
      const record = networks.record(name);
      return { name, state: record === undefined ? "missing" : record.active ? "active" : "off" };
    });
  }

  /** Reason why a VM of that id or name cannot be created here. */
  fault({ vmId, vmName }: StoredReplica): string | undefined {
    const { inventory, label } = this.services.host(), all = inventory.everyVm();
    // Also the host that it comes from tells this
    if (all.some(({ id }) => id === vmId)) return `a VM with its id is on ${label}`;
    return all.some(({ name }) => name === vmName) ? `another VM of ${label} is called ${vmName}` : undefined;
  }

  /**
   * Makes a VM of a replica. Cut short, it is a replica again.
   *
   * @throws {ContractError} HostInMaintenance, ReplicationNotPossible, ReplicationBusy, VmNameExists, NvramLeft, MemoryLeft
   */
  async promote(
    replica: StoredReplica,
    { principal, start, by, networks = [], isHeld = false }: {
      readonly principal: Principal;
      readonly start: boolean;
      readonly by: string;
      /** Networks of its definition → those here. */
      readonly networks?: NetworkChoices;
      /** Whether the caller holds the replica already. */
      readonly isHeld?: boolean;
    },
  ): Promise<Omit<Output<"promote_replica">, "lostSeconds" | "warnings"> & { readonly warnings: string[] }> {
    const { records } = this.services, host = this.services.host(), { vmId, vmName: name, pool } = replica;
    host.requireFilled();
    const admissions = host.requireAdmissions(), fault = this.fault(replica);
    if (fault !== undefined) throw notPossible(fault);
    requireFreeVmName(host, name);
    using _claim = isHeld ? undefined : await this.services.claims.taken(replica, "being made a VM");
    await this.endTest(replica);
    const whole = await this.#whole(replica), warnings: string[] = [];
    const document = await definitionIn(whole, warnings);
    requireOwnDefinition(document, replica);
    placeCards(document, networksByName(networks));
    const missing = await checkCards(host, document.toString());
    for (const finding of missing) {
      const text = findingText(finding, host.label);
      // It is made to run now, and could not
      if (start) throw notPossible(text);
      warnings.push(text);
    }
    await requireNothingLeft(host, document, name);
    const keys = [keyOf.vm(vmId), keyOf.vmName(name)];
    const spec = { command: "promote_replica", subject: name, vmId, actor: by, keys } as const;
    await host.operations.run(spec, async (operation) => {
      const disks = await this.#moveDisks(whole, replica, operation);
      fitDisks(document, disks, warnings);
      const variables = variablesIn(whole, document), path = usualNvram(name);
      setNvram(document, variables && path);
      if (variables !== undefined) await putNvram({ operation }, path, variables);
      await putTpmState(operation, vmId, tpmIn(host, whole, document, warnings));
      protectNewDomain(document);
      const project = host.projects.projectOf(vmId);
      using admission = admissions.admit(
        { vmId, name, project },
        await sizeOfDefinition(host, document.toString(), project),
      );
      operation.add({ kind: "domain-made", uuid: vmId, name, at: Date.now() });
      await host.link.call("domainDefineXml", { xml: document.toString() });
      admission.keep();
    });
    records.incoming.change(replica.id, { promoted: { at: host.clock.now(), by } });
    await removeReplicaFolder(replica.folder).catch((error) =>
      log.warn("the folder of a replica that a VM was made of stays", { folder: replica.folder, error })
    );
    await host.inventory.refresh(vmId);
    await host.link.call("poolRefresh", { pool }).catch((error) =>
      log.info("a pool could not be refreshed", { pool, error })
    );
    await host.inventory.storage.volumes(pool);
    const { takenAt } = whole.state.finished;
    if (!start) return { vmId, started: false, takenAt, warnings };
    try {
      await host.run("start_vm", { vmId }, principal);
      return { vmId, started: true, takenAt, warnings };
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      warnings.push(`It could not be started: ${error.message}`);
      return { vmId, started: false, takenAt, warnings };
    }
  }

  /** Makes volumes of the replica's disks. @returns each disk's new place, by target */
  async #moveDisks(
    { folder, state }: Whole,
    { id: replicaId, vmId: uuid, vmName: name, pool }: StoredReplica,
    operation: Operation,
  ): Promise<Map<string, CopiedDisk>> {
    const host = this.services.host(), disks = new Map<string, CopiedDisk>();
    const moves: (readonly [from: string, to: string])[] = [];
    const pools = folder.path.slice(0, folder.path.lastIndexOf("/", folder.path.lastIndexOf("/") - 1));
    for (const { target, base } of state.disks) {
      const volume = await freeCopyName(
        host,
        { pool, from: `${name}-${target}.qcow2`, target, format: "qcow2" },
        (free) => moves.some(([, to]) => to === `${pools}/${free}`),
      );
      moves.push([folder.at(base), `${pools}/${volume}`]);
      disks.set(target, { path: `${pools}/${volume}`, format: "qcow2", type: "file", backing: [] });
    }
    operation.add<ReplicaPromoted>({ kind: "replica-promoted", replicaId, uuid, name, moves });
    for (const [from, to] of moves) {
      if (await isTaken(plainPath(to))) throw notPossible(message`${to} exists already`);
      await hostFiles.rename(plainPath(from), plainPath(to));
    }
    return disks;
  }

  /**
   * Starts a VM that is thrown away. What it writes goes into images of its own; increments wait until its end.
   *
   * @throws {ContractError} HostInMaintenance, ReplicationNotPossible, ReplicationBusy
   */
  async test(replica: StoredReplica, actor: string, signal: AbortSignal): Promise<StoredReplica> {
    const { records } = this.services, host = this.services.host();
    host.requireFilled();
    host.maintenance.requireInService();
    if (replica.test !== undefined) {
      throw new ContractError("ReplicationBusy", { name: replica.vmName, what: "being tested" });
    }
    using _claim = await this.services.claims.taken(replica, "being tested");
    const whole = await this.#whole(replica, signal), uuid = crypto.randomUUID();
    // Files are called by it
    const name = `${vmNameOf(replica.vmName.slice(0, 40), () => false)}-test-${uuid.slice(0, 4)}`;
    const operation = host.operations.begin({
      command: "test_replica",
      subject: name,
      vmId: uuid,
      actor,
      keys: [keyOf.vm(uuid), keyOf.vmName(name)],
    });
    try {
      await this.#startTest(whole, { uuid, name }, operation, signal);
    } catch (error) {
      await host.operations.failed(operation, error);
      throw error;
    }
    this.#tests.set(replica.id, operation);
    return records.incoming.change(replica.id, { test: { uuid, name, since: host.clock.now() } })!;
  }

  async #startTest(
    whole: Whole,
    { uuid, name }: { readonly uuid: string; readonly name: string },
    operation: Operation,
    signal: AbortSignal,
  ): Promise<void> {
    const host = this.services.host(), { folder, state } = whole, warnings: string[] = [];
    const document = await definitionIn(whole, warnings), path = folder.at(TEST_FOLDER);
    await makeFolderAsStep(operation, path, FOLDER_MODE);
    const disks = new Map<string, CopiedDisk>();
    for (const { target, base, bytes } of state.disks) {
      const overlay = `${path}/${target}.qcow2`;
      await makeEmptyImage(plainPath(overlay), bytes);
      await rebaseImage(overlay, { path: folder.at(base), format: "qcow2" }, signal);
      const backing = [{ type: "file", path: folder.at(base), format: "qcow2" }] as const;
      disks.set(target, { path: overlay, format: "qcow2", type: "file", backing });
    }
    fitDisks(document, disks, warnings);
    const variables = variablesIn(whole, document), nvram = variables && usualNvram(name);
    setNvram(document, nvram);
    if (variables !== undefined) await putNvram({ operation }, nvram!, variables);
    makeCopy(document, { name, uuid, createdAt: Date.now(), disks, nvram });
    for (let index = 0; index < children(document.find("devices"), "interface").length; index++) {
      const card = children(document.find("devices"), "interface")[index]!;
      document.replace(card, unpluggedCard(card));
    }
    if (children(document.find("devices"), "video").length === 0) {
      document.append(document.find("devices")!, xml("video", {}, xml("model", { type: "vga" })));
    }
    await putTpmState(operation, uuid, tpmIn(host, whole, document, warnings));
    const text = document.toString(), holder = nvramHolder(text, crypto.randomUUID());
    signal.throwIfAborted();
    operation.add<TrialVm>({ kind: "trial-vm", uuid, name, ...(holder !== undefined && { nvram: holder }) });
    await requireReachable(host, text);
    await host.link.call("domainStartTransient", { xml: text });
    await host.inventory.refresh(uuid);
  }

  /** Throws the VM of a test away. Increments that came meanwhile are merged by the next one. */
  async endTest({ id }: StoredReplica): Promise<StoredReplica | undefined> {
    const { records } = this.services, host = this.services.host(), replica = records.incoming.get(id);
    if (replica?.test === undefined) return replica;
    const { uuid, name } = replica.test, operation = this.#tests.get(id);
    if (operation !== undefined) {
      this.#tests.delete(id);
      await host.operations.failed(operation, undefined);
    }
    await host.operations.ready([keyOf.vm(uuid), keyOf.vmName(name)]);
    const { test: _test, ...rest } = replica;
    records.incoming.put(rest);
    return rest;
  }

  /** Corrects records of tests and switch-overs after a start: they may have been interrupted. */
  async reconcile(): Promise<void> {
    const { records } = this.services, host = this.services.host(), all = host.inventory.everyVm();
    for (const replica of records.incoming.all()) {
      if (replica.test !== undefined && !this.#tests.has(replica.id)) {
        const { uuid } = replica.test;
        if (!all.some(({ id }) => id === uuid)) await this.endTest(replica);
      }
      if (replica.promoted !== undefined) continue;
      try {
        const { disks, finished } = await new ReplicaFolder(replica.folder).read();
        if (!all.some(({ id }) => id === replica.vmId)) {
          // It counted, and that was not written down any more
          const known = records.incoming.get(replica.id)?.finished?.receivedAt ?? 0;
          if (finished !== null && finished.receivedAt > known) {
            const bytes = disks.reduce((sum, disk) => sum + disk.bytes, 0);
            records.incoming.change(replica.id, { finished, bytes });
          }
          continue;
        }
        // The VM is there, and its disks are no longer in the folder
        const gone = await Promise.all(
          disks.map(async ({ base }) =>
            await undefinedIfMissing(hostFiles.stat(plainPath(`${replica.folder}/${base}`))) === undefined
          ),
        );
        if (finished === null || gone.length === 0 || !gone.every(Boolean)) continue;
        records.incoming.change(replica.id, { promoted: { at: host.clock.now(), by: "KVM Manager" } });
        await removeReplicaFolder(replica.folder);
      } catch (error) {
        log.warn("what became of a replica is not known", { replica: replica.id, error: messageOf(error) });
      }
    }
  }
}
