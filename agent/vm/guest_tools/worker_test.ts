import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { SerialWorker } from "../../../ffi/serial_worker.ts";
import { workerUrl } from "../../../lib/bundle.ts";
import { readIso } from "../../../lib/formats/iso9660/read.ts";
import type { FromToolsWorker, ToToolsWorker } from "./protocol.ts";

Deno.test("the worker makes the CD of packed agents, the same each time, and reports a missing CD", async () => {
  const worker = new SerialWorker<ToToolsWorker, FromToolsWorker>(
    workerUrl("agent/vm/guest_tools/worker.ts"),
    "guest tools",
    (_kind, reason) => new Error(reason),
  );
  try {
    const packed = (text: string) => new Uint8Array(gzipSync(new TextEncoder().encode(text)));
    const programs = {
      "linux-x86_64": packed("one"),
      "linux-aarch64": packed("two"),
      "windows-x86_64": packed("three"),
    };
    const make = () => worker.ask({ packed: programs, version: "1.2.3" }, 60_000);
    const made = await make();
    assert.ok("cd" in made, JSON.stringify(made));
    const { volumeId, files } = readIso(made.cd);
    assert.equal(volumeId, "KVM_GUEST_TOOLS");
    const text = (name: string) => new TextDecoder().decode(files.get(name));
    assert.equal(text("kvm-manager-agent-linux-x86_64"), "one");
    assert.equal(text("kvm-manager-agent-windows-x86_64.exe"), "three");
    assert.ok(files.has("kvm-manager-agent_1.2.3_arm64.deb") && files.has("install.sh"));
    assert.deepEqual(await make(), made);
    const broken = { ...programs, "linux-x86_64": new Uint8Array([1, 2, 3]) };
    assert.ok("failure" in await worker.ask({ packed: broken, version: "1.2.3" }, 60_000));
  } finally {
    worker.end();
  }
});
