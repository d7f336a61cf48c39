/** Programs in guests whose output comes while they run: line by line, in the terminal, and as a task. */
import assert from "node:assert/strict";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { testMachine } from "../testbed/machine.ts";
import { personWith } from "../testbed/people.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

type Line = Record<string, unknown> & { readonly at: number };

Deno.test({
  name: "output of a program in a guest is told as it comes, by both agents within their bounds",
  ignore: await requirement("agentGuest") !== null,
  fn: async (t) => {
    await using vm = await testMachine({
      purpose: "streamed",
      guest: await buildAgentGuest(),
      agent: false,
      ownAgent: true,
      start: true,
    });
    await using other = await testMachine({ purpose: "atend", start: true });
    await using server = await readyServer();
    const vmId = vm.uuid;
    for (const { uuid } of [vm, other]) {
      await shows(server, uuid, ({ guestAgent }) => guestAgent === "connected", { seconds: 240 });
    }
    const lines = async (id: string, script: string, path = `/vms/${id}/guest/exec`): Promise<Line[]> => {
      const isRoute = path.startsWith("/vms");
      const response = await fetch(`${server.url}/api/v1${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/x-ndjson" },
        body: JSON.stringify({
          ...(!isRoute && { vmId: id }),
          command: "sh",
          args: ["-c", script],
          seconds: 60,
        }),
      });
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type") ?? "", /^application\/x-ndjson/);
      const found: Line[] = [];
      let rest = "";
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + text).split("\n");
        rest = parts.pop()!;
        for (const part of parts) found.push({ ...JSON.parse(part), at: performance.now() });
      }
      return found;
    };

    await t.step("ours: each piece when it is written, and the result at the end", async () => {
      const told = await lines(vmId, "echo one; sleep 2; echo two >&2; exit 3");
      const [first, second] = told;
      assert.deepEqual([first!.stdout, second!.stderr], ["one\n", "two\n"]);
      assert.ok(second!.at - first!.at > 1000, "it did not wait for the end");
      const { exitCode, stdout, stderr } = told.at(-1)!.result as Record<string, unknown>;
      assert.deepEqual([exitCode, stdout, stderr], [3, "", ""]);
      const byName = await lines(vmId, "printf €", "/commands/guest_exec");
      assert.deepEqual(byName.slice(0, -1).map(({ stdout }) => stdout).join(""), "€");
    });

    await t.step("QEMU's: the same lines, when the program has ended", async () => {
      const told = await lines(other.uuid, "echo one; echo two >&2; exit 3");
      assert.deepEqual(told.slice(0, -1).map(({ stdout, stderr }) => stdout ?? stderr), ["one\n", "two\n"]);
      assert.equal((told.at(-1)!.result as Record<string, unknown>).exitCode, 3);
    });

    await t.step("what is refused is refused by its status", async () => {
      const response = await fetch(`${server.url}/api/v1/vms/${vmId}/guest/exec`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/x-ndjson" },
        body: JSON.stringify({ command: "/no/such/program" }),
      });
      assert.equal(response.status, 404);
      assert.equal((await response.json()).code, "GuestProgramNotFound");
    });

    await t.step("who hangs up ends the program", async () => {
      const gone = new AbortController();
      const response = await fetch(`${server.url}/api/v1/vms/${vmId}/guest/exec`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/x-ndjson" },
        body: JSON.stringify({ command: "sh", args: ["-c", "echo begun; exec sleep 4321"], seconds: 300 }),
        signal: gone.signal,
      });
      await response.body!.getReader().read();
      gone.abort();
      await until("the program to be gone", async () => {
        const { processes } = await call(server, "guest_get_processes", { vmId, limit: 500 });
        return !processes.some(({ command }) => command === "sleep 4321");
      }, { seconds: 60 });
    });

    await t.step(
      "a task answers at once, logs what comes, ends by its exit status, and is cancelled",
      async () => {
        const run = (script: string) =>
          call(server, "guest_exec_task", { vmId, command: "sh", args: ["-c", script] });
        const ended = (jobId: string) =>
          until("its end", async () => {
            const found = await call(server, "get_job", { jobId });
            return found.job.state === "running" ? null : found;
          }, { seconds: 60 });
        const good = await ended((await run("echo secret-of-root; echo oh >&2")).jobId);
        assert.equal(good.job.state, "done");
        assert.deepEqual(good.log.map(({ text }) => text).sort(), [
          "! oh",
          "Exit status 0",
          "secret-of-root",
        ]);
        const bad = await ended((await run("exit 4")).jobId);
        assert.deepEqual([bad.job.state, bad.job.error?.code], ["failed", "GuestProgramFailed"]);
        const long = await run("sleep 1000");
        await call(server, "cancel_job", { jobId: long.jobId });
        assert.equal((await ended(long.jobId)).job.state, "cancelled");
        // Who sees the VM, and may run nothing in it, reads no output of it
        const viewer = await personWith(server, "otto", [{ role: "operator", on: { kind: "vm", vmId } }]);
        await refused(viewer.call("get_job", { jobId: good.job.id }), "JobNotFound");
        const seen = await viewer.call("list_jobs", {}) as { command: string }[];
        assert.ok(seen.every(({ command }) => command !== "guest_exec_task"));
        await refused(viewer.call("guest_exec_task", { vmId, command: "id" }), "Forbidden");
      },
    );
  },
});
