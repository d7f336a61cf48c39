/**
 * Rights to one host: every command as everybody, aimed at their own host and at the other one; and nothing of a host out of sight
 * in answers, events and pages.
 */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { type Command, type CommandName, COMMANDS, type Grant, ROLES } from "../../lib/contract/mod.ts";
import {
  askable,
  HOST_IDS,
  type HostId,
  hostRights,
  LAB,
  otherThan,
  type PersonHere,
  THINGS,
} from "../testbed/host_rights.ts";
import { hostField } from "../../lib/contract/on_host.ts";
import { visitPages } from "../testbed/visit_pages.ts";
import { until } from "../testbed/wait.ts";

setLogLevel("error");

type RoleName = typeof ROLES[number];
const onHost = (role: string, host: string): Grant[] => [{ role, on: { kind: "host", host } }];

/** Lists that a right to anything in them opens. */
const LISTS = new Set<string>(
  ["get_vms", "list_projects", "list_alerts", "get_alert_history", "export_metrics", "analyze_all_vms"],
);
/** Commands whose changes apply to all hosts. */
const OF_ALL_HOSTS = new Set<string>(["set_image_policy", "set_vm_project", "set_vm_end"]);

/** About a project that members may see or use. */
const OF_PROJECTS = new Set<string>([
  ...["get_project", "create_project_vm", "get_project_tools", "run_skill"],
  ...["list_server_tools", "call_server_tool"],
]);

const fieldsOf = (name: CommandName) =>
  new Set(Object.keys((COMMANDS[name].input as { properties?: object }).properties ?? {}));

/** Expected answer for a user with a role on a host: `ok` if the check of permissions passes, or the refusal. */
function expected(role: RoleName, own: HostId, name: CommandName, aim: HostId, by: "host" | "vmId"): string {
  const command: Command = COMMANDS[name], fields = fieldsOf(name), isOwn = aim === own;
  const namesHost = by === "host" && fields.has("host");
  if (command.permission === "anyone") return "ok";
  if (command.permission === "socket") return "Forbidden";
  if (command.permission === "signed-in") {
    if (namesHost) return isOwn ? "ok" : "HostNotFound";
    return fields.has("host") && name !== "get_activity" && own !== "local" ? "HostNotFound" : "ok";
  }
  // Root of the local host would have everything
  const effective = role === "administrator" && own === "local" ? "operator" : role;
  if (ROLES.indexOf(effective) < ROLES.indexOf(command.role)) return "Forbidden";
  if (namesHost && !isOwn) return "HostNotFound";
  if (LISTS.has(name) || fields.has("vmIds")) return "ok";
  // A project is of no host
  if (OF_PROJECTS.has(name)) return "ProjectNotFound";
  if (command.route.includes(" /vms/{vmId}") && !OF_ALL_HOSTS.has(name)) {
    return by === "host" ? "Forbidden" : isOwn ? "ok" : "VmNotFound";
  }
  if (!fields.has("host") || OF_ALL_HOSTS.has(name)) return "Forbidden";
  if (namesHost) return "ok";
  const about = fields.has("vmId") && by === "vmId" ? aim : "local";
  if (about === own) return "ok";
  return fields.has("vmId") && own === "local" ? "VmNotFound" : "Forbidden";
}

/** Things of a host, by names and ids that nothing else has. */
const secretsOf = (host: HostId): string[] => [
  ...Object.values(THINGS[host]),
  ...host === LAB ? ["Laboratory"] : [],
];

function requireNothingTold(what: string, text: string, host: HostId): void {
  for (const secret of secretsOf(host)) {
    const at = text.indexOf(secret);
    assert.equal(at, -1, `${what} tells ${secret}: ${text.slice(Math.max(0, at - 200), at + 80)}`);
  }
}

