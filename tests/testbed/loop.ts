/** Block devices for tests: files of the test bed on loop devices. */
import { messageOf } from "../../lib/text/message.ts";
import { ensurePackages } from "./packages.ts";
import { run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** Makes sure that there can be one, with what is made on it. @throws {Unavailable} */
export async function ensureLoopDevices(): Promise<void> {
  if (Deno.uid() !== 0) throw new Unavailable("only root can mount");
  await ensurePackages("e2fsprogs", "util-linux", "lvm2");
  await using _device = await loopDevice(await Deno.makeTempFile({ prefix: "kvmm-test-" }), 1);
}

/** A loop device that is given back when disposed of. */
export interface LoopDevice extends AsyncDisposable {
  /** `/dev/loopN` */
  readonly path: string;
  /** File that it is attached to. */
  readonly file: string;
}

/** Attaches a new file of so many megabytes. @throws {Unavailable} where this kernel or user has no loop devices */
export async function loopDevice(file: string, megabytes: number): Promise<LoopDevice> {
  await run(["truncate", "-s", `${megabytes}M`, file]);
  let path: string;
  try {
    path = (await run(["losetup", "--find", "--show", file])).trim();
  } catch (error) {
    throw new Unavailable(`no loop devices: ${messageOf(error)}`);
  }
  return {
    path,
    file,
    [Symbol.asyncDispose]: async () => {
      await run(["losetup", "--detach", path]);
      await Deno.remove(file);
    },
  };
}

/** Two devices change their kernel's names, as after a start of the host; the objects go on telling the names of before. */
export async function swapLoopDevices(one: LoopDevice, other: LoopDevice): Promise<void> {
  for (const { path } of [one, other]) await run(["losetup", "--detach", path]);
  await run(["losetup", one.path, other.file]);
  await run(["losetup", other.path, one.file]);
}
