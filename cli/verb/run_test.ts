import assert from "node:assert/strict";
import { parse } from "yaml";
import { listenSocket } from "../../agent/http/server.ts";
import { COMMANDS, ContractError } from "../../lib/contract/mod.ts";
import { findVerb, VERBS } from "./find.ts";
import { optionsOf, readArguments, UsageError } from "./options.ts";
import { rendered } from "./output.ts";
import { runVerb, type Terminal } from "./run.ts";

const ID = "6f1d3f3e-9a53-4c1e-8d6e-0c6a2a3b4c5d";
const MACHINES = [
  { name: "web1", id: ID, state: "running", cpuCount: 2, memoryMb: 512, diskSizeGb: null, tags: ["a", "b"] },
  { name: "\x1b]52;c;eA==\x07evil\x9b2J\u202e", id: "2", state: "stopped", tags: [] },
];

interface Run {
  status: number | undefined;
  out: string;
  err: string;
  /** What reached the server, but for the look-up of names. */
  calls: { name: string; input: unknown }[];
}

/** Runs a command line against a server that has two machines, and takes every other command. */
async function run(
  args: readonly string[],
  { answer = null as string | null, isTerminal = false, stdin = "" } = {},
) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const calls: Run["calls"] = [];
  const listener = await listenSocket(`${folder}/api.sock`, async (request) => {
    const name = new URL(request.url).pathname.split("/").at(-1)!;
    if (name === "get_vms") return Response.json(MACHINES);
    calls.push({ name, input: await request.json() });
    if (name !== "pause_vm") return Response.json(null);
    const error = new ContractError("VmNotRunning");
    return Response.json(error, { status: error.status });
  });
  const terminal: Terminal = {
    isTerminal,
    ask: () => answer,
    input: () => Promise.resolve(stdin),
    wait: () => Promise.reject(new Error("watched twice")),
  };
  const { log, error } = console;
  const result: Run = { status: undefined, out: "", err: "", calls };
  console.log = (text: string) => void (result.out += `${text}\n`);
  console.error = (text: string) => void (result.err += `${text}\n`);
  try {
    result.status = await runVerb([...args, "--socket", `${folder}/api.sock`], terminal);
  } finally {
    Object.assign(console, { log, error });
    await listener.close();
    await Deno.remove(folder, { recursive: true });
  }
  return result;
}

Deno.test("every command of the contract is a verb of its own, none hides another", () => {
  for (const { name, words } of VERBS) {
    assert.equal(findVerb(words)?.verb.name, name, words.join(" "));
    assert(words.length > 0 && words.every((word) => /^[a-z][a-z-]*$/.test(word)), name);
  }
});

Deno.test("every field of every command can be given, and no option is there twice", () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    const flags = optionsOf(command).map(({ flag }) => flag);
    assert.equal(new Set(flags).size, flags.length, name);
    for (const common of ["output", "watch", "yes", "input", "socket", "runtime-dir"]) {
      assert(!flags.includes(common), `${name} --${common}`);
    }
  }
});

Deno.test("readArguments() turns words into the input's types", () => {
  assert.deepEqual(readArguments(COMMANDS.delete_vm, ["x", "--delete-disks"]).input, {
    vmId: "x",
    deleteDisks: true,
  });
  assert.deepEqual(readArguments(COMMANDS.delete_vm, ["x", "--no-delete-disks"]).input.deleteDisks, false);
  assert.deepEqual(readArguments(COMMANDS.set_tags, ["x", "--tags", "a", "--tags", "b"]).input.tags, [
    "a",
    "b",
  ]);
  assert.deepEqual(readArguments(COMMANDS.batch_start_vms, ["x", "y"]).input, { vmIds: ["x", "y"] });
  assert.deepEqual(readArguments(COMMANDS.get_activity, ["--limit", "5"]).input, { limit: 5 });
  for (const args of [["--limit", "many"], ["--nonsense"], ["one too many"]]) {
    assert.throws(() => readArguments(COMMANDS.get_activity, args), UsageError, args.join(" "));
  }
});

