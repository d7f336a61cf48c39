import assert from "node:assert/strict";
import { log, setLogLevel } from "./log.ts";

/** Output of a run on stderr, as text. The global function is restored at the end. */
function written(run: () => void): string {
  const { stderr } = Deno;
  const original = stderr.writeSync;
  let text = "";
  stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    run();
  } finally {
    stderr.writeSync = original;
    setLogLevel("info");
  }
  return text;
}

Deno.test("log writes one line an entry: time, level, message, fields", () => {
  const line = written(() =>
    log.warn("a thing", { name: "vm-1", n: 5, path: "/a b", ok: true, gone: undefined, why: new Error("no") })
  );
  assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z warn a thing name=vm-1 n=5 path="\/a b" ok=true why=no\n$/);
});

Deno.test("log shows its level and above", () => {
  const all = () => {
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
  };
  const levels = (level: Parameters<typeof setLogLevel>[0]) =>
    written(() => {
      setLogLevel(level);
      all();
    }).trim().split("\n").map((line) => line.split(" ")[1]);
  assert.deepEqual(levels("debug"), ["debug", "info", "warn", "error"]);
  assert.deepEqual(levels("warn"), ["warn", "error"]);
  assert.deepEqual(levels("error"), ["error"]);
});

Deno.test("log cannot be made to forge a line, a field or a colour", () => {
  const attacks = [
    "x\n2026-01-01T00:00:00.000Z error forged",
    "x\r\nforged",
    "\u001b[31mred\u001b[0m",
    "\u009b31m",
    "\u0085\u2028\u2029",
    "a\0b\u007f",
    "\u202egnp.exe",
    "\u2066isolated\u2069",
    `x" forged="y`,
    "x forged=y",
    "\ud800",
    "",
  ];
  for (
    const value of [
      ...attacks,
      ...attacks.map((text) => ({ text })),
      ...attacks.map((text) => new Error(text)),
    ]
  ) {
    const line = written(() => log.info("m", { value }));
    assert.match(line, /^[^\n]*\n$/);
    assert.doesNotMatch(line.slice(0, -1), /\p{Cc}|\p{Zl}|\p{Zp}|[\u202a-\u202e\u2066-\u2069]/u);
    assert.doesNotMatch(line, /[^\\]" forged=| forged=y$/);
    assert.match(line, / info m value=("(\\.|[^"\\])*"|[\w.:/@+-]+)\n$/);
  }
});

Deno.test("log cuts what is long", () => {
  assert.ok(written(() => log.info("m", { value: "x".repeat(1e6) })).length < 2100);
});

Deno.test("log never throws: not for odd values, not when its reader is gone", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const line = written(() =>
    log.info("m", { circle, big: 5n, symbol: Symbol("s"), call: () => 1, nothing: null })
  );
  assert.match(line, /^\S+ info m circle=/);
  const { stderr } = Deno;
  const original = stderr.writeSync;
  stderr.writeSync = () => {
    throw new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  };
  try {
    log.error("nobody reads this");
  } finally {
    stderr.writeSync = original;
  }
});
