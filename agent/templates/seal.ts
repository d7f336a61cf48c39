/**
 * What is special to one guest is removed from the disks of a template, by libguestfs in a small VM without a network: the
 * host's kernel never sees the file systems. guestfish is given commands of ours alone (`lib/template/seal.ts`).
 */
import { ContractError } from "../../lib/contract/mod.ts";
import { type Seal, sealCommands, sealFault } from "../../lib/template/seal.ts";
import { oneLine } from "../../lib/text/text.ts";
import { guestfsMissing, guestfsProcess, isGuestfsEmulated } from "../guestfs/guestfs.ts";
import type { Host } from "../hosts/host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { StoredVersion } from "./records.ts";

/** Milliseconds that it may take: it starts a VM, which may be emulated. */
const LIMIT_MS = 900_000;
/** Bytes of what it says that are looked at. */
const MOST_SAID = 256 * 1024;
/** Shows that the file system is written to, and not mounted read-only because it is damaged or hibernated. */
const TRIAL = "/.kvm-manager-seal";

const notSealed = (reason: string) => new ContractError("TemplateNotSealed", { reason });

/** @throws {ContractError} TemplateNotSealed where libguestfs is not installed */
export async function requireSealable(): Promise<void> {
  const missing = await guestfsMissing();
  if (missing !== undefined) throw notSealed(missing);
}

/** The end of what a stream says. */
async function said(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + piece).slice(-MOST_SAID);
  }
  return text;
}

/**
 * Seals the disks of a template that is being made.
 *
 * @param disks qcow2 volumes of ours, built on nothing, which nobody else has yet
 * @throws {ContractError} TemplateNotSealed, JobCancelled
 */
export async function sealDisks(
  { app, capabilities }: Host,
  disks: StoredVersion["disks"],
  seals: readonly Seal[],
  job: JobHandle,
): Promise<void> {
  if (seals.length === 0) return;
  if (disks.length === 0) throw notSealed("there are none");
  job.log(`Removing from the guest: ${seals.join(", ")}`);
  await using folder = await app.guestfs.make();
  const options = guestfsProcess(folder.path, await isGuestfsEmulated(capabilities));
  const args = disks.flatMap(({ path }) => ["--format=qcow2", "-a", path]);
  const signal = AbortSignal.any([job.signal, AbortSignal.timeout(LIMIT_MS)]);
  const child = new Deno.Command("guestfish", { args: ["--rw", ...args, "-i"], ...options, signal }).spawn();
  // One that begins with a dash goes on after a failure: there may be nothing to remove.
  const commands = [
    `touch ${TRIAL}`,
    `rm ${TRIAL}`,
    ...sealCommands(seals).map((each) => `-${each}`),
    "sync",
    "umount-all",
    "",
  ];
  const input = child.stdin.getWriter();
  // Where it ends before it reads them, its own words say why.
  await input.write(new TextEncoder().encode(commands.join("\n"))).then(() => input.close()).catch(() => {});
  const [status, errors] = await Promise.all([child.status, said(child.stderr), said(child.stdout)]);
  job.signal.throwIfAborted();
  if (signal.aborted) throw notSealed(`libguestfs did not end in ${LIMIT_MS / 60_000} minutes`);
  const fault = sealFault(errors) ??
    (status.success ? undefined : errors.trim().split("\n")[0] ?? "it ended");
  if (fault !== undefined) throw notSealed(oneLine(fault, 300));
}
