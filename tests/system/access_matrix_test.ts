/**
 * Tests the permissions of every command, for every kind of user, on VMs of their own and of others (threats 8, 11).
 */
import assert from "node:assert/strict";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { type Command, type CommandName, COMMANDS, type Grant, ROLES } from "../../lib/contract/mod.ts";
import { HIDDEN_VM } from "../../lib/access/redact.ts";
import { testMachine } from "../testbed/machine.ts";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { known, readyServer, refusal, shows } from "../testbed/product.ts";
import { asRoot, Person, personWith } from "../testbed/people.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

type Word = "everything" | "host" | "group" | "project" | "vm";
/** A user with a role on an object. */
interface Somebody {
  readonly name: string;
  readonly role: typeof ROLES[number] | "janitor" | null;
  readonly on: Word;
}
const PEOPLE: readonly Somebody[] = [
  ...ROLES.flatMap((role) =>
    (["everything", "host", "group", "project", "vm"] as const).map((on) => ({
      name: `${role}-${on}`,
      role,
      on,
    }))
  ),
  { name: "janitor-vm", role: "janitor", on: "vm" },
  { name: "without", role: null, on: "everything" },
];

/** Commands that need nothing but a sign-in, or not even that, or root's socket: written down here once more. */
const OPEN = new Set<string>([
  ...["sign_in", "confirm_sign_in", "set_up", "begin_passkey_sign_in", "sign_in_with_passkey"],
]);
const ANYBODYS = new Set<string>([
  ...["get_session", "sign_out", "set_password", "begin_totp", "confirm_totp", "disable_totp"],
  ...["set_time_zone", "set_language", "get_ssh_keys", "set_ssh_keys"],
  ...["begin_passkey", "add_passkey", "list_passkeys", "rename_passkey", "remove_passkey"],
  ...["begin_reauthentication", "reauthenticate"],
  ...["list_sessions", "revoke_session", "list_tokens", "create_token", "revoke_token"],
  ...["get_host_info", "get_connection_status", "get_activity", "list_hangs", "list_hosts", "get_host"],
  ...["list_jobs", "search_jobs", "get_job", "cancel_job"],
  // Their handlers check the right to what they are about (tests/system/alerts_test.ts)
  ...["get_alert", "get_alert_summary", "acknowledge_alert"],
  // Who may delete what it was (tests/system/bin_test.ts)
  ...["list_bin", "get_bin_usage", "restore_bin_entry", "delete_bin_entry"],
]);
/** Lists that are filtered to what somebody may see: a right to anything in them opens them. */
const LISTS = new Set<string>([
  ...["get_vms", "list_projects", "list_alerts", "get_alert_history", "export_metrics", "analyze_all_vms"],
]);
const ROOTS = new Set<string>(["create_setup_link"]);
/** Permissions of a janitor, which is a custom role. */
const JANITORS = new Set<string>(["delete_vm", "get_delete_plan"]);
/** Commands of a machine that reach beyond it: not with rights to that machine alone. */
const BEYOND = new Set<string>([
  "attach_disk",
  "insert_media",
  "get_device_options",
  "attach_nic",
  "clone_vm",
  "move_disk",
  "export_ova",
  "set_cloud_init",
]);

/** About a project that members may see or use. */
const OF_PROJECTS = new Set<string>([
  ...["get_project", "create_project_vm", "get_project_tools", "run_skill"],
  ...["list_server_tools", "call_server_tool"],
]);
/** Commands on a host that change something of all hosts. */
const OF_ALL_HOSTS = new Set<string>(["set_image_policy", "set_vm_project", "set_vm_end"]);
/** Whether a command is about one host, by its fields. */
const isOnHost = (name: CommandName) =>
  Object.hasOwn((COMMANDS[name].input as { properties?: object }).properties ?? {}, "host");

/** Commands that refuse no configuration: they say what is wrong with it. */
const CHECKS = new Set<string>(["check_vm_config"]);

