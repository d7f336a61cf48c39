import assert from "node:assert/strict";
import { groupHelp, helpOfVerb } from "./help.ts";
import { parse } from "yaml";
import { listenSocket } from "../../agent/http/server.ts";
import { type Command, type CommandName, COMMANDS, ContractError } from "../../lib/contract/mod.ts";
import { editCommand } from "../edit.ts";
import { ownVerb } from "../own_verb.ts";
import { type VM, VM_STATES } from "../../lib/contract/mod.ts";
import { COMMON_OPTIONS, isDone, listSchema } from "./common.ts";
import { findVerb, verbOf, VERBS } from "./find.ts";
import { optionsOf, readArguments } from "./options.ts";
import { ListView } from "./list_view.ts";
import { formatAnswer } from "./output.ts";
import type { FieldSchema, Kind } from "../../lib/text/values.ts";
import { UsageError, valueOf } from "./values.ts";
import type { Terminal } from "../terminal.ts";
import { momentFields } from "../../lib/contract/moments.ts";
import { at, cell, heading } from "./cells.ts";
import { runVerb } from "./run.ts";
import { isReached } from "./wait.ts";

const ID = "6f1d3f3e-9a53-4c1e-8d6e-0c6a2a3b4c5d";
const MACHINES = [
  { name: "web1", id: ID, state: "running", cpuCount: 2, memoryMb: 512, diskSizeGb: null, tags: ["a", "b"] },
  { name: "\x1b]52;c;eA==\x07evil\x9b2J\u202e", id: "2", state: "stopped", tags: [] },
];

interface Run {
  status: number | undefined;
  out: string;
  err: string;
  /** Calls that reached the server, without the look-up of names. */
  calls: { name: string; input: unknown }[];
}

