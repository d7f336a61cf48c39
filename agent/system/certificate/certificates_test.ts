import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { setLogLevel } from "../../log.ts";
import { Certificates, OWN_FILE } from "./certificates.ts";
import { makePair } from "./make.ts";
import { PairError, readPair, validityProblem } from "./pair.ts";

setLogLevel("error"); // what serves is told, and changes often here
const DAY = 24 * 3600_000;
const NAMES = ["host.example", "localhost", "127.0.0.1", "fd00::2"];

async function withFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o777;

Deno.test("makePair() makes a certificate that browsers take, but for its issuer", () => {
  const now = Date.now();
  const { cert, key } = makePair(NAMES, now);
  const certificate = new X509Certificate(cert);
  for (const name of ["host.example", "localhost"]) assert.equal(certificate.checkHost(name), name);
  for (const ip of ["127.0.0.1", "fd00::2"]) assert.ok(certificate.checkIP(ip), ip);
  assert.equal(certificate.checkHost("evil.example"), undefined);
  assert.ok(certificate.verify(certificate.publicKey), "signed by itself");
  assert.ok(!certificate.ca, "it issues nothing");
  const { facts } = readPair(cert, key);
  assert.deepEqual([facts.keyType, facts.selfSigned], ["ECDSA P-256", true]);
  assert.deepEqual(facts.names, ["host.example", "localhost", "127.0.0.1", "fd00::2"]);
  assert.ok(facts.notAfter - facts.notBefore <= 398 * DAY && facts.notAfter > now + 390 * DAY);
  assert.ok(facts.notBefore < now - DAY / 2, "clocks differ");
  assert.notEqual(new X509Certificate(makePair(NAMES, now).cert).serialNumber, certificate.serialNumber);
});

Deno.test("readPair() says why a pair cannot serve", () => {
  const [a, b] = [makePair(NAMES, Date.now()), makePair(NAMES, Date.now())];
  const wrong = (cert: string, key: string, text: RegExp) =>
    assert.throws(
      () => readPair(cert, key),
      (error) => error instanceof PairError && text.test(error.message),
    );
  wrong(a.cert, b.key, /do not belong together/);
  wrong("", a.key, /no certificate in PEM/);
  wrong(a.key, a.key, /no certificate in PEM/);
  wrong(a.cert, a.cert, /no private key in PEM/);
  wrong(a.cert.replace(/.{30}\n-----END/, "\n-----END"), a.key, /certificate cannot be read/);
  wrong(`${a.cert}${a.cert.replace(/.{30}\n-----END/, "\n-----END")}`, a.key, /certificate cannot be read/);
  wrong(a.cert, a.key.replace(/\n.{10}/, "\n"), /key cannot be read/);
  wrong(a.cert, a.key.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), /protected by a password/);
  const both = readPair(`junk\n${a.key}${a.cert}`, `${a.cert}\njunk ${a.key}`);
  assert.ok(
    !both.cert.includes("PRIVATE") && !both.key.includes("CERTIFICATE"),
    "each from a file with both",
  );
});

Deno.test("validityProblem() tells an ended certificate and one that has not begun", () => {
  const pair = readPair(...Object.values(makePair(NAMES, Date.now())) as [string, string]);
  assert.equal(validityProblem(pair, Date.now()), undefined);
  assert.match(validityProblem(pair, Date.now() + 400 * DAY)!, /ended on \d{4}-/);
  assert.match(validityProblem(pair, Date.now() - 2 * DAY)!, /begins on \d{4}-/);
});

Deno.test("Certificates.open() makes one at the first start, keeps it, and makes it again before its end", async () => {
  await withFolder(async (dataDir) => {
    let now = Date.now();
    const open = () => Certificates.open({ dataDir: `${dataDir}/data`, names: () => NAMES, now: () => now });
    const first = await open();
    assert.deepEqual([first.about.origin, first.about.problem, first.about.daysLeft], ["made", null, 395]);
    assert.equal(await mode(`${dataDir}/data/${OWN_FILE}`), 0o600);
    assert.equal((await open()).about.fingerprint, first.about.fingerprint, "kept over a restart");
    const told: string[] = [];
    first.onChange(({ facts }) => told.push(facts.fingerprint));
    now += 300 * DAY;
    await first.check();
    assert.deepEqual(told, []);
    now += 70 * DAY;
    await first.check();
    assert.equal(told.length, 1);
    assert.equal(told[0], first.about.fingerprint);
    assert.equal(first.about.daysLeft, 395);
    await first.check();
    assert.equal(told.length, 1, "once");
    assert.deepEqual((await Array.fromAsync(Deno.readDir(`${dataDir}/data`))).map(({ name }) => name), [
      OWN_FILE,
    ]);
  });
});

Deno.test("Certificates.check() takes changed files, and keeps what serves when they cannot", async () => {
  await withFolder(async (folder) => {
    const files = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
    let written = 0;
    const write = async ({ cert, key }: { cert: string; key: string }) => {
      await Deno.writeTextFile(files.cert, cert);
      await Deno.writeTextFile(files.key, key);
      // Within one tick of the kernel's clock, another file of the same size would look like the one before.
      const at = new Date(Date.UTC(2026, 0, 1) + 1000 * written++);
      for (const path of Object.values(files)) await Deno.utime(path, at, at);
    };
    const opening = () => Certificates.open({ files, dataDir: folder, names: () => NAMES });
    await assert.rejects(opening(), /cert\.pem cannot be read/);
    const [a, b] = [makePair(NAMES, Date.now()), makePair(NAMES, Date.now())];
    await write({ cert: a.cert, key: b.key });
    await assert.rejects(opening(), /cert\.pem, .*key\.pem: .*do not belong together/);
    await write(a);
    const certificates = await opening();
    const was = certificates.about.fingerprint;
    assert.equal(certificates.about.origin, "files");
    await certificates.check();
    assert.equal(certificates.about.problem, null);

    const bad: [Parameters<typeof write>[0], RegExp][] = [
      [{ cert: a.cert, key: b.key }, /do not belong together/],
      [{ cert: "nothing", key: a.key }, /no certificate/],
      [makePair(NAMES, Date.now() - 500 * DAY), /ended on/],
      [makePair(NAMES, Date.now() + 5 * DAY), /begins on/],
    ];
    for (const [pair, text] of bad) {
      await write(pair);
      await certificates.check();
      assert.match(certificates.about.problem ?? "", text);
      assert.equal(certificates.about.fingerprint, was, "the old one stays");
    }
    await Deno.remove(files.key);
    await certificates.check();
    assert.match(certificates.about.problem ?? "", /key\.pem cannot be read/);
    await write(b);
    await certificates.check();
    assert.equal(certificates.about.problem, null);
    assert.notEqual(certificates.about.fingerprint, was);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).length, 2, "nothing of our own was made");
  });
});
