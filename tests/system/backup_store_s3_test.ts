/** Backups in an S3 bucket, against a real service that checks signatures; and what is said when it fails or lies. */
import assert from "node:assert/strict";
import { S3Store } from "../../agent/backups/store/s3.ts";
import { type Clock, SYSTEM_CLOCK } from "../../agent/clock.ts";
import { checkStore, refuses } from "../testbed/backup_store.ts";
import { S3_KEY, S3_SECRET, type S3Server, s3Server } from "../testbed/s3_server.ts";

const PAUSES = [5, 5, 5];

function storeAt(
  { endpoint, bucket }: Pick<S3Server, "endpoint" | "bucket">,
  place: object = {},
  options: object = {},
): S3Store {
  return new S3Store({
    endpoint,
    bucket,
    region: "us-east-1",
    prefix: "host/a",
    accessKey: S3_KEY,
    secretKey: S3_SECRET,
    pathStyle: true,
    ca: undefined,
    privateAddresses: true,
    ...place,
  }, { owner: "me", clock: SYSTEM_CLOCK, pauses: PAUSES, ...options });
}
const bytes = (text: string) => new Uint8Array(new TextEncoder().encode(text));

Deno.test("a bucket keeps what a store has to keep", async (t) => {
  await using server = await s3Server();
  await checkStore(t, storeAt(server), storeAt(server, {}, { owner: "another" }));
});

Deno.test("other objects in the bucket are not seen, and a list of many pages is read to its end", async () => {
  await using server = await s3Server();
  const store = storeAt(server);
  await storeAt(server, { prefix: "host/ab" }).write("chunks/ab/other", bytes("x"));
  await storeAt(server, { prefix: "" }).write("chunks/ab/other", bytes("x"));
  assert.deepEqual(await Array.fromAsync(store.list("chunks")), []);
  await store.open(); // asks for no list that goes on
  server.fail(({ url = "" }, response) => {
    const page = Number(/continuation-token=(\d)/.exec(url)?.[1] ?? 0), isLast = page === 3;
    const object = `<Contents><Key>host/a/chunks/ab/n${page}</Key><Size>1</Size></Contents>`;
    const more = `<IsTruncated>${!isLast}</IsTruncated>${
      isLast ? "" : `<NextContinuationToken>${page + 1}</NextContinuationToken>`
    }`;
    response.writeHead(200).end(`<ListBucketResult>${object}${more}</ListBucketResult>`);
    return true;
  });
  const names = (await Array.fromAsync(store.list("chunks"))).map(({ name }) => name);
  assert.deepEqual(names, [0, 1, 2, 3].map((page) => `chunks/ab/n${page}`));
});

