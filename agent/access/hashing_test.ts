import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { Buffer } from "node:buffer";
import { HASH_COST, PasswordHashes } from "./hashing.ts";

const PASSWORD = "correct horse battery";

Deno.test("PasswordHashes cost what OWASP asks of scrypt, unless somebody says otherwise", async () => {
  const hashes = new PasswordHashes();
  assert.ok(HASH_COST.N * HASH_COST.r * 128 >= 128 << 20, "memory of a guess");
  const hash = await hashes.hash(PASSWORD);
  const [kind, N, r, p, salt = "", key] = hash.split("$");
  assert.deepEqual([kind, Number(N), Number(r), Number(p)], [
    "scrypt",
    HASH_COST.N,
    HASH_COST.r,
    HASH_COST.p,
  ]);
  const derived = scryptSync(PASSWORD, Buffer.from(salt, "base64url"), 32, {
    ...HASH_COST,
    maxmem: 512 << 20,
  });
  assert.equal(key, derived.toString("base64url"));
  assert.ok(await hashes.isPassword(PASSWORD, hash));
});

Deno.test("PasswordHashes.isPassword() takes hashes of another cost, and no other password", async () => {
  const cheap = new PasswordHashes({ N: 2 ** 4, r: 8, p: 1 }),
    other = new PasswordHashes({ N: 2 ** 6, r: 4, p: 2 });
  const hash = await cheap.hash(PASSWORD);
  assert.notEqual(hash, await cheap.hash(PASSWORD), "each has a salt of its own");
  assert.ok(await other.isPassword(PASSWORD, hash));
  assert.ok(!await other.isPassword(`${PASSWORD}x`, hash));
  assert.ok(!await cheap.isPassword(PASSWORD, hash.slice(0, -4)));
  await assert.rejects(cheap.isPassword(PASSWORD, "md5$1$1$1$AA$AA"), /unknown kind of password hash: md5/);
});

Deno.test("PasswordHashes.isPassword() derives a key for an unknown user, too, at the same cost", async () => {
  assert.ok(!await new PasswordHashes({ N: 2 ** 4, r: 8, p: 1 }).isPassword(PASSWORD, undefined));
  // scrypt refuses such a cost: so it was asked, with the cost of real hashes
  await assert.rejects(new PasswordHashes({ N: 3, r: 8, p: 1 }).isPassword(PASSWORD, undefined), /scrypt/i);
});