/** A stream that says that something happened: at once, and once more when it was looked at again. */
function eventsOf(gone: AbortSignal, secondLook: Promise<void>): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const tell = (id: number) => {
        const frame = `id: ${id}\nevent: vm-deleted\ndata: {"vmId":"x"}\n\n`;
        if (!gone.aborted) controller.enqueue(new TextEncoder().encode(frame));
      };
      tell(1);
      void secondLook.then(() => tell(2));
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
  let looks = 0;
  const secondLook = Promise.withResolvers<void>(), thirdLook = new AbortController();
  const look = () => {
    looks++;
    if (looks === 2) secondLook.resolve();
    if (looks === 3) thirdLook.abort();
    return Response.json(MACHINES);
  };
  const listener = await listenSocket(`${folder}/api.sock`, async (request) => {
    const name = new URL(request.url).pathname.split("/").at(-1)!;
    if (name === "get_vms") return look();
    if (name === "get_volumes" || name === "list_jobs") return Response.json([]);
    if (name === "get_session") return Response.json({ name: "ann" });
    if (name === "events") return await eventsOf(request.signal, secondLook.promise);
    if (name === "get_vm_devices") {
      const drives = ((await request.json()) as { vmId: string }).vmId === ID ? ["sda"] : ["sda", "sdb"];
      return Response.json({ disks: drives.map((target) => ({ target, device: "cdrom" })), nics: [] });
    }
    if (name === "get_delete_plan") return Response.json({ disks: [] });
    calls.push({ name, input: await request.json() });
    if (name === "check_vm_config") return Response.json({ errors: [], warnings: [], resolved: null });
    if (name === "create_vm") return Response.json({ id: "3", warnings: [] });
    if (name === "delete_vm") return Response.json({ deletedDisks: [], bin: null });
    if (name !== "pause_vm" && name !== "rename_vm") return Response.json(null);
    const error = name === "pause_vm"
      ? new ContractError("VmNotRunning")
      : new ContractError("InvalidName", { allowed: "letters, with single dots between them" });
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
    until: thirdLook.signal,
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

Deno.test("a refusal whose text is shorter than the rule says the rule", async () => {
  const { status, err } = await run(["vm", "rename", "web1", "a b"]);
  assert.equal(status, 2);
  assert.match(err, /^kvm-manager: Invalid VM name: .*\nAllowed: letters, with single dots between them\n$/);
});

Deno.test("every command of the contract is a verb of its own, none hides another", () => {
  for (const { name, words } of VERBS) {
    assert.equal(findVerb(words)?.verb.name, name, words.join(" "));
    assert(words.length > 0 && words.every((word) => /^[a-z][a-z-]*$/.test(word)), name);
  }
});

Deno.test("no option says only that it is JSON", () => {
  for (const verb of VERBS) {
    for (const { flag, kind, description } of optionsOf(verb)) {
      assert.ok(kind !== "json" || description, `${verb.words.join(" ")} --${flag}`);
    }
  }
});

Deno.test("every field of every command can be given, and no option is there twice", () => {
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const flags = optionsOf(verbOf(name)).map(({ flag }) => flag);
    assert.equal(new Set(flags).size, flags.length, name);
    // Lists and VMs have options of their own there, as the field of a command wins where both could be meant.
    for (const common of ["output", "file", "input", "yes", "watch", "out", "to", "from", "dry-run"]) {
      assert(common in COMMON_OPTIONS && !flags.includes(common), `${name} --${common}`);
    }
  }
});

const NOTHING_ELSE = { secrets: [], common: {}, given: {}, names: [] };

Deno.test("readArguments() turns words into the input's types", () => {
  assert.deepEqual(readArguments(verbOf("delete_vm"), ["x", "--delete-disks"]), {
    ...NOTHING_ELSE,
    input: { deleteDisks: true },
    each: ["x"],
  });
  assert.deepEqual(readArguments(verbOf("delete_vm"), ["x", "--no-delete-disks"]).input.deleteDisks, false);
  assert.deepEqual(readArguments(verbOf("set_tags"), ["x", "--tags", "a", "--tags", "b"]).input.tags, [
    "a",
    "b",
  ]);
  assert.deepEqual(readArguments(verbOf("batch_start_vms"), ["x", "y"]).input, { vmIds: ["x", "y"] });
  assert.deepEqual(readArguments(verbOf("get_activity"), ["--limit", "5"]).input, { limit: 5 });
  for (const args of [["--limit", "many"], ["--nonsense"], ["one too many"]]) {
    assert.throws(() => readArguments(verbOf("get_activity"), args), UsageError, args.join(" "));
  }
});

Deno.test("rendered() prints a table, JSON and YAML that hold the same", async () => {
  const columns = ["name", "memoryMb", "tags", "diskSizeGb"];
  const lines = (await formatAnswer(MACHINES.slice(0, 1), "table", { columns })).split("\n");
  assert.deepEqual(lines, ["NAME  MEMORY   TAGS  DISK", "web1  512 MiB  a,b   -"]);
  assert.deepEqual(JSON.parse(await formatAnswer(MACHINES, "json")), MACHINES);
  assert.deepEqual(parse(await formatAnswer(MACHINES, "yaml")), MACHINES);
  assert.deepEqual([await formatAnswer(null, "table"), await formatAnswer([], "table")], ["", ""]);
  assert.equal(await formatAnswer({ xml: "<a>\n  <b/>\n</a>\n" }, "table"), "<a>\n  <b/>\n</a>");
});

Deno.test("a column that is shown only where something is told has no place in other tables, unless it is asked for", async () => {
  const layout = { columns: ["name", "host", "maintenance.state"], ifTold: ["host", "maintenance.state"] };
  const alone = [{ name: "web1" }, { name: "web2", host: null }];
  assert.equal(await formatAnswer(alone, "table", layout), "NAME\nweb1\nweb2");
  const both = [{ name: "web1" }, { name: "web2", host: "kvm2", maintenance: { state: "on" } }];
  assert.deepEqual((await formatAnswer(both, "table", layout)).split("\n"), [
    "NAME  HOST   MAINTENANCE",
    "web1  local  -",
    "web2  kvm2   on",
  ]);
  const view = new ListView(alone, layout, ["name", "host"], undefined);
  assert.match(await formatAnswer(alone, "table", view.layoutOf({ columns: "name,host" })), /^NAME +HOST$/m);
});

Deno.test("a column that is shown only where rows differ is left out where all have the same", async () => {
  const layout = { columns: ["name", "host"], ifVaried: ["host"] };
  const alone = [{ name: "web1", host: "kvm1" }, { name: "web2", host: "kvm1" }];
  assert.equal(await formatAnswer(alone, "table", layout), "NAME\nweb1\nweb2");
  const both = [...alone, { name: "web3", host: "kvm2" }];
  assert.match(await formatAnswer(both, "table", layout), /^NAME {2}HOST\nweb1 {2}kvm1\n/);
  const view = new ListView(alone, layout, ["name", "host"], undefined);
  assert.match(await formatAnswer(alone, "table", view.layoutOf({ columns: "name,host" })), /^NAME {2}HOST/);
});

Deno.test("rendered() lets no text steer the terminal", async () => {
  // deno-lint-ignore no-control-regex -- these are the very characters
  const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;
  for (const format of ["table", "json", "yaml"] as const) {
    assert.doesNotMatch(await formatAnswer(MACHINES, format), steering, format);
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
  const inGerman = await run(["vm", "delete", "web1"], { answer: " Ja ", isTerminal: true });
  const skipped = await run(["vm", "delete", "web1", "--yes"]);
  for (const { status, calls } of [said, inGerman, skipped]) {
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
  // The names are asked for twice more, and are the same: nothing is printed again. The third look ends it.
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
  assert.equal(await formatAnswer([], "table"), "");
  assert.equal(await formatAnswer([], "json"), "[]");
});

Deno.test("rendered() a VM that does not respond is not called running, but to programs", async () => {
  const silent = { ...MACHINES[0]!, responsive: false };
  const columns = ["name", "state"];
  assert.match(await formatAnswer([silent], "table", { columns }), /web1 +not responding/);
  assert.match(await formatAnswer(silent, "table"), /STATE +not responding/);
  assert.match(await formatAnswer([silent], "json"), /"state": "running"/);
  const view = new ListView([silent, MACHINES[1]!], { columns }, ["state", "responsive"], VM_STATES);
  assert.deepEqual(view.selected({ state: "not responding" }), [silent]);
  assert.deepEqual(view.selected({ filter: ["responsive=no"] }), [silent]);
});

Deno.test("rendered() has names, colours for states, and nothing nested in a cell", async () => {
  assert.equal(await formatAnswer(MACHINES.slice(0, 1), "name"), "web1");
  assert.match(
    await formatAnswer(MACHINES.slice(0, 1), "table", { columns: ["name", "state"] }, true),
    // deno-lint-ignore no-control-regex -- the colour itself
    /\x1b\[32mrunning\x1b\[0m/,
  );
  const user = {
    name: "ann",
    grants: [
      { role: "operator", on: { kind: "group", group: "web" } },
      { role: "viewer", on: { kind: "host", host: "kvm2" } },
    ],
    sizes: { aBytes: 1536 },
  };
  const text = await formatAnswer(user, "table");
  assert.doesNotMatch(text, /[{}[\]]/);
  assert.match(text, /A +1\.5 KiB/);
  assert.match(
    await formatAnswer([user], "table", { columns: ["name", "grants"] }),
    /^ann +operator@group:web,viewer@host:kvm2$/m,
  );
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
  assert.deepEqual(read("grants", "grants", "operator@host:kvm2"), {
    role: "operator",
    on: { kind: "host", host: "kvm2" },
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

/** Whether rows have what stands at a dotted path. */
function hasField(schema: FieldSchema, path: string): boolean {
  const [step = "", ...rest] = path.split(".");
  const part = schema.properties?.[step];
  if (part === undefined || rest.length === 0) return part !== undefined;
  return (part.anyOf ?? [part]).some((each) => hasField(each.items ?? each, rest.join(".")));
}

Deno.test("every list of the contract has its columns, each a field of it", () => {
  for (const [name, command] of Object.entries(COMMANDS) as [string, Command][]) {
    const output = command.output as FieldSchema;
    const list = command.rows === undefined ? output : output.properties?.[command.rows];
    if (list?.type !== "array" || list.items?.type !== "object") continue;
    assert.ok((command.columns?.length ?? 0) > 0, name);
    for (const column of [...command.columns!, ...command.wide ?? []]) {
      for (const path of column.split("|")) assert.ok(hasField(list.items, path), `${name} ${path}`);
    }
  }
});

Deno.test("runVerb() carries out for each name, and for what a pattern fits; one that fails holds none up", async () => {
  const several = await run(["vm", "stop", "web1", "2"]);
  // In parallel: their order is undefined.
  const inputsOf = ({ calls }: Run) => calls.map(({ input }) => JSON.stringify(input)).sort();
  assert.deepEqual([several.status, inputsOf(several)], [0, ['{"vmId":"2"}', `{"vmId":"${ID}"}`]]);
  assert.match(several.out, /^NAME +RESULT\nweb1 +done$/m);
  const pattern = await run(["vm", "stop", "w*", "-o", "json"]);
  assert.deepEqual(pattern.calls, [{ name: "stop_vm", input: { vmId: ID } }]);
  assert.deepEqual(JSON.parse(pattern.out), {
    results: [{ name: "web1", vmId: ID, success: true }],
    succeeded: 1,
    failed: 0,
  });
  const failing = await run(["vm", "pause", "*"]);
  assert.deepEqual([failing.status, failing.calls.length], [1, 2]);
  assert.match(failing.err, /^kvm-manager: web1: VM is not running$/m);
  const none = await run(["vm", "stop", "db-*"]);
  assert.deepEqual([none.status, none.calls], [4, []]);
  const one = await run(["vm", "rename", "*", "x"]);
  assert.deepEqual([one.status, one.calls], [2, []], "what is for one takes no pattern that fits several");
  const last = await run(["vm", "autostart", "web1", "2", "on"]);
  assert.deepEqual(inputsOf(last), [`{"autostart":true,"vmId":"2"}`, `{"autostart":true,"vmId":"${ID}"}`]);
});

Deno.test("runVerb() asks once for several, and names them", async () => {
  const { status, calls, err } = await run(["vm", "delete", "w*"]);
  assert.deepEqual([status, calls], [2, []]);
  assert.match(err, /--yes/);
  const said = await run(["vm", "delete", "web1", "2", "--yes"]);
  assert.deepEqual([said.status, said.calls.length], [0, 2]);
  assert.match(said.out, /^Deleted web1\.$/m);
});

Deno.test("runVerb() shows how a verb is written when an argument is missing, and what was mistyped", async () => {
  const missing = await run(["vm", "clone", "web1"]);
  assert.deepEqual([missing.status, missing.calls], [2, []]);
  assert.match(missing.err, /missing <name>\.\nUsage: kvm-manager vm clone <vmId> <name> \[OPTIONS\]/);
  assert.match((await run(["vm", "keys", "web1"])).err, /missing <keys>/);
  assert.match((await run(["vm", "set-xml", "web1"])).err, /missing --xml-file FILE/);
  assert.match((await run(["vm", "list", "--watc"])).err, /Did you mean --watch\?/);
  assert.match((await run(["vm", "start", "wbe1"])).err, /VM not found: wbe1\. Did you mean web1\?/);
});

Deno.test("runVerb() knows other words for a verb, and places and options by better names", async () => {
  assert.match((await run(["vm", "ls"])).out, /^NAME/);
  assert.equal((await run(["vm", "info", "web1"])).calls[0]!.name, "get_vm");
  assert.deepEqual((await run(["vm", "tag", "web1", "a", "b"])).calls, [
    { name: "set_tags", input: { vmId: ID, tags: ["a", "b"] } },
  ]);
  assert.deepEqual((await run(["vm", "tags", "web1", "--clear"])).calls[0]!.input, { vmId: ID, tags: [] });
  assert.deepEqual((await run(["vm", "autostart", "web1", "--autostart"])).calls[0]!.input, {
    vmId: ID,
    autostart: true,
  });
  for (
    const names of [["--cpus", "4", "--memory", "4G"], ["--cpu-count", "4", "--memory-mb", "4096"], [
      "--vcpus",
      "4",
      "--memory",
      "4096",
    ]]
  ) {
    const { calls } = await run(["vm", "create", "web3", ...names, "--disk", "40G", "--network", "lab"]);
    const input = { name: "web3", cpuCount: 4, memoryMb: 4096, diskSizeGb: 40, network: "lab" };
    assert.deepEqual(calls, [{ name: "create_vm", input }]);
  }
  const cards = await run([
    "vm",
    "create",
    "web3",
    "--network",
    "lab",
    "--network",
    "bridge=br0",
    "--disk",
    "none",
  ]);
  assert.deepEqual(cards.calls[0]!.input, {
    name: "web3",
    disks: [],
    nics: [{ network: "lab" }, { bridge: "br0" }],
  });
  const dry = await run(["vm", "create", "web3", "--cpus", "4", "--dry-run"]);
  assert.deepEqual(dry.calls, [{
    name: "check_vm_config",
    input: { config: { name: "web3", cpuCount: 4 } },
  }]);
});

Deno.test("runVerb() makes a user of --user, --ssh-key and --password-stdin, and takes no private key", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.writeTextFile(`${folder}/key.pub`, "ssh-ed25519 AAAA me@here\n");
    await Deno.writeTextFile(`${folder}/key`, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    const line = ["vm", "create", "web3", "--user", "me"];
    const made = await run([...line, "--ssh-key", `${folder}/key.pub`, "--password-stdin"], {
      stdin: "secret\n",
    });
    const user = { name: "me", sshKeys: ["ssh-ed25519 AAAA me@here"], password: "secret", sudo: "password" };
    assert.deepEqual(made.calls[0]?.input, { name: "web3", cloudInit: { form: { users: [user] } } });
    const refused = await run([...line, "--ssh-key", `${folder}/key`]);
    assert.deepEqual([refused.status, refused.calls], [2, []]);
    assert.match(refused.err, /private key/);
    const several = await run([
      "template",
      "create-vms",
      ID,
      "web",
      "--user",
      "me",
      "--ssh-key",
      `${folder}/key.pub`,
    ]);
    const { password: _none, ...without } = { ...user, sudo: "nopasswd" as const };
    assert.deepEqual(several.calls.at(-1)?.input, {
      templateId: ID,
      name: "web",
      cloudInit: { form: { users: [without] } },
    });
    const nobody = await run(["vm", "create", "web3", "--ssh-key", `${folder}/key.pub`]);
    assert.match(nobody.err, /say which with --user/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runVerb() shows the rows, order and columns of a list that are asked for", async () => {
  const out = async (...args: string[]) => (await run(["vm", "list", ...args])).out;
  assert.equal(await out("--state", "running", "-o", "name"), "web1\n");
  assert.equal(await out("--filter", "tags=b", "--columns", "name,tags"), "NAME  TAGS\nweb1  a,b\n");
  assert.equal(await out("--filter", "name!=web*", "--columns", "state"), "STATE\nstopped\n");
  assert.deepEqual((await out("--sort", "state", "-r", "--columns", "state")).split("\n"), [
    "STATE",
    "stopped",
    "running",
    "",
  ]);
  assert.equal(JSON.parse(await out("--state", "stopped", "-o", "json")).length, 1);
  const wrong = await run(["vm", "list", "--columns", "nmae"]);
  assert.deepEqual([wrong.status, wrong.out], [2, ""]);
  assert.match(wrong.err, /Did you mean name\?/);
});

Deno.test("runVerb() says in one line where a file is no YAML", async () => {
  const { status, err } = await run(["vm", "create", "web3", "--file", "-"], { stdin: "name: a\nbad: [\n" });
  assert.equal(status, 2);
  assert.match(
    err,
    /^kvm-manager vm create: --file cannot be understood: [^:]* at line \d+, column \d+\. See /,
  );
});

Deno.test("runVerb() says that there is no such state instead of showing an empty list", async () => {
  for (
    const [state, says] of [["runing", /no state "runing"\. Did you mean running\?/], [
      "x",
      /There are running, stopped,/,
    ]] as const
  ) {
    const { status, out, err } = await run(["vm", "list", "--state", state]);
    assert.deepEqual([status, out], [2, ""]);
    assert.match(err, says);
  }
  assert.equal((await run(["vm", "list", "--state", "crashed"])).status, 0);
  assert.equal((await run(["vm", "list", "--state", "RUN*", "-o", "name"])).out, "web1\n");
});

Deno.test("rendered() tells the two ports of a forward apart", async () => {
  const { columns = [] } = COMMANDS.list_port_forwards as Command;
  const row = { network: "lab", hostPort: 8080, hostPortEnd: 8080, vmName: "web1", targetPort: 80 };
  const [head, line] = (await formatAnswer([row], "table", { columns: columns.slice(1) })).split("\n");
  assert.match(head!, /^NETWORK +PROTOCOL +HOST PORT +LAST HOST PORT +VM +TARGET +TARGET PORT +STATE$/);
  assert.match(line!, /^lab +- +8080 +8080 +web1 +- +80 +-$/);
});

Deno.test("runVerb() takes an argument by its name, too, wherever the others stand", async () => {
  const size = [{ name: "resize_disk", input: { vmId: ID, target: "vda", sizeGb: 40 } }];
  for (
    const line of [
      ["web1", "vda", "40G"],
      ["web1", "vda", "--size-gb", "40G"],
      ["--size-gb=40G", "--vm-id", "web1", "vda"],
      ["web1", "40G", "--target", "vda"],
    ]
  ) assert.deepEqual((await run(["vm", "resize-disk", ...line])).calls, size, line.join(" "));
  const limits = ["--read-bytes-sec", "50M", "--write-iops-sec=200", "--cache", "none"];
  assert.deepEqual((await run(["vm", "update-disk", "web1", "vda", ...limits])).calls, [{
    name: "update_disk",
    input: { vmId: ID, target: "vda", readBytesSec: 50 * 2 ** 20, writeIopsSec: 200, cache: "none" },
  }]);
  const made = await run(["vm", "create", "--name", "web3", "--cpus", "1"]);
  assert.deepEqual(made.calls, [{ name: "create_vm", input: { name: "web3", cpuCount: 1 } }]);
  for (
    const [line, name, input] of [
      [["snapshot", "create", "web1", "s1"], "create_snapshot", { vmId: ID, name: "s1" }],
      [["snapshot", "create", "web1"], "create_snapshot", { vmId: ID }],
      [["pool", "create", "lab", "dir", "/srv/lab"], "create_storage_pool", {
        name: "lab",
        type: "dir",
        path: "/srv/lab",
      }],
      [["pool", "create", "--type", "dir", "lab", "/srv/lab"], "create_storage_pool", {
        name: "lab",
        type: "dir",
        path: "/srv/lab",
      }],
      [["volume", "create", "lab", "a.qcow2", "1G"], "create_volume", {
        pool: "lab",
        name: "a.qcow2",
        capacityBytes: 1024 ** 3,
      }],
    ] as const
  ) assert.deepEqual((await run(line)).calls, [{ name, input }], line.join(" "));
  assert.match(
    (await run(["volume", "create", "lab", "a", "1G", "--size", "2G"])).err,
    /"1G" is one too many\.?\nUsage: kvm-manager volume create <pool> <name>/,
  );
  assert.match(
    (await run(["vm", "resize-disk", "web1", "vda", "--target", "vda", "1", "2"])).err,
    /one too many/,
  );
  assert.match((await run(["vm", "resize-disk", "web1", "--target", "vda"])).err, /missing <sizeGb>/);
});

Deno.test("verbHelp() says what arguments may be, and how options are switched off", () => {
  const help = (name: CommandName) => helpOfVerb(verbOf(name)).replaceAll(/\s+/g, " ");
  assert.match(help("create_network"), /Arguments: .* <mode> one of nat, routed, isolated, open, bridge,/);
  assert.match(help("create_network"), /switched off like --no-\S+\./);
  assert.match(help("resize_disk"), /<target> vda, sdb, … <sizeGb> GiB; \+2G: so much more than now/);
  assert.match(help("set_autostart"), /<autostart> on or off/);
  assert.doesNotMatch(help("get_vm"), /Arguments:|switched off/);
  assert.match(help("cleanup_old_metrics"), /--days N .*?required/);
  for (const name of ["set_tags", "create_storage_pool"] as const) {
    assert.doesNotMatch(help(name), /required/, "what it needs has a place");
  }
});

Deno.test("rendered() shows blanks at the ends of a name: two volumes do not look like one", async () => {
  const columns = ["name"], rows = [{ name: "twin" }, { name: "twin " }];
  assert.equal(await formatAnswer(rows, "table", { columns }), 'NAME\ntwin\n"twin "');
  assert.equal(await formatAnswer(rows, "name", { columns }), "twin\ntwin ");
});

Deno.test("a column of several fields shows the first that has something", () => {
  const paths = "guest.osName|osVariant";
  assert.equal(heading(paths), "OS");
  assert.equal(at({ guest: { osName: "Debian" }, osVariant: "debian12" }, paths), "Debian");
  for (const guest of [undefined, {}, { osName: "" }]) {
    assert.equal(at({ guest, osVariant: "debian12" }, paths), "debian12");
  }
  assert.equal(at({}, paths), undefined);
});

Deno.test("runVerb() takes a port forward as VM:PORT and the host's port", async () => {
  const network = COMMANDS.add_port_forward.cli.find((part) => part.startsWith("<"))!.slice(1, -1);
  const input = async (...args: string[]) => {
    const { calls } = await run(["forward", "add", ...args]);
    return calls.at(-1)?.input;
  };
  assert.deepEqual(
    await input("192.168.122.7:80", "127.0.0.1:8080", "--input", JSON.stringify({ [network]: "lab" })),
    {
      [network]: "lab",
      address: "192.168.122.7",
      targetPort: 80,
      hostPort: 8080,
      hostAddress: "127.0.0.1",
      protocol: "tcp",
    },
  );
  assert.deepEqual(await input("lab", "udp", "53", "--vm-id", "web1"), {
    [network]: "lab",
    protocol: "udp",
    hostPort: 53,
    vmId: ID,
  });
  assert.match((await run(["forward", "add", "web1:80", "many"])).err, /is no port of the host/);
});

Deno.test("runVerb() takes a medium without its drive, where the VM has one alone", async () => {
  const input = async (...args: string[]) => (await run(["vm", "insert-media", ...args])).calls.at(-1)?.input;
  const path = "default/debian.iso";
  assert.deepEqual(await input("web1", path), { vmId: ID, target: "sda", path });
  assert.deepEqual(await input("web1", "sdb", path), { vmId: ID, target: "sdb", path });
  assert.deepEqual(await input("web1", "sdb", "--path", path), { vmId: ID, target: "sdb", path });
  const several = await run(["vm", "insert-media", MACHINES[1]!.id, path]);
  assert.equal(several.status, 2);
  assert.match(several.err, /has several drives \(sda, sdb\): say which/);
});

Deno.test("-o name has a name for the rows of every list, and for a port forward its own", async () => {
  for (const verb of VERBS) {
    const item = listSchema(verb);
    if (item?.type !== "object") continue;
    const fields = Object.entries(item.properties ?? {}).filter(([, { type }]) => type === "string");
    const row = Object.fromEntries(fields.map(([field]) => [field, field]));
    // Who wrote the audit log's rows is all that they have in common with names.
    if (verb.name === "get_audit_log" || verb.name === "search_audit") continue;
    const rows = verb.command.rows === undefined ? [row] : { [verb.command.rows]: [row] };
    assert.notEqual(await formatAnswer(rows, "name", verb.command), "", verb.words.join(" "));
  }
  const of = (name: CommandName, row: Record<string, unknown>) => formatAnswer([row], "name", COMMANDS[name]);
  const forward = { id: "86e0d744", network: "default", vmId: ID, vmName: "web1" };
  assert.equal(await of("list_port_forwards", forward), "86e0d744");
  const shown = (await formatAnswer(forward, "table")).split("\n").map((line) => line.replace(/ {2,}/, "="));
  assert.deepEqual(shown, ["ID=86e0d744", "NETWORK=default", `VM ID=${ID}`, "VM=web1"]);
  assert.equal(await of("get_network_leases", { ip: "192.168.122.7", vmId: ID }), "192.168.122.7");
  assert.equal(await of("list_operating_systems", { id: "debian12", name: "Debian 12" }), "debian12");
  assert.equal(await of("get_vms", { id: ID, name: "web1" }), "web1");
});

Deno.test("runVerb() says in JSON, too, what became of the disks of each of several VMs", async () => {
  const { out, status } = await run(["vm", "delete", "web1", "2", "--yes", "-o", "json"]);
  const { results } = JSON.parse(out) as { results: { success: boolean; answer: unknown }[] };
  assert.equal(status, 0);
  assert.deepEqual(results.map(({ success, answer }) => [success, answer]), [
    [true, { bin: null, deletedDisks: [] }],
    [true, { bin: null, deletedDisks: [] }],
  ]);
  const started = JSON.parse((await run(["vm", "start", "web1", "2", "-o", "json"])).out);
  assert.ok(!("answer" in started.results[0]), "where a command says nothing, nothing is there");
});

Deno.test("runVerb() asks about what an option loses where the option is said, and not else", async () => {
  const plain = await run(["vm", "detach-disk", "web1", "vda"]);
  assert.deepEqual([plain.status, plain.calls.at(-1)?.name], [0, "detach_disk"]);
  const deleting = await run(["vm", "detach-disk", "web1", "vda", "--delete-volume"]);
  assert.deepEqual([deleting.status, deleting.calls], [2, []]);
  assert.match(deleting.err, /this would lose the disk's data, once its time in the bin is over\. Say --yes/);
  const kept = await run(["network", "stop", "lab", "--no-force"]);
  assert.deepEqual([kept.status, kept.calls.at(-1)?.name], [0, "stop_network"]);
});

Deno.test("runVerb() says which file is not there", async () => {
  const { err, status } = await run(["vm", "create", "web3", "--user", "me", "--ssh-key", "/no/key.pub"]);
  assert.equal(status, 2);
  assert.match(err, /--ssh-key: there is no file "\/no\/key\.pub"\. See/);
});

Deno.test("runVerb() lists the verbs that are no commands with the others of their noun", async () => {
  const lines: string[] = [], { log } = console;
  console.log = (text: string) => void lines.push(...text.split("\n"));
  const load = () => Promise.reject(new Error("it is not asked for"));
  try {
    const own = { "vm edit": ownVerb("edit its XML", load), serve: ownVerb("serve", load) };
    assert.equal(await runVerb(["vm", "--help"], undefined, own), 0);
  } finally {
    console.log = log;
  }
  assert.ok(lines.some((line) => /^ {2}edit +Edit its XML$/.test(line)), lines.join("\n"));
  assert.ok(lines.some((line) => /^ {2}start +Start a VM$/.test(line)));
  assert.ok(!lines.some((line) => line.includes("serve ")));
});

Deno.test("isReached() takes no address that is good on its own link alone for one", () => {
  const vm = (ipAddress?: string) => ({ networkInterfaces: [{ ipAddress }] }) as unknown as VM;
  assert.deepEqual(
    [undefined, "fe80::1", "169.254.3.4", "192.168.122.5", "2001:db8::5"].map((ip) =>
      isReached(vm(ip), "address")
    ),
    [false, false, false, true, true],
  );
});

Deno.test("vm edit refuses to start an editor without a terminal", async () => {
  const before = ["VISUAL", "EDITOR"].map((name) => [name, Deno.env.get(name)] as const);
  const errors: string[] = [], { error } = console;
  console.error = (text: string) => void errors.push(text);
  try {
    for (const [name] of before) Deno.env.delete(name);
    const terminal = { isTerminal: false } as Terminal;
    assert.equal(await editCommand(["web1", "--socket", "/no/such.sock"], terminal), 2);
  } finally {
    console.error = error;
    for (const [name, value] of before) if (value !== undefined) Deno.env.set(name, value);
  }
  assert.match(errors.join(), /there is no terminal for an editor/);
});

Deno.test("help of no verb is wider than 80 columns", () => {
  const before = Deno.env.get("COLUMNS");
  Deno.env.set("COLUMNS", "80");
  try {
    const helps = [
      ...VERBS.map((verb) => helpOfVerb(verb)),
      ...VERBS.map(({ words }) => groupHelp(words.slice(0, 1), VERBS)),
    ];
    const wide = helps.flatMap((help) => help.split("\n")).filter((line) => [...line].length > 80);
    assert.deepEqual(wide, []);
  } finally {
    if (before === undefined) Deno.env.delete("COLUMNS");
    else Deno.env.set("COLUMNS", before);
  }
});

Deno.test("a list has the rows that are named, and says which are not there", async () => {
  assert.match((await run(["vm", "list", "web1"])).out, /^NAME[^\n]*\nweb1 /);
  assert.match((await run(["vm", "list", "web[0-9]", "-o", "name"])).out, /^web1\n$/);
  assert.equal((await run(["vm", "list", "db*", "-o", "name"])).out.trim(), "");
  const missing = await run(["vm", "list", "web2"]);
  assert.equal(missing.status, 4);
  assert.match(missing.err, /nothing has the name web2\. Did you mean web1\?/);
});

Deno.test("--filter compares numbers, sizes and moments, and refuses what it does not understand", async () => {
  const rows = [
    { name: "a", memoryMb: 512, createdAt: Date.parse("2026-01-01") },
    { name: "b", memoryMb: 4096, createdAt: Date.parse("2026-03-01") },
  ];
  const view = new ListView(rows, COMMANDS.get_vms, ["name", "memoryMb", "createdAt"], undefined);
  const names = (...filter: string[]) => view.selected({ filter }).map(({ name }) => name).join("");
  assert.equal(names("memory>512"), "b");
  assert.equal(names("memory>=512"), "ab");
  assert.equal(names("memory>2G"), "b");
  assert.equal(names("memory < 1G"), "a");
  assert.equal(names("created>2026-02-01"), "b");
  assert.equal(names("memory>100", "memory<=512"), "a");
  assert.throws(() => names("memory>much"), UsageError);
  assert.throws(() => names("nothing>1"), UsageError);
  assert.equal((await run(["vm", "list", "--filter", "memory>256", "-o", "name"])).out.trim(), "web1");
});

Deno.test("a pattern in the place of a VM carries a command out for each that fits", async () => {
  const { calls, status, out } = await run(["snapshot", "create", "web[1-3]", "before"]);
  assert.deepEqual(calls, [{ name: "create_snapshot", input: { vmId: ID, name: "before" } }]);
  assert.equal(status, 0);
  assert.match(out, /web1 +done/);
});

Deno.test("--label stands in the place of names, and holds for lists", async () => {
  const { calls, out, status } = await run(["vm", "start", "--label", "a", "--label", "b"]);
  assert.deepEqual([calls, status], [[{ name: "start_vm", input: { vmId: ID } }], 0]);
  assert.match(out, /web1 +done/);
  assert.match((await run(["vm", "list", "--label", "a", "-o", "name"])).out, /^web1\n*$/);
  const none = await run(["vm", "stop", "--label", "env=prod"]);
  assert.deepEqual([none.calls, none.status], [[], 4]);
  assert.match(none.err, /No VM has the label env=prod/);
  assert.equal((await run(["vm", "start", "web1", "--label", "a"])).status, 2);
  assert.equal((await run(["pool", "list", "--label", "a"])).status, 2);
});

Deno.test("--file takes the words of the options as well as the contract's fields", async () => {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  const inputOf = async (args: readonly string[], text: string) => {
    await Deno.writeTextFile(file, text);
    const { calls, err } = await run([...args, "-f", file]);
    return calls.at(-1)?.input ?? err;
  };
  try {
    const create = ["vm", "create"];
    const words = await inputOf(
      create,
      "name: web9\nmemory: 2G\ncpus: 2\ndisk: [40G]\nnetwork: bridge=br0\nos-variant: debian12\ntags: a, b\n",
    );
    const fields = await inputOf(
      create,
      JSON.stringify({
        name: "web9",
        memoryMb: 2048,
        cpuCount: 2,
        diskSizeGb: 40,
        nics: [{ bridge: "br0" }],
        osVariant: "debian12",
        tags: ["a", "b"],
      }),
    );
    assert.deepEqual(words, fields);
    assert.deepEqual(
      words,
      await inputOf(
        [...create, "--memory", "2G"],
        "name: web9\nmemory: 1G\ncpus: 2\ndisk: 40G\nnetwork: bridge=br0\nosVariant: debian12\ntags: [a, b]",
      ),
    );
    assert.deepEqual(await inputOf(create, "name: a\nmemoryMb: 2G"), { name: "a", memoryMb: 2048 });
    assert.match(
      String(await inputOf(create, "name: a\nmemory: 1G\nmemoryMb: 5")),
      /memory and memoryMb are the same/,
    );
    assert.match(String(await inputOf(create, "name: a\nmemory: much")), /--file: memory must be a size/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("columns stand below their headings whatever is in them, and moments are dates", async () => {
  const rows = [{ name: "日本語", state: "running" }, { name: "e\u0301", state: "stopped" }, {
    name: "ab",
    state: "x",
  }];
  const lines = (await formatAnswer(rows, "table", { columns: ["name", "state"] })).split("\n");
  assert.deepEqual(lines, ["NAME    STATE", "日本語  running", "e\u0301       stopped", "ab      x"]);
  for (const field of momentFields()) {
    assert.match(cell(field, 1_768_471_200_000), /^2026-01-15 /, field);
  }
  assert.match(
    cell("values", Array.from({ length: 720 }, (_, value) => value)),
    /^720 values, 0 to 719, last 719$/,
  );
});

Deno.test("--quiet prints nothing of what was done, --if-needed and --if-exists take for done what is so already", async () => {
  assert.equal((await run(["vm", "start", "web1", "-q"])).out, "");
  assert.equal((await run(["vm", "start", "web*", "--quiet"])).out, "");
  const gone = await run(["vm", "delete", "nothing", "--if-exists", "--yes"]);
  assert.deepEqual([gone.status, gone.calls], [0, []]);
  assert.equal((await run(["vm", "delete", "nothing", "--yes"])).status, 4);
  const verb = verbOf("start_vm");
  assert.equal(isDone(verb, { code: "VmAlreadyRunning" }, { "if-needed": true }), true);
  assert.equal(isDone(verb, { code: "VmAlreadyRunning" }, {}), false);
  assert.equal(isDone(verb, { code: "StartFailed" }, { "if-needed": true }), false);
  assert.equal((await run(["vm", "list", "--quiet"])).status, 2);
  assert.equal((await run(["vm", "list", "--if-exists"])).status, 2);
});
