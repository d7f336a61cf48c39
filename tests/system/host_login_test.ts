/**
 * A host whose libvirt asks who connects is added: by a user and a password (SASL, at a socket and over TLS), by a certificate
 * (TLS). What libvirt refuses says what to do, and is not tried so often that an account is locked.
 */
import assert from "node:assert/strict";
import { type AskingLibvirt, askingLibvirt } from "../testbed/asking_libvirt.ts";
import { DAY_MS } from "../../lib/duration.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { fakeClock } from "../testbed/fake_clock.ts";
import { testFolder } from "../testbed/folder.ts";
import { freePort } from "../testbed/free_port.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { call, refused } from "../testbed/product.ts";
import { TerminalProgram } from "../testbed/pty.ts";
import { SerialClient } from "../testbed/serial.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await requirement("sasl") !== null;

/** With what forms, shells and key files would take for their own. */
const PASSWORD = "it's a $ecret; [half] #1 – ä", OTHER = "another-one-2";
/** Milliseconds in which the link tries a libvirt that is only away several times. */
const SEVERAL_TRIES_MS = 8000;

const statusOf = async (server: TestServer, hostId: string) =>
  (await call(server, "list_hosts")).find(({ id }) => id === hostId);
const vmsOf = async (server: TestServer, hostId: string) =>
  (await call(server, "get_vms")).filter(({ host }) => host === hostId).map(({ name }) => name);
const isConnected = (server: TestServer, hostId: string) =>
  until("a connection", async () => (await statusOf(server, hostId))?.status === "connected");
const tlsUri = (
  { port, certificates }: AskingLibvirt,
  folder: keyof AskingLibvirt["certificates"] = "good",
) => `qemu+tls://127.0.0.1:${port}/system?pkipath=${certificates[folder]}`;

/** Processes with a text in the places that they show to others: arguments and environment. */
async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    for (const file of ["cmdline", "environ"]) {
      // What has ended meanwhile shows nothing
      const bytes = await Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
      if (bytes.includes(text)) found.push(`/proc/${name}/${file}`);
    }
  }
  return found;
}

