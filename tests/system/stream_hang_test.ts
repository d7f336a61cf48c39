/** Consoles and channels that hang in libvirt while they are opened: what they hold up, and what becomes of them. */
import assert from "node:assert/strict";
import { LibvirtError } from "../../ffi/error.ts";
import { startEventLoop } from "../../ffi/event_loop.ts";
import type { Gate } from "../../ffi/gate.ts";
import { type ConsoleStream, ConsoleStreams, type ConsoleTarget } from "../../ffi/streams.ts";
import { Transfer } from "../../ffi/transfers.ts";
import { AGENT_CHANNEL } from "../../lib/guest/protocol.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { privateLibvirt, type PrivateMachine } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || skippedUnlessRoot();

/** Milliseconds in which what is refused is refused. */
const AT_ONCE = 50;
/** Milliseconds in which what is not held up is done. */
const SOON = 2000;

/** Bytes of a volume. */
const SIZE = 64 * 1024 * 1024;

/** Name for a volume whose pool is not known. */
const NO_SUBJECT = "unknown";

/** A gate that admits everything, and writes down what passes. */
class WritingGate implements Gate {
  readonly seen: string[] = [];

  enter(work: string, subject = NO_SUBJECT) {
    const note = (what: string) => void this.seen.push(`${work} ${subject} ${what}`);
    note("entered");
    return Promise.resolve({
      overdue: () => note("overdue"),
      returned: (answered: boolean) => note(answered ? "answered" : "unanswered"),
    });
  }

  /** Lines on one VM, or one volume, since the last call. */
  of(subject: string): string[] {
    const own = this.seen.filter((line) => line.includes(` ${subject} `));
    this.seen.splice(0);
    return own.map((line) => line.replace(` ${subject}`, ""));
  }
}

const isOf = (kind: LibvirtError["kind"]) => (error: unknown) =>
  error instanceof LibvirtError && error.kind === kind;

async function took(promise: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await promise;
  return performance.now() - began;
}

const channelOf = ({ uuid }: PrivateMachine): ConsoleTarget => ({
  uuid,
  channel: AGENT_CHANNEL,
  force: false,
});

/** A shell at the other end of a console. */
class Shell {
  #text = "";

  private constructor(private readonly stream: ConsoleStream) {}

  static async open(streams: ConsoleStreams, { uuid }: PrivateMachine): Promise<Shell> {
    const decoder = new TextDecoder();
    let shell: Shell | undefined;
    const stream = await streams.open({ uuid, force: false }, {
      data: (bytes) => {
        if (shell !== undefined) shell.#text += decoder.decode(bytes, { stream: true });
      },
      ended: (failure) => assert.fail(`the console ended: ${failure}`),
    });
    return shell = new Shell(stream);
  }

  /** Has the guest compute something, and waits for the result. @returns milliseconds it took */
  async multiply(a: number, b: number): Promise<number> {
    this.stream.write(new TextEncoder().encode(`echo is $((${a} * ${b}))\n`));
    return await took(
      until(`${a} times ${b}`, () => Promise.resolve(this.#text.includes(`is ${a * b}`)), {
        seconds: 30,
        every: 10,
        lastSeen: () => this.#text.slice(-300),
      }),
    );
  }
}

