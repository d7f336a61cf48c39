import assert from "node:assert/strict";
import { desEncrypt } from "./des.ts";
import { joinServer, welcomeViewer } from "./handshake.ts";
import { ByteSource, RfbError } from "./source.ts";

const ascii = (text: string) => [...new TextEncoder().encode(text)];
const u32 = (value: number) => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
const said = (text: string) => [...u32(text.length), ...ascii(text)];
const init = (name: string, width = 640, height = 480) => [
  ...[width >> 8, width & 255, height >> 8, height & 255, ...new Array(16).fill(7)],
  ...said(name),
];

/** A wire whose other end says these bytes, one at a time. */
function wire(...parts: number[][]) {
  const bytes = parts.flat();
  const written: number[] = [];
  const source = new ByteSource(() => {
    const next = bytes.shift();
    return Promise.resolve(next === undefined ? null : new Uint8Array([next]));
  });
  return {
    written,
    wire: {
      source,
      write: (data: Uint8Array) => {
        written.push(...data);
        return Promise.resolve();
      },
    },
  };
}

Deno.test("joinServer() signs in with each version and security type (RFC 6143, 7.1)", async () => {
  const challenge = Array.from({ length: 16 }, (_, index) => index);
  // "p" is 0x70; its bits turned: 0x0e
  const response = [...desEncrypt(new Uint8Array([0x0e, 0, 0, 0, 0, 0, 0, 0]), new Uint8Array(challenge))];
  const table: [string, number[][], number[]][] = [
    ["RFB 003.003\n", [u32(1)], ascii("RFB 003.003\n")],
    ["RFB 003.003\n", [u32(2), challenge, u32(0)], [...ascii("RFB 003.003\n"), ...response]],
    ["RFB 003.005\n", [u32(1)], ascii("RFB 003.003\n")],
    ["RFB 003.007\n", [[2, 1, 2]], [...ascii("RFB 003.007\n"), 1]],
    ["RFB 003.007\n", [[1, 2], challenge, u32(0)], [...ascii("RFB 003.007\n"), 2, ...response]],
    ["RFB 003.008\n", [[1, 1], u32(0)], [...ascii("RFB 003.008\n"), 1]],
    ["RFB 003.008\n", [[2, 19, 2], challenge, u32(0)], [...ascii("RFB 003.008\n"), 2, ...response]],
    ["RFB 003.889\n", [[1, 1], u32(0)], [...ascii("RFB 003.008\n"), 1]],
    ["RFB 005.000\n", [[1, 1], u32(0)], [...ascii("RFB 003.008\n"), 1]],
  ];
  for (const [greeting, answers, expected] of table) {
    const { wire: end, written } = wire(ascii(greeting), ...answers, init("QEMU"));
    assert.deepEqual([...await joinServer(end, "p")], init("QEMU"), greeting);
    assert.deepEqual(written, [...expected, 1], `${greeting} then ClientInit, shared`);
  }
});

Deno.test("joinServer() says why a server does not let us in", async () => {
  const hello = ascii("RFB 003.008\n");
  const table: [RegExp, string | undefined, number[][]][] = [
    [/no VNC server/, "p", [ascii("SSH-2.0-open")]],
    [/no VNC server/, "p", [ascii("RFB 002.000\n")]],
    [/it refuses: Too many/, "p", [hello, [0], said("Too many")]],
    [/it refuses: Old␣/, "p", [ascii("RFB 003.003\n"), u32(0), said("Old\n")]],
    [/too long/, "p", [hello, [0], u32(0xffffffff)]],
    [/not supported here \(VeNCrypt, SASL, type 99\)/, "p", [hello, [3, 19, 20, 99]]],
    [/a password that libvirt does not have/, undefined, [hello, [1, 2]]],
    [/does not accept the password: no$/, "p", [hello, [1, 2], new Array(16).fill(0), u32(1), said("no")]],
    [/connection ended/, "p", [hello, [1, 2], [0, 0]]],
    [/larger than/, "p", [hello, [1, 1], u32(0), init("x", 20000, 1)]],
    [/name is too long/, "p", [hello, [1, 1], u32(0), new Array(20).fill(0), u32(1 << 30)]],
  ];
  for (const [expected, password, parts] of table) {
    await assert.rejects(joinServer(wire(...parts).wire, password), (error) => {
      assert.ok(error instanceof RfbError);
      assert.match(error.message, expected);
      return true;
    });
  }
});

Deno.test("joinServer() passes on a hostile name as short, plain text (threat 15)", async () => {
  const name = `<img onerror=x>\u001b]52;c;!\u0007${"x".repeat(5000)}`;
  const { wire: end } = wire(ascii("RFB 003.008\n"), [1, 1], u32(0), init(name));
  const passed = new TextDecoder().decode((await joinServer(end, undefined)).subarray(24));
  assert.ok(passed.length <= 129);
  // deno-lint-ignore no-control-regex -- no control character may pass
  assert.doesNotMatch(passed, /[\u0000-\u001f]/);
});

Deno.test("welcomeViewer() asks for no password, and takes nothing but RFB 3.8", async () => {
  const good = wire(ascii("RFB 003.008\n"), [1], [0]);
  await welcomeViewer(good.wire, new Uint8Array(init("vm")));
  assert.deepEqual(good.written, [...ascii("RFB 003.008\n"), 1, 1, ...u32(0), ...init("vm")]);
  for (const bad of [[ascii("RFB 003.003\n")], [ascii("RFB 003.008\n"), [2]], [ascii("RFB")]]) {
    await assert.rejects(welcomeViewer(wire(...bad).wire, new Uint8Array(init("vm"))), RfbError);
  }
});
