/** Our agent as the rest sees it: what it tells, what it refuses, and guests that lie. */
import assert from "node:assert/strict";
import type { VM } from "../../../lib/contract/mod.ts";
import { AGENT_ERROR } from "../../../lib/guest/protocol.ts";
import { AGENT_RESULTS, type AgentMethod } from "../../../lib/guest/results.ts";
import { TestClock } from "../../testing.ts";
import { OwnBackend } from "./backend.ts";
import { OwnAgentLines } from "./lines.ts";
import { FakeGuest, RESULTS } from "./testing.ts";
import { render } from "../../../lib/i18n/message.ts";

const VM_A = { id: "a", name: "a", state: "running", guestAgent: "not configured" } as VM;
const METHODS = Object.keys(AGENT_RESULTS);
const INFO = { ...RESULTS.get("get_agent_info") as object, methods: METHODS };

const domain = (channel: string) =>
  `<domain><devices><channel type="unix">${channel}</channel></devices></domain>`;
const OURS = '<target type="virtio" name="org.kvmmanager.agent.0" state="connected"/>';

/** The backend of one guest. @param answers by method; an error where it is one */
function backendOf(answers: Partial<Record<AgentMethod, unknown>> = {}, xml = domain(OURS)) {
  const clock = new TestClock();
  let read = 0;
  const guest = () =>
    new FakeGuest((request, guest) => {
      const { method } = request;
      const answer = method in answers ? answers[method as AgentMethod] : RESULTS.get(method);
      if (method === "get_agent_info" && !("get_agent_info" in answers)) return INFO;
      if (!(answer instanceof Error)) return answer;
      guest.reply(request, { error: { code: Number(answer.name), message: answer.message } });
      return undefined;
    });
  const lines = new OwnAgentLines(() => Promise.resolve(guest().streams), clock);
  const link = {
    call: () => {
      read++;
      return Promise.resolve(xml);
    },
  };
  const backend = new OwnBackend(link as never, lines, clock);
  return { backend, clock, reads: () => read, [Symbol.asyncDispose]: () => lines.stop() };
}

const no = (code: number, message = "no") => Object.assign(new Error(message), { name: String(code) });

Deno.test("whether it is there is what libvirt knows of its channel, asked when somebody wants to know", async () => {
  await using there = backendOf();
  assert.equal(there.reads(), 0);
  assert.deepEqual(await there.backend.state(VM_A), {
    agent: "kvm-manager-agent",
    state: "connected",
    version: "0.1.0",
  });
  for (let n = 0; n < 5; n++) assert.equal(await there.backend.hindrance(VM_A, "exec"), undefined);
  assert.equal(there.reads(), 1);
  await there.clock.advance(2000);
  await there.backend.state(VM_A);
  assert.equal(there.reads(), 2);

  await using gone = backendOf(
    {},
    domain('<target type="virtio" name="org.kvmmanager.agent.0" state="disconnected"/>'),
  );
  assert.equal((await gone.backend.state(VM_A)).state, "disconnected");
  assert.match(render((await gone.backend.hindrance(VM_A, "info"))!.reason), /does not run/);
  await using none = backendOf(
    {},
    domain('<target type="virtio" name="org.qemu.guest_agent.0" state="connected"/>'),
  );
  assert.equal((await none.backend.state(VM_A)).state, "not configured");
  assert.match(render((await none.backend.hindrance(VM_A, "info"))!.reason), /no channel/);
});

Deno.test("a call asks libvirt for nothing while the line is open, until the guest closes its end", async () => {
  await using there = backendOf();
  assert.equal(await there.backend.hindrance(VM_A, "exec"), undefined);
  await there.clock.advance(4000);
  assert.equal(await there.backend.hindrance(VM_A, "exec"), undefined);
  assert.equal(there.reads(), 1);
  await there.backend.channelChanged(VM_A.id, false, "");
  await there.backend.hindrance(VM_A, "exec");
  assert.equal(there.reads(), 2);
});

Deno.test("what its configuration does not allow, and Windows cannot, has a reason", async () => {
  await using few = backendOf({ get_agent_info: { ...INFO, methods: ["get_users"] } });
  assert.equal(await few.backend.hindrance(VM_A, "users"), undefined);
  assert.match(render((await few.backend.hindrance(VM_A, "exec"))!.reason), /does not offer exec_command/);
  await using windows = backendOf({ get_agent_info: { ...INFO, os_type: "windows" } });
  assert.match(render((await windows.backend.hindrance(VM_A, "freeze"))!.reason), /Windows/);
});

