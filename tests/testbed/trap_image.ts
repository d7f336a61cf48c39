/** A disk image as an attacker makes it: a qcow2 whose header says that a file of the host is below it. */
import { run } from "./process.ts";

/** Makes one. @param size as qemu-img takes it, `1M` */
export async function trapImage(path: string, size = "1M"): Promise<void> {
  const below = ["-u", "-b", "/etc/passwd", "-F", "raw"];
  await run(["qemu-img", "create", "-q", "-f", "qcow2", ...below, path, size]);
}
