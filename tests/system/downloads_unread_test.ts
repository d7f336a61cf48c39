/** Downloads of volumes whose clients never read: they take bounded memory, however large the volume is. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { principalOf } from "../../agent/access.ts";
import { setLogLevel } from "../../agent/log.ts";
import { localPrincipal } from "../../agent/testing.ts";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { linkable } from "../testbed/linked.ts";
import { testPool } from "../testbed/pool.ts";
import { requirement } from "../testbed/skip.ts";
import { delay } from "../testbed/wait.ts";
import { URI } from "../testbed/virsh.ts";

const ignore = await requirement("qemu") !== null;
setLogLevel("error");

const MIB = 1024 * 1024;
/** Downloads at once, MiB of the volume, and MiB by which memory may grow. */
const DOWNLOADS = 8, VOLUME = 200, MOST_GROWTH = 280;
/** Clients that ask, and never read. */
const CLIENTS = `
import socket, ssl, sys, time
context = ssl._create_unverified_context()
lines = [context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])))) for _ in range(${DOWNLOADS})]
for line in lines: line.sendall(sys.argv[2].encode())
time.sleep(300)
`;
const PASSWORD = "a long enough password";

Deno.test({
  name:
    "downloads_unread: eight clients that never read take memory within bounds, and one that reads gets all bytes",
  ignore,
  fn: async () => {
    await using pool = await testPool("unread");
    await using server = await linkable(URI);
    const { app, api, url, dataDir } = server;
    const grants = [{ role: "administrator" as const, on: { kind: "everything" as const } }];
    const { id: userId } = await app.dispatch(
      "create_user",
      { name: "ann", password: PASSWORD, grants },
      localPrincipal("page"),
    ) as { id: string };
    const ann = principalOf({ name: "ann", userId, door: "page", via: "session", rights: ALL_RIGHTS });
    const { token } = await app.dispatch(
      "create_token",
      { name: "t", expiresInDays: 1, password: PASSWORD, grants },
      ann,
    ) as { token: string };
    // Each MiB is another one, so that windows in another order are seen
    const content = createHash("sha256"), piece = new Uint8Array(MIB);
    crypto.getRandomValues(piece.subarray(0, 65_536));
    const path = `${pool.path}/large.raw`, file = await Deno.open(path, { write: true, createNew: true });
    for (let n = 0; n < VOLUME; n++) {
      piece[0] = n;
      // More than a window, and no multiple of one
      const part = n === VOLUME - 1 ? piece.subarray(0, 12_345) : piece;
      await file.write(part);
      content.update(part);
    }
    file.close();
    await api.refreshStoragePool({ pool: pool.name });
    const at = `/api/v1/storage/pools/${pool.name}/volumes/large.raw/content`;

    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(`${dataDir}/tls.pem`)] });
    const read = await fetch(url + at, { client, headers: { authorization: `Bearer ${token}` } });
    assert.equal(read.status, 200);
    const taken = createHash("sha256");
    for await (const bytes of read.body!) taken.update(bytes);
    assert.equal(taken.digest("hex"), content.digest("hex"));

    const before = Deno.memoryUsage().rss;
    // Another process: what a client of ours reads ahead would count as well
    const { host, port } = new URL(url);
    const head = `GET ${at} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const clients = new Deno.Command("python3", { args: ["-c", CLIENTS, port, head] }).spawn();
    await using over = new AsyncDisposableStack();
    over.defer(async () => {
      clients.kill("SIGKILL");
      await clients.status;
    });
    let most = 0;
    for (let looks = 0; looks < 40; looks++) {
      await delay(250);
      most = Math.max(most, Deno.memoryUsage().rss - before);
    }
    const running = (await api.listJobs({})).filter((job) =>
      job.command === "download_volume" && job.state === "running"
    );
    assert.equal(running.length, DOWNLOADS);
    assert.ok(most < MOST_GROWTH * MIB, `grown by ${Math.round(most / MIB)} MiB`);
  },
});