/** Expected answer for a user: `ok` if the check of permissions passes, or the refusal. */
function expected({ role, on }: Somebody, name: CommandName, isOwn: boolean): string {
  const command: Command = COMMANDS[name];
  if (OPEN.has(name)) return "ok";
  if (ROOTS.has(name)) return "Forbidden";
  if (role === null) return name === "get_session" ? "ok" : "Forbidden";
  if (ANYBODYS.has(name)) return "ok";
  const isRoot = role === "administrator" && on === "everything";
  if (isRoot) return "ok";
  const effective = role === "administrator" ? "operator" : role;
  // A copy of a VM is none: /backups/…/vms/{vmId} is the backup's.
  const ofVm = command.route.includes(" /vms/{vmId}");
  const hasRole = effective === "janitor"
    ? JANITORS.has(name) ||
      (ofVm || name === "get_vms" || name === "analyze_all_vms") && command.role === "viewer"
    : ROLES.indexOf(effective) >= ROLES.indexOf(command.role);
  if (!hasRole) return "Forbidden";
  if (on === "everything" || LISTS.has(name) || name.startsWith("batch_")) return "ok";
  // Who sees the project of their own alone; a host, a group and a VM are none
  if (OF_PROJECTS.has(name)) return on === "project" && isOwn ? "ok" : "ProjectNotFound";
  if (on === "host") return (ofVm || isOnHost(name)) && !OF_ALL_HOSTS.has(name) ? "ok" : "Forbidden";
  if (BEYOND.has(name) || !ofVm) return "Forbidden";
  return isOwn ? "ok" : "VmNotFound";
}

