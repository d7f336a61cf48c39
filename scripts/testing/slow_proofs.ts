/**
 * Proofs that take minutes and prove what few changes touch. `scripts/test.sh --all` runs them all, as a release does.
 * Otherwise each is run unless it has passed with its sources as they are now: everything that its rooms and its test files
 * need, by the graph of modules (`modules.ts`), and what is no module beside. What has passed is remembered by the digest
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
import { isTest, type ProjectModules, projectModules } from "./project_modules.ts";

/** One proof. */
export interface SlowProof {
  /** The test files that are left out while nothing changes that they prove. */
  readonly files: readonly string[];
  /** Folders and modules of the product where what is proved begins: the program is started, not imported. */
  readonly rooms: readonly string[];
  /** Modules of the product with this in their text are such, too. */
  readonly having?: RegExp;
  /** Files, and folders of files, that are no modules. */
  readonly other?: readonly string[];
}

/** By name. */
export const SLOW_PROOFS: Readonly<Record<string, SlowProof>> = {
  "memory and descriptors under load": { files: ["tests/system/ffi_soak_test.ts"], rooms: ["ffi"] },
  "slowhttptest": {
    files: ["tests/system/slowhttptest_test.ts"],
    rooms: ["agent/http", "lib/fresh/server"],
    other: ["deno.lock"],
  },
  "guesses of passwords": {
    files: ["tests/system/guessing_test.ts"],
    rooms: ["agent/access", "agent/http", "agent/store/rejected_call_log.ts"],
  },
  "storage under another kernel": {
    files: ["tests/system/other_kernel_test.ts"],
    rooms: ["agent/storage", "agent/mounts"],
    other: ["tests/testbed/other_kernel"],
  },
  "cloud-init in a Debian guest": {
    files: ["tests/system/cloud_init_guest_test.ts"],
    rooms: ["agent/vm/cloud_init"],
  },
  "a console whose client does not read": {
    files: ["tests/system/console_backpressure_test.ts"],
    rooms: ["agent/console", "agent/http"],
  },
  "our guest agent in a guest": {
    files: ["tests/system/guest_agent_test.ts", "tests/system/own_agent_test.ts"],
    rooms: ["agent/guest", "agent/vm/guest_tools"],
    other: ["guest"],
  },
  "the guest agent's Windows build under wine": {
    files: ["tests/system/guest_agent_wine_test.ts"],
    rooms: ["agent/guest/own"],
    other: ["guest"],
  },
  "the guest agent's build for ARM under emulation": {
    files: ["tests/system/guest_agent_arm_test.ts"],
    rooms: ["agent/guest/own"],
    other: ["guest"],
  },
  "backups under kills": {
    files: ["tests/system/backup_kills_test.ts"],
    rooms: ["agent/backups", "agent/operations"],
  },
  "operations of several steps under kills": {
    files: ["tests/system/operations_faults_test.ts"],
    rooms: ["agent/operations"],
    having: /\bStepRule</,
  },
  "single files out of a backup": {
    files: ["tests/system/backup_files_test.ts", "tests/system/backup_far_files_test.ts"],
    rooms: ["agent/backups"],
  },
  "sealing of templates": { files: ["tests/system/template_seal_test.ts"], rooms: ["agent/templates"] },
  "the testbed": { files: ["tests/system/testbed_test.ts"], rooms: [], other: ["tests/testbed/guest"] },
  "installation and packages": {
    files: ["tests/system/install_test.ts"],
    rooms: ["agent/system/install", "cli/install.ts", "scripts/package.ts"],
    other: ["scripts/self_extract.sh"],
  },
};

/**
 * Modules at which every room meets: the table of all commands, and the app. What a proof needs of a row it reaches by the
 * row's own module.
 */
export const MEETING_PLACES: readonly string[] = ["lib/contract/mod.ts", "agent/app.ts"];

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

/** What is known to have passed with the sources as they are. */
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
