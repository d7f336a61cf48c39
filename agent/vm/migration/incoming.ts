/**
 * VMs that come to this host. The KVM Manager that a VM comes from asks on one WebSocket; the lines of libvirt and QEMU are
 * WebSockets of their own, which end at sockets of this host. libvirt alone decides whether the VM has come.
 */
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import { childText, parseXml, XmlError } from "../../../lib/formats/xml/tree.ts";
import { ChunkError } from "../../../lib/metrics/chunk.ts";
import { placedDefinition } from "../../../lib/formats/xml/migration.ts";
import { MigrationCalls } from "../../../lib/formats/libvirt_rpc.ts";
import {
  type FigurePart,
  type IncomingState,
  type IncomingVm,
  MIGRATION_PATH,
  type MigrationAnswers,
  type MigrationLine,
  migrationLineOf,
  MigrationNonsense,
  type MigrationQuestion,
  readQuestion,
  socketOf,
} from "../../../lib/host/migration_protocol.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { newSecret } from "../../access/secret.ts";
import type { Principal } from "../../access.ts";
import type { Caller } from "../../access/mod.ts";
import { sleep } from "../../clock.ts";
import { ofConnection } from "../../http/connections.ts";
import type { Admit } from "../../http/websocket.ts";
import type { Farewell, WebSocketConnection } from "../../http/websocket_connection.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { VmAdmissions } from "../../hosts/projects.ts";
import type { FigureTransfer } from "../../metrics/transfer.ts";
import type { ActivityEntry } from "../../store/activity.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { contractError } from "../../libvirt/failure.ts";
import { libvirtSocket } from "../../libvirt/socket.ts";
import { log } from "../../log.ts";
import { plainPath } from "../../machine/host_file.ts";
import { isSystemError, undefinedIfMissing } from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { makeFolderAsStep } from "../../operations/made_folder.ts";
import type { Operation } from "../../operations/operation.ts";
import type { VmIncoming } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { requirePlaces } from "../../storage/volume_checks.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import { copyTarget, createVolume, keepsFiles } from "../../storage/volumes.ts";
import { undefineStopped } from "../lifecycle/undefine.ts";
import { incomingState } from "./domain_state.ts";
import { problem, t } from "./findings.ts";
import { isPossible } from "./move.ts";
import { checkIncoming } from "./incoming_checks.ts";
import { type CopiedHere, type IncomingDisks, placeDisks } from "./incoming_disks.ts";
import { basesFirst, type MadeImage, placedDisks } from "./image_files.ts";
import { IncomingOff } from "./incoming_off.ts";
import { LINE_DONE, relay } from "./relay.ts";
import { requireMayBring } from "./rights.ts";

/** Milliseconds in which libvirt says whether a VM has come whose move was cut, and between looks. */
const SETTLE_MS = 30_000, LOOK_MS = 300;
/** Moves to this host at once. */
const MOST_MOVES = 8;
/** Characters of the figures of a VM. */
const MOST_ALL_FIGURES = 64 * 1024 ** 2;
/** The WebSocket was closed for what the other one said. */
const REFUSED: Farewell = { code: 1008, reason: "this is not how KVM Managers move VMs" };

/** Dependencies of incoming moves. */
export interface IncomingServices {
  readonly host: () => LibvirtHost;
  readonly identify: (request: Request, caller: Caller) => Principal;
  /** Has the audit log keep that a VM came, or why not. */
  readonly record: (entry: ActivityEntry) => void;
  readonly keepFigures: FigureTransfer["take"];
}

export class IncomingMigrations {
  /** Moves whose lines are open, by the secret that lets them in. */
  readonly #open = new Map<string, IncomingMigration>();
  #count = 0;

  constructor(private readonly services: IncomingServices) {}

  /** Whether a WebSocket is one of these. */
  isOf(pathname: string): boolean {
    return pathname === MIGRATION_PATH || migrationLineOf(pathname) !== undefined;
  }

