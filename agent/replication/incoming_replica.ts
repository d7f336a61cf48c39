/** One replica that comes from another host, on its WebSocket: its increments are taken, merged, and made a VM. */
import { chunkLength } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES } from "../../lib/backup/manifest.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import {
  type MigrationFinding,
  MigrationNonsense,
  type StateFile,
} from "../../lib/host/migration_protocol.ts";
import {
  BLOCK_BYTES,
  type HeldReplica,
  readPiece,
  type ReplicatedDisk,
  type ReplicationAnswers,
  type ReplicationQuestion,
} from "../../lib/host/replication_protocol.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { withClusters } from "../backups/increment.ts";
import { keyOf } from "../operations/operation_record.ts";
import { DiskWriter } from "./disk_writer.ts";
import { refuseOther, takeOldVm } from "./old_vm.ts";
import type { Promotion } from "./promotion.ts";
import type { ReplicationRecords, StoredReplica } from "./records.ts";
import type { ReplicaClaims } from "./replica_claims.ts";
import { ReplicaFolder, type ReplicaState } from "./replica_folder.ts";
import { makeReplicaFolder, placeForReplica, removeReplicaFolder, requireReserve } from "./replica_place.ts";
import { digestOfBlock } from "./send_disk.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Bytes between looks how full the storage is. */
const LOOK_BYTES = 64 * 1024 ** 2;
/** Most replicas of this host. */
const MOST_REPLICAS = 500;
export const replicationFailed = (error: Sentence) => new ContractError("ReplicationFailed", { error });

/** The parts of the application that it works with. */
export interface IncomingReplicaServices {
  readonly host: () => LibvirtHost;
  readonly records: ReplicationRecords;
  readonly claims: ReplicaClaims;
  readonly promotion: Promotion;
  /** The name of the host of a KVM Manager; undefined where it may act on this host no longer. */
  readonly peerName: (peerId: string) => string | undefined;
}

/** An increment that comes. */
interface Coming {
  readonly copyId: string;
  readonly disks: readonly ReplicatedDisk[];
  readonly writers: readonly DiskWriter[];
  readonly folder: ReplicaFolder;
  definition: string | undefined;
  readonly state: Map<StateFile, string>;
  /** Bytes since the last look how full the storage is. */
  bytes: number;
}

/** One replica, on one WebSocket. */
export class IncomingReplication implements AsyncDisposable {
  #about: { readonly replicaId: string; readonly vmId: string; readonly name: string } | undefined;
  #coming: Coming | undefined;
  #claim: Disposable | undefined;
  #merging: Promise<void> = Promise.resolve();
  readonly #over = new AbortController();

  constructor(
    private readonly services: IncomingReplicaServices,
    private readonly principal: Principal,
    private readonly peerId: string,
  ) {}

