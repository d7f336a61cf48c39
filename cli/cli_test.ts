import assert from "node:assert/strict";
import { listenSocket } from "../agent/http/server.ts";
import { COMMANDS, ContractError, type ErrorCode, ERRORS } from "../lib/contract/mod.ts";
import { VERSION } from "../lib/version.ts";
import { callCommand } from "./call.ts";
import { main } from "./main.ts";

/** Runs with what it prints taken down. */
async function printed(run: () => Promise<number>): Promise<{ status: number; out: string; err: string }> {
  const { log, error } = console;
  const lines = { out: "", err: "" };
  console.log = (...values: unknown[]) => void (lines.out += values.join(" ") + "\n");
  console.error = (...values: unknown[]) => void (lines.err += values.join(" ") + "\n");
  try {
    return { status: await run(), ...lines };
  } finally {
    Object.assign(console, { log, error });
  }
}
const app = () => Promise.resolve(() => Promise.resolve(new Response()));
const command = (...args: string[]) => printed(() => main(args, app));

/** A server on a UNIX socket that answers a command's name as an error code, and everything else with what came. */
async function withServer(run: (call: (...args: string[]) => ReturnType<typeof printed>) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const listener = await listenSocket(`${folder}/api.sock`, async (request) => {
    const name = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1)!);
    if (name === "broken") return new Response("<html>");
    if (Object.hasOwn(ERRORS, name)) {
      const error = new ContractError(name as ErrorCode, { vmId: "x" });
      return Response.json(error, { status: error.status });
    }
    return Response.json({ name, input: await request.json() });
  });
  try {
    await run((...args) => printed(() => callCommand([...args, "--socket", `${folder}/api.sock`])));
  } finally {
    await listener.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("main() tells its version and its verbs", async () => {
  for (const flag of ["--version", "-V"]) {
    assert.deepEqual(await command(flag), { status: 0, out: `kvm-manager ${VERSION}\n`, err: "" });
  }
  for (const flag of ["--help", "-h", "help"]) {
    const { status, out, err } = await command(flag);
    assert.deepEqual([status, err], [0, ""]);
    assert.match(out, /^ {2}serve .*\n {2}tui .*\n {2}call /m);
  }
});

Deno.test("main() exits with 2 for wrong usage", async () => {
  assert.equal((await command()).status, 2);
  for (const verb of ["nonsense", "constructor", "__proto__", "--nonsense", ""]) {
    const { status, out, err } = await command(verb);
    assert.deepEqual([status, out], [2, ""], verb);
    assert.match(err, verb.startsWith("-") ? /unknown option "--nonsense"/ : /unknown verb/);
  }
  const { status, err } = await command("serve", "--listen");
  assert.equal(status, 2);
  assert.match(err, /--listen/);
});

Deno.test("main() says which verbs of nouns are called like one without", async () => {
  for (
    const [verb, says] of [
      ["start", "kvm-manager vm start, kvm-manager batch start or kvm-manager pool start"],
      ["edit", "kvm-manager vm edit"],
      ["info", "kvm-manager vm info, kvm-manager host info or kvm-manager guest info"],
      ["tag", "kvm-manager vm tag"],
      ["vmm", "kvm-manager vm"],
    ]
  ) {
    const { status, err } = await command(verb!, "web1");
    assert.equal(status, 2);
    assert.ok(err.includes(` Did you mean ${says}?`), err);
  }
});

Deno.test("main() says which verbs a group has instead of advising what was typed", async () => {
  const { status, err } = await command("vm", "cloud-init", "web1");
  assert.deepEqual([status, /cloud-init show, .*cloud-init preview/.test(err)], [2, true], err);
});

Deno.test("main() takes options before the verb, as virsh and kubectl do", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const listener = await listenSocket(`${folder}/api.sock`, () => Promise.resolve(Response.json([])));
  try {
    for (
      const line of [["vm", "list"], ["ls"]]
    ) {
      const { status, out } = await command("--socket", `${folder}/api.sock`, "-o", "json", ...line);
      assert.deepEqual([status, out], [0, "[]\n"], line.join(" "));
    }
    const help = await command("--socket", "x", "vm", "list", "--help");
    assert.match(help.out, /^Usage: kvm-manager vm list/);
    assert.match((await command("--socket", "x", "nonsense")).err, /unknown verb "nonsense"/);
    assert.match((await command("--socket")).err, /unknown verb "--socket"/);
    const mistyped = await command("--sever", "https://host", "vm", "list");
    assert.match(mistyped.err, /unknown option "--sever" before the verb\. Did you mean --server\?/);
    // A VM of that name is none of the values of --wait.
    const calls = await command("--socket", "x", "--wait", "vm", "start", "agent", "--help");
    assert.match(calls.out, /^Usage: kvm-manager vm start/);
  } finally {
    await listener.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serve refuses an address that is none, or in the clear, before it starts anything", async () => {
  for (
    const [address, reason] of [["http://0.0.0.0:8440", /without TLS/], [
      "nowhere",
      /is not an address/,
    ]] as const
  ) {
    const { status, err } = await command("serve", "--listen", address);
    assert.equal(status, 2);
    assert.match(err, reason);
  }
});

Deno.test("main() explains each verb", async () => {
  assert.match((await command("serve", "--help")).out, /--listen HOST:PORT/);
  const { status, out } = await command("call", "-h");
  assert.equal(status, 0);
  for (const name of Object.keys(COMMANDS)) assert.match(out, new RegExp(`^  ${name} `, "m"));
});

Deno.test("callCommand() carries a command out and prints the answer as JSON", () =>
  withServer(async (call) => {
    const { status, out, err } = await call("get_vm", '{"vmId":"a"}');
    assert.deepEqual([status, err, JSON.parse(out)], [0, "", { name: "get_vm", input: { vmId: "a" } }]);
    assert.deepEqual(JSON.parse((await call("get_vms")).out).input, {});
    assert.equal(
      JSON.parse((await call("../../x")).out).name,
      "../../x",
      "a name is one part of the path, whatever it is",
    );
  }));

Deno.test("callCommand() exits with the status of each error of the contract, which is told on stderr", () =>
  withServer(async (call) => {
    for (const [code, { exit }] of Object.entries(ERRORS)) {
      const { status, out, err } = await call(code);
      assert.deepEqual([status, out, JSON.parse(err).code], [exit, "", code]);
    }
    assert.equal((await call("broken")).status, 1);
  }));

Deno.test("callCommand() exits with 2 for what it does not understand", () =>
  withServer(async (call) => {
    for (const args of [[], ["a", "{}", "b"], ["get_vms", "{"], ["get_vms", "--nonsense"]]) {
      const { status, out, err } = await call(...args);
      assert.deepEqual([status, out], [2, ""], args.join(" "));
      assert.match(err, /See kvm-manager call --help/);
    }
  }));

Deno.test("callCommand() exits with 3 and says what to do when no server is there", async () => {
  const { status, err } = await printed(() => callCommand(["get_vms", "--socket", "/no/such/socket"]));
  assert.equal(status, 3);
  assert.match(
    JSON.parse(err).message,
    /no server answers on \/no\/such\/socket\. Is kvm-manager serve running\?/,
  );
});
