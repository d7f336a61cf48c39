/** Tasks and audit logs of all hosts as one list: order, pages, what is missing, and who may see what. */
import assert from "node:assert/strict";
import { SEARCH_MS } from "../../lib/contract/search.ts";
import { DAY_MS, MINUTE_MS } from "../../lib/duration.ts";
import type { Input, Job } from "../../lib/contract/mod.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { fakeClock } from "../testbed/fake_clock.ts";
import { testFolder } from "../testbed/folder.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { asRoot, signedIn } from "../testbed/people.ts";
import { call, refused } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("faketime") !== null;

const NODE = (uuid: string) =>
  `<node><domain type="test"><name>far</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>` +
  `<os><type>hvm</type></os></domain></node>`;

const job = (id: string, startedAt: number, more: Partial<Job> = {}): Job => ({
  id,
  command: "clone_vm",
  title: `Clone ${id}`,
  actor: "ann",
  state: "done",
  progress: null,
  doneBytes: null,
  totalBytes: null,
  startedAt,
  endedAt: startedAt + 1,
  secondsLeft: null,
  error: null,
  cancellable: false,
  cancelling: false,
  ...more,
});

Deno.test({
  name: "linked_search: the audit logs of a host here and of one whose clock is a day ahead are one list",
  ignore,
  fn: async (t) => {
    await using clock = await fakeClock();
    await clock.set("+1d");
    await using folder = await testFolder();
    const farVm = crypto.randomUUID();
    await Deno.writeTextFile(`${folder.path}/node.xml`, NODE(farVm));
    await using far = await startTlsServer({ uri: `test://${folder.path}/node.xml`, env: clock.env });
    await using near = await startServer({ uri: "test:///default" });
    const [nearVm] = (await call(near, "get_vms")).map(({ id }) => id);
    const { invitation } = await call(far.server, "invite_host", { address: far.url });
    await call(near, "join_host", { name: "far", invitation });
    await until("it to be read", async () => (await call(near, "get_vms")).length === 2);
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);

    // In turn, each at its own host, apart enough for what the measurement of the clocks may be wrong by
    const tags = ["t0", "t1", "t2", "t3", "t4", "t5", "t6"];
    for (const [n, tag] of tags.entries()) {
      const [server, vmId] = n % 2 === 0 ? [far.server, farVm] : [near, nearVm!];
      await call(server, "set_tags", { vmId, tags: [tag] });
      await delay(60);
    }
    const ofTags: Input<"search_audit"> = { action: "set_tags" };
    const tagIn = ({ input }: { input: string | null }) => /"(t\d)"/.exec(input ?? "")?.[1];
    const newest = tags.toReversed();

    await step("entries are in the order in which things happened, each with its host", async () => {
      const { entries, hosts, next } = await call(near, "search_audit", ofTags);
      assert.deepEqual(entries.map(tagIn), newest);
      assert.deepEqual(entries.map(({ log }) => log), newest.map((_tag, n) => n % 2 === 0 ? "far" : "local"));
      assert.ok(entries.every(({ timestamp }) => Math.abs(timestamp - Date.now()) < MINUTE_MS));
      assert.deepEqual(hosts.map(({ host, reason }) => [host, reason]), [["local", null], ["far", null]]);
      assert.ok(Math.abs(hosts[1]!.clockAheadMs! - DAY_MS) < 2000);
      assert.equal(next, null);
    });

    await step("pages have every entry once, whatever their length", async () => {
      for (const limit of [1, 2, 3, 7]) {
        const found: (string | undefined)[] = [];
        let cursor: string | undefined;
        do {
          const page = await call(near, "search_audit", {
            ...ofTags,
            limit,
            ...(cursor !== undefined && { cursor }),
          });
          assert.ok(page.entries.length <= limit);
          found.push(...page.entries.map(tagIn));
          cursor = page.next ?? undefined;
        } while (cursor !== undefined);
        assert.deepEqual(found, newest, `${limit} a page`);
      }
    });

    await step("by host, by words, and by time", async () => {
      const logs = async (input: Input<"search_audit">) =>
        (await call(near, "search_audit", { ...ofTags, ...input })).entries.map(({ log }) => log);
      assert.deepEqual(await logs({ host: "far" }), ["far", "far", "far", "far"]);
      assert.deepEqual(await logs({ host: "local" }), ["local", "local", "local"]);
      assert.deepEqual(await logs({ text: "t4" }), ["far"]);
      assert.deepEqual(await logs({ text: "t5" }), ["local"]);
      const since = Date.now() - MINUTE_MS;
      assert.equal((await logs({ since })).length, tags.length);
      assert.deepEqual(await logs({ since: Date.now() + MINUTE_MS }), []);
      await refused(call(near, "search_audit", { host: "nowhere" }), "HostNotFound");
      await refused(call(near, "search_audit", { cursor: "AAAA" }), "InvalidInput", /cursor/);
    });

    await step("what is done there from here is in both logs: who, and as whom", async () => {
      await call(near, "set_tags", { vmId: farVm, tags: ["both"] });
      const { entries } = await call(near, "search_audit", { ...ofTags, host: "far", text: "both" });
      assert.deepEqual(entries.map(({ log, host }) => [log, host]).toSorted(), [["far", "far"], [
        "local",
        "far",
      ]]);
      assert.match(entries.find(({ log }) => log === "far")!.actor, /@/);
    });

    await step(
      "the other one's own log is unchanged, and spans nothing for who is linked to it",
      async () => {
        const own = await call(far.server, "get_audit_log", ofTags);
        assert.ok(own[0]!.timestamp > Date.now() + DAY_MS / 2, "by its own clock");
        const { hosts } = await call(far.server, "search_audit", ofTags);
        assert.deepEqual(hosts.map(({ host }) => host), ["local"]);
      },
    );

    await step(
      "a host that hangs or is away slows nothing, and is named with its reason and age",
      async () => {
        await using hung = await hostileLink(await call(near, "get_connection_status"));
        await call(near, "join_host", { name: "hung", invitation: hung.invitation });
        hung.hanging.add("get_audit_log").add("list_jobs");
        const began = performance.now();
        const { entries, hosts } = await call(near, "search_audit", { ...ofTags, limit: 4 });
        assert.ok(performance.now() - began < SEARCH_MS + 700, `${performance.now() - began} ms`);
        assert.deepEqual(entries.map(tagIn).slice(2), ["t6", "t5"]);
        const { reason, heardAt } = hosts.find(({ host }) => host === "hung")!;
        assert.equal(reason, "it has not answered within 2 s");
        assert.ok(Math.abs(heardAt! - Date.now()) < MINUTE_MS);
        const cli = new CommandLine({ KVMM_SOCKET: near.socket });
        const said = await cli.run(["audit", "--action", "set_tags", "--limit", "3"]);
        assert.equal(said.status, 0, said.err);
        assert.match(said.out, /far.*\n(?:.*\n)*.*far/);
        assert.match(said.err, /do not answer: hung\b/);
        const only = await cli.run(["audit", "--host", "far", "--action", "set_tags", "-o", "json"]);
        const logs = JSON.parse(only.out).entries.map(({ log }: { log: string }) => log);
        assert.ok(logs.length === 5 + 1 && !logs.includes("hung"), only.out);
        assert.equal(only.err, "");
        await hung[Symbol.asyncDispose]();
        await until(
          "it to be away",
          async () =>
            (await call(near, "list_hosts")).some(({ id, status }) =>
              id === "hung" && status === "disconnected"
            ),
        );
        const later = performance.now(), away = await call(near, "search_jobs", {});
        assert.ok(performance.now() - later < 1000, `${performance.now() - later} ms`);
        assert.match(away.hosts.find(({ host }) => host === "hung")!.reason!, /does not answer/);
        await call(near, "enable_host", { hostId: "hung", enabled: false });
        const off = await call(near, "search_jobs", {});
        assert.equal(off.hosts.find(({ host }) => host === "hung")!.reason, "it is disabled");
        await call(near, "remove_host", { hostId: "hung" });
      },
    );

    await step("what the link or the caller may not see is decided there", async () => {
      const [peer] = await call(far.server, "list_peers");
      await call(far.server, "remove_peer", { peerId: peer!.id });
      await call(near, "remove_host", { hostId: "far" });
      const asViewer = await call(far.server, "invite_host", { address: far.url, role: "viewer" });
      await call(near, "join_host", { name: "far", invitation: asViewer.invitation });
      await until("it to be read", async () => (await call(near, "get_vms")).length === 2);
      const { entries, hosts } = await call(near, "search_audit", { ...ofTags, host: "far" });
      assert.ok(entries.every(({ log }) => log === "local"));
      assert.match(hosts.find(({ host }) => host === "far")!.reason!, /administrator/i);
      const password = "correct horse battery";
      await asRoot(near, "create_user", {
        name: "eve",
        password,
        grants: [{ role: "viewer", on: { kind: "host", host: "local" } }],
      });
      const eve = await signedIn(near, "eve", password);
      await refused(eve.call("search_audit", {}), "Forbidden");
      assert.deepEqual(
        (await eve.call("search_jobs", {})).hosts.map(({ host }) => host),
        ["local"],
        "no other is named",
      );
      await refused(eve.call("search_jobs", { host: "far" }), "HostNotFound");
    });
  },
});

