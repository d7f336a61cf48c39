/** The agents that were built with this program, and the CD that is made of them. */
import { gunzipSync } from "node:zlib";
import { SerialWorker } from "../../../ffi/serial_worker.ts";
import { bundledFile, workerUrl } from "../../../lib/bundle.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { AgentPrograms } from "../../../lib/guest/tools/cd.ts";
import { bundledAgent, GUEST_TARGETS, type GuestTarget } from "../../../lib/guest/tools/targets.ts";
import { VERSION } from "../../../lib/version.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import type { FromToolsWorker, ToToolsWorker } from "./protocol.ts";

/** Milliseconds the CD may take; about one on a VM that has time. */
const LIMIT_MS = 60_000;

const worker = new SerialWorker<ToToolsWorker, FromToolsWorker>(
  workerUrl("agent/vm/guest_tools/worker.ts"),
  "guest tools",
  (_kind, reason) => new Error(reason),
);

async function packed(target: GuestTarget): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await undefinedIfMissing(Deno.readFile(bundledFile(bundledAgent(target))));
  if (bytes === undefined) throw new ContractError("GuestToolsMissing");
  return bytes;
}

/** Refuses what needs the agents where they were left out of the build. @throws {ContractError} GuestToolsMissing */
export async function requireGuestTools(): Promise<void> {
  for (const target of GUEST_TARGETS) {
    if (await undefinedIfMissing(Deno.stat(bundledFile(bundledAgent(target)))) === undefined) {
      throw new ContractError("GuestToolsMissing");
    }
  }
}

/** One agent, unpacked. @throws {ContractError} GuestToolsMissing */
export async function agentProgram(target: GuestTarget): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(gunzipSync(await packed(target)));
}

/** The CD, and its SHA-256. @throws {ContractError} GuestToolsMissing @throws {Error} when it cannot be made */
export async function makeToolsCd(): Promise<{ cd: Uint8Array<ArrayBuffer>; sha256: string }> {
  const entries = GUEST_TARGETS.map(async (target) => [target.name, await packed(target)] as const);
  const programs = Object.fromEntries(await Promise.all(entries)) as unknown as AgentPrograms;
  const made = await worker.ask({ packed: programs, version: VERSION }, LIMIT_MS);
  if ("failure" in made) throw new Error(made.failure);
  return made;
}
