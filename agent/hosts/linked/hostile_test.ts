/** Malicious and broken answers of a linked KVM Manager. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { TextCutter, TooLongError } from "./bounded.ts";
import { isSignedBy } from "./identity.ts";
import { LinkedHosts } from "./linked_hosts.ts";
import { callRemotely, NonsenseError } from "./remote_call.ts";
import { readCaller } from "./remote_caller.ts";
import { HostCache } from "./host_cache.ts";

Deno.test("TextCutter: an end is found wherever pieces break, and what never ends is bounded", () => {
  for (const size of [1, 2, 3, 5, 100]) {
    const cutter = new TextCutter("\n\n", 10), text = "a\n\nbb\nc\n\n\n\nd";
    const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g"))!;
    assert.deepEqual(pieces.flatMap((piece) => cutter.take(piece)), ["a", "bb\nc", ""]);
  }
  const lines = new TextCutter("\n", 10);
  assert.deepEqual([...lines.take("a\nb"), ...lines.take("c\n")], ["a", "bc"]);
  assert.throws(() => {
    for (let count = 0; count < 12; count++) lines.take("x");
  }, TooLongError);
});

Deno.test("isSignedBy(): 32 bytes that are no key have signed nothing", () => {
  const statement = new TextEncoder().encode("x");
  for (const letter of ["B", "_"]) {
    assert.equal(isSignedBy(letter.repeat(43), statement, "A".repeat(86)), false);
  }
});

Deno.test("readCaller(): a name is one line", () => {
  const header = Buffer.from(JSON.stringify({ name: "a\n\u001b[2J\u202eb", rights: ["all"] })).toString(
    "base64url",
  );
  assert.equal(readCaller(header)!.name, "a␣[2J␣b");
});

const VM_FACTS: VM = {
  id: "u-1",
  name: "web",
  state: "running",
  responsive: true,
  cpuCount: 4,
  maxCpuCount: 4,
  memoryMb: 4096,
  maxMemoryMb: 4096,
  diskSizeGb: null,
  networkInterfaces: [],
  disks: [],
  graphics: [],
  tags: [],
  autostart: false,
  persistent: true,
  guestAgent: "connected",
  guestAgents: { "qemu-ga": "connected", "kvm-manager-agent": "not configured" },
  firmware: "bios",
  virtType: "kvm",
  host: "here",
  attention: [],
  startedAt: 0,
};

const answered = (body: unknown, status: number) => () =>
  Promise.resolve(Response.json(body, { status })) as Promise<Response>;

Deno.test("callRemotely(): errors about a sign-in are no errors of the caller's, and texts have no controls", async () => {
  const ofTheLink = ["NotSignedIn", "TokenInvalid", "PasswordNeeded", "SignInFailed", "UnknownCommand"];
  for (const code of [...ofTheLink, "constructor"]) {
    await assert.rejects(
      callRemotely(answered({ code, message: "x" }, 403), "get_networks", {}),
      NonsenseError,
    );
  }
  const details = { pool: "a\u001b[2J", $text: "no message", deep: { a: 1 } };
  const body = { code: "NetworkNotFound", message: "one\ntwo\u001b]0;x\u0007", details };
  await assert.rejects(callRemotely(answered(body, 404), "get_networks", {}), (error: unknown) => {
    assert.ok(error instanceof ContractError);
    assert.equal(error.code, "NetworkNotFound");
    assert.equal(error.message, "one\ntwo␣]0;x␣");
    assert.deepEqual(error.details, { pool: "a␣[2J" });
    return true;
  });
});

Deno.test("callRemotely(): lines that are no objects, or no JSON, are nonsense", async () => {
  for (const line of ["5", "null", "[]", "{"]) {
    const send = () => Promise.resolve(new Response(`${line}\n`));
    await assert.rejects(callRemotely(send, "guest_exec", { vmId: "x" }, { tell: () => {} }), NonsenseError);
  }
});

Deno.test("HostCache: what is told by events is bounded, and has room again once it is gone", () => {
  const owners = { claim: () => {}, release: () => {}, reconcile: () => {} };
  const cache = new HostCache({
    hostname: () => VM_FACTS.host,
    hostId: "far",
    isTaken: () => false,
    owners,
    now: () => 0,
    membershipOf: () => ({}),
    toHere: (_schema, value) => value,
  });
  const description = "x".repeat(250_000);
  const told = (name: string, data: unknown) =>
    cache.take([{ id: undefined, name, data: JSON.stringify(data) }]).length;
  const vm = (id: string): VM => ({ ...VM_FACTS, id, description });
  let kept = 0;
  for (let count = 0; count < 200; count++) kept += told("vm-created", { vm: vm(`vm-${count}`) });
  assert.ok(kept > 100 && kept < 140, `${kept} are kept`);
  assert.equal(
    told("vm-updated", { vm: { ...vm("vm-0"), description: "x".repeat(300_000) } }),
    0,
    "too long",
  );
  assert.equal(told("vm-created", { vm: vm("more") }), 0);
  assert.equal(told("vm-updated", { vm: vm("vm-0") }), 1, "one that is known may change");
  assert.equal(told("vm-deleted", { vmId: "vm-0" }), 1);
  assert.equal(told("vm-created", { vm: vm("more") }), 1);
});

Deno.test("LinkedHosts: a task of ours stays ours, and hosts are managed from here alone", () => {
  const far = { id: "far", job: () => ({}), has: () => false, vm: () => undefined };
  const noOwners = { hostOf: () => undefined };
  const hosts = new LinkedHosts(() => false, noOwners, () => true, (jobId) => jobId === "ours");
  hosts.add(far as unknown as Parameters<LinkedHosts["add"]>[0]);
  const of = (jobId: string) => hosts.of("cancel_job", { jobId }, { via: "session" });
  assert.equal(of("ours"), undefined);
  assert.equal(of("theirs")?.id, "far");
  for (const command of ["invite_host", "join_host", "remove_peer", "add_host"] as const) {
    assert.throws(() => hosts.of(command, {}, { via: "link" }), { code: "LinkRefused" });
  }
  assert.equal(hosts.of("get_networks", {}, { via: "link" }), undefined);
});

Deno.test("callRemotely(): content of another length than was told is nonsense, not a shorter file", async () => {
  const get = async (told: string | undefined, given: string) => {
    let content = "";
    const pieces: Promise<void>[] = [];
    await callRemotely(
      (_path, { method }) =>
        Promise.resolve(
          method === "HEAD"
            ? new Response(null, { headers: told === undefined ? {} : { "content-length": told } })
            : new Response(given, { headers: { "content-length": String(given.length) } }),
        ),
      "download_volume",
      { pool: "p", volume: "v" },
      {
        choose: ({ size }) => ({ offset: 0, length: size }),
        answer: (stream) =>
          void pieces.push(new Response(stream).text().then((text) => void (content = text))),
      },
    );
    await Promise.all(pieces);
    return content;
  };
  assert.equal(await get("5", "hello"), "hello");
  assert.equal(await get(undefined, "hello"), "hello");
  await assert.rejects(get("3", "hello"), NonsenseError);
  await assert.rejects(get("9", "hello"), NonsenseError);
});

Deno.test("callRemotely(): a part is asked for of what the size was told of", async () => {
  const sent: (Record<string, string> | undefined)[] = [];
  await callRemotely(
    (_path, { method, headers }) => {
      sent.push(headers as Record<string, string> | undefined);
      const more = { "content-range": "bytes 1-2/5", "content-length": "2", etag: '"a"' };
      return Promise.resolve(
        method === "HEAD"
          ? new Response(null, { headers: { "content-length": "5", etag: '"a"' } })
          : new Response("el", { status: 206, headers: more }),
      );
    },
    "download_volume",
    { pool: "p", volume: "v" },
    { choose: () => ({ offset: 1, length: 2 }), answer: (stream) => void stream.cancel() },
  );
  assert.deepEqual(sent[1], { range: "bytes=1-2", "if-match": '"a"' });
});

Deno.test("callRemotely(): without a place for content nothing is sent", async () => {
  const send = () => Promise.reject(new Error("it was sent"));
  for (const command of ["upload_volume", "download_volume"] as const) {
    await assert.rejects(callRemotely(send, command, { pool: "p", volume: "v" }), {
      code: "ContentExpected",
    });
  }
});
