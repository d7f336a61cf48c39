import assert from "node:assert/strict";
import { parse } from "yaml";
import { listenSocket } from "../../agent/http/server.ts";
import { type Command, COMMANDS, ContractError } from "../../lib/contract/mod.ts";
import { findVerb, VERBS } from "./find.ts";
import { COMMON_OPTIONS, optionsOf, readArguments } from "./options.ts";
import { rendered } from "./output.ts";
import { type Kind, type Schema, UsageError, valueOf } from "./values.ts";
import type { Terminal } from "../terminal.ts";
import { runVerb } from "./run.ts";

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

/** A stream that says once that something happened. */
function eventsOf(gone: AbortSignal): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const frame = 'id: 1\nevent: vm-deleted\ndata: {"vmId":"x"}\n\n';
      controller.enqueue(new TextEncoder().encode(frame));
      gone.addEventListener("abort", () => controller.close());
    },
  });
  return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
}

/** Runs a command line against a server that has two machines, and takes every other command. */
async function run(
  args: readonly string[],
  { answer = null as string | null, isTerminal = false, stdin = "", secret = "typed" } = {},
) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const calls: Run["calls"] = [];
  const listener = await listenSocket(`${folder}/api.sock`, async (request) => {
    const name = new URL(request.url).pathname.split("/").at(-1)!;
    if (name === "get_vms") return Response.json(MACHINES);
    if (name === "get_volumes") return Response.json([]);
    if (name === "events") return await eventsOf(request.signal);
    calls.push({ name, input: await request.json() });
    if (name !== "pause_vm") return Response.json(null);
    const error = new ContractError("VmNotRunning");
    return Response.json(error, { status: error.status });
  });
  const result: Run = { status: undefined, out: "", err: "", calls };
  const terminal: Terminal = {
    isTerminal,
    hasColours: false,
    showsProgress: false,
    ask: () => answer,
    secret: () => Promise.resolve(secret),
    input: () => Promise.resolve(stdin),
    show: (text) => void (result.err += text),
    until: AbortSignal.timeout(400),
  };
  const { log, error } = console;
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
    for (const common of Object.keys(COMMON_OPTIONS)) {
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
  const lines = rendered(MACHINES.slice(0, 1), "table", { columns }).split("\n");
  assert.deepEqual(lines, ["NAME  MEMORY   TAGS  DISK", "web1  512 MiB  a,b   -"]);
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
  assert.match(list.out, /^NAME +STATE +CPUS +MEMORY.*\nweb1 +running +2 +512 MiB/);
  assert.equal((await run(["vm", "start", "web1", "--watch"])).status, 2);
  assert.equal((await run(["vm", "list", "-o", "xml"])).status, 2);
  const help = await run(["vm", "delete", "--help"]);
  assert.deepEqual([help.status, help.err], [0, ""]);
  assert.match(help.out, /--delete-disks +delete its disk images too/);
  const group = await run(["vm"]);
  assert.equal(group.status, 2);
  assert.match(group.err, /^ {2}start +Start/m);
  assert.equal((await run(["nonsense"])).status, undefined);
});

Deno.test("runVerb() watches by events, and prints what has changed alone", async () => {
  // The names are asked for anew, and are the same: nothing is printed again.
  const { status, out } = await run(["vm", "list", "--watch"]);
  assert.equal(status, 0);
  assert.equal(out.match(/^NAME/gm)?.length, 1);
});

