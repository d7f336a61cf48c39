/**
 * Proofs that take minutes and prove what few changes touch. `scripts/test.sh --all` runs them all, as a release does.
 * Otherwise each is run unless it has passed with its sources as they are now: everything that its rooms and its test files
 * need, by the graph of modules (`modules.ts`), and what is no module. What has passed is remembered by the digest
 * of that, on this machine by each run, and for all others in tests/proven.json.
 *
 *     deno run -A scripts/testing/slow_proofs.ts REPORT…    remembers what passed, for this machine
 *     deno run -A scripts/testing/slow_proofs.ts --commit   writes what this machine remembers to tests/proven.json
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { testbedDir } from "../../tests/testbed/names.ts";
import { exists } from "../../tests/testbed/process.ts";
import { passedFiles } from "../junit.ts";
import { PROJECT, walk } from "../project.ts";
import { closureOf } from "./modules.ts";
import { SLOW_PROOFS, type SlowProof } from "./proofs.ts";
import { isTest, type ProjectModules, projectModules } from "./project_modules.ts";

/**
 * Modules at which every room meets: the table of all commands, the app, and the table of what tests require of a machine.
 * A proof reaches the part of a row that it needs by the row's own module.
 */
export const MEETING_PLACES: readonly string[] = [
  "lib/contract/mod.ts",
  "agent/app.ts",
  "tests/testbed/skip.ts",
];

/** Name of a proof → digest of the sources it last passed with, for machines that do not remember. */
const COMMITTED = join(PROJECT, "tests/proven.json");

/** The modules that a proof depends on. @throws {Error} naming a room that is not there (any more) */
export function proofSources(
  { files, rooms, having }: SlowProof,
  { texts, modules, imports }: ProjectModules,
): Set<string> {
  const inRooms = rooms.flatMap((room) => {
    const found = [...modules.keys()].filter((path) =>
      path === room || path.startsWith(`${room}/`) && !isTest(path)
    );
    if (found.length === 0) throw new Error(`scripts/testing/slow_proofs.ts: there is no module in ${room}`);
    return found;
  });
  const others = [...texts].filter(([path, text]) =>
    having?.test(text) && path.startsWith("agent/") && !isTest(path)
  );
  const cut = new Map([...imports].filter(([path]) => !MEETING_PLACES.includes(path)));
  return closureOf([...files, ...inRooms, ...others.map(([path]) => path)], cut);
}

/** A digest of everything a proof proves. @throws {Error} naming a source that is not there (any more) */
export async function proofDigest(proof: SlowProof, project: ProjectModules): Promise<string> {
  const hash = createHash("sha256");
  for (const path of [...proofSources(proof, project)].sort()) {
    const module = project.modules.get(path);
    if (module === undefined) throw new Error(`scripts/testing/slow_proofs.ts: there is no ${path}`);
    hash.update(`${path} ${module.digest}\n`);
  }
  for (const path of proof.other ?? []) {
    hash.update(`${path} ${await contentOf(join(project.folder, path))}\n`);
  }
  return hash.digest("hex");
}

/** A digest of a file, or of all files of a folder. */
async function contentOf(path: string): Promise<string> {
  const { isDirectory } = await Deno.stat(path).catch((cause) => {
    throw new Error(`scripts/testing/slow_proofs.ts: ${path} cannot be read`, { cause });
  });
  const files = isDirectory ? (await walk(path)).filter(({ isFile }) => isFile) : [{ path }];
  const hash = createHash("sha256");
  for (const each of files) {
    hash.update(`${each.path.slice(path.length)}\0`).update(await Deno.readFile(each.path)).update("\0");
  }
  return hash.digest("hex");
}

/** An empty file of this name says that a proof has passed with the sources of this digest. */
const passedFile = (digest: string) => `${testbedDir()}/proven/${digest}`;

/** Proofs that have passed with the sources as they are, by name, with their digests. */
async function passedNow(): Promise<Map<string, string>> {
  const project = await projectModules();
  const committed = new Set(
    Object.values(JSON.parse(await Deno.readTextFile(COMMITTED)) as Record<string, string>),
  );
  const passed = new Map<string, string>();
  for (const [name, proof] of Object.entries(SLOW_PROOFS)) {
    const digest = await proofDigest(proof, project);
    if (committed.has(digest) || await exists(passedFile(digest))) passed.set(name, digest);
  }
  return passed;
}

/** Names of the proofs that have passed with the sources as they are. */
export const proven = async (): Promise<string[]> => [...(await passedNow()).keys()];

/** Remembers on this machine what has passed. @param passed test files in which everything passed */
async function remember(passed: ReadonlySet<string>): Promise<void> {
  const project = await projectModules();
  await Deno.mkdir(`${testbedDir()}/proven`, { recursive: true });
  for (const proof of Object.values(SLOW_PROOFS)) {
    if (!proof.files.every((file) => passed.has(file))) continue;
    await Deno.writeTextFile(passedFile(await proofDigest(proof, project)), "");
  }
}

/** Writes down for other machines what this one remembers; what it does not stays as it is. */
async function commit(): Promise<void> {
  const before = JSON.parse(await Deno.readTextFile(COMMITTED)) as Record<string, string>;
  const all = { ...before, ...Object.fromEntries(await passedNow()) };
  const known = Object.keys(SLOW_PROOFS).flatMap((name) =>
    all[name] === undefined ? [] : [[name, all[name]]]
  );
  await Deno.writeTextFile(COMMITTED, JSON.stringify(Object.fromEntries(known), null, 2) + "\n");
}

if (import.meta.main) {
  if (Deno.args.includes("--commit")) await commit();
  else {
    const reports = await Promise.all(Deno.args.map((path) => Deno.readTextFile(path)));
    await remember(new Set(reports.flatMap((xml) => [...passedFiles(xml)])));
  }
}