  /** Answers a request for a WebSocket. */
  readonly admit: Admit = (request, door, address, peer) => {
    const principal = this.services.identify(request, { door, address, peer, ...ofConnection(request) });
    const { pathname, searchParams } = new URL(request.url);
    if (principal.link === undefined) {
      throw new ContractError("LinkRefused", { reason: "VMs come from hosts that are linked" });
    }
    requireMayBring(principal.rights, "everything");
    const line = migrationLineOf(pathname);
    if (line === undefined) {
      if (this.#count >= MOST_MOVES) {
        throw new ContractError("TooManyRequests", { what: "VMs that move to this host", limit: MOST_MOVES });
      }
      return (peer) => this.#serve(peer, principal);
    }
    const move = this.#open.get(searchParams.get("ticket") ?? "");
    if (move === undefined || move.peerId !== principal.link.peerId) {
      throw new ContractError("NotFound", { path: pathname });
    }
    return (peer) => move.serveLine(line, peer);
  };

  async #serve(peer: WebSocketConnection, principal: Principal): Promise<Farewell> {
    const move = new IncomingMigration(this.services.host(), principal, this.#open, this.services);
    const revoke = () => peer.close(REFUSED);
    principal.ended.addEventListener("abort", revoke, { once: true });
    using _use = principal.hold?.();
    this.#count++;
    try {
      for await (const asked of peer.messages()) {
        if (typeof asked !== "string") return REFUSED;
        if (!await peer.send(JSON.stringify(await answer(move, asked)))) break;
      }
      return LINE_DONE;
    } finally {
      this.#count--;
      principal.ended.removeEventListener("abort", revoke);
      await move.cut();
    }
  }
}

/** The answer to a question, or the error that there is in its place. */
async function answer(move: IncomingMigration, asked: string): Promise<unknown> {
  try {
    return await move.answer(readQuestion(asked));
  } catch (error) {
    const known =
      error instanceof MigrationNonsense || error instanceof XmlError || error instanceof ChunkError
        ? new ContractError("InvalidInput", { reason: oneLine(error.message, 300) }, { cause: error })
        : isSystemError(error)
        ? failed(oneLine(error.message, 300))
        : contractError(error, "MigrationFailed", "migrate_vm");
    if (!(known instanceof ContractError)) throw error;
    return { error: known.toJSON() };
  }
}

/** Plan of an incoming VM, after it was checked. */
interface Plan {
  readonly vm: IncomingVm;
  readonly name: string;
  readonly disks: IncomingDisks;
  readonly isPossible: boolean;
}

/** The job, the operation and the admissions of a VM that comes. */
interface Arrival {
  readonly job: JobHandle;
  readonly operation: Operation;
  readonly admissions: VmAdmissions;
}

/** One VM that comes, or is only looked at. */
export class IncomingMigration {
  #plan: Plan | undefined;
  #work: Promise<void> | undefined;
  #folder: string | undefined;
  /** Of a VM that is off, while it comes. */
  #off: IncomingOff | undefined;
  /** Its id, once it has come. */
  #arrived: string | undefined;
  /** Characters of figures that have come. */
  #figures = 0;
  readonly #lines = new Set<WebSocketConnection>();
  readonly #over = Promise.withResolvers<"moved" | "stayed" | "cut">();

  constructor(
    private readonly host: LibvirtHost,
    private readonly principal: Principal,
    private readonly open: Map<string, IncomingMigration>,
    private readonly services: Pick<IncomingServices, "record" | "keepFigures">,
  ) {}

  /** The link that it comes by. */
  get peerId(): string | undefined {
    return this.principal.link?.peerId;
  }

