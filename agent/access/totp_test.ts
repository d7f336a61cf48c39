import assert from "node:assert/strict";
import fc from "fast-check";
import {
  base32,
  checkCode,
  codeAt,
  fromBase32,
  newRecoveryCodes,
  newTotpSecret,
  plainRecoveryCode,
  stepOf,
} from "./totp.ts";

/** RFC 6238, appendix B: SHA-1, the last six of its eight digits. */
const SECRET = base32(new TextEncoder().encode("12345678901234567890"));
const VECTORS: [seconds: number, code: string][] = [
  [59, "287082"],
  [1111111109, "081804"],
  [1111111111, "050471"],
  [1234567890, "005924"],
  [2000000000, "279037"],
  [20000000000, "353130"],
];

Deno.test("codeAt() is RFC 6238's", () => {
  assert.equal(SECRET, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  for (const [seconds, code] of VECTORS) assert.equal(codeAt(SECRET, stepOf(seconds * 1000)), code);
});

Deno.test("checkCode() takes the step before, the current and the next, each once (threat 10)", () => {
  const wall = 1_700_000_000_000, now = stepOf(wall);
  for (const drift of [-1, 0, 1]) {
    const code = codeAt(SECRET, now + drift);
    assert.equal(checkCode(SECRET, code, wall, -1), now + drift);
    assert.equal(checkCode(SECRET, `${code.slice(0, 3)} ${code.slice(3)}`, wall, -1), now + drift);
    assert.equal(checkCode(SECRET, code, wall, now + drift), null, "a code that was used");
  }
  for (const drift of [-2, 2]) assert.equal(checkCode(SECRET, codeAt(SECRET, now + drift), wall, -1), null);
  for (const code of ["", "12345", "1234567", "abcdef", "12345６"]) {
    assert.equal(checkCode(SECRET, code, wall, -1), null, code);
  }
});

Deno.test("base32() is read back by fromBase32(), whatever the bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    assert.deepEqual(fromBase32(base32(bytes)), bytes);
  }));
  assert.throws(() => fromBase32("a!"));
  assert.match(newTotpSecret(), /^[A-Z2-7]{32}$/);
});

Deno.test("newRecoveryCodes() are ten different ones, compared however they are typed", () => {
  const codes = newRecoveryCodes();
  assert.equal(new Set(codes).size, 10);
  for (const code of codes) {
    assert.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
    assert.equal(plainRecoveryCode(` ${code.toUpperCase().replaceAll("-", " ")} `), code.replaceAll("-", ""));
  }
});
