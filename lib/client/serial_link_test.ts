import assert from "node:assert/strict";
import { CONSOLE_CLOSE } from "../contract/console_close.ts";
import { ApiError } from "./api.ts";
import { SerialLink, type SerialSocket, type SerialState } from "./serial_link.ts";

/** A link over sockets and a clock of the test's own. */
function world(refusal?: () => Error | undefined) {
  const states: SerialState[] = [];
  const sockets: (SerialSocket & { force: boolean; sent: unknown[] })[] = [];
  const waits: { ms: number; run: () => void; off: boolean }[] = [];
  const bytes: Uint8Array[] = [];
  const link = new SerialLink({
    vmId: "v",
    onState: (state) => states.push(state),
    onBytes: (part) => bytes.push(part),
    open: (_vmId, force) => {
      const error = refusal?.();
      if (error) return Promise.reject(error);
      const sent: unknown[] = [];
      const socket = {
        readyState: 1,
        binaryType: "",
        onopen: null,
        onmessage: null,
        onclose: null,
        sent,
        force,
        send: (data: unknown) => void sent.push(data),
        close: () => {},
      };
      sockets.push(socket);
      return Promise.resolve(socket);
    },
    after: (ms, run) => {
      const wait = { ms, run, off: false };
      waits.push(wait);
      return () => wait.off = true;
    },
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  return { link, states, sockets, waits, bytes, settle, last: () => states.at(-1) };
}

Deno.test("SerialLink connects when the machine is on, and hands bytes both ways", async () => {
  const { link, sockets, bytes, settle, last } = world();
  assert.equal(link.send("x"), false);
  link.power(true);
  link.power(true);
  await settle();
  assert.equal(sockets.length, 1);
  sockets[0]!.onopen!();
  assert.deepEqual(last(), { at: "open" });
  sockets[0]!.onmessage!({ data: Uint8Array.from([1, 2]).buffer });
  sockets[0]!.onmessage!({ data: "text is not for the terminal" });
  assert.deepEqual(bytes, [Uint8Array.from([1, 2])]);
  assert.equal(link.send("y"), true);
  assert.deepEqual(sockets[0]!.sent, ["y"]);
});

Deno.test("SerialLink says who is in the way, and takes over only when told to", async () => {
  const { link, sockets, waits, settle, last } = world();
  link.power(true);
  await settle();
  sockets[0]!.onclose!({ code: CONSOLE_CLOSE.inUse, reason: "" });
  assert.deepEqual([last(), waits.length], [{ at: "inUse" }, 0]);
  await link.connect(true);
  assert.equal(sockets[1]!.force, true);
  sockets[1]!.onclose!({ code: CONSOLE_CLOSE.takenOver, reason: "" });
  assert.deepEqual([last(), waits.length], [{ at: "takenOver" }, 0]);
});

Deno.test("SerialLink comes back when the machine starts, and by itself when the line breaks", async () => {
  const { link, sockets, waits, settle, last } = world();
  link.power(true);
  await settle();
  sockets[0]!.onclose!({ code: CONSOLE_CLOSE.vmStopped, reason: "" });
  assert.deepEqual(last(), { at: "off" });
  assert.equal(waits[0]!.ms, 5000, "should the page not hear of its start");
  link.power(false);
  assert.ok(waits[0]!.off);
  link.power(true);
  await settle();
  assert.equal(sockets.length, 2);
  sockets[1]!.onclose!({ code: 1006, reason: "cut" });
  assert.deepEqual(last(), { at: "waiting", why: "cut" });
  waits[1]!.run();
  await settle();
  sockets[2]!.onclose!({ code: 1006, reason: "" });
  assert.deepEqual(waits.map(({ ms }) => ms), [5000, 500, 1000]);
  link.close();
  assert.ok(waits[2]!.off);
});

Deno.test("SerialLink asks again only where that can help", async () => {
  const errors = [new ApiError("Unreachable", "gone"), new ApiError("NoSerialLine", "none")];
  const { link, waits, settle, last } = world(() => errors.shift());
  link.power(true);
  await settle();
  assert.deepEqual(last(), { at: "waiting", why: "gone" });
  waits[0]!.run();
  await settle();
  assert.deepEqual(last(), { at: "failed", why: "none" });
  assert.equal(waits.length, 1);
});
