/**
 * Another kernel for tests of what this machine's lacks (device mapper, NFS, iSCSI): User-Mode Linux, a Linux kernel
 * that is a program. It starts in two seconds, sees this machine's files through an overlay, and leaves nothing behind.
 */
import { built } from "./built.ts";
import { downloadPackage, downloadWithDependencies } from "./packages.ts";
import { exists, run } from "./process.ts";
import { buildBinary, PROJECT } from "./product_binary.ts";
import { Unavailable } from "./unavailable.ts";

const KERNEL = "user-mode-linux";
/** Programs that tests use there, unpacked for it alone: installed here, their daemons would be started. */
const TOOLS = ["udev", "kmod", "lvm2", "nfs-kernel-server", "open-iscsi", "tgt"] as const;
const MEMORY = "1536M";
/** Seconds in which what runs there must be over. */
const LIMIT = 300;
/** Seconds in which it must have started, which takes two: on some machines it never does. */
const START_LIMIT = 60;

/** Set for what runs there. */
const MARK = "KVMM_OTHER_KERNEL";
const SCRIPTS = `${PROJECT}/tests/testbed/other_kernel`;

/** Whether this runs there. */
export const isOtherKernel = Deno.env.get(MARK) !== undefined;

/** Makes sure that it can be started: it is. @throws {Unavailable} */
export async function ensureOtherKernel(): Promise<void> {
  const { arch } = Deno.build;
  if (arch !== "x86_64") throw new Unavailable(`User-Mode Linux is for x86_64, and this is ${arch}`);
  if (Deno.uid() !== 0) throw new Unavailable("only root sees all that the other kernel needs");
  if (isOtherKernel) return;
  const said = await boot("none", START_LIMIT);
  if (!said.includes("reboot: Power down")) {
    throw new Unavailable(`User-Mode Linux does not start here: ${said}`);
  }
}

/**
 * Runs a test there.
 *
 * @param file of tests, from the project's folder
 * @throws {Error} when it does not pass, with all that was said
 */
export async function passesUnderOtherKernel(file: string, name: string): Promise<void> {
  // Built there, the product would take minutes and more memory than there is
  await buildBinary();
  const exchange = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.writeTextFile(`${exchange}/binary`, "");
    const filter = `/^${name.replaceAll(/[^\w ]/g, "\\$&")}$/`;
    const test = [Deno.execPath(), "test", "-A", "--no-check", "--filter", filter, file];
    await Deno.writeTextFile(
      `${exchange}/command`,
      [`${MARK}=1`, "KVMM_TEST_RUN=/exchange", "NO_COLOR=1", ...test].join("\0"),
    );
    const said = await boot(exchange, LIMIT);
    if (!said.includes(`${name} ... ok `)) throw new Error(`under the other kernel:\n${said}`);
  } finally {
    await Deno.remove(exchange, { recursive: true });
  }
}

/**
 * Starts the kernel, and returns what it and all in it has said once it has ended.
 *
 * @param exchange the folder with the command; `none` to start it and no more
 */
async function boot(exchange: string, seconds: number): Promise<string> {
  const folder = await packages();
  const uml = await Deno.makeTempDir({ prefix: "kvmm-test-" }); // its pid, and its console for administrators
  // In a namespace of its own, whose end is the end of all its processes.
  const child = new Deno.Command("unshare", {
    args: [
      ...["--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--mount"],
      ...[`${folder}/usr/bin/linux.uml`, `mem=${MEMORY}`, `uml_dir=${uml}`],
      ...["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"],
      ...["con=null", "con0=null,fd:1", "ssl=null", `init=${SCRIPTS}/init`],
      ...[`packages=${folder}`, `project=${PROJECT}`, `exchange=${exchange}`],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
  try {
    const { stdout, stderr } = await child.output();
    return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  } finally {
    clearTimeout(limit);
    await Deno.remove(uml, { recursive: true });
  }
}

let unpacking: Promise<string> | undefined;

/** The folder where the packages are unpacked. @throws {Unavailable} */
function packages(): Promise<string> {
  return unpacking ??= unpack();
}

async function unpack(): Promise<string> {
  const recipe = [await Deno.readTextFile(new URL(import.meta.url))];
  return await built("other-kernel", recipe, async (work) => {
    const root = `${work}/out`;
    const files = [
      await downloadPackage(KERNEL, work),
      ...await downloadWithDependencies(TOOLS, `${work}/debs`),
    ];
    for (const file of files) await run(["dpkg-deb", "--extract", file, root]);
    // As in a merged /usr: a folder /lib there would hide this machine's.
    for (const name of ["bin", "sbin", "lib", "lib64"]) {
      if (!await exists(`${root}/${name}`)) continue;
      await run(["cp", "--archive", `${root}/${name}/.`, `${root}/usr/${name}/`]);
      await Deno.remove(`${root}/${name}`, { recursive: true });
    }
  });
}