/** Files below a folder that have a text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await filesWith(`${folder}/${name}`, text));
    // Bytes that are no text are passed over
    if (isFile && (await Deno.readTextFile(`${folder}/${name}`)).includes(text)) found.push(name);
  }
  return found;
}

Deno.test({
  name: "add_host() with a user and a password: libvirt lets it in, and the password is told to nothing else",
  ignore,
  fn: async (t) => {
    await using local = await privateLibvirt("login-local");
    await using far = await askingLibvirt("login-far", { socket: true, port: false });
    await using folder = await testFolder();
    await far.setPassword("ann", PASSWORD);
    const vm = await far.host.machine({ start: true, serial: "pty" });
    const uri = far.host.uri, username = "ann", dataDir = `${folder.path}/data`;
    const options = { uri: local.uri, dataDir, logLevel: "debug" } as const;
    const here = { server: await startServer(options) };
    await using _ = { [Symbol.asyncDispose]: () => here.server[Symbol.asyncDispose]() };
    const update = (more: object) => call(here.server, "update_host", { hostId: "far", ...more });
    const error = async () => (await statusOf(here.server, "far"))?.error ?? "";

    await t.step("libvirt asks for a user: the list says so, and what to do does it", async () => {
      const added = await call(here.server, "add_host", { name: "far", uri });
      assert.notEqual(added.status, "connected");
      await until("why", async () => /asks for a user and a password/.test(await error()));
      const given = await update({ username, userPassword: PASSWORD });
      assert.deepEqual([given.status, given.error, given.username], ["connected", null, username]);
      await until("its VM", async () => (await vmsOf(here.server, "far")).includes(vm.name));
      await call(here.server, "pause_vm", { vmId: vm.uuid });
      assert.equal(await vm.state(), "paused");
      await call(here.server, "resume_vm", { vmId: vm.uuid });
      await using _console = await SerialClient.open(here.server, vm.uuid);
      await Promise.all([1, 2, 3, 4].map(() => call(here.server, "get_vm_xml", { vmId: vm.uuid })));
    });
    await t.step("half of it, or a password for another libvirt or user, is refused", async () => {
      const add = (more: object) =>
        call(here.server, "add_host", { name: "more", uri: "test:///default", ...more });
      await refused(add({ username }), "InvalidInput", /userPassword is missing/);
      await refused(add({ userPassword: "x" }), "InvalidInput", /username is missing/);
      const moved = `${uri}-elsewhere`;
      await refused(
        update({ uri: moved }),
        "InvalidInput",
        /userPassword must be given again: the connection/,
      );
      await refused(
        update({ username: "bob" }),
        "InvalidInput",
        /userPassword must be given again: the user/,
      );
      assert.equal((await update({ label: "Far away", uri })).status, "connected", "what is left out stays");
    });
    await t.step("it is kept over a restart", async () => {
      await here.server[Symbol.asyncDispose]();
      here.server = await startServer(options);
      await isConnected(here.server, "far");
      await until("its VM", async () => (await vmsOf(here.server, "far")).includes(vm.name));
    });
    await t.step("the credentials name it, and nothing shows it", async () => {
      const all = await call(here.server, "list_credentials");
      const own = all.find(({ kind }) => kind === "host-password");
      assert.deepEqual(
        [own?.id, own?.name, own?.place, own?.uses.map(({ name }) => name)],
        ["host-password:far", username, `${dataDir}/kvm-manager.db`, ["Far away"]],
      );
      assert.ok(own!.since! > Date.now() - 600_000);
      const audit = await call(here.server, "get_audit_log", { limit: 500 });
      const told = JSON.stringify([all, audit, await call(here.server, "list_hosts")]);
      const page = await (await fetch(`${here.server.url}/settings/hosts/far`)).text();
      assert.ok(page.includes('name="userPassword"') && page.includes('value="ann"'));
      for (const text of [PASSWORD, "$ecret"]) {
        for (const [what, shown] of Object.entries({ told, page, log: here.server.log() })) {
          assert.equal(shown.includes(text), false, `${what} has the password`);
        }
        assert.deepEqual(await processesWith(text), []);
        assert.deepEqual(await filesWith(folder.path, text), [], "it is sealed in the database");
      }
    });
    await t.step(
      "a password that libvirt refuses is not tried again at once, and the right one is",
      async () => {
        await far.setPassword(username, OTHER);
        const before = await far.refusals();
        await far.host.kill();
        await far.host.start();
        await until("why", async () => /refuses the user or the password/.test(await error()), {
          seconds: 30,
        });
        assert.equal(await far.refusals(), before + 1);
        await delay(SEVERAL_TRIES_MS);
        assert.equal(await far.refusals(), before + 1, "one refusal in all this time");
        const wrong = await update({ userPassword: "wrong" });
        assert.match(wrong.error ?? "", /refuses the user or the password\. Give the right ones/);
        assert.equal(await far.refusals(), before + 2, "that one was tried, once");
        assert.equal((await update({ userPassword: OTHER })).status, "connected");
      },
    );
    await t.step("changed while it is connected, the first refusal ends the link", async () => {
      await far.setPassword(username, PASSWORD);
      const before = await far.refusals();
      // A console has a connection of its own, unless a call has needed one more before it
      await using _console = await SerialClient.open(here.server, vm.uuid).catch((error) => {
        assert.match(String(error), /refuses the user or the password/);
        return null;
      });
      await until("why", async () => /refuses the user or the password/.test(await error()), { seconds: 30 });
      await delay(SEVERAL_TRIES_MS);
      assert.equal(await far.refusals(), before + 1);
      assert.equal((await update({ userPassword: PASSWORD })).status, "connected");
    });
    await t.step("a libvirt without a way in by password says so", async () => {
      // No package of Debian has it
      await far.setMechanisms("srp");
      await far.host.kill();
      await far.host.launch();
      await until("why", async () => /offer scram-sha-256/.test(await error()), { seconds: 30 });
      await far.setMechanisms("scram-sha-256");
      await far.host.kill();
      await far.host.start();
      assert.equal((await update({ userPassword: PASSWORD })).status, "connected");
    });
    await t.step("removed, it leaves nothing", async () => {
      await call(here.server, "remove_host", { hostId: "far" });
      assert.equal(
        (await call(here.server, "list_credentials")).some(({ kind }) => kind === "host-password"),
        false,
      );
    });
  },
});

Deno.test({
  name: "add_host() by TLS: with certificates, with a user as well, and why not",
  ignore,
  fn: async (t) => {
    await using local = await privateLibvirt("tls-local");
    await using far = await askingLibvirt("tls-far", { socket: false, port: false });
    await using both = await askingLibvirt("tls-both", { socket: false, port: true });
    await using server = await startServer({ uri: local.uri });
    await both.setPassword("ann", PASSWORD);
    const vm = await both.host.machine({ start: true });
    const test = (uri: string, more: object = {}) => call(server, "test_host", { uri, ...more });

    await t.step("a certificate of its CA opens it", async () => {
      const tried = await test(tlsUri(far));
      assert.match(tried.version, /^\d+\.\d+\.\d+$/);
      assert.equal((await call(server, "add_host", { name: "far", uri: tlsUri(far) })).status, "connected");
      await call(server, "remove_host", { hostId: "far" });
    });
    await t.step("one that also asks for a user has it, and its VMs act", async () => {
      await refused(test(tlsUri(both)), "HostUnreachable", /asks for a user and a password/);
      await refused(
        test(tlsUri(both), { username: "ann", userPassword: OTHER }),
        "HostUnreachable",
        /refuses the user or the password/,
      );
      const login = { username: "ann", userPassword: PASSWORD };
      await test(tlsUri(both), login);
      const added = await call(server, "add_host", { name: "both", uri: tlsUri(both), ...login });
      assert.equal(added.status, "connected");
      await until("its VM", async () => (await vmsOf(server, "both")).includes(vm.name));
      await call(server, "pause_vm", { vmId: vm.uuid });
      assert.equal(await vm.state(), "paused");
    });
    await t.step("the command line reads the password, and asks for it at a terminal", async () => {
      const cli = new CommandLine({ KVMM_SOCKET: server.socket });
      const args = ["host", "test", tlsUri(both), "--username", "ann"];
      const read = await cli.run([...args, "--user-password", "-"], `${PASSWORD}\n`);
      assert.equal(read.status, 0, read.err);
      await using terminal = new TerminalProgram([
        ...["env", `KVMM_SOCKET=${server.socket}`, await buildBinary(), ...args],
      ]);
      await terminal.waitFor("User password:");
      await terminal.type(`${PASSWORD}\r`);
      assert.deepEqual(await terminal.ended(), { status: 0, isCooked: true });
      assert.equal(terminal.text.includes(PASSWORD), false);
    });
    await t.step("certificates that do not fit say which, and what to do", async () => {
      const advised: readonly (readonly [uri: string, reason: RegExp])[] = [
        [tlsUri(far, "stranger"), /of another CA, or for another name\. Connect by a name that is in it/],
        [tlsUri(far).replace("127.0.0.1", "localhost"), /of another CA, or for another name/],
        [
          tlsUri(far, "nameless"),
          /refuses the certificate of KVM Manager, or got none\. Put clientcert\.pem/,
        ],
        [`${tlsUri(far)}/none`, /Cannot read CA certificate .*Put cacert\.pem, clientcert\.pem/],
        [
          tlsUri(far).replace(String(far.port), String(freePort())),
          /Connection refused.*Start its socket on the host/,
        ],
      ];
      for (const [uri, reason] of advised) await refused(test(uri), "HostUnreachable", reason);
      await test(tlsUri(far));
    });
    await t.step({
      name: "a certificate that has expired says which, since when, and what to do",
      ignore: await requirement("faketime") !== null,
      fn: async () => {
        await using clock = await fakeClock();
        await using late = await startServer({ uri: "test:///default", env: clock.env });
        const uri = tlsUri(far);
        assert.equal((await call(late, "add_host", { name: "far", uri })).status, "connected");
        const ends = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
        const server = new RegExp(
          `Failed to verify peer's certificate: it expired on ${ends(30)}\\. Replace servercert\\.pem`,
        );
        const client = /client certificate \S+ has expired\. Put a valid one in its place/;
        for (const [offset, reason] of [["+40d", server], ["+300d", client]] as const) {
          await clock.set(offset);
          await refused(call(late, "test_host", { uri }), "HostUnreachable", reason);
          await call(late, "enable_host", { hostId: "far", enabled: false });
          await call(late, "enable_host", { hostId: "far", enabled: true });
          await until(
            "the list to say why",
            async () => reason.test((await statusOf(late, "far"))?.error ?? ""),
          );
        }
        await clock.set("-40d");
        await refused(
          call(late, "test_host", { uri }),
          "HostUnreachable",
          /is not yet active\. Put a valid one/,
        );
        await clock.set("+0");
        await call(late, "enable_host", { hostId: "far", enabled: false });
        assert.equal((await call(late, "enable_host", { hostId: "far", enabled: true })).status, "connected");
      },
    });
    await t.step("a host that answers nothing is given up in time, and disturbs no other", async () => {
      using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const uri = tlsUri(far).replace(String(far.port), String(silent.addr.port));
      const began = performance.now();
      await refused(
        test(uri),
        "HostUnreachable",
        /No answer within 15 seconds: the host is off, a firewall drops/,
      );
      assert.ok(performance.now() - began < 20_000);
      assert.equal((await statusOf(server, "both"))?.status, "connected");
    });
  },
});
