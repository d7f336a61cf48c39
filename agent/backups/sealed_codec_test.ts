import assert from "node:assert/strict";
import fc from "fast-check";
import { ManifestError } from "../../lib/backup/manifest.ts";
import { readDescription } from "../../lib/backup/description.ts";
import { chunkName } from "./digest.ts";
import { WrongPassphrase } from "../sealing/passphrase.ts";
import { newEncryption, openDataKey, sealedCodec } from "./sealed_codec.ts";

const ID = "00000000-0000-4000-8000-000000000001", KEY = "0f".repeat(32);
const CHEAP = { logN: 14, r: 1, p: 1 } as const;
const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => new Uint8Array(each));
const place = fc.constantFrom("chunks/ab/abcd", "copies/ID/manifest.json", "copies/ID2/manifest.json");
const text = (value: string) => new Uint8Array(new TextEncoder().encode(value));

Deno.test("what was sealed is read again at its place, and nowhere else", async () => {
  const codec = sealedCodec(ID, KEY);
  await fc.assert(fc.asyncProperty(bytes, place, place, async (content, at, other) => {
    const sealed = await codec.seal(at, content);
    assert.equal(sealed.length, content.length + codec.overhead);
    assert.deepEqual(await codec.unseal(at, sealed), content);
    if (other !== at) await assert.rejects(codec.unseal(other, sealed), ManifestError);
  }));
});

Deno.test("whatever bit is changed, what is cut off or added, it is told, and the place is named", async () => {
  const codec = sealedCodec(ID, KEY);
  await fc.assert(fc.asyncProperty(bytes, fc.nat(), fc.nat(7), async (content, at, bit) => {
    const sealed = await codec.seal("chunks/ab/abcd", content), changed = sealed.slice();
    changed[at % changed.length]! ^= 1 << bit;
    for (const wrong of [changed, sealed.slice(0, at % sealed.length), new Uint8Array([...sealed, 0])]) {
      await assert.rejects(codec.unseal("chunks/ab/abcd", wrong), /chunks\/ab\/abcd is damaged, was changed/);
    }
  }));
});

Deno.test("the same content is sealed another way each time, by other keys not readable, and nothing of it is seen", async () => {
  const codec = sealedCodec(ID, KEY), content = text("known plaintext ".repeat(10));
  const one = await codec.seal("x", content), two = await codec.seal("x", content);
  assert.notDeepEqual(one, two);
  assert.ok(!one.toHex().includes(text("known").toHex()));
  for (const [id, key] of [[ID, "0e".repeat(32)], [ID.replace(/1$/, "2"), KEY]] as const) {
    await assert.rejects(sealedCodec(id, key).unseal("x", one), ManifestError);
  }
});

Deno.test("chunks have the same name for the same content in one store, and another one in each store", async () => {
  const content = text("content"), codec = sealedCodec(ID, KEY);
  const name = chunkName(content, codec.nameKey);
  assert.match(name, /^[0-9a-f]{64}$/);
  assert.equal(chunkName(text("content"), sealedCodec(ID, KEY).nameKey), name);
  assert.notEqual(chunkName(content, sealedCodec(ID, "0e".repeat(32)).nameKey), name);
  assert.notEqual(name, new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex());
  assert.notEqual(codec.fileName("a", "vda.chunks"), codec.fileName("b", "vda.chunks"));
});

// Computed by Python's hashlib and cryptography, not by this code.
Deno.test("vectors: names and content of a known key stay what they were, so that older stores are read", async () => {
  const codec = sealedCodec(ID, KEY), content = text("kvm");
  assert.equal(
    chunkName(content, codec.nameKey),
    "6216aaeaad6346ce03d097891bd6f8276c6056763ef9c19fbcc3a5b2fab43bda",
  );
  assert.equal(codec.fileName("20260101-000000-00000000", "domain.xml"), "1cd0ede7a36b67e72dc9e40ad5c1ef72");
  const sealed = "01000102030405060708090a0b78ca391e2c453236ee4d050cd0bb149eee6942";
  assert.deepEqual(await codec.unseal("copies/x/y", Uint8Array.fromHex(sealed)), content);
});

