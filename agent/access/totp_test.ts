import assert from "node:assert/strict";
import {
  checkCode,
  codeAt,
  newRecoveryCodes,
  newTotpSecret,
  otpauthUri,
  plainRecoveryCode,
  stepOf,
} from "./totp.ts";

/** RFC 6238, appendix B: SHA-1, the last six of its eight digits. The secret is "12345678901234567890". */
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const VECTORS: [seconds: number, code: string][] = [
  [59, "287082"],
  [1111111109, "081804"],
  [1111111111, "050471"],
  [1234567890, "005924"],
  [2000000000, "279037"],
  [20000000000, "353130"],
];

Deno.test("codeAt() is RFC 6238's", () => {
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

Deno.test("newTotpSecret() is 160 bits of base32, which otpauthUri() hands to an app with whose it is", () => {
  const secret = newTotpSecret();
  assert.match(secret, /^[A-Z2-7]{32}$/);
  assert.notEqual(newTotpSecret(), secret);
  const { protocol, host, pathname, searchParams } = new URL(otpauthUri(secret, "ann b:c", "host.example"));
  assert.deepEqual([protocol, host], ["otpauth:", "totp"]);
  assert.equal(decodeURIComponent(pathname.slice(1)), "KVM Manager:ann b:c@host.example");
  assert.deepEqual(Object.fromEntries(searchParams), {
    issuer: "KVM Manager",
    secret,
    algorithm: "SHA1",
    digits: "6",
    period: "30",
  });
});

Deno.test("newRecoveryCodes() are ten different ones, compared however they are typed", () => {
  const codes = newRecoveryCodes();
  assert.equal(new Set(codes).size, 10);
  for (const code of codes) {
    assert.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
    assert.equal(plainRecoveryCode(` ${code.toUpperCase().replaceAll("-", " ")} `), code.replaceAll("-", ""));
  }
});