Deno.test({
  name: "Every command as everybody, on one's own and on a foreign machine, is decided as the roles say",
  ignore,
  fn: async (t) => {
    await using own = await testMachine({ purpose: "matrix-own", guest: false });
    await using pool = await testPool("matrix");
    await using network = await testNetwork();
    await using foreign = await testMachine({
      purpose: "matrix-foreign",
      guest: false,
      network,
      disks: [{ size: "1M", pool }],
    });
    await using server = await readyServer({ logLevel: "info" });
    for (const { uuid } of [own, foreign]) await known(server, uuid);
    await asRoot(server, "set_group", { vmId: own.uuid, group: "mine" });
    await asRoot(server, "create_role", { role: "janitor", permissions: ["vms.view", "vms.delete"] });
    const [mine, theirs] = await Promise.all(["mine", "theirs"].map(async (name) => {
      const { id } = await asRoot(server, "create_project", { name });
      return id;
    })) as [string, string];
    await asRoot(server, "set_vm_project", { vmId: own.uuid, project: mine });
    await asRoot(server, "set_vm_project", { vmId: foreign.uuid, project: theirs });
    const places: Record<Word, Grant["on"]> = {
      everything: { kind: "everything" },
      host: { kind: "host", host: "local" }, // on which both machines are
      group: { kind: "group", group: "mine" },
      project: { kind: "project", project: mine },
      vm: { kind: "vm", vmId: own.uuid },
    };
    const people = new Map<Somebody, Person>();
    for (const who of PEOPLE) {
      const grants = who.role === null ? [] : [{ role: who.role, on: places[who.on] }];
      people.set(who, await personWith(server, who.name, grants));
    }
    let tried = 0;

    await t.step("the uniform door: role × command × object", async () => {
      for (const [who, person] of people) {
        for (const name of Object.keys(COMMANDS) as CommandName[]) {
          for (const vm of [own, foreign]) {
            // Nothing is carried out: what passes the check of rights fails at the field that no command has.
            const input = {
              vmId: vm.uuid,
              // The commands of profiles call it as their files do
              projectId: vm === own ? mine : theirs,
              project_id: vm === own ? mine : theirs,
              "no such field": true,
            };
            // A command that only checks a configuration answers what is wrong with it.
            const asked = person.raw(name, input);
            const code = CHECKS.has(name) && expected(who, name, vm === own) === "ok"
              ? await asked.then(() => "ok")
              : (await refusal(asked)).code;
            const said = code === "InvalidInput" ? "ok" : code;
            assert.equal(
              said,
              expected(who, name, vm === own),
              `${who.name}: ${name} on ${vm === own ? "own" : "foreign"}`,
            );
            tried++;
          }
        }
      }
    });
    await t.step("an anonymous caller gets nothing, by any route, and learns nothing", async () => {
      const nobody = new Person(server, {});
      for (const { name, command, method, path } of REST_ROUTES) {
        if (OPEN.has(name)) continue;
        const place = `/api/v1${path.replace("{vmId}", own.uuid).replaceAll(/\{\w+\}/g, "x")}`;
        const asked = [
          nobody.fetch(place, { method, ...(method !== "GET" && method !== "DELETE" && { body: "{}" }) }),
          nobody.fetch(`/api/v1/commands/${name}`, { method: "POST", body: "{}" }),
        ];
        for (const response of await Promise.all(asked)) {
          assert.deepEqual(
            [response.status, (await response.json()).code],
            [401, "NotSignedIn"],
            `${name} ${command.route}`,
          );
          tried++;
        }
      }
      for (
        const path of [
          "/api/v1/events",
          "/api/v1/openapi.json",
          "/api/v1/nothing",
          `/api/v1/vms/${own.uuid}/screenshot.png`,
        ]
      ) {
        const response = await nobody.fetch(path);
        assert.deepEqual([response.status, (await response.json()).code], [401, "NotSignedIn"], path);
      }
      for (
        const path of [
          "/",
          "/vms",
          `/vms/${own.uuid}`,
          "/settings/users",
          "/no-such-page",
          "/api/v1/reference",
        ]
      ) {
        const response = await nobody.fetch(path);
        await response.body?.cancel();
        assert.equal(response.status, 303, path);
        assert.match(response.headers.get("location") ?? "", /^\/sign-in(\?to=|$)/);
      }
    });
    await t.step("an invalid secret is refused, not taken for an anonymous caller", async () => {
      for (
        const authorization of ["Bearer x", "Bearer kvmm_" + "a".repeat(43), "Basic YTpi", "Bearer", "kvmm_x"]
      ) {
        const response = await new Person(server, { authorization }).fetch("/api/v1/vms");
        assert.deepEqual(
          [response.status, (await response.json()).code],
          [401, "TokenInvalid"],
          authorization,
        );
        tried++;
      }
      for (const cookie of ["kvmm-1=x", `kvmm-${new URL(server.url).port}=${"a".repeat(43)}`]) {
        const response = await new Person(server, { cookie }).fetch("/api/v1/vms");
        assert.equal((await response.json()).code, "NotSignedIn", cookie);
        tried++;
      }
    });
    const as = (name: string) => [...people].find(([who]) => who.name === name)![1];

    await t.step("lists, counts and activity show what one may see", async () => {
      for (const name of ["viewer-vm", "operator-group", "administrator-group", "janitor-vm"]) {
        const person = as(name);
        assert.deepEqual((await person.call("get_vms")).map(({ id }) => id), [own.uuid], name);
        assert.equal((await person.call("get_host_info")).totalVms, 1, name);
        const seen = await person.call("get_activity", { limit: 500 });
        assert.deepEqual(seen.filter(({ vmId }) => vmId !== own.uuid && vmId !== undefined), [], name);
        assert.ok(!seen.some(({ action }) => action === "create_role"), name);
      }
      // A row among the last 500: those of the first roles and users lie further back by now.
      await asRoot(server, "create_role", { role: "late", permissions: ["vms.view"] });
      const everything = await as("viewer-everything").call("get_vms");
      assert.ok(everything.some(({ id }) => id === foreign.uuid));
      const seen = await as("operator-everything").call("get_activity", { limit: 500 });
      assert.ok(!seen.some(({ action }) => action === "create_role" || action === "create_token"));
      assert.ok(
        (await as("administrator-everything").call("get_activity", { limit: 500 })).some(({ action }) =>
          action === "create_role"
        ),
      );
    });
    await t.step(
      "what has to do with a machine out of sight does not name it, nor does a refusal",
      async () => {
        await asRoot(server, "create_role", {
          role: "stores",
          permissions: [
            ...["storage.view", "storage.operate", "networks.view"],
            ...["network-topology.view", "images.view", "port-forwards.view"],
          ],
        });
        const keeper = await personWith(server, "keeper", [
          { role: "stores", on: places.everything },
          { role: "viewer", on: places.vm },
        ]);
        const seer = as("viewer-everything");
        const hidden = [{ vmId: "", name: HIDDEN_VM }];
        const usersFor = async (person: Person) =>
          (await person.call("get_volumes", { pool: pool.name })).map(({ usedBy }) => usedBy);
        assert.deepEqual(await usersFor(seer), [[{ vmId: foreign.uuid, name: foreign.name }]]);
        assert.deepEqual(await usersFor(keeper), [hidden]);
        assert.deepEqual((await keeper.call("get_storage_pool", { pool: pool.name })).usedBy, hidden);
        const seen = (await keeper.call("get_network_topology")).vms.map(({ vmId }) => vmId);
        assert.deepEqual(seen, [own.uuid]);
        const plugged = async (person: Person) =>
          (await person.call("get_networks")).find(({ name }) => name === network.name)?.vms.length;
        assert.deepEqual([await plugged(seer), await plugged(keeper)], [1, 0]);
        const [volume = ""] = (await keeper.call("get_volumes", { pool: pool.name })).map(({ name }) => name);
        const { code, message } = await refusal(keeper.call("delete_volume", { pool: pool.name, volume }));
        assert.equal(code, "VolumeInUse");
        assert.match(message, new RegExp(`is used by ${HIDDEN_VM}: `));
        // Every answer that takes no input, searched for the foreign machine's id: none has it.
        for (const name of Object.keys(COMMANDS) as CommandName[]) {
          const { readOnly, input }: Command = COMMANDS[name];
          if (!readOnly || ((input as { required?: string[] }).required ?? []).length > 0) continue;
          const answer = await keeper.raw(name, {}).catch((error) => String(error));
          assert.ok(!JSON.stringify(answer ?? null).includes(foreign.uuid), name);
          tried++;
        }
      },
    );
    await t.step("to see storage is not to read what is in it, by one's own VM or otherwise", async () => {
      await asRoot(server, "create_role", {
        role: "onlooker",
        permissions: ["vms.view", "vms.operate", "vms.clone", "networks.view", "storage.view"],
      });
      const onlooker = await personWith(server, "onlooker", [{ role: "onlooker", on: places.everything }]);
      const [{ name = "" } = {}] = await onlooker.call("get_volumes", { pool: pool.name });
      const at = { pool: pool.name, volume: name };
      const reading: [CommandName, unknown][] = [
        ["insert_media", { vmId: own.uuid, target: "sda", path: `${pool.name}/${name}` }],
        ["attach_disk", { vmId: own.uuid, path: `${pool.name}/${name}` }],
        ["clone_volume", { ...at, name: "copy" }],
        ["convert_volume", { ...at, name: "copy", format: "qcow2" }],
        ["copy_volume_to_host", { ...at, toHost: "local" }],
        ["copy_template_to_host", { templateId: "none", toHost: "local" }],
        ["create_volume", { pool: pool.name, name: "over", backing: `${pool.name}/${name}` }],
        ["clone_vm", { vmId: foreign.uuid, name: "copy" }],
      ];
      for (const [command, input] of reading) {
        assert.equal((await refusal(onlooker.raw(command, input))).code, "Forbidden", command);
        tried++;
      }
      const content = await onlooker.fetch(`/api/v1/storage/pools/${pool.name}/volumes/${name}/content`);
      assert.equal((await content.json()).code, "Forbidden");
    });
    await t.step("a network card on the host's own devices takes a right of its own", async () => {
      await asRoot(server, "create_role", {
        role: "plumber",
        permissions: [
          "vms.view",
          "vms.operate",
          "vms.clone",
          "networks.view",
          "storage.view",
          "storage.operate",
        ],
      });
      await asRoot(server, "create_role", { role: "host-plumber", permissions: ["host-network.use"] });
      const granted = [{ role: "plumber", on: places.everything }];
      const plumber = await personWith(server, "plumber", granted);
      const hostPlumber = await personWith(server, "host-plumber", [
        ...granted,
        { role: "host-plumber", on: places.everything },
      ]);
      await using hosted = await testMachine({ purpose: "matrix-hosted", guest: false });
      const card = `<interface type='user'><mac address='52:54:00:00:0e:01'/></interface>`;
      const path = `${filesOf(hosted.name)}/card.xml`;
      await Deno.writeTextFile(path, card);
      await virsh("attach-device", hosted.name, path, "--config");
      await shows(server, hosted.uuid, ({ networkInterfaces }) => networkInterfaces.length === 1);
      const unknown = { "no such field": true };
      const onHost = [{ bridge: "br0" }, { direct: "eth0" }, { user: "slirp" }, { user: "passt" }];
      const attempts: [string, Record<string, unknown>, string][] = [
        ...["attach_nic", "update_nic"].flatMap((name) =>
          onHost.map((plug): [string, Record<string, unknown>, string] => [
            name,
            { vmId: foreign.uuid, ...plug },
            "Forbidden",
          ])
        ),
        ["attach_nic", { vmId: foreign.uuid, network: network.name }, "InvalidInput"],
        ["update_nic", { vmId: foreign.uuid, network: network.name }, "InvalidInput"],
        ["update_nic", { vmId: hosted.uuid, linkUp: false }, "InvalidInput"],
        ["clone_vm", { vmId: hosted.uuid }, "Forbidden"],
        ["clone_vm", { vmId: foreign.uuid }, "InvalidInput"],
        // Only administrators bring XML and new VMs, whatever the role is made of.
        ["set_vm_xml", { vmId: foreign.uuid }, "Forbidden"],
        ["import_vm", {}, "Forbidden"],
        ["create_vm", { nics: [{ bridge: "br0" }] }, "Forbidden"],
      ];
      for (const [name, input, code] of attempts) {
        const said = await refusal(plumber.raw(name, { ...input, ...unknown }));
        assert.equal(said.code, code, `${name} ${JSON.stringify(input)}`);
        const isXml = ["set_vm_xml", "import_vm", "create_vm"].includes(name);
        const more = await refusal(hostPlumber.raw(name, { ...input, ...unknown }));
        assert.equal(more.code, isXml ? "Forbidden" : "InvalidInput", `${name} ${JSON.stringify(input)}`);
        tried += 2;
      }
      // A user who may not see a VM does not learn its networks either.
      const elsewhere = await personWith(server, "cloner", [
        { role: "plumber", on: places.vm },
        { role: "stores", on: places.everything },
      ]);
      assert.equal(
        (await refusal(elsewhere.call("clone_vm", { vmId: hosted.uuid, name: "x" }))).code,
        "VmNotFound",
      );
      const seen = await plumber.call("get_device_options", { vmId: foreign.uuid });
      assert.deepEqual([seen.hostInterfaces, seen.userNetworking, seen.mayLoosenFilters], [[], [], false]);
      assert.ok(seen.networks.some(({ name }) => name === network.name));
      const all = await hostPlumber.call("get_device_options", { vmId: foreign.uuid });
      assert.ok(all.userNetworking.length > 0);
      // On the real thing.
      const slirp = { vmId: foreign.uuid, user: "slirp" } as const;
      assert.equal((await refusal(plumber.call("attach_nic", slirp))).code, "Forbidden");
      const { mac } = await hostPlumber.call("attach_nic", slirp);
      assert.equal((await refusal(plumber.call("update_nic", { ...slirp, mac }))).code, "Forbidden");
      await plumber.call("detach_nic", { vmId: foreign.uuid, mac });
      // A filter that an administrator gave holds against who only operates the VM.
      await using filtered = await testMachine({ purpose: "matrix-filtered", guest: false });
      const vmId = filtered.uuid, held = { vmId, mac: "52:54:00:00:0e:02" };
      const filteredCard = `<interface type='network'><mac address='${held.mac}'/>` +
        `<source network='${network.name}'/><filterref filter='clean-traffic'/></interface>`;
      await Deno.writeTextFile(path, filteredCard);
      await virsh("attach-device", filtered.name, path, "--config");
      await shows(server, vmId, ({ networkInterfaces }) => networkInterfaces.length === 1);
      const definition = await filtered.xml("--inactive");
      const around: [string, Record<string, unknown>][] = [
        ["update_nic", { ...held, filter: "" }],
        ["update_nic", { ...held, filter: "allow-arp" }],
        ["update_nic", { ...held, filterAddresses: ["10.0.0.1"] }],
        ["update_nic", { ...held, newMac: "52:54:00:00:0e:03" }],
        ["detach_nic", held],
        ["attach_nic", { vmId, network: network.name }],
        ["attach_nic", { vmId, network: network.name, filter: "clean-traffic" }],
      ];
      for (const [name, input] of around) {
        const { code } = await refusal(plumber.raw(name, input));
        assert.equal(code, "Forbidden", `${name} ${JSON.stringify(input)}`);
        tried++;
      }
      assert.equal(await filtered.xml("--inactive"), definition);
      await plumber.call("update_nic", { ...held, linkUp: false, model: "e1000" });
      assert.match(await filtered.xml("--inactive"), /filterref filter='clean-traffic'/);
      await hostPlumber.call("update_nic", { ...held, filter: "" });
      assert.doesNotMatch(await filtered.xml("--inactive"), /filterref/);
      await plumber.call("detach_nic", held);
    });
    await t.step("a batch is decided machine by machine", async () => {
      const vmIds = [foreign.uuid, own.uuid, "nobody"];
      const result = await as("operator-vm").call("batch_stop_vms", { vmIds });
      assert.deepEqual(
        result.results.map(({ vmId, error }) => [vmId, error?.code]),
        [[foreign.uuid, "VmNotFound"], [own.uuid, "VmNotRunning"], ["nobody", "VmNotFound"]],
      );
      const viewer = await refusal(as("viewer-vm").call("batch_stop_vms", { vmIds }));
      assert.equal(viewer.code, "Forbidden");
    });
    await t.step(
      "users cannot extend their own grants: groups that grants name are the administrators'",
      async () => {
        const operator = as("operator-everything");
        for (const [vmId, group] of [[foreign.uuid, "mine"], [own.uuid, "other"], [own.uuid, ""]] as const) {
          assert.equal((await refusal(operator.call("set_group", { vmId, group }))).code, "Forbidden");
          assert.equal((await refusal(operator.call("update_vm", { vmId, group }))).code, "Forbidden");
          tried += 2;
        }
        await operator.call("set_group", { vmId: foreign.uuid, group: "no grant names it" });
        const own2 = as("viewer-everything");
        for (const grants of [[{ role: "administrator", on: { kind: "everything" as const } }]]) {
          assert.equal(
            (await refusal(own2.call("create_token", { name: "more", grants }))).code,
            "NoAccount",
          );
          assert.equal(
            (await refusal(own2.call("update_user", { userId: own2.userId, grants }))).code,
            "Forbidden",
          );
          tried += 2;
        }
      },
    );
    console.log(`      ${tried} attempts`);
  },
});