Deno.test("rendered() prints a table, JSON and YAML that hold the same", () => {
  const columns = ["name", "memoryMb", "tags", "diskSizeGb"];
  const lines = rendered(MACHINES.slice(0, 1), "table", columns).split("\n");
  assert.deepEqual(lines, ["NAME  MEMORY MB  TAGS  DISK SIZE GB", "web1  512        a,b   -"]);
  assert.deepEqual(JSON.parse(rendered(MACHINES, "json")), MACHINES);
  assert.deepEqual(parse(rendered(MACHINES, "yaml")), MACHINES);
  assert.deepEqual([rendered(null, "table"), rendered([], "table")], ["", ""]);
  assert.equal(rendered({ xml: "<a>\n  <b/>\n</a>\n" }, "table"), "<a>\n  <b/>\n</a>");
});

Deno.test("rendered() lets no text steer the terminal", () => {
  // deno-lint-ignore no-control-regex -- these are the very characters
  const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;
  for (const format of ["table", "json", "yaml"] as const) {
    assert.doesNotMatch(rendered(MACHINES, format), steering, format);
  }
});

Deno.test("runVerb() takes names and ids", async () => {
  for (const given of ["web1", ID]) {
    const { status, out, calls } = await run(["vm", "start", given]);
    assert.deepEqual([status, out], [0, ""]);
    assert.deepEqual(calls, [{ name: "start_vm", input: { vmId: ID } }]);
  }
  const missing = await run(["vm", "start", "nobody"]);
  assert.deepEqual([missing.status, missing.err, missing.calls], [
    4,
    "kvm-manager: VM not found: nobody\n",
    [],
  ]);
});

Deno.test("runVerb() tells the server's error and exits with its status", async () => {
  const { status, out, err } = await run(["vm", "pause", ID]);
  assert.deepEqual([status, out, err], [5, "", "kvm-manager: VM is not running\n"]);
});

Deno.test("runVerb() asks before something is lost, and never goes on unasked", async () => {
  const unasked = await run(["vm", "delete", "web1"]);
  assert.deepEqual([unasked.status, unasked.calls], [2, []]);
  assert.match(unasked.err, /--yes/);
  for (const answer of [null, "", "n", "y"]) {
    const { status, calls } = await run(["vm", "delete", "web1"], { answer, isTerminal: true });
    assert.deepEqual([status, calls], [1, []]);
  }
  const said = await run(["vm", "delete", "web1"], { answer: "yes", isTerminal: true });
  const skipped = await run(["vm", "delete", "web1", "--yes"]);
  for (const { status, calls } of [said, skipped]) {
    assert.deepEqual([status, calls], [0, [{ name: "delete_vm", input: { vmId: ID } }]]);
  }
});

Deno.test("runVerb() takes input as JSON, and options win over it", async () => {
  const { calls } = await run(["vm", "tags", "web1", "--input", "-", "--tags", "z"], {
    stdin: `{"tags":["y"]}`,
  });
  assert.deepEqual(calls, [{ name: "set_tags", input: { vmId: ID, tags: ["z"] } }]);
  for (const input of ["{", "[]", "3"]) assert.equal((await run(["vm", "list", "--input", input])).status, 2);
});

Deno.test("runVerb() prints lists, watches what changes nothing alone, and explains itself", async () => {
  const list = await run(["vm", "list"]);
  assert.equal(list.status, 0);
  assert.match(list.out, /^NAME +STATE +CPU COUNT.*\nweb1 +running +2 /);
  assert.equal((await run(["vm", "start", "web1", "--watch"])).status, 2);
  await assert.rejects(run(["vm", "list", "--watch"]), /watched twice/);
  assert.equal((await run(["vm", "list", "-o", "xml"])).status, 2);
  const help = await run(["vm", "delete", "--help"]);
  assert.deepEqual([help.status, help.err], [0, ""]);
  assert.match(help.out, /--delete-disks +delete its disk images too/);
  const group = await run(["vm"]);
  assert.equal(group.status, 2);
  assert.match(group.err, /vm start +Start/);
  assert.equal((await run(["nonsense"])).status, undefined);
});
