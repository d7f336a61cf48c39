/**
 * The test that counts: a copy is restored for a while, and booted in a VM that reaches nothing, until an agent in it
 * answers or its screen shows that it came up. All of it is an operation of which nothing stays, whoever is killed in
 * the middle.
 */
import { inflateSync } from "node:zlib";
import { LibvirtError } from "../../ffi/error.ts";
import { BOOT_TEST_SECONDS, type BootTest, ContractError } from "../../lib/contract/mod.ts";
import { type BootLook, bootVerdict, lookAtScreen } from "../../lib/backup/boot_verdict.ts";
import { ManifestError } from "../../lib/backup/manifest.ts";
import { makeTrial } from "../../lib/backup/trial_definition.ts";
import { ownPath } from "../../lib/formats/xml/host_identities.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { nvramHolder, nvramPaths } from "../../lib/formats/xml/nvram.ts";
import { xml } from "../../lib/formats/xml/build.ts";
import { decodePng } from "../../lib/formats/png/png.ts";
import { type Clock, sleep } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { answered, vmStats } from "../metrics/vm_stats.ts";
import type { Operation } from "../operations/operation.ts";
import type { TrialVm } from "../operations/step.ts";
import { keyOf } from "../operations/operation_record.ts";
import { defaultPool } from "../storage/volumes.ts";
import { putTpmState } from "../vm/lifecycle/tpm_state.ts";
import type { RestoreSource } from "./make_disk.ts";
import { definitionNow, definitionOf, makeDisks, nvramIn, putNvram, tpmIn } from "./restore.ts";
import { requireReachable } from "../storage/reachable.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Milliseconds between looks at a VM that boots. */
const LOOK_MS = 2000;
/** MiB that stay free on the host, and that a VM has at least, or all of its own where that is less. */
const SPARE_MB = 512, LEAST_MB = 256;

/** How a test went, with the last picture of the screen. */
export interface BootTested extends Omit<BootTest, "at" | "screen"> {
  /** A PNG; undefined where there was no screen to see. */
  readonly png: Uint8Array<ArrayBuffer> | undefined;
  /** Bytes that were restored. */
  readonly restoredBytes: number;
}

/** Copy, host and options of a boot test. */
export interface BootTestWork extends RestoreSource {
  readonly host: LibvirtHost;
  readonly job: JobHandle;
  readonly clock: Clock;
  readonly actor: string;
  /** Pool for its disks during the test; the usual pool if left out. */
  readonly pool?: string | undefined;
  readonly seconds?: number | undefined;
  readonly onBytes: (done: number) => void;
  /** Its disks are there, and it begins to boot. */
  readonly onBoot: () => void;
}

const notPossible = (reason: Sentence) => new ContractError("BootTestNotPossible", { reason });

/** The definition with as much of the host's as is needed to boot it: a kernel that lies on the host stays the same. */
async function ownDefinition(work: BootTestWork): Promise<XmlDocument> {
  const now = await definitionNow(work), os = now?.find("os");
  const boots = os && new XmlDocument(`<domain>${now!.sourceOf(os)}</domain>`);
  return await definitionOf({ ...work, warnings: [] }, boots);
}

/** The memory that it gets: its own, as far as the host has that. @throws {ContractError} BootTestNotPossible */
async function memoryFor({ sampler }: LibvirtHost, wanted: number): Promise<number> {
  if (!sampler.host) await sampler.tick();
  const { memoryTotalMb, memoryUsedMb } = sampler.host ?? {};
  const free = (memoryTotalMb ?? 0) - (memoryUsedMb ?? 0) - SPARE_MB;
  if (free < Math.min(wanted, LEAST_MB)) {
    throw notPossible(message`the host has too little free memory (${Math.max(0, free + SPARE_MB)} MiB)`);
  }
  return Math.min(wanted, free);
}

/** Screenshot of a VM; undefined if there is none just now. @throws {LibvirtError} if libvirt is away */
async function pictureOf({ link }: LibvirtHost, uuid: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return (await link.call("domainScreenshot", { uuid })).png;
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.debug("the screen of a boot test cannot be seen", { uuid, error });
    return undefined;
  }
}

/**
 * Bytes that the VM has read from its disks; 0 while QEMU does not report them. @throws {LibvirtError} if
 * libvirt is away
 */
async function bytesRead({ link }: LibvirtHost, uuid: string): Promise<number> {
  const record = await link.call("domainStatsOne", { uuid, groups: ["block"] }).catch((error) => {
    if (isConnectionLost(error)) throw error;
    return null;
  });
  if (record === null || !answered(record)) return 0;
  return vmStats(uuid, undefined, { at: 0, params: record.params }, 0, 0).diskReadBytes;
}

