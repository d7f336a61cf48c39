import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { register } from "./manifest.ts";
import { App, type RequestHandler, staticFiles } from "../mod.ts";
import { asset, setBuildId } from "../runtime.ts";
import { get, NO_ASSETS } from "../testing.tsx";

async function serving(
  test: (handler: RequestHandler, folder: string) => Promise<void>,
  packed = true,
): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const folder = `${parent}/static`;
    await Deno.mkdir(`${folder}/sub/_fresh`, { recursive: true });
    await Deno.mkdir(`${folder}/_fresh/b1`, { recursive: true });
    await Deno.writeTextFile(`${folder}/app.css`, "body{}");
    await Deno.writeTextFile(`${folder}/_fresh/b1/boot.js`, "1");
    await Deno.writeTextFile(`${folder}/.hidden`, "no");
    await Deno.writeTextFile(`${folder}/a b,c.txt`, "named");
    await Deno.writeTextFile(`${parent}/secret.txt`, "secret");
    await Deno.symlink(`${parent}/secret.txt`, `${folder}/link.txt`);
    register({
      assets: () => Promise.resolve({ ...NO_ASSETS, folders: [`${parent}/none`, folder], packed }),
    });
    await test(
      new App<unknown>().use(staticFiles()).post("/app.css", () => new Response("post")).handler(),
      folder,
    );
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("staticFiles() serves a file with its type, its length and an entity tag", () =>
  serving(async (handler) => {
    const response = await get(handler, "/app.css");
    assert.equal(await response.text(), "body{}");
    assert.equal(response.headers.get("content-type"), "text/css; charset=utf-8");
    assert.equal(response.headers.get("content-length"), "6");
    assert.equal(response.headers.get("cache-control"), "no-cache");
    assert.match(response.headers.get("etag") ?? "", /^W\/"[0-9a-f]{32}"$/);
    assert.equal(await (await get(handler, "/a%20b,c.txt")).text(), "named");
  }));

Deno.test("staticFiles() answers HEAD without the body, and leaves other methods alone", () =>
  serving(async (handler) => {
    const head = await get(handler, "/app.css", { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "6", ""]);
    assert.equal(await (await get(handler, "/app.css", { method: "POST" })).text(), "post");
  }));

Deno.test("staticFiles() gives what the build has compressed to whoever takes gzip", () =>
  serving(async (handler, folder) => {
    const small = gzipSync("body{}");
    await Deno.writeFile(`${folder}/app.css.gz`, small);
    const asked = async (accepted?: string) => {
      const headers = accepted === undefined ? {} : { "accept-encoding": accepted };
      const response = await get(handler, "/app.css", { headers });
      const bytes = new Uint8Array(await response.arrayBuffer());
      assert.equal(response.headers.get("content-length"), String(bytes.length));
      assert.equal(response.headers.get("content-type"), "text/css; charset=utf-8");
      return [response.headers.get("content-encoding"), response.headers.get("vary"), bytes.length];
    };
    for (const accepted of ["gzip", "br, GZIP;q=0.5", "deflate,gzip", "gzip;q=1.0, *;q=0"]) {
      assert.deepEqual(await asked(accepted), ["gzip", "accept-encoding", small.length], accepted);
    }
    for (const accepted of [undefined, "", "br", "gzip;q=0", "br, gzip; q=0.000", "x-gzipped"]) {
      assert.deepEqual(await asked(accepted), [null, "accept-encoding", 6], String(accepted));
    }
    const { status, headers } = await get(handler, "/a%20b,c.txt", {
      headers: { "accept-encoding": "gzip" },
    });
    assert.deepEqual([status, headers.get("content-encoding")], [200, null]);
  }));

Deno.test("staticFiles() compresses nothing in development, where a file may be newer", () =>
  serving(async (handler, folder) => {
    await Deno.writeFile(`${folder}/app.css.gz`, gzipSync("old"));
    const { headers } = await get(handler, "/app.css", { headers: { "accept-encoding": "gzip" } });
    assert.deepEqual([headers.get("content-encoding"), headers.get("content-length")], [null, "6"]);
  }, false));

Deno.test("staticFiles() answers 304 to whoever has the file, until it changes", () =>
  serving(async (handler, folder) => {
    const tag = (await get(handler, "/app.css")).headers.get("etag") ?? "";
    const again = (value: string) => get(handler, "/app.css", { headers: { "if-none-match": value } });
    assert.equal((await again(tag)).status, 304);
    assert.equal((await again(`"x", ${tag.slice(2)}`)).status, 304);
    assert.equal((await again("*")).status, 304);
    assert.equal((await again('"x"')).status, 200);
    await Deno.writeTextFile(`${folder}/app.css`, "p{}");
    assert.equal((await again(tag)).status, 200);
  }));

Deno.test("staticFiles() lets a browser keep for ever what names its build", () =>
  serving(async (handler) => {
    const cache = async (path: string) => (await get(handler, path)).headers.get("cache-control");
    setBuildId("b1");
    assert.equal(asset("/app.css"), "/app.css?__frsh_c=b1");
    assert.equal(await cache(asset("/app.css")), "public, immutable, max-age=31536000");
    assert.equal(await cache("/app.css?__frsh_c=b0"), "no-cache");
    assert.equal(await cache("/_fresh/b1/boot.js"), "public, immutable, max-age=31536000");
  }));

Deno.test("staticFiles() gives nothing from outside its folder, and no hidden file", () =>
  serving(async (handler) => {
    const paths = [
      ...["/", "/sub", "/sub/", "/.hidden", "/%2ehidden", "/link.txt", "/none.css", "/app.css/x"],
      "/../secret.txt",
      "/..%2fsecret.txt",
      "/%2e%2e/secret.txt",
      "/%2e%2e%2fsecret.txt",
      "/sub/..%2f..%2fsecret.txt",
      "/app.css%00",
      "/%00",
      "/..%5csecret.txt",
      "/%ff",
      "/%2fetc%2fpasswd",
      "//etc/passwd",
      "/" + "a".repeat(300),
    ];
    for (const path of paths) assert.equal((await get(handler, path)).status, 404, path);
  }));

Deno.test("asset() leaves other sites' addresses and what has a build alone", () => {
  setBuildId("b1");
  assert.equal(asset("/a?x=1#y"), "/a?x=1&__frsh_c=b1#y");
  assert.equal(asset("//host/a"), "//host/a");
  assert.equal(asset("https://host/a"), "https://host/a");
  assert.equal(asset("/a?__frsh_c=b0"), "/a?__frsh_c=b0");
});