Deno.test({
  name: "a channel or console whose opening hangs holds no other up, and is closed when it opens late",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const host = undo.use(await privateLibvirt("streams"));
    const errors: unknown[] = [];
    const loop = startEventLoop((error) => errors.push(error));
    undo.defer(() => loop.stop());
    const gate = new WritingGate();
    const streams = new ConsoleStreams({ uri: host.uri }, gate);
    undo.defer(() => streams.stop());
    const silent = await host.machine({ start: true, ownAgent: true });
    const other = await host.machine({ start: true, ownAgent: true });
    const lively = await host.machine({ start: true, guest: true, serial: "pty" });
    await lively.waitForBoot();
    const shell = await Shell.open(streams, lively);
    await shell.multiply(6, 7);
    const listener = { data: () => {}, ended: () => {} };
    const open = (machine: PrivateMachine) => streams.open(channelOf(machine), listener);

    await t.step("a VM that does not accept: others are read, written, opened and closed", async () => {
      const qemu = await silent.qemuPid() ?? assert.fail("it has no QEMU");
      await freeze(qemu);
      await using _thawed = { [Symbol.asyncDispose]: () => thaw(qemu) };
      // Its socket takes so many connections without QEMU
      for (let round = 0; round < 2; round++) await (await open(silent)).close();
      gate.of(silent.uuid);
      const began = performance.now();
      const hangs = assert.rejects(open(silent), isOf("timeout"));
      await delay(1100);
      assert.ok(await took(assert.rejects(open(silent), isOf("silent"))) < AT_ONCE);
      assert.ok(
        await took(assert.rejects(streams.open({ uuid: silent.uuid, force: true }, listener))) < AT_ONCE,
      );
      for (let round = 0; performance.now() - began < 14_000; round++) {
        assert.ok(await shell.multiply(1000 + round, 11) < SOON);
        assert.ok(await took(open(other).then((stream) => stream.close())) < SOON);
        await delay(500);
      }
      await hangs;
      assert.ok(performance.now() - began < 16_000);
      assert.deepEqual(gate.of(silent.uuid), ["channelOpen entered", "channelOpen overdue"]);
      assert.ok(await took(assert.rejects(open(silent), isOf("silent"))) < AT_ONCE);
    });

    await t.step("what opens late is closed at once", async () => {
      const seen: string[] = [];
      await until("it to be given back", () => {
        seen.push(...gate.of(silent.uuid));
        return Promise.resolve(seen.length >= 3);
      }, { seconds: 10, every: 20, lastSeen: () => seen.join() });
      assert.deepEqual(seen, ["channelOpen answered", "streamAbort entered", "streamAbort answered"]);
      await (await open(silent)).close(); // refused where another has it
    });

    await t.step("a libvirtd that hangs: what is given up opens nothing when it goes on", async () => {
      gate.of(silent.uuid);
      {
        await using _frozen = await host.freeze();
        const hangs = assert.rejects(open(silent), isOf("timeout"));
        await delay(1100);
        assert.ok(await took(assert.rejects(open(silent), isOf("silent"))) < AT_ONCE);
        await hangs;
        assert.deepEqual(gate.of(silent.uuid), ["channelOpen entered", "channelOpen overdue"]);
      }
      await until("the opener to return", () => Promise.resolve(gate.seen.length > 0), { seconds: 10 });
      assert.deepEqual(gate.of(silent.uuid), ["channelOpen unanswered"]);
      await (await open(silent)).close();
    });
    assert.deepEqual(errors, []);
  },
});

Deno.test({
  name:
    "a transfer that libvirt does not answer is over at its limit, and gives everything back when it does",
  ignore,
  fn: async () => {
    await using host = await privateLibvirt("transfer");
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-transfer-" });
    await using undo = new AsyncDisposableStack();
    undo.defer(() => Deno.remove(folder, { recursive: true }));
    await host.virshBatch([
      `pool-define-as content dir --target ${folder}`,
      "pool-start content",
      `vol-create-as content disk ${SIZE} --format raw`,
    ]);
    const path = `${folder}/disk`, gate = new WritingGate();
    const descriptors = async () => (await Array.fromAsync(Deno.readDir("/proc/self/fd"))).length;
    const upload = (scale?: number) =>
      Transfer.open({ uri: host.uri }, { direction: "upload", path, offset: 0, length: 4 }, gate, scale);
    const loop = startEventLoop((error) => assert.fail(String(error)));
    undo.defer(() => loop.stop());
    const bytes = new Uint8Array(new SharedArrayBuffer(4)).fill(65);
    {
      await using transfer = await upload();
      await transfer.give(bytes);
      await transfer.finish();
    }
    assert.equal((await Deno.readFile(path))[3], 65);
    {
      await using _broken = await upload();
    }
    assert.deepEqual(gate.of(NO_SUBJECT), [
      "transfer entered",
      "transfer answered",
      "transfer entered",
      "transfer answered",
    ]);
    await assert.rejects(
      Transfer.open({ uri: host.uri }, { direction: "upload", path: "/none", offset: 0, length: 4 }, gate),
      isOf("libvirt"),
    );
    assert.deepEqual(gate.of(NO_SUBJECT), ["transfer entered", "transfer answered"]);

    const before = await descriptors();
    const scale = 1 / 60; // a second, before the keep-alive notices
    const given = await Transfer.open(
      { uri: host.uri },
      { direction: "download", path, offset: 0, length: SIZE },
      gate,
      scale,
    );
    {
      await using _frozen = await host.freeze();
      const opening = upload(scale);
      // More than the socket has already
      const reading = (async () => {
        for (let rest = SIZE; rest > 0;) rest -= (await given.receive()).length;
      })();
      await Promise.all([assert.rejects(opening, isOf("timeout")), assert.rejects(reading, isOf("timeout"))]);
      await given[Symbol.asyncDispose]();
      assert.deepEqual(gate.of(NO_SUBJECT), [
        "transfer entered",
        "transfer entered",
        "transfer overdue",
        "transfer overdue",
      ]);
    }
    await until("both to return", () => Promise.resolve(gate.seen.length >= 2), { seconds: 10, every: 20 });
    assert.deepEqual(gate.of(NO_SUBJECT).sort(), ["transfer answered", "transfer unanswered"]);
    await until("their connections to be closed", async () => await descriptors() <= before, { seconds: 10 });
  },
});