Deno.test("linked_search: tasks of linked hosts are searched and paged, and what they say is checked", async (t) => {
  await using near = await startServer({ uri: "test:///default" });
  const status = await call(near, "get_connection_status");
  await using one = await hostileLink(status);
  await using two = await hostileLink(status);
  const now = Date.now();
  one.said.jobs = [3, 1, 5].map((n) => job(`one-${n}`, now - n * 1000));
  two.said.jobs = [job("two-4", now - 4000, { state: "failed" }), job("two-2", now - 2000)];
  await call(near, "join_host", { name: "one", invitation: one.invitation });
  await call(near, "join_host", { name: "two", invitation: two.invitation });
  const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
  const ids = async (input: Input<"search_jobs"> = {}) =>
    (await call(near, "search_jobs", input)).jobs.map(({ id }) => id);
  const all = ["one-1", "two-2", "one-3", "two-4", "one-5"];

  await step("newest first, with their hosts, page by page", async () => {
    const { jobs } = await call(near, "search_jobs", {});
    assert.deepEqual(jobs.map(({ id }) => id), all);
    assert.deepEqual(jobs.map(({ host }) => host), ["one", "two", "one", "two", "one"]);
    for (const limit of [1, 2, 3, 5]) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await call(near, "search_jobs", { limit, ...(cursor !== undefined && { cursor }) });
        found.push(...page.jobs.map(({ id }) => id));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(found, all, `${limit} a page`);
    }
    assert.deepEqual(await ids({ text: "CLONE two" }), ["two-2", "two-4"]);
    assert.deepEqual(await ids({ state: "failed" }), ["two-4"]);
    assert.deepEqual(await ids({ host: "one" }), ["one-1", "one-3", "one-5"]);
    assert.deepEqual(await ids({ host: "local" }), []);
  });
  await step("a task that says it is of another host, or is too long, is left out", async () => {
    one.said.jobs = [job("one-1", now, { host: "local" }), job("one-2", now, { title: "x".repeat(20_000) })];
    assert.deepEqual(await ids({ host: "one" }), []);
  });
  await step("an answer that is none is named, and hides nothing of the others", async () => {
    one.said.answers.list_jobs = [{ id: "x" }];
    const { jobs, hosts } = await call(near, "search_jobs", {});
    assert.deepEqual(jobs.map(({ id }) => id), ["two-2", "two-4"]);
    assert.match(
      hosts.find(({ host }) => host === "one")!.reason!,
      /not as the contract of this version says/,
    );
  });
  await step("a log that comes in another order, or again, is not believed", async () => {
    const entry = (id: number, more = {}) => ({
      id,
      timestamp: now,
      actor: "a\u001b[2J",
      door: "api",
      host: null,
      address: null,
      action: "set_tags",
      vmId: null,
      vmName: null,
      result: "ok",
      message: "m".repeat(20_000),
      input: null,
      tookMs: null,
      ...more,
    });
    const reasonOf = async (cursor?: string) => {
      const answer = await call(near, "search_audit", {
        host: "one",
        limit: 2,
        ...(cursor !== undefined && { cursor }),
      });
      return { ...answer, reason: answer.hosts.find(({ host }) => host === "one")!.reason };
    };
    for (const rows of [[entry(1), entry(2)], [entry(2), entry(2)]]) {
      one.said.answers.get_audit_log = rows;
      assert.match((await reasonOf()).reason!, /not in its own order/);
    }
    one.said.answers.get_audit_log = [entry(9), entry(8), entry(7), entry(6)];
    const first = await reasonOf();
    const theirs = first.entries.filter(({ log }) => log === "one");
    assert.equal(first.entries.length, 2, "no more than was asked for");
    assert.ok(theirs.every(({ actor, message }) => !actor.includes("\u001b") && message!.length <= 8192));
    // The same again on the next page
    assert.match((await reasonOf(first.next!)).reason!, /not in its own order/);
  });
});