Deno.test("runVerb() takes secrets from standard input, a file or a prompt, never from the command line", async () => {
  const shown = await run(["user", "add", "ann", "--password", "hunter2"]);
  assert.deepEqual([shown.status, shown.calls], [2, []]);
  assert.match(shown.err, /--password-file FILE/);
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    await Deno.writeTextFile(file, "from a file\n");
    const input = async (...args: string[]) =>
      (await run(args, { stdin: "from stdin\n", isTerminal: true })).calls[0]?.input;
    assert.deepEqual(await input("user", "add", "ann", "--password", "-"), {
      name: "ann",
      password: "from stdin",
    });
    assert.deepEqual(await input("user", "add", "ann", "--password-file", file), {
      name: "ann",
      password: "from a file",
    });
    assert.deepEqual(await input("account", "password", "--current", "-"), {
      current: "from stdin",
      password: "typed",
    });
    assert.equal((await run(["account", "password", "--current", "-", "--password", "-"])).status, 2);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("runVerb() takes input from a file as YAML or JSON, options and parts of objects over it", async () => {
  const yaml = "cpu:\n  count: 2\n  max: 8\ntags: [a]\n";
  const { calls } = await run([
    "vm",
    "update",
    "web1",
    "--file",
    "-",
    "--cpu.count",
    "4",
    "--memory.max-mb",
    "2G",
  ], {
    stdin: yaml,
  });
  assert.deepEqual(calls[0]?.input, {
    vmId: ID,
    cpu: { count: 4, max: 8 },
    tags: ["a"],
    memory: { maxMb: 2048 },
  });
  for (const stdin of ["- a", "3", "a: [", ""]) {
    assert.equal((await run(["vm", "update", "web1", "-f", "-"], { stdin })).status, 2, stdin);
  }
});

Deno.test("runVerb() says that a list is empty, where it disturbs no script", async () => {
  const { status, out, err } = await run(["volume", "list", "p"]);
  assert.deepEqual([status, out, err], [0, "", "volume list: the list is empty\n"]);
  assert.equal(rendered([], "table"), "");
  assert.equal(rendered([], "json"), "[]");
});

Deno.test("rendered() has names, colours for states, and nothing nested in a cell", () => {
  assert.equal(rendered(MACHINES.slice(0, 1), "name"), "web1");
  assert.match(
    rendered(MACHINES.slice(0, 1), "table", { columns: ["name", "state"] }, true),
    // deno-lint-ignore no-control-regex -- the colour itself
    /\x1b\[32mrunning\x1b\[0m/,
  );
  const user = {
    name: "ann",
    grants: [{ role: "operator", on: { kind: "group", group: "web" } }],
    sizes: { aBytes: 1536 },
  };
  const text = rendered(user, "table");
  assert.doesNotMatch(text, /[{}[\]]/);
  assert.match(text, /A +1\.5 KiB/);
  assert.match(rendered([user], "table", { columns: ["name", "grants"] }), /^ann +operator@group:web$/m);
});

Deno.test("valueOf() reads sizes in the field's unit, times, grants, and says what must be", () => {
  const read = (field: string, kind: Kind, text: string) => valueOf(field, kind, text, "--x", 10_000_000);
  assert.deepEqual(
    [
      read("capacityBytes", "size", "20G"),
      read("memoryMb", "size", "4g"),
      read("diskSizeGb", "size", "1TiB"),
    ],
    [20 * 1024 ** 3, 4096, 1024],
  );
  assert.deepEqual([read("memoryMb", "size", "512"), read("since", "time", "2h")], [
    512,
    10_000_000 - 7_200_000,
  ]);
  assert.deepEqual(read("grants", "grants", "viewer@vm:web1"), {
    role: "viewer",
    on: { kind: "vm", vmId: "web1" },
  });
  for (
    const [kind, text] of [["size", "much"], ["time", "soon"], ["boolean", "maybe"], ["number", ""], [
      "json",
      "{",
    ]] as const
  ) {
    assert.throws(() => read("x", kind, text), UsageError, `${kind} ${text}`);
  }
});

Deno.test("every list of the contract has its columns, each a field of it", () => {
  for (const [name, command] of Object.entries(COMMANDS) as [string, Command][]) {
    const output = command.output as Schema;
    const list = command.rows === undefined ? output : output.properties?.[command.rows];
    if (list?.type !== "array" || list.items?.type !== "object") continue;
    assert.ok((command.columns?.length ?? 0) > 0, name);
    for (const column of [...command.columns!, ...command.wide ?? []]) {
      assert.ok(column in (list.items.properties ?? {}), `${name} ${column}`);
    }
  }
});
