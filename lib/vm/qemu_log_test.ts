import assert from "node:assert/strict";
import { endOfLog } from "./qemu_log.ts";

const OWN = "11111111-2222-4333-8444-555555555555", OTHER = "99999999-2222-4333-8444-555555555555";
const start = (uuid: string, said: string) =>
  `2026-11-25 13:33:16.828+0000: starting up libvirt version: 9.0.0\n-uuid ${uuid} \\\n${said}\n`;

Deno.test("endOfLog() gives the last lines, and says whether there are older ones", () => {
  assert.deepEqual(endOfLog("a\nb\nc\n", true, OWN, 2), { log: "b\nc\n", lines: 2, complete: false });
  assert.deepEqual(endOfLog("a\nb", true, OWN, 2), { log: "a\nb\n", lines: 2, complete: true });
  assert.deepEqual(endOfLog("", true, OWN, 2), { log: "", lines: 0, complete: true });
});

Deno.test("endOfLog() leaves out a line whose beginning was not read", () => {
  assert.deepEqual(endOfLog("alf\nb\n", false, OWN, 9), { log: "b\n", lines: 1, complete: false });
});

Deno.test("endOfLog() leaves out what another VM of the name has left", () => {
  const { log, complete } = endOfLog(start(OTHER, "theirs") + start(OWN, "mine"), true, OWN, 100);
  assert.equal(log, start(OWN, "mine"));
  assert.equal(complete, true);
  assert.equal(endOfLog(start(OTHER, "theirs"), true, OWN, 100).log, "");
});

Deno.test("endOfLog() shows control and direction characters as pictures, and cuts long lines", () => {
  assert.equal(endOfLog("\x1b[31mred\r\t\x7f\x9b\u202e\n", true, OWN, 1).log, "␛[31mred␍\t␡␦␦\n");
  assert.equal(endOfLog("x".repeat(100_000), true, OWN, 1).log.length, 16_384 + 2);
});
