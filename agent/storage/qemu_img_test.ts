import assert from "node:assert/strict";
import { ToolError } from "../libvirt/failure.ts";
import { commitImage, copyArgs, ImageLocked, sameContent, shareIn } from "./qemu_img.ts";

Deno.test("shareIn() reads the last share of a piece of output", () => {
  assert.equal(shareIn("    (1.00/100%)\r    (42.50/100%)\r"), 0.425);
  assert.equal(shareIn("    (100.00/100%)\r\n"), 1);
  assert.equal(shareIn("    (3.0"), undefined);
});

Deno.test("copyArgs() names every node of the source and ends its chain, whatever headers name", () => {
  const base = { path: "/pool/base.raw", type: "file", format: "raw" } as const;
  const source = { path: "/pool/-t,op.qcow2", type: "file", format: "qcow2", backing: [base] } as const;
  const args = copyArgs({ source, target: "/pool/b", format: "raw", isFile: true });
  assert.deepEqual([args.at(-3), args.at(-1)], ["--", "/pool/b"]);
  assert.match(args.join(" "), /-O raw/);
  const node = (text: string) => JSON.parse(text.slice("json:".length));
  assert.deepEqual(node(args.at(-2)!), {
    driver: "qcow2",
    file: { driver: "file", filename: "/pool/-t,op.qcow2" },
    backing: { driver: "raw", file: { driver: "file", filename: "/pool/base.raw" } },
  });
  assert.equal(args.includes("--target-is-zero"), true);
  const alone = copyArgs({
    source: { ...source, type: "block", backing: [] },
    target: "/dev/vg/b",
    format: "raw",
    isFile: false,
  });
  assert.deepEqual([node(alone.at(-2)!).backing, node(alone.at(-2)!).file.driver], [null, "host_device"]);
  // A device may hold anything.
  assert.equal(alone.includes("--target-is-zero"), false);
});

Deno.test("copyArgs() names a snapshot by its name, whatever is in it", () => {
  const source = { path: "/pool/a.qcow2", type: "file", format: "qcow2", backing: [] } as const;
  const args = copyArgs({
    source,
    target: "/pool/b",
    format: "qcow2",
    isFile: true,
    snapshot: "a,snapshot.id=1",
  });
  assert.equal(args[args.indexOf("-l") + 1], "snapshot.name=a,,snapshot.id=1");
  assert.ok(args.indexOf("-l") < args.indexOf("--"));
});

Deno.test("sameContent() compares what a guest sees; an image that QEMU has open is told apart from other failures", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const signal = new AbortController().signal;
  const qemu = async (program: string, ...args: string[]) => {
    const { success, stderr } = await new Deno.Command(program, { args }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  try {
    const [base, over] = [`${folder}/base.raw`, `${folder}/over.qcow2`];
    await qemu("qemu-img", "create", "-q", "-f", "raw", base, "1M");
    await qemu("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", over);
    const lower = { path: base, type: "file", format: "raw", backing: [] } as const;
    const upper = { path: over, type: "file", format: "qcow2", backing: [lower] } as const;
    assert.equal(await sameContent(upper, lower, signal), true);
    await qemu("qemu-io", "-f", "qcow2", "-c", "write -q -P 7 0 4k", over);
    assert.equal(await sameContent(upper, lower, signal), false);

    const held = new Deno.Command("qemu-io", { args: ["-f", "qcow2", over], stdin: "piped", stdout: "piped" })
      .spawn();
    const reader = held.stdout.getReader();
    await reader.read(); // its prompt: the image is open
    const commit = () => commitImage(upper, { signal, onShare: () => {} });
    await assert.rejects(commit, ImageLocked);
    await held.stdin.close();
    while (!(await reader.read()).done);
    await held.status;
    await commit();
    assert.equal(await sameContent(upper, lower, signal), true);
    await Deno.remove(base);
    await assert.rejects(commit, (error) => error instanceof ToolError && !(error instanceof ImageLocked));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