/** Watches it boot. @throws {LibvirtError} if libvirt went away @throws the reason of the job's end */
async function watch(
  work: BootTestWork,
  uuid: string,
): Promise<Omit<BootTested, "restoredBytes">> {
  const { host, clock, job, manifest, seconds = BOOT_TEST_SECONDS.usual } = work;
  const start = clock.monotonic();
  let look: BootLook | undefined, png: Uint8Array<ArrayBuffer> | undefined;
  for (;;) {
    await sleep(clock, LOOK_MS, job.signal);
    job.signal.throwIfAborted();
    const domain = await host.link.call("domainRead", { uuid });
    const isRunning = domain !== null;
    const taken = isRunning ? await pictureOf(host, uuid) : undefined;
    const at = clock.monotonic() - start;
    if (taken !== undefined) {
      png = taken;
      const image = decodePng(taken, (bytes, most) => inflateSync(bytes, { maxOutputLength: most }));
      look = lookAtScreen(image, at, look);
    }
    const verdict = bootVerdict({
      at,
      isRunning,
      look,
      agent: isRunning && await host.guests.answers(uuid),
      isAgentExpected: manifest.consistency === "frozen",
      readBytes: isRunning ? await bytesRead(host, uuid) : 0,
    });
    const took = { seconds: Math.round(at / 1000), png };
    if (verdict.state === "passed") return { ok: true, by: verdict.by, message: null, ...took };
    if (verdict.state === "waiting" && at < seconds * 1000) continue;
    const late = verdict.state === "waiting" ? `After ${seconds} seconds ` : "";
    const message = `${late}${verdict.reason}`;
    return { ok: false, by: null, message: `${message[0]!.toUpperCase()}${message.slice(1)}`, ...took };
  }
}

/** Starts the VM. @returns the reason why it did not start @throws {LibvirtError} if libvirt is away */
async function started({ host, job }: BootTestWork, uuid: string, document: XmlDocument) {
  try {
    const xml = document.toString();
    await requireReachable(host, xml);
    await host.link.call("domainStartTransient", { xml });
    await host.inventory.refresh(uuid);
    return undefined;
  } catch (error) {
    if (isConnectionLost(error) || !(error instanceof LibvirtError)) throw error;
    job.log(error.message);
    return `The VM could not be started: ${error.message}`;
  }
}

async function bootIn(
  work: BootTestWork,
  operation: Operation,
  name: string,
  uuid: string,
): Promise<BootTested> {
  const { host, manifest, job } = work;
  using held = new DisposableStack();
  const document = await ownDefinition(work);
  const { memoryMb, cpuCount } = summarizeDomain(document.toString());
  const { threads } = await host.make.get();
  const pool = work.pool ?? await defaultPool(host.link);
  const disks = await makeDisks(
    { ...work, operation, held, isForAWhile: true, job: { ...job, progress: (done) => work.onBytes(done) } },
    (target) => Promise.resolve({ pool, stem: `${name}-${target}` }),
  );
  const restoredBytes = manifest.disks.reduce((sum, { bytes }) => sum + bytes, 0);
  const nvram = nvramPaths(document, manifest.vm.name, name, ownPath)?.to,
    variables = await nvramIn(work, document);
  if (nvram !== undefined && variables !== undefined) await putNvram({ operation }, nvram, variables);
  makeTrial(document, {
    name,
    uuid,
    disks,
    nvram,
    description: `Boot test of a backup of ${manifest.vm.name}. KVM Manager removes it by itself.`,
    memoryMb: await memoryFor(host, memoryMb),
    cpuCount: Math.max(1, Math.min(cpuCount, threads)),
  });
  await putTpmState(operation, uuid, await tpmIn({ ...work, warnings: [] }, document, "it begins empty"));
  if (nvram !== undefined && variables === undefined && document.find("os", "nvram") === undefined) {
    // libvirt makes it of the firmware's template, in a place of our own.
    document.append(document.find("os")!, xml("nvram", {}, nvram));
  }
  const holder = nvramHolder(document.toString(), crypto.randomUUID());
  job.signal.throwIfAborted();
  job.log(message`Starting ${name}, a VM that is in no list`);
  host.inventory.hide(uuid);
  operation.add<TrialVm>({ kind: "trial-vm", uuid, name, ...(holder !== undefined && { nvram: holder }) });
  const fault = await started(work, uuid, document);
  if (fault !== undefined) {
    return { ok: false, by: null, message: fault, seconds: 0, png: undefined, restoredBytes };
  }
  work.onBoot();
  return { ...await watch(work, uuid), restoredBytes };
}

/**
 * Boots a copy as a test.
 *
 * @throws {ContractError} HostInMaintenance, BootTestNotPossible and errors of restoring that are not the
 *   copy's fault
 * @throws {LibvirtError} if libvirt went away: the test has no result then
 */
export async function bootTest(work: BootTestWork): Promise<BootTested> {
  const { host, manifest, actor, job } = work, uuid = crypto.randomUUID();
  host.maintenance.requireInService();
  const name = `boot-test-${uuid.slice(0, 8)}`;
  const keys = [keyOf.vm(uuid), keyOf.vmName(name)];
  try {
    return await host.operations.runAndUndo(
      { command: "verify_backup", subject: name, vmId: uuid, actor, keys },
      (operation) => {
        operation.showsAs(job.id);
        return bootIn(work, operation, name, uuid);
      },
    );
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const message = `The copy of ${manifest.vm.name} is damaged: ${error.message}`;
    return { ok: false, by: null, message, seconds: 0, png: undefined, restoredBytes: 0 };
  }
}
