import assert from "node:assert/strict";
import { endOfLog } from "./qemu_log.ts";

const OWN = "11111111-2222-4333-8444-555555555555", OTHER = "99999999-2222-4333-8444-555555555555";
const OPERATOR = { uuid: OWN, isRunning: false, isTrusted: false };
const ADMINISTRATOR = { ...OPERATOR, isTrusted: true };
const start = (uuid: string, said: string) =>
  `2026-11-25 13:33:16.828+0000: starting up libvirt version: 9.0.0\n-uuid ${uuid} \\\n${said}\n`;

Deno.test("endOfLog() gives the last lines, and says whether there are older ones", () => {
  assert.deepEqual(endOfLog("a\nb\nc\n", true, 2, ADMINISTRATOR), {
    log: "b\nc\n",
    lines: 2,
    complete: false,
  });
  assert.deepEqual(endOfLog("a\nb", true, 2, ADMINISTRATOR), { log: "a\nb\n", lines: 2, complete: true });
  assert.deepEqual(endOfLog("", true, 2, ADMINISTRATOR), { log: "", lines: 0, complete: true });
});

Deno.test("endOfLog() leaves out a line whose beginning was not read", () => {
  assert.deepEqual(endOfLog("alf\nb\n", false, 9, ADMINISTRATOR), { log: "b\n", lines: 1, complete: false });
});

Deno.test("endOfLog() leaves out what another VM of the name has left", () => {
  const { log, complete } = endOfLog(start(OTHER, "theirs") + start(OWN, "mine"), true, 100, ADMINISTRATOR);
  assert.equal(log, start(OWN, "mine"));
  assert.equal(complete, true);
  assert.equal(endOfLog(start(OTHER, "theirs"), true, 100, ADMINISTRATOR).log, "");
});

Deno.test("endOfLog() shows lines without their start only where they are known to be the VM's", () => {
  const theirs = "said before\nsecret of an earlier VM\n";
  assert.deepEqual(endOfLog(theirs, false, 9, OPERATOR), { log: "", lines: 0, complete: false });
  assert.equal(endOfLog(theirs + start(OWN, "mine"), true, 100, OPERATOR).log, start(OWN, "mine"));
  const running = { ...OPERATOR, isRunning: true };
  assert.equal(
    endOfLog(theirs, false, 9, running).log,
    "secret of an earlier VM\n",
    "it is not an earlier one's",
  );
  assert.equal(endOfLog(theirs + start(OWN, "mine"), true, 100, running).log, start(OWN, "mine"));
  assert.equal(endOfLog(theirs, false, 9, ADMINISTRATOR).log, "secret of an earlier VM\n");
});

Deno.test("endOfLog() shows control and direction characters as pictures, and cuts long lines", () => {
  assert.equal(endOfLog("\x1b[31mred\r\t\x7f\x9b\u202e\n", true, 1, ADMINISTRATOR).log, "␛[31mred␍\t␡␦␦\n");
  assert.equal(endOfLog("x".repeat(100_000), true, 1, ADMINISTRATOR).log.length, 16_384 + 2);
});
