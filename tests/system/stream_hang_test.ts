/** Consoles and channels that hang in libvirt while they are opened: what they hold up, and what becomes of them. */
import assert from "node:assert/strict";
import { LibvirtError } from "../../ffi/error.ts";
import { startEventLoop } from "../../ffi/event_loop.ts";
import type { Gate } from "../../ffi/gate.ts";
import { type ConsoleStream, ConsoleStreams, type ConsoleTarget } from "../../ffi/streams.ts";
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

/** A gate that admits everything, and writes down what passes. */
class WritingGate implements Gate {
  readonly seen: string[] = [];

  enter(work: string, subject: string) {
    const note = (what: string) => void this.seen.push(`${work} ${subject} ${what}`);
    note("entered");
    return {
      overdue: () => note("overdue"),
      returned: (answered: boolean) => note(answered ? "answered" : "unanswered"),
    };
  }

  /** What was written of one VM since the last time. */
  of({ uuid }: PrivateMachine): string[] {
    const own = this.seen.filter((line) => line.includes(uuid));
    this.seen.splice(0);
    return own.map((line) => line.replace(` ${uuid}`, ""));
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
    const streams = new ConsoleStreams(host.uri, gate);
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
      gate.of(silent);
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
      assert.deepEqual(gate.of(silent), ["channelOpen entered", "channelOpen overdue"]);
      assert.ok(await took(assert.rejects(open(silent), isOf("silent"))) < AT_ONCE);
    });

    await t.step("what opens late is closed at once", async () => {
      const seen: string[] = [];
      await until("it to be given back", () => {
        seen.push(...gate.of(silent));
        return Promise.resolve(seen.length >= 3);
      }, { seconds: 10, every: 20, lastSeen: () => seen.join() });
      assert.deepEqual(seen, ["channelOpen answered", "streamAbort entered", "streamAbort answered"]);
      await (await open(silent)).close(); // refused where another has it
    });

    await t.step("a libvirtd that hangs: what is given up opens nothing when it goes on", async () => {
      gate.of(silent);
      {
        await using _frozen = await host.freeze();
        const hangs = assert.rejects(open(silent), isOf("timeout"));
        await delay(1100);
        assert.ok(await took(assert.rejects(open(silent), isOf("silent"))) < AT_ONCE);
        await hangs;
        assert.deepEqual(gate.of(silent), ["channelOpen entered", "channelOpen overdue"]);
      }
      await until("the opener to return", () => Promise.resolve(gate.seen.length > 0), { seconds: 10 });
      assert.deepEqual(gate.of(silent), ["channelOpen unanswered"]);
      await (await open(silent)).close();
    });
    assert.deepEqual(errors, []);
  },
});
