/** Block devices for tests: files of the test bed on loop devices. */
import { messageOf } from "../../lib/message.ts";
import { run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** A loop device that is given back when disposed of. */
export interface LoopDevice extends AsyncDisposable {
  /** `/dev/loopN` */
  readonly path: string;
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
    [Symbol.asyncDispose]: async () => {
      await run(["losetup", "--detach", path]);
      await Deno.remove(file);
    },
  };
}
