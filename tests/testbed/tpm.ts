/** The TPM of a test's VM, asked as a guest asks it: swtpm on a copy of its state, and raw TPM 2.0 commands. */
import assert from "node:assert/strict";
import { TPM_FOLDER } from "../../lib/formats/swtpm.ts";
import { writeAll } from "../../lib/write_all.ts";
import { virsh } from "./libvirt.ts";
import { exists, run } from "./process.ts";
import { until } from "./wait.ts";

/** The folder of a VM's TPM. */
export const tpmOf = (vmId: string): string => `${TPM_FOLDER}/${vmId}`;
/** The file in it that outlasts the VM's end. */
export const permallOf = (vmId: string): string => `${tpmOf(vmId)}/tpm2/tpm2-00.permall`;

/** Codes of the TPM 2.0 specification, part 2. */
const DEFINE = 0x12a, WRITE = 0x137, READ = 0x14e, OWNER = 0x40000001, PASSWORD = 0x40000009;
/** An NV index, and how many bytes it has. */
const INDEX = 0x01500016, BYTES = 8;

const u16 = (value: number) => [value >> 8 & 0xff, value & 0xff];
const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 0xffff)];

/** A command with the owner's authorisation, whose password is empty. */
function command(code: number, handles: readonly number[], rest: readonly number[]): Uint8Array<ArrayBuffer> {
  const session = [...u32(PASSWORD), ...u16(0), 0, ...u16(0)];
  const body = [...handles.flatMap(u32), ...u32(session.length), ...session, ...rest];
  return new Uint8Array([...u16(0x8002), ...u32(10 + body.length), ...u32(code), ...body]);
}

/** A connection to a socket, where somebody listens on it. */
async function connected(path: string): Promise<Deno.UnixConn | undefined> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
      return undefined;
    }
    throw error;
  }
}

/** Runs swtpm on a state, and lets it answer commands. @returns the answers, whose code must be 0 */
async function ask(folder: string, commands: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const socket = `${folder}/socket`;
  const child = new Deno.Command("swtpm", {
    args: [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder}`, "--server", `type=unixio,path=${socket}`],
      ...["--ctrl", `type=unixio,path=${socket}.ctrl`, "--flags", "not-need-init,startup-clear"],
    ],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    using line = await until("swtpm", () => connected(socket), { every: 20 });
    const answers: Uint8Array[] = [];
    for (const each of commands) {
      await writeAll(line, each);
      const buffer = new Uint8Array(4096), answer = buffer.subarray(0, await line.read(buffer) ?? 0);
      const code = new DataView(buffer.buffer).getUint32(6);
      assert.equal(code, 0, `the TPM says 0x${code.toString(16)}`);
      answers.push(answer);
    }
    return answers;
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

/** Works on a copy of a VM's state, in a folder that is gone afterwards. */
async function onCopy<T>(permall: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(permall, `${folder}/tpm2-00.permall`);
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Has the TPM of a VM that is off keep a word of eight letters. @param define whether it has no such place yet */
export async function keepInTpm(vmId: string, word: string, define: boolean): Promise<void> {
  const permall = permallOf(vmId), bytes = new TextEncoder().encode(word);
  assert.equal(bytes.length, BYTES);
  await onCopy(permall, async (folder) => {
    const place = [...u32(INDEX), ...u16(0x0b), ...u32(0x00060006), ...u16(0), ...u16(BYTES)];
    await ask(folder, [
      ...define ? [command(DEFINE, [OWNER], [...u16(0), ...u16(place.length), ...place])] : [],
      command(WRITE, [OWNER, INDEX], [...u16(BYTES), ...bytes, ...u16(0)]),
    ]);
    // Into the file that is there: it stays its owner's.
    await run(["cp", `${folder}/tpm2-00.permall`, permall]);
  });
}

/** The word that the TPM with such a state keeps. */
export async function keptInTpm(permall: string): Promise<string> {
  return await onCopy(permall, async (folder) => {
    const [answer] = await ask(folder, [command(READ, [OWNER, INDEX], [...u16(BYTES), ...u16(0)])]);
    // Tag, size, code, size of the parameters, size of the content.
    return new TextDecoder().decode(answer!.subarray(16, 16 + BYTES));
  });
}

/** Names of the folders in libvirt's folder of TPMs. */
export const tpmFolders = async (): Promise<string[]> =>
  await exists(TPM_FOLDER)
    ? (await Array.fromAsync(Deno.readDir(TPM_FOLDER))).map(({ name }) => name).sort()
    : [];

/**
 * Waits until no TPM is there without its VM, but for those of `before`. Others are made and go meanwhile: what is judged is
 * what has no VM at the first look.
 *
 * @param about what is added to the error
 */
export async function noOrphanTpms(before: readonly string[], about = ""): Promise<void> {
  const orphans = async () => {
    const known = new Set((await virsh("list", "--all", "--uuid")).split("\n").map((line) => line.trim()));
    return (await tpmFolders()).filter((name) =>
      !known.has(name) && !before.includes(name) && !name.startsWith(".")
    );
  };
  let left = await orphans();
  await until("no TPM without its VM", async () => {
    const now = await orphans();
    left = left.filter((name) => now.includes(name));
    return left.length === 0;
  }, { lastSeen: () => `${left.join(" ")} ${about}` });
}