Deno.test("what is wrong with the bucket, the key or the address is said, and nothing secret is", async () => {
  await using server = await s3Server();
  await refuses(storeAt(server, { secretKey: "wrong" }).open(), /the secret key is wrong/);
  await refuses(
    storeAt(server, { accessKey: "nobody" }).open(),
    /does not know the access key|may not do that/,
  );
  await refuses(storeAt(server, { bucket: "gone" }).open(), /there is no such bucket/);
  await refuses(storeAt(server, { privateAddresses: false }).open(), /loopback.*Allow private addresses/);
  const clock: Clock = {
    now: () => Date.now() - 3600_000,
    monotonic: () => SYSTEM_CLOCK.monotonic(),
    boot: () => SYSTEM_CLOCK.boot(),
    after: (ms, run) => SYSTEM_CLOCK.after(ms, run),
  };
  await refuses(storeAt(server, {}, { clock }).open(), /its clock and this host's differ/);
  const resolve = () => Promise.resolve(["169.254.169.254"]);
  await refuses(
    storeAt({ ...server, endpoint: "http://metadata.test" }, {}, { resolve }).open(),
    /169.254.169.254 is a link-local address/,
  );
});

Deno.test("a service that is busy or breaks off is asked again; in the end it is said", async () => {
  await using server = await s3Server();
  const store = storeAt(server);
  let left = 2;
  server.fail((_request, response) => {
    if (left-- <= 0) return false;
    response.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
    return true;
  });
  await store.write("chunks/ab/ab", bytes("content"));
  left = 2;
  server.fail((_request, response) => {
    if (left-- <= 0) return false;
    response.destroy();
    return true;
  });
  assert.deepEqual(await store.read("chunks/ab/ab", 100), bytes("content"));
  server.fail((_request, response) => {
    response.writeHead(500).end("<Error><Code>InternalError</Code></Error>");
    return true;
  });
  await refuses(store.write("chunks/ab/ac", bytes("x")), /HTTP 500 InternalError/);
  server.fail((_request, response) => {
    response.writeHead(200, { "content-length": "100" }).write("part");
    response.destroy();
    return true;
  });
  await refuses(store.read("chunks/ab/ab", 100), /broke off|hang up/);
  server.fail((_request, response) => {
    response.writeHead(507).end();
    return true;
  });
  await refuses(store.write("chunks/ab/ac", bytes("x")), /it is full/);
  server.fail(undefined);
  await store.write("chunks/ab/ac", bytes("x"));
});

Deno.test("a service that lies leads nowhere: redirects, names with dots, lists without end, content without end", async () => {
  await using server = await s3Server();
  await using elsewhere = await s3Server();
  const store = storeAt(server);
  server.fail((request, response) => {
    response.writeHead(307, { location: `${elsewhere.endpoint}${request.url}` }).end();
    return true;
  });
  await refuses(store.open(), /answers with a redirect/);
  await refuses(store.write("chunks/ab/ab", bytes("x")), /answers with a redirect/);
  assert.deepEqual(elsewhere.seen, [], "no request was sent there, and no signature either");
  const listing = (more: string, ...keys: string[]) =>
    `<?xml version="1.0"?><ListBucketResult>${
      keys.map((key) => `<Contents><Key>${key}</Key><Size>5</Size></Contents>`).join("")
    }${more}</ListBucketResult>`;
  const answers = (text: string) =>
    server.fail((_request, response) => {
      response.writeHead(200).end(text);
      return true;
    });
  answers(listing(
    "",
    ...["host/a/chunks/../../etc/passwd", "host/a/chunks/ab/../ab", "/etc/passwd", "host/a/copies/x"],
    ...["host/a/chunks/.hidden", "host/a/chunks/ab/ok", `host/a/chunks/${"a".repeat(300)}`],
  ));
  assert.deepEqual(await Array.fromAsync(store.list("chunks")), [{ name: "chunks/ab/ok", bytes: 5 }]);
  answers(listing("<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>"));
  await refuses(Array.fromAsync(store.list("chunks")), /list of objects does not end/);
  answers('<!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult/>');
  await refuses(Array.fromAsync(store.list("chunks")), /cannot be read/);
  let sent = 0;
  server.fail((_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write(new Uint8Array(65_536))) sent += 65_536;
    };
    response.on("drain", more).on("error", () => {/* who reads has enough */});
    more();
    return true;
  });
  await assert.rejects(store.read("chunks/ab/ab", 1024 ** 2), /too large/);
  assert.ok(sent < 64 * 1024 ** 2, String(sent));
});

Deno.test("a lock that a killed process of the same target has left counts for nothing; another's until its time", async () => {
  await using server = await s3Server();
  const lock = (owner: string, until: number) =>
    storeAt(server).write(
      `locks/write-${crypto.randomUUID()}`,
      bytes(JSON.stringify({ owner, alone: true, until })),
    );
  const take = async (owner: string) => {
    const taken = await storeAt(server, {}, { owner }).lock("write", true);
    await taken?.release();
    return taken !== undefined;
  };
  await lock("me", Date.now() + 600_000);
  assert.equal(await take("another"), false);
  assert.equal(await take("me"), true);
  await lock("another", Date.now() - 3600_000);
  assert.equal(await take("me"), true);
  await lock("another", Date.now() + 1e12);
  assert.equal(await take("me"), true, "no owner keeps others out for ever");
  await storeAt(server).write(`locks/write-${crypto.randomUUID()}`, bytes("no JSON"));
  assert.equal(await take("me"), true);
  await lock("another", Date.now() - 10 * 60_000);
  assert.equal(await take("me"), false, "its clock may be behind");
});
