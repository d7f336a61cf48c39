/** Folders that are copied into guests and out of them by the command line, through both agents. */
import assert from "node:assert/strict";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

/** In the guest and here: names, kinds, permissions, contents. */
const TREE = `cd "$1" && find . | sort | while read -r path; do
  printf '%s %s %s\\n' "$path" "$(stat -c %a "$path")" "$([ ! -f "$path" ] || cat "$path")"
done`;

/** A link to a folder, and a folder among more files than a listing has. */
const MANY =
  `ln -s below/site /tmp/site && cp -r /tmp/below/site /tmp/zz && mkdir /tmp/many && cd /tmp/many &&
i=0; while [ $i -lt 2100 ]; do : >f$i; i=$((i+1)); done; mv /tmp/zz zz`;

Deno.test({
  name: "folders go into a guest and out of it with their permissions, by both agents",
  ignore: await requirement("agentGuest") !== null,
  fn: async (t) => {
    await using ours = await testMachine({
      purpose: "folders",
      guest: await buildAgentGuest(),
      agent: false,
      ownAgent: true,
      start: true,
    });
    await using theirs = await testMachine({ purpose: "foldersqemu", start: true });
    await using server = await readyServer();
    await using here = await testFolder();
    const line = new CommandLine({ KVMM_SOCKET: server.socket });
    const copy = async (...args: string[]) => {
      const { status, err } = await line.run(["vm", "cp", ...args]);
      return { status, err };
    };
    const site = `${here.path}/site`;
    await Deno.mkdir(`${site}/a b/empty`, { recursive: true });
    await Deno.writeTextFile(`${site}/a b/-n 'x`, "odd");
    await Deno.writeTextFile(`${site}/run.sh`, "exit");
    await Deno.symlink("/etc/passwd", `${site}/link`);
    for (const [path, mode] of [["run.sh", 0o750], ["a b", 0o700], ["a b/-n 'x", 0o600]] as const) {
      await Deno.chmod(`${site}/${path}`, mode);
    }
    const whole = ["./a b 700 ", "./a b/-n 'x 600 odd", "./a b/empty 755 ", "./run.sh 750 exit"];
    for (const { name, uuid: vmId } of [ours, theirs]) {
      await t.step(name, async () => {
        await shows(server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 240 });
        const inside = async (folder: string) =>
          (await call(server, "guest_exec", { vmId, command: "sh", args: ["-c", TREE, "sh", folder] }))
            .stdout.trimEnd().split("\n").slice(1);
        // As a new folder, below one that is named as such, and into one that is there
        for (
          const [to, is] of [["/tmp/new", "new"], ["/tmp/below/", "below/site"], ["/tmp/new", "new/site"]]
        ) {
          const { status, err } = await copy(site, `${name}:${to}`);
          assert.equal(status, 0, err);
          assert.match(err, /Left out: .*link is a link/);
          if (is !== "new/site") assert.deepEqual(await inside(`/tmp/${is}`), whole);
        }
        assert.deepEqual(await inside("/tmp/new/site"), whole);
        // A folder that is there keeps its permissions
        await call(server, "guest_create_folder", { vmId, path: "/tmp/new/a b", mode: "0777" });
        assert.deepEqual((await inside("/tmp/new")).slice(0, 1), ["./a b 700 "]);
        await refused(call(server, "guest_create_folder", { vmId, path: "/init/x" }), "GuestFileDenied");

        const back = `${here.path}/${vmId}`;
        await call(server, "guest_exec", { vmId, command: "ln", args: ["-s", "/", "/tmp/below/site/up"] });
        const out = await copy(`${name}:/tmp/below/site/`, back);
        assert.equal(out.status, 0, out.err);
        assert.match(out.err, /Left out: \/tmp\/below\/site\/up is a link/);
        const tree = new Deno.Command("sh", { args: ["-c", TREE, "sh", back] });
        const { stdout } = await tree.output();
        assert.deepEqual(new TextDecoder().decode(stdout).trimEnd().split("\n").slice(1), whole);
        // Under its own name into a folder that is here, and not over what is there
        await Deno.mkdir(`${back}/into`);
        assert.equal((await copy(`${name}:/tmp/below/site`, `${back}/into`)).status, 0);
        assert.ok((await Deno.stat(`${back}/into/site/a b`)).isDirectory);
        assert.equal((await copy(`${name}:/tmp/below/site`, `${back}/into`)).status, 2);
        assert.equal((await copy("--yes", `${name}:/tmp/below/site`, `${back}/into`)).status, 0);
        // What a link leads to, and what lies among more than are listed
        await call(server, "guest_exec", { vmId, command: "sh", args: ["-c", MANY] });
        for (const [from, to] of [["/tmp/site", "by-link"], ["/tmp/many/zz", "of-many"]]) {
          const { status, err } = await copy(`${name}:${from}`, `${back}/${to}`);
          assert.equal(status, 0, err);
          assert.equal(await Deno.readTextFile(`${back}/${to}/run.sh`), "exit");
        }
        // A single file has its permissions here, too
        assert.equal((await copy(`${name}:/tmp/new/run.sh`, `${back}/one`)).status, 0);
        assert.equal((await Deno.stat(`${back}/one`)).mode! & 0o777, 0o750);
      });
    }

    await t.step("who may not reach files makes no folder; the audit log has its path", async () => {
      const { uuid: vmId } = ours;
      const operator = await personWith(server, "olaf", [{ role: "operator", on: { kind: "vm", vmId } }]);
      await refused(operator.call("guest_create_folder", { vmId, path: "/tmp/x" }), "Forbidden");
      const log = await asRoot(server, "get_audit_log", { limit: 200 });
      assert.ok(JSON.stringify(log).includes("guest_create_folder"));
    });

    await t.step(
      "a folder is one task, and one entry of the audit log that says how much it was",
      async () => {
        const { uuid: vmId } = ours;
        const ways = ["guest_copy_folder_to", "guest_copy_folder_from"];
        const entries = async () =>
          (await asRoot(server, "get_audit_log", { vmId, limit: 200 })).filter(({ action }) =>
            ways.includes(action)
          );
        const tasks = async () => (await asRoot(server, "list_jobs", {})).filter((job) => job.vmId === vmId);
        const before = new Set<unknown>([...await entries(), ...await tasks()].map(({ id }) => id));
        assert.equal((await copy(site, `${ours.name}:/tmp/counted`)).status, 0);
        assert.equal((await copy(`${ours.name}:/tmp/counted`, `${here.path}/counted`)).status, 0);
        const added = (await entries()).filter(({ id }) => !before.has(id));
        assert.deepEqual(added.map(({ action }) => action).toSorted(), ways.toSorted());
        for (const { input } of added) {
          const { path, copied } = JSON.parse(input!);
          assert.equal(path, "/tmp/counted");
          assert.deepEqual({ ...copied, names: copied.names.toSorted() }, {
            files: 2,
            folders: 2,
            size: 7,
            names: ["a b/-n 'x", "run.sh"],
          });
        }
        const begun = (await tasks()).filter(({ id }) => !before.has(id));
        assert.deepEqual(begun.map(({ command, state }) => `${command} ${state}`).toSorted(), [
          "guest_copy_folder_from done",
          "guest_copy_folder_to done",
        ]);
      },
    );

    await t.step("where no user can write in the guest, nothing is copied", async () => {
      const { status, err } = await copy(site, `${ours.name}:/init/x`);
      assert.notEqual(status, 0);
      assert.match(err, /\/init/);
    });
  },
});