Deno.test("what it tells is the contract's, one line each, and never more than it may be", async () => {
  const evil = "\u001b]52;c;eA==\u0007<img src=x onerror=alert(1)>\n\u202e";
  const first = <T>(method: AgentMethod, list: string) =>
    (RESULTS.get(method) as Record<string, T[]>)[list]![0]!;
  await using guest = backendOf({
    get_system_info: {
      ...RESULTS.get("get_system_info") as object,
      hostname: evil.repeat(50),
      os_type: "plan9",
    },
    get_processes: {
      total: 1,
      processes: [{ ...first<object>("get_processes", "processes"), command: evil }],
    },
    get_services: { services: [{ ...first<object>("get_services", "services"), state: evil }] },
    get_disk_usage: {
      filesystems: [{ ...first<object>("get_disk_usage", "filesystems"), total: 10, used: 99 }],
    },
  });
  const { hostname, osType } = await guest.backend.system(VM_A);
  assert.ok(hostname.length <= 256 && !/[\p{Cc}\u202e]/u.test(hostname));
  assert.equal(osType, "other");
  const { processes: [process] } = await guest.backend.processes(VM_A, { sort: "cpu", limit: 1 });
  assert.ok(!/[\p{Cc}\u202e]/u.test(process!.command));
  assert.equal((await guest.backend.services(VM_A))[0]!.state, "unknown");
  assert.deepEqual((await guest.backend.filesystems(VM_A))[0]!.usedBytes, 10);
  assert.equal(
    (await guest.backend.packages(VM_A, { upgradesOnly: false, offset: 0, limit: 9 })).packages[0]!.upgrade,
    "2.36-10",
  );
  assert.equal((await guest.backend.security(VM_A)).apparmor, "enabled");
  assert.equal((await guest.backend.metrics(VM_A)).processes!.length, 1);
});

Deno.test("values of a guest that lies: no odd key, no more than there are, none longer, and no prototype", async () => {
  const metadata = Object.fromEntries([
    ...Array.from({ length: 500 }, (_, n) => [`k${n}`, "v"]),
    ["__proto__", "p"],
    ["a b", "odd"],
    ["<b>", "odd"],
    ["", "odd"],
    ["x".repeat(65), "odd"],
    ["0first", "\u001b]52;c;AAAA\u0007"],
  ]);
  await using guest = backendOf({ get_metadata: { metadata } });
  const told = await guest.backend.metadata(VM_A);
  assert.equal(told.length, 64);
  assert.deepEqual(told[0], { key: "0first", value: "\u001b]52;c;AAAA\u0007" });
  assert.ok(told.every(({ key }) => /^[A-Za-z0-9._-]{1,64}$/.test(key)));
  await using long = backendOf({ get_metadata: { metadata: { k: "v".repeat(5000) } } });
  await assert.rejects(long.backend.metadata(VM_A), { code: "GuestRefused" });
});

Deno.test("its refusals are the contract's errors", async () => {
  const cases = [
    [no(AGENT_ERROR.NotFound), "GuestFileNotFound"],
    [no(AGENT_ERROR.Denied), "GuestFileDenied"],
    [no(AGENT_ERROR.Failed, "Is a directory"), "GuestFileDenied"],
    [no(AGENT_ERROR.Frozen), "GuestUnavailable"],
    [no(AGENT_ERROR.Busy), "GuestBusy"],
    [no(AGENT_ERROR.TimedOut), "GuestSilent"],
    [{ handle: "x" }, "GuestRefused"],
  ] as const;
  for (const [answer, code] of cases) {
    await using guest = backendOf({ file_open: answer });
    await assert.rejects(guest.backend.openFile(VM_A, "/x"), { code }, code);
  }
  await using guest = backendOf({ exec_command: no(AGENT_ERROR.NotFound) });
  await assert.rejects(guest.backend.exec(VM_A, { command: "x", args: [], seconds: 1 }), {
    code: "GuestProgramNotFound",
  });
});

Deno.test("a reader takes no more than it asked for, and no other part", async () => {
  const piece = (data: Uint8Array, offset = 0, eof = false) => ({ offset, eof, data: data.toBase64() });
  for (
    const wrong of [piece(new Uint8Array(300_000)), piece(new Uint8Array(5), 7), piece(new Uint8Array())]
  ) {
    await using guest = backendOf({ chunk_read: wrong });
    await using reader = await guest.backend.openFile(VM_A, "/x");
    await assert.rejects(reader.read(1024), { code: "GuestRefused" });
  }
  await using guest = backendOf({ chunk_read: piece(new TextEncoder().encode("hello"), 0, true) });
  await using reader = await guest.backend.openFile(VM_A, "/x");
  assert.equal(new TextDecoder().decode(await reader.read(3)), "hel");
  assert.equal(new TextDecoder().decode(await reader.read(3)), "lo");
  assert.equal((await reader.read(3)).length, 0);
});