  /** @throws {ContractError} @throws {MigrationNonsense} @throws {ReplicaDamaged} */
  async answer(question: ReplicationQuestion): Promise<ReplicationAnswers[ReplicationQuestion["do"]]> {
    await this.#merging;
    switch (question.do) {
      case "open":
        return await this.#open(question);
      case "begin":
        return await this.#begin(question);
      case "digests":
        return { digests: await this.#digests(question) };
      case "definition":
        this.#require().definition = question.xml;
        return {};
      case "state":
        this.#require().state.set(question.name, question.content);
        return {};
      case "finish":
        return await this.#finish(question);
      case "unchanged":
        return await this.#unchanged(question);
      case "check":
        return { findings: await this.#check() };
      case "promote":
        return await this.#promote(question);
      case "forget":
        return await this.#forget();
    }
  }

  /** Takes a piece of a disk. @throws {MigrationNonsense} @throws {ContractError} @throws {Error} from writing */
  async take(message: Uint8Array): Promise<void> {
    const coming = this.#require();
    const piece = readPiece(message, coming.disks.map(({ bytes }) => bytes));
    try {
      // Zeros take room as well: a table for each 512 MiB of them
      coming.bytes += await coming.writers[piece.disk]!.take(piece);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      throw new Error(`its storage pool ${this.#replica()?.pool} is full`, { cause: error });
    }
    if (coming.bytes < LOOK_BYTES) return;
    coming.bytes = 0;
    await requireReserve(coming.folder.path);
  }

  #require(): Coming {
    if (this.#coming === undefined) throw new MigrationNonsense("no increment was begun");
    return this.#coming;
  }

  /** The replica and the VM that the conversation is about. */
  #known(): { readonly replicaId: string; readonly vmId: string; readonly name: string } {
    if (this.#about === undefined) throw new MigrationNonsense("it did not say which VM it is about");
    return this.#about;
  }

  /** The replica that it is about; undefined before the first increment. @throws {ContractError} ReplicationNotPossible for another one's */
  #replica(): StoredReplica | undefined {
    const { replicaId, vmId } = this.#known(), { records, peerName } = this.services;
    const found = records.incoming.require().get(replicaId);
    if (found === undefined) return undefined;
    if (found.vmId !== vmId) throw new MigrationNonsense("that replica is of another VM");
    if (found.peerId === this.peerId) return found;
    // It was linked once more: the link that it came by is no more
    if (peerName(found.peerId) !== undefined) {
      throw new MigrationNonsense("that replica comes by another link");
    }
    return records.incoming.change(replicaId, { peerId: this.peerId });
  }

  #folderOf = ({ folder }: Pick<StoredReplica, "folder">) => new ReplicaFolder(folder);

  async #open(about: Extract<ReplicationQuestion, { do: "open" }>): Promise<HeldReplica> {
    if (this.#about !== undefined) throw new MigrationNonsense("it was opened already");
    const host = this.services.host();
    host.requireFilled();
    if (host.machine?.isSystem !== true) {
      throw new ContractError("ReplicationNotPossible", {
        reason: message`${host.label} does not run its VMs by the system's libvirt (qemu:///system)`,
      });
    }
    this.#about = { replicaId: about.replicaId, vmId: about.vmId, name: about.name };
    await host.operations.ready([keyOf.vm(about.vmId)]);
    const replica = this.#replica();
    // A switch-over that was begun by a connection which was cut is waited for
    using _claim = replica && await this.services.claims.taken(replica, "in use");
    return await this.#held();
  }

  /** State of the VM's replica here. */
  async #held(): Promise<HeldReplica> {
    const { vmId } = this.#known(), { records } = this.services, host = this.services.host();
    const replica = this.#replica(), vm = host.inventory.everyVm().find(({ id }) => id === vmId);
    const none = { copyId: null, promotedAt: null, isTested: false, disks: [] };
    if (replica?.promoted !== undefined) {
      return {
        ...none,
        state: "promoted",
        copyId: replica.finished?.copyId ?? null,
        promotedAt: replica.promoted.at,
      };
    }
    if (vm !== undefined) return { ...none, state: records.lostOf(vmId) === undefined ? "other" : "old" };
    if (replica === undefined) return { ...none, state: "none" };
    const { finished, disks } = await this.#folderOf(replica).read();
    return {
      state: "replica",
      copyId: finished?.copyId ?? null,
      promotedAt: null,
      isTested: replica.test !== undefined,
      disks: disks.map(({ target, bytes }) => ({ target, bytes })),
    };
  }

