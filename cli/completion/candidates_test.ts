import assert from "node:assert/strict";
import type { CommandName } from "../../lib/contract/mod.ts";
import { type OwnVerb, ownVerb } from "../own_verb.ts";
import { candidates } from "./candidates.ts";

const ANSWERS: Readonly<Partial<Record<CommandName, unknown>>> = {
  get_vms: [
    { id: "u-1", name: "web1", state: "running" },
    { id: "u-2", name: "web 2", state: "stopped" },
    { id: "u-3", name: "\x1b[2J", state: "x" },
  ],
  get_storage_pools: [{ name: "default", state: "running" }],
  get_volumes: [{ name: "a.qcow2", format: "qcow2" }],
  get_vm_devices: { disks: [{ target: "vda", source: "/a" }] },
};
const verb = (summary: string, help: string, words: readonly string[] = []): OwnVerb =>
  ownVerb(
    summary,
    () => Promise.resolve({ help: () => help, read: () => ({}), run: () => Promise.resolve(0) }),
    { words },
  );
const OTHERS = {
  serve: verb("serve", "  --listen HOST\n  --data-dir DIR"),
  completion: verb("complete", "", ["bash", "zsh"]),
};

/** The words that may come next, and what the server was asked. */
async function next(...line: string[]) {
  const asked: [string, unknown][] = [];
  const found = await candidates(line, OTHERS, (command, input) => {
    asked.push([command, input]);
    return Promise.resolve(ANSWERS[command] ?? []);
  });
  return { words: found === "files" ? found : found.map(([word]) => word), asked };
}
const words = async (...line: string[]) => (await next(...line)).words;

Deno.test("candidates() are the verbs that go on with what is typed", async () => {
  assert.deepEqual(await words("serv"), ["serve"]);
  assert.deepEqual(
    await words("vm", "re"),
    ["resume", "reboot", "reset", "rename", "resize-disk", "restart"],
  );
  assert.deepEqual(await words("vm", "cloud-init", "s"), ["show", "set"]);
  assert.deepEqual(await words("completion", ""), ["bash", "zsh"]);
  assert.deepEqual(await words("serve", "--d"), ["--data-dir"]);
});

Deno.test("candidates() are names from the server, and what has steering signs is none", async () => {
  assert.deepEqual(await words("vm", "start", ""), ["web1", "web 2"]);
  assert.deepEqual(await words("batch", "start", "web1", "web 2", "web"), ["web1", "web 2"]);
  assert.deepEqual(await next("volume", "delete", "default", ""), {
    words: ["a.qcow2"],
    asked: [["get_volumes", { pool: "default" }]],
  });
  assert.deepEqual(await next("vm", "detach-disk", "web1", "v"), {
    words: ["vda"],
    asked: [["get_vms", {}], ["get_vm_devices", { vmId: "u-1" }]],
  });
});

Deno.test("candidates() are options, their choices, and files", async () => {
  assert.deepEqual(await words("vm", "list", "--wa"), ["--watch"]);
  assert.deepEqual(await words("vm", "list", "-o", "j"), ["json"]);
  assert.deepEqual(await words("vm", "list", "--output", "=", "y"), ["yaml"], "as bash takes it apart");
  assert.deepEqual(await words("vm", "create", "web3", "--firmware", "uefi"), ["uefi", "uefi-secure"]);
  assert.deepEqual(await words("vm", "create", "web3", "--file", ""), "files");
  assert.deepEqual(
    await words("volume", "create", "--format", "raw", ""),
    ["default"],
    "a value is no place",
  );
  assert.deepEqual(await words("network", "autostart", "lab", ""), ["yes", "no"]);
  assert.deepEqual(await words("vm", "list", "--state", "s"), ["stopped", "suspended"]);
  assert.deepEqual(await words("network", "create", "lab", "--mode", "o"), ["open", "openvswitch"]);
  assert.deepEqual(await words("--context", "far", "-o", "json", "vm", "autos"), ["autostart"]);
});
