import assert from "node:assert/strict";
import { sha512Crypt } from "./sha512_crypt.ts";
import { skippedUnless } from "../../../tests/testbed/skipped_unless.ts";

/** Drepper's own vectors whose salt is one as it stands: rounds, salt, password, hash. */
const VECTORS: readonly [number, string, string, string][] = [
  [
    5000,
    "saltstring",
    "Hello world!",
    "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  ],
  [
    10000,
    "saltstringsaltst",
    "Hello world!",
    "OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
  ],
  [
    1400,
    "anotherlongsalts",
    "a very much longer text to encrypt.  This one even stretches over morethan one line.",
    "POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
  ],
  [
    77777,
    "short",
    "we have a short salt string but not a short password",
    "WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
  ],
  [
    123456,
    "asaltof16chars..",
    "a short string",
    "BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1",
  ],
];

Deno.test("sha512Crypt() gives what its specification gives", () => {
  for (const [rounds, salt, password, hash] of VECTORS) {
    const expected = `$6$${rounds === 5000 ? "" : `rounds=${rounds}$`}${salt}$${hash}`;
    assert.equal(sha512Crypt(password, salt, rounds), expected);
  }
});

Deno.test("sha512Crypt() salts every hash again", () => {
  const hashes = [sha512Crypt("same"), sha512Crypt("same")];
  assert.notEqual(hashes[0], hashes[1]);
  for (const hash of hashes) assert.match(hash, /^\$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}$/);
});

const openssl = await new Deno.Command("openssl", { args: ["version"], stdin: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "sha512Crypt() gives what openssl gives, for passwords of every length around a digest's",
  ignore: skippedUnless(openssl, "openssl is not installed"),
  fn: async () => {
    for (const length of [1, 32, 63, 64, 65, 127, 128, 129, 250]) {
      const password = length < 64 ? "ä".repeat(length) : "x".repeat(length);
      const { stdout } = await new Deno.Command("openssl", {
        args: ["passwd", "-6", "-salt", "0123456789abcdef", "--", password],
        stdin: "null",
      }).output();
      assert.equal(sha512Crypt(password, "0123456789abcdef"), new TextDecoder().decode(stdout).trim());
    }
  },
});