  /** @throws {ContractError} @throws {LibvirtError} @throws {XmlError} */
  answer(question: MigrationQuestion): Promise<MigrationAnswers[MigrationQuestion["do"]]> {
    switch (question.do) {
      case "look":
        return this.#look(question.vm);
      case "probe":
        return Promise.resolve({});
      case "prepare":
        return this.#prepare();
      case "open-disk":
        return this.#parts().openDisk(question.target, question.file);
      case "close-disk":
        return this.#parts().closeDisk(question.target, question.file);
      case "keep-state":
        return Promise.resolve(this.#parts().keepState(question.name, question.content));
      case "keep-snapshot":
        return Promise.resolve(this.#parts().keepSnapshot(question.xml, question.isCurrent));
      case "define":
        return this.#parts().define();
      case "end":
        return this.#end(question.hasMoved);
      case "keep-figures":
        return this.#keepFigures(question.figures);
      case "find":
        return this.#state(question.vmId).then((state) => ({ state }));
    }
  }

  /** @throws {MigrationNonsense} for a VM that runs, and while nothing is prepared */
  #parts(): IncomingOff {
    if (this.#off === undefined) throw new MigrationNonsense("no disk is to be written");
    return this.#off;
  }

  /** The other one has gone. What was begun is brought to its end. */
  async cut(): Promise<void> {
    this.#over.resolve("cut");
    await this.#work?.catch((error) => log.info("a VM did not come", { error: messageOf(error) }));
  }

  /** Serves a line, once its folder is there. */
  async serveLine(line: MigrationLine, peer: WebSocketConnection): Promise<Farewell> {
    const { host } = this, name = this.#plan?.name;
    if (this.#folder === undefined || name === undefined) return REFUSED;
    const path = line === "libvirt" ? await libvirtSocket(host.link.uri) : socketOf(this.#folder, line, name);
    const calls = new MigrationCalls();
    this.#lines.add(peer);
    try {
      const socket = await Deno.connect({ transport: "unix", path });
      await relay(socket, peer, line === "libvirt" ? (piece) => calls.take(piece) : undefined);
      return LINE_DONE;
    } catch (error) {
      log.info("a line of a migration cannot be connected", { line, error: messageOf(error) });
      return { code: 1011, reason: `${line}: ${messageOf(error)}` };
    } finally {
      this.#lines.delete(peer);
    }
  }

  async #look(vm: IncomingVm): Promise<MigrationAnswers["look"]> {
    if (this.#work !== undefined) throw new MigrationNonsense("it was prepared already");
    const names = [vm.live, vm.next].map((xml) => nameIn(xml, vm.vmId)), [name = ""] = names;
    if (names[1] !== name) throw new MigrationNonsense("its two definitions have two names");
    const { host } = this;
    host.requireFilled();
    if (host.machine?.isSystem !== true) {
      return { findings: [problem("not-local")], disks: [] };
    }
    const [found, disks] = await Promise.all([checkIncoming(host, vm), placeDisks(host, vm)]);
    const findings = [...found, ...disks.findings];
    this.#plan = { vm, name, disks, isPossible: isPossible(findings) };
    const libvirtVersion = await host.capabilities.libvirtVersion();
    return { findings, disks: [...disks.disks], libvirtVersion };
  }

  /** Begins: the VM's disks are made, and its lines are opened. */
  async #prepare(): Promise<MigrationAnswers["prepare"]> {
    const plan = this.#plan, { host, principal: { name: actor } } = this;
    if (plan === undefined || !plan.isPossible || this.#work !== undefined) {
      throw new MigrationNonsense("nothing was found that could be prepared");
    }
    const { vm: { vmId }, name } = plan;
    const admissions = host.requireAdmissions();
    const slot = host.arrivals.take();
    const ready = Promise.withResolvers<MigrationAnswers["prepare"]>();
    const spec = {
      command: "migrate_vm",
      title: message`${t("migration.arrives", { name, host: actor })}`,
      actor,
      vmId,
      ifInterrupted: t("migration.was_cut"),
    } as const;
    const about = {
      command: "migrate_vm",
      subject: name,
      vmId,
      actor,
      keys: [
        keyOf.vm(vmId),
        keyOf.vmName(name),
        ...plan.disks.copied.map((each) => keyOf.volume(each.pool, each.volume)),
      ],
    } as const;
    this.#work = host.jobs.run(
      spec,
      (job) =>
        host.operations.run(
          about,
          (operation) => this.#receive(plan, { job, operation, admissions }, ready.resolve),
        ),
    ).finally(() => slot[Symbol.dispose]());
    const began = performance.now();
    this.#work.then(
      () => this.#audit(plan, began),
      (error) => {
        ready.reject(error);
        this.#audit(plan, began, error);
      },
    );
    return await ready.promise;
  }

  /** Has the audit log keep how it ended. @param began when, as the process counts milliseconds */
  #audit({ vm: { vmId }, name }: Plan, began: number, error?: unknown): void {
    const { name: actor, door, address } = this.principal;
    this.services.record({
      actor,
      door,
      action: "migrate_vm",
      vmId,
      vmName: name,
      ...(address !== "" && { address }),
      result: error === undefined ? "ok" : "error",
      ...(error !== undefined && {
        message: error instanceof ContractError ? error.sentence : messageOf(error),
      }),
      tookMs: Math.round(performance.now() - began),
    });
  }

