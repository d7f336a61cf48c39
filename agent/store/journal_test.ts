import assert from "node:assert/strict";
import { Journal, journalMessage } from "./journal.ts";

const activity = {
  id: 7,
  timestamp: 1,
  actor: "ann",
  action: "start_vm",
  result: "error" as const,
  vmId: "u",
  vmName: "web\nKVMM_ACTOR=root",
  message: "VM is already running",
};
const entry = { ...activity, door: "api", address: "192.0.2.7", input: { vmId: "u" }, tookMs: 1.5 };

/** journald's own reading of a message. */
function fieldsOf(bytes: Uint8Array): Record<string, string> {
  const decoder = new TextDecoder(), found: Record<string, string> = {};
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(10, at);
    const name = decoder.decode(bytes.subarray(at, end));
    assert.match(name, /^[A-Z][A-Z_]*$/);
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset + end + 1).getBigUint64(0, true));
    found[name] = decoder.decode(bytes.subarray(end + 9, end + 9 + length));
    assert.equal(bytes[end + 9 + length], 10);
    at = end + 10 + length;
  }
  return found;
}

Deno.test("journalMessage() frames each field: no value makes another field", () => {
  assert.deepEqual(fieldsOf(journalMessage(activity, entry)), {
    MESSAGE: "ann start_vm on web\nKVMM_ACTOR=root error: VM is already running",
    PRIORITY: "4",
    SYSLOG_IDENTIFIER: "kvm-manager",
    KVMM_AUDIT_ID: "7",
    KVMM_ACTOR: "ann",
    KVMM_DOOR: "api",
    KVMM_ADDRESS: "192.0.2.7",
    KVMM_ACTION: "start_vm",
    KVMM_RESULT: "error",
    KVMM_VM_ID: "u",
    KVMM_VM_NAME: "web\nKVMM_ACTOR=root",
    KVMM_ERROR: "VM is already running",
    KVMM_INPUT: '{"vmId":"u"}',
    KVMM_TOOK_MS: "1.5",
  });
});

/** A real datagram socket; what arrives, one line of base64 each. */
const RECEIVER = `
import base64, os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("ready", flush=True)
while True:
    print(base64.b64encode(listener.recv(1 << 20)).decode(), flush=True)
`;
import { skippedUnless } from "../../tests/testbed/skipped_unless.ts";
const python = await new Deno.Command("python3", { args: ["--version"], stdout: "null", stderr: "null" })
  .output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "Journal.tell() reaches a datagram socket, and neither waits nor fails when the journal is gone",
  ignore: skippedUnless(python, "python3 is not installed"),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const path = `${folder}/socket`;
    const child = new Deno.Command("python3", { args: ["-c", RECEIVER, path], stdout: "piped" }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const line = async () => {
      while (!text.includes("\n")) text += (await lines.read()).value ?? "";
      const [first = ""] = text.split("\n");
      text = text.slice(first.length + 1);
      return first;
    };
    try {
      assert.equal(await line(), "ready");
      using journal = new Journal(path);
      journal.tell(activity, entry);
      journal.tell({ ...activity, id: 8 }, { ...entry, input: "x".repeat(5000) });
      const arrived = [await line(), await line()].map((each) =>
        fieldsOf(Uint8Array.from(atob(each), (c) => c.charCodeAt(0)))
      );
      assert.deepEqual(arrived.map(({ KVMM_AUDIT_ID }) => KVMM_AUDIT_ID), ["7", "8"]);
      assert.equal(arrived[1]?.KVMM_INPUT?.length, 5002);
      child.kill("SIGKILL");
      await child.status;
      journal.tell(activity, entry);
      using none = new Journal(`${folder}/nothing`);
      none.tell(activity, entry);
      using off = new Journal("off");
      off.tell(activity, entry);
    } finally {
      await lines.cancel();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