Deno.test("the passphrase opens the data key, however its letters are composed; another one does not", async () => {
  const { description, dataKey } = await newEncryption("caf\u00e9 au lait", CHEAP);
  const read = readDescription(JSON.stringify(description));
  assert.ok(read.encryption !== undefined);
  const closed = { ...read, encryption: read.encryption };
  assert.equal(await openDataKey(closed, "cafe\u0301 au lait"), dataKey);
  await assert.rejects(openDataKey(closed, "cafe au lait"), WrongPassphrase);
  assert.ok(!JSON.stringify(description).includes(dataKey));
  const weaker = { ...closed, encryption: { ...closed.encryption, logN: 15 } };
  await assert.rejects(openDataKey(weaker, "caf\u00e9 au lait"), WrongPassphrase);
  await assert.rejects(openDataKey({ ...closed, id: ID }, "caf\u00e9 au lait"), WrongPassphrase);
});

Deno.test("vector: scrypt as RFC 7914 has it opens a data key that was closed before", async () => {
  const description = readDescription(
    '{"format":"kvm-manager-backup-folder","version":2,"id":"00000000-0000-4000-8000-000000000001","encryption":{"cipher":"aes-256-gcm","kdf":"scrypt","logN":14,"r":1,"p":1,"salt":"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a","key":"000102030405060708090a0bf7c8c1f156f7ad176792ed7e4f1dec6bc69cb2acf9c152bb401a1e96d343a213f7d045a373135c085f5dac92fd25e738"}}',
  );
  assert.ok(description.encryption !== undefined);
  assert.equal(await openDataKey({ ...description, encryption: description.encryption }, "pass phrase"), KEY);
});

Deno.test("a description that lies is refused: costs that fill the memory, half an encryption, none where one is told", () => {
  const of = (change: object, version = 2) => {
    const encryption = {
      cipher: "aes-256-gcm",
      kdf: "scrypt",
      logN: 17,
      r: 8,
      p: 1,
      salt: "0".repeat(64),
      key: "0".repeat(120),
      ...change,
    };
    return JSON.stringify({ format: "kvm-manager-backup-folder", version, id: ID, encryption });
  };
  assert.equal(readDescription(of({})).version, 2);
  for (
    const change of [{ logN: 40 }, { logN: 1 }, { r: 1000 }, { p: 99 }, { key: "0" }, { cipher: "none" }]
  ) {
    assert.throws(() => readDescription(of(change)), /damaged/, JSON.stringify(change));
  }
  assert.throws(() => readDescription(of({}, 1)), /damaged/);
  assert.throws(
    () => readDescription(`{"format":"kvm-manager-backup-folder","version":2,"id":"${ID}"}`),
    /damaged/,
  );
  assert.throws(() => readDescription(of({}, 3)), /newer/);
});

Deno.test("a passphrase of several lines is the same however its file ends, also for what earlier versions made", async () => {
  const files = [
    "key line one\nkey line two",
    "key line one\nkey line two\n",
    "key line one\r\nkey line two\r\n",
  ];
  for (const made of files) {
    const { description, dataKey } = await newEncryption(made, CHEAP);
    const closed = { ...description, encryption: description.encryption! };
    for (const file of files) assert.equal(await openDataKey(closed, file), dataKey);
    await assert.rejects(openDataKey(closed, "key line one\nkey line three\n"), WrongPassphrase);
  }
  // Made by 0.1.0 with the new line of the file as a part of it.
  const old = {
    "format": "kvm-manager-backup-folder",
    "version": 2,
    "id": "efdf9fbb-94a3-433e-99e8-675036e594a0",
    "encryption": {
      "cipher": "aes-256-gcm",
      "kdf": "scrypt",
      "logN": 14,
      "r": 1,
      "p": 1,
      "salt": "12218498af71549e7a600ffb961335327b4db4a79b17809081af7157c4950d4a",
      "key":
        "f05e0bc7e2952ca2e86c17e13bbdb398a13759c5c1315f4e9f1f0192ef2392e79997792a7d6cc878d77ebd6281bced75f5a57dbd2d0b6b4a59132682",
    },
  } as const;
  for (const file of files) {
    assert.equal(
      await openDataKey(old, file),
      "7fdc1ac67582c3d7df5b09cdcce9e09e8a93949df015f6bca7212475d78ccfb4",
    );
  }
});
