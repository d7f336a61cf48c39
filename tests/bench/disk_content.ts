/** Content for the disks of benches. */
import { MIB } from "../testbed/backups.ts";
import { run } from "../testbed/process.ts";

/** Fills a disk to three quarters: half with what cannot be compressed, a quarter with text. */
export async function fillImage(path: string, mib: number): Promise<void> {
  const raw = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    const part = mib / 4;
    await run(["dd", "if=/dev/urandom", `of=${raw}`, "bs=1M", `count=${part * 2}`, "status=none"]);
    const text = new TextEncoder().encode(
      Array.from({ length: 40_000 }, (_, line) => `line ${line} of a log: ok`).join("\n"),
    );
    using file = await Deno.open(raw, { append: true });
    for (let written = 0; written < part * MIB; written += text.length) {
      for (let at = 0; at < text.length;) at += await file.write(text.subarray(at));
    }
    await Deno.truncate(raw, mib * MIB);
    await run(["qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", raw, path]);
  } finally {
    await Deno.remove(raw);
  }
}

/** Writes so many MiB of something new into a qcow2 image that is not open. @param at MiB from its beginning */
export async function change(path: string, mib: number, at: number): Promise<void> {
  const content = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    await run(["dd", "if=/dev/urandom", `of=${content}`, "bs=1M", `count=${mib}`, "status=none"]);
    await run(["qemu-io", "-f", "qcow2", "-c", `write -q -s ${content} ${at}M ${mib}M`, path]);
  } finally {
    await Deno.remove(content);
  }
}