  /** The replica's record and folder, made where there is none. */
  async #made(
    { pool, everySeconds }: Extract<ReplicationQuestion, { do: "begin" }>,
  ): Promise<StoredReplica> {
    const { replicaId, vmId, name } = this.#known(), { records, peerName } = this.services;
    const host = this.services.host(), known = this.#replica();
    if (known !== undefined) {
      this.#claim ??= await this.services.claims.taken(known, "being brought up to date");
      return records.incoming.change(replicaId, { vmName: name, everySeconds })!;
    }
    if (records.incoming.all().length >= MOST_REPLICAS) {
      throw new ContractError("TooManyReplications", { limit: MOST_REPLICAS });
    }
    const place = await placeForReplica(host, pool, replicaId), createdAt = host.clock.now();
    await makeReplicaFolder(place.folder);
    await new ReplicaFolder(place.folder).write({
      version: 1,
      replicaId,
      vmId,
      name,
      finished: null,
      disks: [],
      pending: [],
      definition: "",
      state: [],
    });
    const from = oneLine(peerName(this.peerId) ?? "", 100);
    const made: StoredReplica = {
      id: replicaId,
      vmId,
      vmName: name,
      peerId: this.peerId,
      from,
      ...place,
      everySeconds,
      createdAt,
      finished: null,
      bytes: 0,
    };
    this.#claim ??= this.services.claims.take(made, "being brought up to date");
    records.incoming.put(made);
    return made;
  }

  async #begin(asked: Extract<ReplicationQuestion, { do: "begin" }>): Promise<HeldReplica> {
    const { vmId } = this.#known(), { records } = this.services, host = this.services.host();
    if (this.#coming !== undefined) throw new MigrationNonsense("an increment was begun already");
    const before = await this.#held();
    if (before.state === "promoted") throw new ContractError("ReplicaPromoted", { host: host.label });
    const vm = host.inventory.everyVm().find(({ id }) => id === vmId);
    if (vm !== undefined && (before.state !== "old" || !asked.takeOld)) refuseOther(host, vm.name);
    const replica = await this.#made(asked), folder = this.#folderOf(replica);
    let state = await folder.read();
    await folder.sweep(state);
    if (replica.test === undefined) state = await this.#mergeInto(folder, state);
    const { copyId, since, disks } = asked;
    if (vm !== undefined) {
      const { principal } = this, { signal } = this.#over;
      state = await takeOldVm(host, { vm, folder, state, wanted: disks, principal, signal });
      const lost = records.lostOf(vmId);
      if (lost !== undefined) records.outgoing.remove(lost.id);
    }
    const modes = disks.map((disk) => ({ ...disk, mode: this.#mode(disk, state, since) }));
    if (state.pending.length > 0 && modes.some(({ mode }) => mode === "differences")) {
      throw new ContractError("ReplicationBusy", { name: replica.vmName, what: "being tested" });
    }
    const writers: DiskWriter[] = [];
    this.#coming = {
      copyId,
      disks: modes,
      writers,
      folder,
      definition: undefined,
      state: new Map(),
      bytes: 0,
    };
    for (const disk of modes) writers.push(await DiskWriter.make(folder.partOf(disk, copyId), disk.bytes));
    const { finished } = state;
    return {
      state: "replica",
      copyId: finished?.copyId ?? null,
      promotedAt: null,
      isTested: replica.test !== undefined,
      // What differs can be told of these
      disks: modes.filter(({ mode }) => mode !== "all").map(({ target, bytes }) => ({ target, bytes })),
    };
  }

  /** How a disk can come. @throws {MigrationNonsense} for changes of what is not there */
  #mode({ target, bytes, mode }: ReplicatedDisk, state: ReplicaState, since: string | null) {
    const has = state.disks.some((disk) => disk.target === target && disk.bytes === bytes);
    if (mode === "changes" && (!has || since === null || state.finished?.copyId !== since)) {
      throw new MigrationNonsense(`changes of disk ${target} are of what is not here`);
    }
    return mode === "differences" && !has ? "all" : mode;
  }

  async #digests(
    { target, from, count }: Extract<ReplicationQuestion, { do: "digests" }>,
  ): Promise<string[]> {
    const { folder, disks } = this.#require();
    const mode = disks.find((disk) => disk.target === target);
    const disk = (await folder.read()).disks.find((each) => each.target === target);
    if (mode?.mode !== "differences" || disk === undefined) {
      throw new MigrationNonsense("that disk is not compared");
    }
    const blocks = Math.ceil(disk.bytes / BLOCK_BYTES), end = Math.min(from + count, blocks);
    const perChunk = CHUNK_BYTES / BLOCK_BYTES, found: string[] = [];
    await withClusters(folder.at(disk.base), disk.bytes, async (file, of) => {
      for (let block = from; block < end;) {
        const chunk = Math.floor(block / perChunk), held = await of(chunk);
        const content = new Uint8Array(chunkLength(chunk, disk.bytes, CHUNK_BYTES));
        if (!held.isEmpty) await file.lay(held.clusters, content);
        for (; block < end && Math.floor(block / perChunk) === chunk; block++) {
          const at = (block % perChunk) * BLOCK_BYTES;
          found.push(held.isEmpty ? "" : digestOfBlock(content.subarray(at, at + BLOCK_BYTES)));
        }
      }
    });
    return found;
  }

  async #finish(asked: Extract<ReplicationQuestion, { do: "finish" }>): Promise<{ copyId: string }> {
    const coming = this.#require();
    try {
      return await this.#count(coming, asked);
    } finally {
      // Of one that did not come as it was sent, nothing is kept
      this.#endComing();
    }
  }

  /** Counts an increment, once all of it is here. */
  async #count(
    { copyId, disks, writers, folder, definition, state: stateFiles }: Coming,
    { takenAt, consistency, disks: sent }: Extract<ReplicationQuestion, { do: "finish" }>,
  ): Promise<{ copyId: string }> {
    const { records } = this.services, { replicaId, vmId, name } = this.#known();
    if (definition === undefined) throw new MigrationNonsense("its definition is missing");
    for (const [index, { target }] of disks.entries()) {
      const came = await writers[index]!.end(), said = sent.find((each) => each.target === target);
      if (said?.digest !== came.digest || said.pieces !== came.pieces) {
        throw replicationFailed(`disk ${target} did not come as it was sent`);
      }
    }
    const state = await folder.read(), files = [];
    const kept = state.disks.filter(({ target }) => disks.some((disk) => disk.target === target));
    for (const { target, bytes, mode } of disks) {
      const file = await folder.keep({ target }, copyId);
      if (mode !== "all") files.push({ target, file });
      else {
        const at = kept.findIndex((disk) => disk.target === target);
        kept.splice(at < 0 ? kept.length : at, at < 0 ? 0 : 1, { target, bytes, base: file });
      }
    }
    const receivedAt = this.services.host().clock.now();
    const finished = { copyId, takenAt, receivedAt, consistency };
    // From here on it counts
    await folder.write({
      version: 1,
      replicaId,
      vmId,
      name,
      finished,
      disks: kept,
      definition,
      // A disk that came whole needs nothing of before
      pending: [
        ...state.pending.map((each) => ({
          ...each,
          files: each.files.filter(({ target }) =>
            disks.some((disk) => disk.target === target && disk.mode !== "all")
          ),
        })),
        { copyId, files },
      ],
      state: [...stateFiles].map(([name, content]) => ({ name, content })),
    });
    records.incoming.change(replicaId, { finished, bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0) });
    this.#merging = this.#merge(folder).catch((error) =>
      log.warn("an increment of a replica is not merged yet: the next one does", {
        replica: replicaId,
        error,
      })
    );
    return { copyId };
  }

  async #merge(folder: ReplicaFolder): Promise<void> {
    if (this.#replica()?.test === undefined) await this.#mergeInto(folder, await folder.read());
  }

  /** Merges what is pending, where VMs of the storage have room left then. @throws {ContractError} ReplicationFailed */
  async #mergeInto(folder: ReplicaFolder, state: ReplicaState): Promise<ReplicaState> {
    if (state.pending.length > 0) await requireReserve(folder.path, await folder.mergeBytes(state));
    return await folder.merge(state, this.#over.signal);
  }

  async #unchanged(
    { copyId, takenAt }: Extract<ReplicationQuestion, { do: "unchanged" }>,
  ): Promise<Record<never, never>> {
    const { records } = this.services, replica = this.#replica();
    if (replica === undefined || replica.promoted !== undefined || replica.finished?.copyId !== copyId) {
      throw new MigrationNonsense("that is not the last increment");
    }
    // Until the end: a switch-over may follow
    this.#claim ??= await this.services.claims.taken(replica, "being brought up to date");
    const folder = this.#folderOf(replica), state = await folder.read();
    if (state.finished?.copyId !== copyId) throw new MigrationNonsense("that is not the last increment");
    const finished = { ...state.finished, takenAt, receivedAt: this.services.host().clock.now() };
    await folder.write({ ...state, finished });
    records.incoming.change(replica.id, { finished, vmName: this.#known().name });
    return {};
  }

  /** Reasons why a VM made of the replica could not run here. */
  async #check(): Promise<MigrationFinding[]> {
    const replica = this.#replica();
    if (replica === undefined) throw new MigrationNonsense("there is no replica yet");
    return await this.services.promotion.check(replica);
  }

  async #promote(
    { copyId, start }: Extract<ReplicationQuestion, { do: "promote" }>,
  ): Promise<ReplicationAnswers["promote"]> {
    const replica = this.#replica();
    if (replica?.finished?.copyId !== copyId) throw new MigrationNonsense("that is not the last increment");
    this.#claim ??= await this.services.claims.taken(replica, "being made a VM");
    const { principal } = this, isHeld = true;
    const { started } = await this.services.promotion.promote(replica, {
      principal,
      start,
      by: principal.name,
      isHeld,
    });
    return { started };
  }

  async #forget(): Promise<Record<never, never>> {
    const replica = this.#replica(), { records, promotion } = this.services;
    if (replica === undefined) return {};
    this.#release();
    await promotion.endTest(replica);
    using _claim = await this.services.claims.taken(replica, "being deleted");
    if (replica.promoted === undefined) await removeReplicaFolder(replica.folder);
    records.incoming.remove(replica.id);
    return {};
  }

  #endComing(): void {
    for (const writer of this.#coming?.writers ?? []) writer[Symbol.dispose]();
    this.#coming = undefined;
  }

  #release(): void {
    this.#endComing();
    this.#claim?.[Symbol.dispose]();
    this.#claim = undefined;
  }

  /** The other one has gone. What is whole is merged; what is not goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const coming = this.#coming;
    await this.#merging;
    try {
      if (coming !== undefined) await keepBeginning(coming);
    } catch (error) {
      log.warn("what an increment that was cut short has left stays for now", { error });
    }
    this.#release();
  }
}

/**
 * Of a first copy that was cut short, what came is kept: the next one sends what differs from that. Of any other increment
 * nothing is.
 */
async function keepBeginning({ folder, disks, writers, copyId }: Coming): Promise<void> {
  let state = await folder.read();
  if (state.finished === null) {
    const bases: ReplicaState["disks"] = [];
    for (const [index, { target, bytes, mode }] of disks.entries()) {
      const writer = writers[index];
      if (mode !== "all" || writer === undefined || !writer.hasContent) continue;
      await writer.end();
      bases.push({ target, bytes, base: await folder.keep({ target }, copyId) });
    }
    const others = state.disks.filter(({ target }) => !bases.some((disk) => disk.target === target));
    if (bases.length > 0) await folder.write(state = { ...state, disks: [...others, ...bases] });
  }
  await folder.sweep(state);
}
