/** A linked host whose certificate has expired: the link goes on, the list, its page and the shell say so, and a renewal needs no person. */
import assert from "node:assert/strict";
import { makePair } from "../../agent/system/certificate/make.ts";
import { DAY_MS } from "../../lib/duration.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { fakeClock } from "../testbed/fake_clock.ts";
import { testFolder } from "../testbed/folder.ts";
import { call } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { servedFingerprint, startTlsServer } from "../testbed/tls.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("faketime") !== null;

/** libvirt's test driver with one VM of its own. */
const NODE = (uuid: string) =>
  `<node><domain type="test"><name>far</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>` +
  `<os><type>hvm</type></os></domain></node>`;

const rowOf = async (server: TestServer) => (await call(server, "list_hosts")).find(({ id }) => id === "far");
const pageOf = async (server: TestServer, path: string) => await (await fetch(server.url + path)).text();

Deno.test("linked_certificate: a certificate from files that has expired, and its renewal", async (t) => {
  const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
  await using folder = await testFolder();
  const vmId = crypto.randomUUID(), cert = `${folder.path}/cert.pem`, key = `${folder.path}/key.pem`;
  await Deno.writeTextFile(`${folder.path}/node.xml`, NODE(vmId));
  /** @param days from now until the end */
  const put = async (days: number) => {
    const pair = makePair(["127.0.0.1"], Date.now() + (days - 396) * DAY_MS);
    await Deno.writeTextFile(key, pair.key);
    await Deno.writeTextFile(cert, pair.cert);
  };
  await put(-3);
  await using far = await startTlsServer({
    uri: `test://${folder.path}/node.xml`,
    args: ["--tls-cert", cert, "--tls-key", key],
  });
  await using near = await startServer({ uri: "test:///default", logLevel: "info" });

  await step("it joins and acts, as its key has signed the certificate", async () => {
    const { invitation } = await call(far.server, "invite_host", { address: far.url });
    const joined = await call(near, "join_host", { name: "far", invitation });
    assert.deepEqual([joined.status, joined.error], ["connected", null]);
    await call(near, "pause_vm", { vmId });
    assert.equal((await call(far.server, "get_vm", { vmId })).state, "paused");
  });
  await step(
    "the list, the pages, the shell and the log say that it has expired, and what to do",
    async () => {
      const { linked } = (await rowOf(near))!;
      assert.ok(Math.abs(linked!.certificateEndsAt! - (Date.now() - 3 * DAY_MS)) < DAY_MS / 24);
      for (const path of ["/settings/hosts", "/"]) {
        assert.match(
          await pageOf(near, path),
          /data-certificate[^<]*>Its certificate expired on [^<]+: replace the certificate on that host</,
          path,
        );
      }
      const cli = new CommandLine({ KVMM_SOCKET: near.socket });
      const { out } = await cli.run(["host", "list", "-o", "json"]);
      assert.equal(
        JSON.parse(out).find(({ id }: { id: string }) => id === "far").linked.certificateEndsAt,
        linked!.certificateEndsAt,
      );
      assert.match(near.log(), /the certificate of a linked host has expired: the link goes on/);
    },
  );
  await step("a renewed one is taken without a person; what is open stays open", async () => {
    const before = await rowOf(near), fingerprint = await servedFingerprint(far.port);
    await put(100);
    await until("it to serve", async () => await servedFingerprint(far.port) !== fingerprint, {
      seconds: 30,
    });
    await until("it to be seen here", async () => {
      // What is always in use is not closed as idle
      await call(near, "get_vm", { vmId });
      const ends = (await rowOf(near))?.linked?.certificateEndsAt;
      return ends !== undefined && ends > Date.now();
    }, { seconds: 70 });
    const after = await rowOf(near);
    assert.deepEqual([after?.status, after?.since], ["connected", before?.since], "the link was never down");
    assert.doesNotMatch(await pageOf(near, "/settings/hosts"), /data-certificate/);
    await call(near, "resume_vm", { vmId });
  });
});

for (const side of ["the host's", "the other's"] as const) {
  Deno.test({
    name: `linked_certificate: ${side} clock is set past the end of a certificate of its own making`,
    ignore,
    fn: async () => {
      await using clock = await fakeClock();
      await using folder = await testFolder();
      const vmId = crypto.randomUUID();
      await Deno.writeTextFile(`${folder.path}/node.xml`, NODE(vmId));
      const env = (isSet: boolean) => isSet ? { env: clock.env } : {};
      const uri = `test://${folder.path}/node.xml`;
      await using far = await startTlsServer({ uri, ...env(side === "the host's") });
      await using near = await startServer({ uri: "test:///default", ...env(side === "the other's") });
      const { invitation } = await call(far.server, "invite_host", { address: far.url });
      await call(near, "join_host", { name: "far", invitation });
      await clock.set("+400d");
      await call(near, "pause_vm", { vmId });
      assert.equal((await call(far.server, "get_vm", { vmId })).state, "paused");
      assert.equal((await rowOf(near))?.status, "connected");
      if (side === "the other's") {
        assert.match(await pageOf(near, "/settings/hosts"), /data-certificate/);
        return;
      }
      // By its own clock it has made another one: taken as any renewal
      const before = (await rowOf(near))!.linked!.certificateEndsAt!;
      await until("its renewal", async () => {
        // By requests of this host alone: a connection in use stays, and shows the old one
        return (await rowOf(near))!.linked!.certificateEndsAt! > before;
      }, { seconds: 120 });
      await call(near, "resume_vm", { vmId });
    },
  });
}