Deno.test("rights to one host are rights to what is on it, and to nothing else", async (t) => {
  await using world = await hostRights();
  const { asRoot } = world;
  const people: { role: RoleName; own: HostId; person: PersonHere }[] = [];
  for (const role of ROLES) {
    for (const own of HOST_IDS) {
      people.push({ role, own, person: await world.as(`${role}-${own}`, onHost(role, own)) });
    }
  }
  const as = (role: RoleName, host: HostId) =>
    people.find((each) => each.role === role && each.own === host)!.person;

  await t.step("the uniform door: role × host × command × what it is aimed at", async () => {
    let tried = 0;
    const wrong: string[] = [];
    for (const { role, own, person } of people) {
      for (const name of Object.keys(COMMANDS) as CommandName[]) {
        for (const aim of HOST_IDS) {
          for (const by of ["host", "vmId"] as const) {
            const input = by === "host" ? { host: aim } : { vmId: THINGS[aim].vmId };
            // Nothing is carried out: what passes the check of rights fails at the field that no command has.
            const code = await person.codeOf(name, { ...input, "no such field": true });
            const said = code === "InvalidInput" ? "ok" : code, must = expected(role, own, name, aim, by);
            if (said !== must) {
              wrong.push(`${role} of ${own}: ${name} by ${by} of ${aim}: ${said}, not ${must}`);
            }
            tried++;
          }
        }
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(tried > 5000, `${tried} attempts`);
  });

  await t.step("something happens on both hosts", async () => {
    for (const host of HOST_IDS) {
      const { vmId, network, pool } = THINGS[host];
      await asRoot.refreshStoragePool({ pool, host });
      await asRoot.createVolume({ pool, name: `${pool}.raw`, capacityBytes: 1 << 20, format: "raw", host });
      const spec = {
        command: "clone_volume",
        title: `Copy of ${pool}`,
        actor: "root",
        ...hostField(host),
      } as const;
      await world.app.jobs.run({ ...spec, ifInterrupted: "Look." }, () => Promise.resolve());
      await asRoot.forceStopVm({ vmId });
      await asRoot.createAlert({
        name: `${pool} is nearly full`,
        watches: "host_metric",
        series: "pool_usage",
        threshold: 90,
        scope: "host",
        hostId: host,
      });
      await asRoot.createAlert({
        name: `${network} of the VM`,
        watches: "vm_metric",
        series: "cpu_usage",
        threshold: 90,
        scope: "vm",
        vmId,
      });
      const other = as("operator", otherThan(host));
      assert.equal(await other.codeOf("stop_network", { name: network, host }), "HostNotFound");
      await assert.rejects(
        asRoot.createVolume({ pool, name: `${pool}.raw`, capacityBytes: 1 << 20, format: "raw", host }),
      );
    }
  });

  await t.step("no answer names the other host", async () => {
    for (const { role, own, person } of people) {
      let answered = 0, told = "";
      for (const name of askable()) {
        const inputs = fieldsOf(name).has("host") ? [{}, { host: own }] : [{}];
        for (const input of inputs) {
          const { status, text } = await person.call(name, input);
          requireNothingTold(`${role} of ${own}: ${name}`, text, otherThan(own));
          if (status < 400) answered++, told += text;
        }
      }
      assert.ok(answered > 20, `${answered} answers`);
      for (const thing of Object.values(THINGS[own])) {
        assert.ok(told.includes(thing), `${own} hides ${thing}`);
      }
    }
  });

  await t.step("lists have the hosts, VMs, tasks, activity and alerts of one's own host", async () => {
    for (const { own, person } of people) {
      const list = async <T>(name: CommandName, input = {}) =>
        JSON.parse((await person.call(name, input)).text) as T[];
      const { vmId, pool } = THINGS[own];
      assert.deepEqual((await list<{ id: string }>("list_hosts")).map(({ id }) => id), [own]);
      assert.deepEqual((await list<{ id: string }>("get_vms")).map(({ id }) => id), [vmId]);
      const [host] = await list<{ vmCount: number; load: unknown }>("list_hosts");
      assert.equal(host?.vmCount, 1);
      const jobs = await list<{ title: string }>("list_jobs");
      assert.ok(jobs.some(({ title }) => title.includes(pool)), "its tasks");
      const rows = await list<{ action: string }>("get_activity", { limit: 200 });
      assert.ok(rows.some(({ action }) => action === "create_volume"), "its activity");
      const alerts = await list<{ name: string }>("list_alerts");
      assert.equal(alerts.length, 2, alerts.map(({ name }) => name).join());
    }
    const { text } = await as("viewer", LAB).call("get_host_info", { host: LAB });
    assert.equal(JSON.parse(text).totalVms, 1);
  });

  await t.step("what is done, is done on one's own host alone", async () => {
    const operator = as("operator", LAB), { network, vmId } = THINGS[LAB];
    assert.equal(await operator.codeOf("stop_network", { name: network, host: LAB }), "ok");
    assert.equal(await operator.codeOf("stop_network", { name: THINGS.local.network }), "Forbidden");
    assert.equal(await operator.codeOf("start_vm", { vmId }), "ok");
    const { text } = await operator.call("batch_force_stop_vms", {
      vmIds: [THINGS.local.vmId, vmId, "none"],
    });
    const { results } = JSON.parse(text) as { results: { error?: { code: string } }[] };
    assert.deepEqual(results.map(({ error }) => error?.code), ["VmNotFound", undefined, "VmNotFound"]);
    const config = { name: "seedling", memoryMb: 64, cpuCount: 1 };
    assert.equal(await operator.codeOf("create_vm", { ...config, host: LAB }), "Forbidden");
    const administrator = as("administrator", LAB);
    const made = await administrator.codeOf("create_network", {
      name: "seednet",
      mode: "isolated",
      host: LAB,
    });
    assert.equal(made, "ok");
    assert.deepEqual((await asRoot.getNetworks()).map(({ name }) => name), [THINGS.local.network]);
  });

  await t.step("events tell of one's own host alone", async () => {
    for (const own of HOST_IDS) {
      const response = await as("operator", own).open("/api/v1/events");
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let told = "";
      for (const host of [otherThan(own), own] as const) {
        const { vmId } = THINGS[host];
        await asRoot.startVm({ vmId }).catch(() => {}); // it may be on
        await asRoot.forceStopVm({ vmId });
      }
      const late = setTimeout(() => void reader.cancel("nothing came"), 10_000);
      while (!told.includes(THINGS[own].vmId)) {
        const { value, done } = await reader.read();
        assert.ok(!done, told);
        told += value;
      }
      clearTimeout(late);
      await reader.cancel();
      requireNothingTold(`events of ${own}`, told, otherThan(own));
    }
  });

  await t.step("pages show one's own host; the other's are not there", async () => {
    for (const { role, own, person } of people) {
      const wrong: string[] = [], seen = new Set<string>();
      await visitPages(person.open, (address, html) => {
        seen.add(address);
        requireNothingTold(`${role} of ${own}: ${address}`, html, otherThan(own));
      }, (status, address, from) => wrong.push(`${status} ${address} from ${from}`));
      // A token has no account of its own
      const inVain = wrong.filter((each) => !each.includes("/settings/account "));
      assert.deepEqual(inVain, [], `${role} of ${own}`);
      const at = own === LAB ? `/hosts/${LAB}` : "";
      for (const path of ["/networks", "/storage", "/vms"]) {
        assert.ok(seen.has(`${at}${path}`), `${own}: ${path}`);
      }
      const status = async (path: string) => {
        const response = await person.open(path), html = await response.text();
        requireNothingTold(`${role} of ${own}: ${path}`, html, otherThan(own));
        return response.status;
      };
      const { vmId, network, pool } = THINGS[own], other = otherThan(own), theirs = THINGS[other];
      const mine = [`/hosts/${own}/`, `/hosts/${own}/networks/${network}`, `/hosts/${own}/storage/${pool}`];
      for (const path of [...mine, `/vms/${vmId}`, "/", "/tasks", "/alerts"]) {
        assert.equal(await status(path), 200, `${own}: ${path}`);
      }
      const away = ["/", "/networks", "/storage", "/images", "/templates", "/monitoring"];
      for (const path of [...away.map((each) => `/hosts/${other}${each}`), `/hosts/nowhere/networks`]) {
        assert.equal(await status(path), 404, `${own}: ${path}`);
      }
      // It repeats the id that was asked for, of a VM out of sight as of none
      const hidden = await person.open(`/vms/${theirs.vmId}`), told = await hidden.text();
      assert.equal(hidden.status, 404);
      requireNothingTold(`a VM of ${other}`, told.replaceAll(theirs.vmId, ""), other);
    }
  });

  await t.step("a token of an administrator may have one host alone", async () => {
    const all: Grant[] = [{ role: "administrator", on: { kind: "everything" } }];
    const narrow = await world.as("chief", all, onHost("operator", LAB));
    assert.equal(await narrow.codeOf("get_networks", { host: LAB }), "ok");
    assert.equal(await narrow.codeOf("get_networks", { host: "local" }), "HostNotFound");
    assert.equal(await narrow.codeOf("list_users", {}), "Forbidden");
    for (const name of askable()) {
      requireNothingTold(`the token: ${name}`, (await narrow.call(name)).text, "local");
    }
  });

  await t.step("the page of users offers hosts, and a form gives rights to one", async () => {
    const chief = await world.as("second-chief", [{ role: "administrator", on: { kind: "everything" } }]);
    const html = async (path: string) => await (await chief.open(path)).text();
    assert.match(await html("/settings/users"), /<option value="host:lab">Host Laboratory, with all/);
    const body = new URLSearchParams({
      name: "formed",
      display: "",
      password: "",
      role: "viewer",
      on: `host:${LAB}`,
    });
    const sent = await chief.open("/settings/users", { method: "POST", body });
    await sent.body?.cancel();
    const formed = (await asRoot.listUsers()).find(({ name }) => name === "formed");
    assert.deepEqual(formed?.grants, onHost("viewer", LAB));
    assert.match(await html("/settings/users"), /Host Laboratory, with all that is on it/);
    assert.match(await html(`/settings/users/${formed!.id}`), /Host Laboratory, with all that is on it/);
    assert.equal(formed?.uncovered, undefined);
  });

  await t.step("who has rights to VMs sees the hosts of these", async () => {
    const vmViewer = await world.as("vm-viewer", [{
      role: "viewer",
      on: { kind: "vm", vmId: THINGS.local.vmId },
    }]);
    const { text } = await vmViewer.call("list_hosts");
    assert.deepEqual((JSON.parse(text) as { id: string }[]).map(({ id }) => id), ["local"]);
    assert.equal(await vmViewer.codeOf("get_vms", { host: LAB }), "HostNotFound");
    assert.equal(await vmViewer.codeOf("get_vms", { host: "local" }), "ok");
  });

  await t.step("a host that was not read is named to who sees it", async () => {
    const attic = { id: "attic", label: "attic", uri: "test:///nowhere.xml", added: 1, isEnabled: true };
    await world.app.putHost(attic);
    const missing = async (person: PersonHere) => (await person.call("get_vms")).head.get("x-missing-hosts");
    assert.equal(await missing(await world.as("attic-viewer", onHost("viewer", "attic"))), "attic");
    assert.equal(await missing(as("viewer", LAB)), null);
    await asRoot.enableHost({ hostId: "attic", enabled: false });
    assert.ok(!(await as("viewer", LAB).call("list_hosts")).text.includes("attic"));
    await asRoot.removeHost({ hostId: "attic", force: true });
  });

  await t.step("grants end with their host: another one with its id has none of them", async () => {
    const person = as("operator", LAB);
    const refused = asRoot.createUser({ name: "early", grants: onHost("viewer", "kvm9") });
    await assert.rejects(refused, { code: "HostNotFound" });
    await asRoot.removeHost({ hostId: LAB, force: true });
    const grantsOf = async () => (await asRoot.listUsers()).find(({ id }) => id === person.userId)!.grants;
    assert.deepEqual(await grantsOf(), []);
    assert.deepEqual(
      (await asRoot.listTokens({ all: true })).filter(({ userId }) => userId === person.userId)
        .flatMap(({ grants }) => grants),
      [],
    );
    await world.app.putHost({ id: LAB, label: LAB, uri: world.uris[1]!, added: 1, isEnabled: true });
    await until("it is read", () => Promise.resolve(world.app.hosts.served(LAB)?.inventory.filled === true));
    assert.notEqual(await person.codeOf("get_networks", { host: LAB }), "ok");
    assert.deepEqual(await grantsOf(), []);
  });
});
