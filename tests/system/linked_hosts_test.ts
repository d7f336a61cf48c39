/** Hosts with a KVM Manager of their own: every command on one works from another, only for users with the permission. */
import assert from "node:assert/strict";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { type Principal, principalOf } from "../../agent/access.ts";
import { setLogLevel } from "../../agent/log.ts";
import { localPrincipal } from "../../agent/testing.ts";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import { CONSOLE_CLOSE, ContractError } from "../../lib/contract/mod.ts";
import { type Linkable, linkable, linkTo } from "../testbed/linked.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
setLogLevel("error");

/** Milliseconds within which a call is answered that waits for no host which does not answer. */
const SOON_MS = 2500;

/** @returns the error's code, or "ok" */
const code = (call: Promise<unknown>): Promise<string> =>
  call.then(() => "ok", (error) => {
    assert.ok(error instanceof ContractError, String(error.stack ?? error));
    return error.code;
  });

/** Operates the VMs of a group, and no other one. */
const operatorOf = (group: string): Principal =>
  principalOf({
    name: "ann",
    door: "api",
    via: "session",
    rights: [[{ permissions: permissionsOf("operator"), on: { kind: "group", group } }]],
  });

/** Asks a KVM Manager over HTTPS. @param body is put */
async function asked(
  from: Linkable,
  token: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: Uint8Array<ArrayBuffer>,
): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(`${from.dataDir}/tls.pem`)] });
  const answer = await fetch(`${from.url}${path}`, {
    client,
    method: body === undefined ? "GET" : "PUT",
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body && { body }),
  });
  return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) };
}

/** A serial console through the door of a KVM Manager, as far as the answer of its shell. */
async function openConsole(from: Linkable, vmId: string, token: string) {
  const headers = { authorization: `Bearer ${token}` };
  const root = principalOf({ name: "root", door: "api", via: "token", rights: ALL_RIGHTS });
  const asked = await from.app.access.identify(new Request(`${from.url}/`, { headers }), {
    door: "api",
    address: "127.0.0.1",
  });
  assert.equal(asked.via, root.via);
  const { path, ticket } = await from.app.dispatch("open_console", { vmId, kind: "serial" }, asked) as {
    path: string;
    ticket: string;
  };
  const socket = new WebSocket(
    `${from.url.replace("https", "wss")}${path}?ticket=${encodeURIComponent(ticket)}`,
    {
      headers,
      origin: from.url,
      rejectUnauthorized: false,
    },
  );
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  let said = "", isClosed = false;
  socket.on("message", (data) => said += new TextDecoder().decode(data as unknown as Uint8Array));
  socket.on("error", () => {});
  socket.once("close", (code, reason) => {
    isClosed = true;
    closed.resolve({ code, reason: reason.toString() });
  });
  await until("the guest's shell to answer", () => {
    assert.ok(!isClosed, "it was closed");
    if (socket.readyState === socket.OPEN) socket.send(new TextEncoder().encode("echo sum $((40 + 2))\n"));
    return Promise.resolve(said.includes("sum 42"));
  }, { seconds: 90, every: 500 });
  return { socket, closed: closed.promise };
}