  async #receive(
    plan: Plan,
    { job, operation, admissions }: Arrival,
    ready: (answer: MigrationAnswers["prepare"]) => void,
  ): Promise<void> {
    const { host } = this, { vm, name, disks: { copied } } = plan;
    operation.showsAs(job.id);
    using held = new DisposableStack();
    const { cpuCount: cpus, maxMemoryMb: memoryMb } = summarizeDomain(vm.next);
    const diskBytes = copied.reduce((sum, { image, size }) => sum + (image === undefined ? size : 0), 0);
    using admission = admissions.admit(
      { vmId: vm.vmId, name, project: host.projects.projectOf(vm.vmId) },
      { cpus, memoryMb, diskGb: host.projects.lastSize(vm.vmId)?.diskGb ?? diskBytes / GIB },
    );
    await requirePlaces(host, copied.map(({ pool, size: bytes }) => ({ pool, bytes })));
    const made: MadeImage[] = [];
    // Where the move fails, the last one made goes first: none that another is built on stays
    for (const disk of basesFirst(copied)) made.push(await this.#makeDisk(disk, operation, held));
    const placed = placedDisks(made);
    const noted = operation.add<VmIncoming>({ kind: "vm-incoming", uuid: vm.vmId, name });
    const folder = `/run/libvirt/qemu/kvm-manager-${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
    const secret = newSecret();
    await makeFolderAsStep(operation, folder, 0o711);
    const user = await host.capabilities.qemuUser();
    // QEMU opens its sockets itself
    if (user !== undefined) await hostFiles.chown(folder, user.uid, user.gid);
    const networks = vm.networks ?? {}, next = placedDefinition(vm.next, placed, networks);
    const live = placedDefinition(vm.live, placed, networks);
    this.#folder = folder;
    this.open.set(secret, this);
    if (vm.isOff) {
      const { vmId } = vm, socket = socketOf(folder, "disks", name);
      this.#off = new IncomingOff({ host, operation, noted, vmId, name, xml: next, images: made, socket });
    }
    try {
      ready({ secret, folder, live, next });
      await this.#awaitEnd(plan, job);
      admission.keep();
    } finally {
      const off = this.#off;
      this.#off = undefined;
      this.open.delete(secret);
      for (const line of this.#lines) line.close(LINE_DONE);
      await off?.[Symbol.asyncDispose]();
      await undefinedIfMissing(hostFiles.remove(plainPath(folder), { recursive: true }));
    }
  }

  /** Makes the volume that a disk's content comes into. */
  async #makeDisk(
    { target, pool, volume: name, format, size, image }: CopiedHere,
    operation: Operation,
    held: DisposableStack,
  ): Promise<MadeImage> {
    const { host } = this, { link } = host;
    held.use(host.locks.take(pool, name, { hold: "make" }));
    const made = await makeVolume(link, operation, { pool, name }, async () => {
      // A file that is copied as it is begins empty, and as long as it will be
      const made = image === undefined ? format : "raw";
      const wanted = { capacity: size, format: await keepsFiles(link, pool) ? made : undefined };
      return await createVolume(link, pool, copyTarget(wanted, { name, format: wanted.format }));
    });
    const { type } = made, shown = `${pool}/${name}`;
    if (type !== "file" && type !== "block") {
      throw failed(`QEMU copies to files and devices, and ${shown} is neither: choose another pool`);
    }
    if (made.capacity !== size) {
      throw failed(
        `disk ${target} has ${size} bytes, and the pool ${pool} makes volumes of ${made.capacity}: choose another pool`,
      );
    }
    return { target, path: made.path, type, format, ...(image !== undefined && { image }) };
  }

  /** Waits until the VM has come. @throws {ContractError} MigrationFailed where it has not; the reason of the job's end */
  async #awaitEnd(
    { vm: { vmId, autostart, isOff }, disks: { copied } }: Plan,
    job: JobHandle,
  ): Promise<void> {
    const { host } = this, { signal } = job;
    const stopped = new Promise<"cut">((resolve) => signal.addEventListener("abort", () => resolve("cut")));
    const how = await Promise.race([this.#over.promise, stopped]);
    if (how === "cut") { for (const line of this.#lines) line.close(LINE_DONE); }
    let state = how === "stayed" ? await this.#state(vmId) : await this.#settledState(vmId);
    // It was defined here, and was started there before it was gone
    if (
      how === "stayed" && isOff && state === "off" &&
      await undefineStopped(host, vmId, "domainUndefineKeeping")
    ) {
      state = "missing";
    }
    if (state === "missing") {
      signal.throwIfAborted();
      throw failed(t(how === "cut" ? "migration.was_cut" : "migration.stayed"));
    }
    if (state === "incoming") throw failed(t("migration.is_incoming"));
    if (autostart) await host.link.call("domainSetAutostart", { uuid: vmId, autostart });
    await host.inventory.refresh(vmId);
    for (const pool of new Set(copied.map((each) => each.pool))) await host.inventory.storage.volumes(pool);
  }

  async #end(hasMoved: boolean): Promise<MigrationAnswers["end"]> {
    const vmId = this.#plan?.vm.vmId;
    if (this.#work === undefined || vmId === undefined) throw new MigrationNonsense("nothing was prepared");
    this.#over.resolve(hasMoved ? "moved" : "stayed");
    await this.#work.then(
      () => void (this.#arrived = vmId),
      (error) => log.debug("a VM did not come", { error }),
    );
    return { state: await this.#state(vmId) };
  }

  /** Takes figures of the VM, once it is here. @throws {ContractError} MetricsUnavailable */
  async #keepFigures(figures: FigurePart): Promise<Record<never, never>> {
    const vmId = this.#arrived;
    this.#figures += figures.series.reduce((sum, { chunk }) => sum + chunk.length, 0);
    if (vmId === undefined || this.#figures > MOST_ALL_FIGURES) {
      throw new MigrationNonsense("its figures are not wanted now");
    }
    await this.services.keepFigures(this.host.id, vmId, figures);
    return {};
  }

  async #state(vmId: string): Promise<IncomingState> {
    return incomingState(await this.host.link.call("domainRead", { uuid: vmId }));
  }

  /** The state once libvirt has decided. */
  async #settledState(vmId: string): Promise<IncomingState> {
    const { clock } = this.host, until = clock.monotonic() + SETTLE_MS;
    for (;;) {
      const state = await this.#state(vmId);
      if (state !== "incoming" || clock.monotonic() > until) return state;
      await sleep(clock, LOOK_MS);
    }
  }
}

/** The name in a definition of a VM. @throws {MigrationNonsense} for one of another VM @throws {XmlError} */
function nameIn(xml: string, vmId: string): string {
  const root = parseXml(xml), name = childText(root, "name");
  if (childText(root, "uuid") !== vmId || !name) {
    throw new MigrationNonsense("its definition is another VM's");
  }
  return name;
}

const failed = (error: Sentence) => new ContractError("MigrationFailed", { error });
