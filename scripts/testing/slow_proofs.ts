/**
 * Proofs that take minutes and prove what few changes touch. `scripts/test.sh --all` runs them all, as a release does.
 * Otherwise each is run unless its sources are those that it last passed with, whose digest is in
 * tests/proven.json: no change to them gets by, however many commits lie between two runs, and without git.
 * `test.sh` writes that file anew, to be committed; while it is not, they are run each time.
 *
 *     deno run -A scripts/testing/slow_proofs.ts REPORT…    writes down what passed
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { passedFiles } from "../junit.ts";
import { PROJECT, walk } from "../project.ts";

/** One proof. */
export interface SlowProof {
  /** The test files that are left out while nothing below `sources` changes. */
  readonly files: readonly string[];
  /** Files and folders below the project's. The test files are theirs as well. */
  readonly sources: readonly string[];
}

/** By name. */
export const SLOW_PROOFS: Readonly<Record<string, SlowProof>> = {
  "memory and descriptors under load": {
    files: ["tests/system/ffi_soak_test.ts"],
    sources: ["ffi"],
  },
  "slowhttptest": {
    files: ["tests/system/slowhttptest_test.ts"],
    sources: ["agent/http", "lib/fresh", "cli/serve.ts", "main.ts", "deno.lock", "tests/testbed/tls.ts"],
  },
  "guesses of passwords": {
    files: ["tests/system/guessing_test.ts"],
    sources: [
      "agent/access",
      "agent/http",
      "agent/store/refusals.ts",
      "lib/access",
      "lib/contract/access.ts",
    ],
  },
  "storage under another kernel": {
    files: ["tests/system/other_kernel_test.ts"],
    sources: ["agent/storage", "ffi", "tests/testbed/other_kernel", "tests/testbed/other_kernel.ts"],
  },
  "cloud-init in a Debian guest": {
    files: ["tests/system/cloud_init_guest_test.ts"],
    sources: [
      ...["agent/vm/cloud_init", "lib/vm/cloud_init", "lib/contract/cloud_init.ts", "lib/formats/iso9660"],
      "tests/testbed/cloud_guest.ts",
    ],
  },
  "a console whose client does not read": {
    files: ["tests/system/console_backpressure_test.ts"],
    sources: ["agent/console", "agent/http", "ffi", "tests/testbed/serial.ts"],
  },
  "our guest agent in a guest": {
    files: ["tests/system/guest_agent_test.ts", "tests/system/own_agent_test.ts"],
    sources: [
      ...["guest", "lib/guest/tools", "agent/guest", "agent/vm/guest_tools", "scripts/guest_agents.ts"],
      ...["ffi/stream_worker.ts", "ffi/streams.ts", "lib/guest/own_told.ts"],
      ...["lib/guest/lines.ts", "lib/guest/message.ts", "lib/guest/protocol.ts", "lib/guest/results.ts"],
    ],
  },
  "the guest agent's Windows build under wine": {
    files: ["tests/system/guest_agent_wine_test.ts"],
    sources: [
      ...["guest", "scripts/guest_agents.ts", "agent/guest/own/client.ts"],
      ...["tests/testbed/wine.ts", "tests/testbed/agent_program.ts"],
    ],
  },
  "the guest agent's build for ARM under emulation": {
    files: ["tests/system/guest_agent_arm_test.ts"],
    sources: [
      ...["guest", "scripts/guest_agents.ts", "agent/guest/own/client.ts"],
      "tests/testbed/agent_program.ts",
    ],
  },
  "backups under kills": {
    files: ["tests/system/backup_kills_test.ts"],
    sources: ["agent/backups", "agent/operations", "lib/backup", "ffi/calls/backup.ts"],
  },
  "single files out of a backup": {
    files: ["tests/system/backup_files_test.ts"],
    sources: ["agent/backups", "lib/backup", "lib/formats/nbd"],
  },
  "the testbed": { files: ["tests/system/testbed_test.ts"], sources: ["tests/testbed"] },
  "installation and packages": {
    files: ["tests/system/install_test.ts"],
    sources: [
      ...[
        "agent/system/install",
        "lib/system/install",
        "cli/install.ts",
        "scripts/package.ts",
        "scripts/permissions.ts",
      ],
      ...["scripts/pack.ts", "scripts/self_extract.sh", "tests/testbed/throwaway.ts"],
    ],
  },
};

/** Name of a proof → digest of the sources it last passed with. */
export const PROVEN = join(PROJECT, "tests/proven.json");

/** A digest of everything a proof proves. @throws {Error} naming a source that is not there (any more) */
export async function digestOf({ files, sources }: SlowProof, project = PROJECT): Promise<string> {
  const hash = createHash("sha256");
  for (const source of [...files, ...sources]) {
    const path = join(project, source);
    const { isDirectory } = await Deno.stat(path).catch((cause) => {
      throw new Error(`scripts/testing/slow_proofs.ts: ${source} cannot be read`, { cause });
    });
    for (const each of isDirectory ? (await walk(path)).filter(({ isFile }) => isFile) : [{ path }]) {
      if (isDirectory && /_test\.tsx?$/.test(each.path)) continue;
      hash.update(`${each.path.slice(project.length)}\0`).update(await Deno.readFile(each.path)).update("\0");
    }
  }
  return hash.digest("hex");
}

/** Names of the proofs whose sources are those they last passed with. */
export async function proven(): Promise<string[]> {
  const digests = JSON.parse(await Deno.readTextFile(PROVEN)) as Record<string, string>;
  const same = await Promise.all(
    Object.entries(SLOW_PROOFS).map(async ([name, proof]) => digests[name] === await digestOf(proof)),
  );
  return Object.keys(SLOW_PROOFS).filter((_, index) => same[index]);
}

/** Writes down that proofs passed with the sources as they are. @param passed test files in which everything passed */
export async function recordProven(passed: ReadonlySet<string>): Promise<void> {
  const before = JSON.parse(await Deno.readTextFile(PROVEN)) as Record<string, string>;
  const after: Record<string, string> = {};
  for (const [name, proof] of Object.entries(SLOW_PROOFS)) {
    const digest = proof.files.every((file) => passed.has(file)) ? await digestOf(proof) : before[name];
    if (digest !== undefined) after[name] = digest;
  }
  await Deno.writeTextFile(PROVEN, JSON.stringify(after, null, 2) + "\n");
}

if (import.meta.main) {
  const reports = await Promise.all(Deno.args.map((path) => Deno.readTextFile(path)));
  await recordProven(new Set(reports.flatMap((xml) => [...passedFiles(xml)])));
}