Deno.test({
  name: "linked_hosts: a linked host is used as one's own, and as whom",
  ignore,
  fn: async (t) => {
    await using libvirt = await privateLibvirt("linked");
    const machine = await libvirt.machine({ start: true, guest: true, serial: "pty" });
    const vmId = machine.uuid;
    await using near = await linkable("test:///default");
    await using far = await linkable(libvirt.uri);
    const { app, api } = near;
    const [own] = await api.getVms();
    // Each goes on where the one before has ended
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
    const { token } = await (async () => {
      const root = localPrincipal("page");
      await app.dispatch("create_user", {
        name: "ann",
        password: "a long enough password",
        grants: [{ role: "administrator", on: { kind: "everything" } }],
      }, root);
      const user = app.access.accounts.named("ann")!;
      const ann = principalOf({
        name: "ann",
        userId: user.id,
        door: "page",
        via: "session",
        rights: ALL_RIGHTS,
      });
      return await app.dispatch("create_token", {
        name: "t",
        expiresInDays: 1,
        password: "a long enough password",
        grants: [{ role: "administrator", on: { kind: "everything" } }],
      }, ann) as { token: string };
    })();

    await step("an invitation is good once, and for its key", async () => {
      const { invitation } = await far.api.inviteHost({ address: far.url });
      assert.equal(
        await code(api.joinHost({ name: "far", invitation: "https://nowhere" })),
        "InvitationUnreadable",
      );
      const { publicKey } = await near.app.peers.identity.ready();
      const other = invitation.replace(/join\/[^.]+/, `join/${publicKey}`);
      assert.equal(await code(api.joinHost({ name: "far", invitation: other })), "HostExists");
      const stranger = invitation.replace(/join\/[^.]+/, `join/${"A".repeat(42)}E`);
      await assert.rejects(
        api.joinHost({ name: "far", invitation: stranger }),
        /another KVM Manager at this address/,
      );
      await api.joinHost({ name: "far", invitation });
      assert.equal(await code(api.joinHost({ name: "again", invitation })), "HostExists");
      await api.removeHost({ hostId: "far" });
      assert.equal(await code(api.joinHost({ name: "far", invitation })), "InvitationRefused");
      const [refused] = (await far.api.getActivity({ limit: 5 })).filter(({ action }) =>
        action === "peer-refused"
      );
      assert.match(refused?.message ?? "", /invitation/i, "the other one's audit log has it");
      await linkTo(near, far);
    });

    await step("lists have its VMs, and say where they are", async () => {
      const vms = await api.getVms();
      assert.deepEqual(vms.map(({ id, host }) => [id, host]), [[own!.id, own!.host], [vmId, "far"]]);
      assert.deepEqual((await api.getVms({ host: "far" })).map(({ id }) => id), [vmId]);
      const status = (await api.listHosts()).find(({ id }) => id === "far")!;
      assert.equal(status.status, "connected");
      assert.equal(status.vmCount, 1);
      assert.equal(status.linked?.role, "administrator");
      assert.equal((await far.api.listHosts()).length, 1, "the other one has no host more");
    });

    await step("its VM is changed, and the answer's next list has it", async () => {
      await api.setTags({ vmId, tags: ["one"] });
      assert.deepEqual((await api.getVms()).find(({ id }) => id === vmId)?.tags, ["one"]);
      await api.pauseVm({ vmId });
      assert.equal((await api.getVms()).find(({ id }) => id === vmId)?.state, "paused");
      assert.equal(await libvirt.virsh("domstate", machine.name), "paused");
      const { results } = await api.batchStartVms({ vmIds: [vmId, own!.id] });
      assert.deepEqual(
        results.map(({ success }) => success),
        [false, false],
        "one is paused, the other runs",
      );
      await api.resumeVm({ vmId });
      assert.equal(
        await code(api.resumeVm({ vmId })),
        await code(far.api.resumeVm({ vmId })),
        "errors are its own",
      );
      const actors = (await far.api.getActivity({ limit: 20 })).map(({ actor, action }) =>
        `${actor} ${action}`
      );
      assert.ok(actors.some((each) => /^local@\S+ pause_vm$/.test(each)), actors.join());
    });

    await step("networks, pools and volumes are its own, also with content", async () => {
      const pool = `${libvirt.name}-pool`, path = `${far.dataDir}/pool`;
      await api.createStoragePool({ name: pool, type: "dir", path, host: "far" });
      assert.ok(!(await api.getStoragePools()).some(({ name }) => name === pool), "and not of the host here");
      const bytes = crypto.getRandomValues(new Uint8Array(1 << 16));
      const at = `/api/v1/storage/pools/${pool}/volumes/a.raw/content?host=far`;
      const ask = (headers: Record<string, string> = {}, body?: Uint8Array<ArrayBuffer>) =>
        asked(near, token, at, headers, body);
      const put = await ask({ "content-length": String(bytes.length) }, bytes);
      assert.equal(put.status, 200, new TextDecoder().decode(put.body));
      const part = await ask({ range: "bytes=100-199" });
      assert.equal(part.status, 206);
      assert.deepEqual(part.body, bytes.slice(100, 200));
      const whole = await ask();
      assert.deepEqual(whole.body.slice(0, bytes.length), bytes);
      await until(
        "it is let go",
        async () => await code(api.deleteVolume({ pool, volume: "a.raw", host: "far" })) === "ok",
      );
    });

    await step("long work there is listed here, and events tell of it", async () => {
      const seen: string[] = [];
      using _following = app.hub.follow((events) => void seen.push(...events.map(([name]) => name)));
      await api.setTags({ vmId, tags: ["two"] });
      await until("its event", () => Promise.resolve(seen.includes("vm-updated")));
      const upload = (await api.listJobs()).find(({ command }) => command === "upload_volume");
      assert.deepEqual([upload?.command, upload?.host, upload?.state], ["upload_volume", "far", "done"]);
      assert.equal((await api.getJob({ jobId: upload!.id })).job.title, upload!.title);
      assert.equal(await code(api.cancelJob({ jobId: upload!.id })), "JobOver");
    });

    await step("a console opens through both", async () => {
      const { socket, closed } = await openConsole(near, vmId, token);
      socket.close();
      await closed;
    });

    await step("whoever may use one group there uses that alone", async () => {
      const ann = operatorOf("web");
      assert.deepEqual(await app.dispatch("get_vms", {}, ann), []);
      assert.equal(await code(app.dispatch("pause_vm", { vmId }, ann)), "VmNotFound");
      await api.setGroup({ vmId, group: "web" });
      assert.deepEqual((await app.dispatch("get_vms", {}, ann) as { id: string }[]).map(({ id }) => id), [
        vmId,
      ]);
      await app.dispatch("pause_vm", { vmId }, ann);
      await app.dispatch("resume_vm", { vmId }, ann);
      assert.equal(await code(app.dispatch("get_networks", { host: "far" }, ann)), "Forbidden");
    });

    await step("a host that is away slows nothing else, and is back by itself", async () => {
      await far.unlisten();
      await until("it is away", async () => (await api.listHosts())[1]?.status === "disconnected");
      const began = performance.now();
      assert.equal(await code(api.pauseVm({ vmId })), "LinkedHostAway");
      assert.equal((await api.getVms()).length, 2, "its VMs stay in the list");
      const ann = operatorOf("web");
      const [, shown] = await app.dispatch("list_hosts", {}, ann) as { uri: string; error: string }[];
      assert.equal(shown!.uri, "", "addresses are for administrators");
      assert.match(shown!.error, /is not connected to this host/);
      await assert.rejects(
        app.dispatch("pause_vm", { vmId }, ann),
        /does not answer: there is no connection\./,
      );
      assert.ok(performance.now() - began < SOON_MS);
      await far.listen();
      await until("it is back", async () => (await api.listHosts())[1]?.status === "connected");
      assert.equal(await code(api.getVm({ vmId })), "ok");
    });

    await step("a certificate that was renewed needs no action", async () => {
      await far.unlisten();
      await Deno.remove(`${far.dataDir}/tls.pem`);
      await far.listen();
      // VMs of one that is away are answered as last known
      await until("it is back", async () => (await api.listHosts())[1]?.status === "connected");
    });

    await step("keys that were replaced on both sides while the link was down are learned", async () => {
      await far.unlisten();
      const rotate = ({ api }: typeof far) => api.rotateCredential({ credentialId: "link-key" });
      const [farKey, nearKey] = [await rotate(far), await rotate(near)].map(({ publicKey }) => publicKey);
      await rotate(far).then(({ publicKey }) => assert.notEqual(publicKey, farKey));
      // What is open goes on with the certificate that was signed: with another one, each shows its key again
      await Deno.remove(`${far.dataDir}/tls.pem`);
      await far.listen();
      await until("it is back", async () => (await api.listHosts())[1]?.status === "connected");
      assert.equal(await code(api.pauseVm({ vmId })), "ok");
      assert.equal(await code(api.resumeVm({ vmId })), "ok");
      const [own] = await far.api.listCredentials();
      assert.equal(near.app.hostRecords.get("far")?.peerKey, own?.publicKey);
      await near.app.linked.served("far")?.peer.open();
      assert.deepEqual((await far.api.listPeers()).map(({ key }) => key), [nearKey]);
      assert.deepEqual(own?.uses.map(({ kind }) => kind), ["peer"]);
      // A credential is of the KVM Manager that has it
      const [ours] = await api.listCredentials();
      assert.deepEqual(ours?.uses, [{ kind: "host", name: "far", usedAt: null }]);
    });

    await step("what was revoked ends at once, with its consoles", async () => {
      const { closed } = await openConsole(near, vmId, token);
      const [peer] = await far.api.listPeers();
      await far.api.removePeer({ peerId: peer!.id });
      assert.equal((await closed).code, CONSOLE_CLOSE.revoked);
      await until("it is away", async () => (await api.listHosts())[1]?.status === "disconnected");
      await until(
        "the reason is told",
        async () => /may not act/.test((await api.listHosts())[1]?.error ?? ""),
      );
      assert.equal(await code(api.pauseVm({ vmId })), "LinkedHostAway");
    });

    await step("an invitation as viewer lets administrators look, and no more", async () => {
      await api.removeHost({ hostId: "far" });
      await linkTo(near, far, { name: "seen", role: "viewer" });
      assert.equal((await api.getVm({ vmId })).host, "seen");
      assert.equal(await code(api.pauseVm({ vmId })), "Forbidden");
      assert.equal(await libvirt.virsh("domstate", machine.name), "running");
    });

    await step("a link goes both ways where both sides choose it", async () => {
      await api.removeHost({ hostId: "seen" });
      const invite = async (both: boolean) =>
        (await far.api.inviteHost({ address: far.url, both })).invitation;
      const join = async (both: boolean, invited: boolean) =>
        await api.joinHost({
          name: "far",
          invitation: await invite(invited),
          both,
          address: near.url,
          role: "operator",
        });
      await join(true, false);
      await delay(500);
      assert.deepEqual([(await far.api.listHosts()).length, (await api.listPeers()).length], [1, 0]);
      await api.removeHost({ hostId: "far" });
      await join(true, true);
      await until(
        "the way back",
        async () => (await far.api.listHosts()).some(({ linked }) => linked !== undefined),
      );
      const [peer] = await api.listPeers();
      assert.equal(peer?.role, "operator");
      assert.deepEqual((await far.api.getVms()).length, 2);
    });

    await step("links in a circle show nothing twice", async () => {
      assert.equal((await api.getVms()).length, 2);
      assert.deepEqual(
        (await far.api.getVms()).map(({ host }) => host).toSorted(),
        [(await far.api.listHosts())[1]!.id, (await far.api.getVm({ vmId })).host].toSorted(),
      );
      assert.equal((await api.listHosts()).length, 2);
      // Both tell the other's VMs to whoever follows their events
      await api.setTags({ vmId, tags: ["told"] });
      await until("it to be told there", async () => (await far.api.getVm({ vmId })).tags.includes("told"));
      for (const each of [api, far.api]) {
        assert.deepEqual((await each.listHosts()).map(({ foreignVms }) => foreignVms), [[], []]);
      }
    });
  },
});
