/** Real listeners on addresses of the loopback net: what is reached, and what never is. */
import assert from "node:assert/strict";
import { Mirror } from "../../tests/testbed/mirror.ts";
import { HostRefused, TooManyRedirects, UrlRefused } from "./errors.ts";
import { ask, checkedUrl, shownUrl } from "./fetch.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const only = (...hosts: string[]) => ({ internet: false, hosts, privateNames: true });

async function text(asked: Parameters<typeof ask>[0]): Promise<string> {
  await using answer = await ask(asked);
  let all = "";
  for await (const piece of answer.content()) all += new TextDecoder().decode(piece);
  return all;
}

Deno.test("ask() connects to the address it has judged, whatever the name says next (threat 17, rebinding)", async () => {
  await using good = new Mirror("127.0.0.2");
  await using canary = new Mirror("127.0.0.3", { port: good.port });
  good.serve("/x", { body: bytes("good") });
  canary.serve("/x", { body: bytes("secret") });
  const answers = [["127.0.0.2"], ["127.0.0.3"]];
  let asked = 0;
  const resolve = () => Promise.resolve(answers[asked++] ?? []);
  const url = `http://rebind.test:${good.port}/x`;
  const rules = only("127.0.0.2");
  assert.equal(await text({ url, rules, resolve }), "good");
  assert.equal(asked, 1, "a name is resolved once a hop");
  assert.equal(good.requests[0]!.host, `rebind.test:${good.port}`);
  await assert.rejects(text({ url, rules, resolve }), HostRefused);
  // One bad address among good ones is enough to say no.
  const mixed = () => Promise.resolve(["127.0.0.2", "127.0.0.3"]);
  await assert.rejects(text({ url, rules, resolve: mixed }), HostRefused);
  assert.deepEqual(canary.requests, []);
});

Deno.test("ask() judges every redirect as it did the first address", async () => {
  await using good = new Mirror("127.0.0.2");
  await using canary = new Mirror("127.0.0.3");
  canary.serve("/secret", { body: bytes("secret") });
  good.serve("/ok", { body: bytes("ok") });
  good.serve("/to-ok", { redirect: "/ok" });
  good.serve("/to-canary", { redirect: `${canary.url}/secret` });
  good.serve("/to-mapped", { redirect: `http://[::ffff:127.0.0.3]:${canary.port}/secret` });
  good.serve("/to-number", { redirect: `http://2130706435:${canary.port}/secret` });
  good.serve("/to-file", { redirect: "file:///etc/shadow" });
  good.serve("/to-login", { redirect: good.url.replace("//", "//user:word@") });
  good.serve("/loop", { redirect: "/loop" });
  const from = (path: string) => text({ url: `${good.url}${path}`, rules: only("127.0.0.2") });
  assert.equal(await from("/to-ok"), "ok");
  for (const path of ["/to-canary", "/to-mapped", "/to-number"]) {
    await assert.rejects(from(path), HostRefused, path);
  }
  await assert.rejects(from("/to-file"), UrlRefused);
  await assert.rejects(from("/to-login"), UrlRefused);
  await assert.rejects(from("/loop"), TooManyRedirects);
  assert.equal(good.asked("/loop").length, 6);
  assert.deepEqual(canary.requests, []);
});

Deno.test("ask() reaches IPv6 addresses, and tries the next address where one does not answer", async () => {
  await using six = new Mirror("::1");
  six.serve("/x", { body: bytes("six") });
  assert.equal(await text({ url: `${six.url}/x`, rules: only("::1") }), "six");
  assert.equal(six.requests[0]!.host, `[::1]:${six.port}`);
  // The first of the two has no listener.
  const resolve = () => Promise.resolve(["127.0.0.9", "::1"]);
  const url = `http://both.test:${six.port}/x`;
  assert.equal(await text({ url, rules: only("127.0.0.9", "::1"), resolve }), "six");
});

Deno.test("ask() reaches nothing on this host by a name, whatever it leads to (threat 17)", async () => {
  await using canary = new Mirror("127.0.0.3");
  canary.serve("/x", { body: bytes("secret") });
  const url = `http://mirror.test:${canary.port}/x`;
  const resolve = () => Promise.resolve(["127.0.0.3"]);
  for (const rules of [only("mirror.test"), only("*.test"), { ...only("mirror.test"), internet: true }]) {
    await assert.rejects(text({ url, rules, resolve }), HostRefused);
  }
  await assert.rejects(
    text({ url: `http://localhost:${canary.port}/x`, rules: only("localhost") }),
    HostRefused,
  );
  assert.deepEqual(canary.requests, []);
});

Deno.test("checkedUrl() takes http and https without a login", () => {
  for (const url of ["ftp://x/y", "file:///etc/shadow", "x", "http://u@x/y", "https://u:p@x/y", "data:,x"]) {
    assert.throws(() => checkedUrl(url), UrlRefused, url);
  }
  assert.equal(checkedUrl("http://0x7f.1/a b").href, "http://127.0.0.1/a%20b");
  assert.throws(() => checkedUrl("http://user:word@x/y"), { url: "http://x/y" });
  assert.equal(shownUrl("https://host/a.img?token=secret#x"), "https://host/a.img");
});
