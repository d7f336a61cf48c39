/** Nothing is offered that is refused: every page as everybody, its links opened, its forms' commands asked for. */
import assert from "node:assert/strict";
import { type CommandName, COMMANDS, type Grant } from "../../lib/contract/mod.ts";
import { DESTINATIONS } from "../../components/shell/navigation.ts";
import { VM_TABS } from "../../lib/vm/tabs.ts";
import { furnished, VMS } from "../testbed/furnished.ts";
import { asRoot, type Person, signedIn } from "../testbed/people.ts";
import { refusal } from "../testbed/product.ts";
import { attribute, linksIn, visitPages } from "../testbed/visit_pages.ts";

const PASSWORD = "one bed for every machine";

const OWN = VMS.own;
const everything = { kind: "everything" } as const, ownVm = { kind: "vm", vmId: OWN } as const;
const here = { kind: "host", host: "local" } as const;
const ofLab = { kind: "group", group: "lab" } as const;
/** Users by name, with their grants. */
const ACTORS: Readonly<Record<string, readonly Grant[]>> = {
  administrator: [{ role: "administrator", on: everything }],
  operator: [{ role: "operator", on: everything }],
  viewer: [{ role: "viewer", on: everything }],
  "operator-of-host": [{ role: "operator", on: here }],
  "viewer-of-host": [{ role: "viewer", on: here }],
  "operator-of-one": [{ role: "operator", on: ownVm }],
  "viewer-of-one": [{ role: "viewer", on: ownVm }],
  "janitor-of-two": [{ role: "janitor", on: ownVm }, { role: "janitor", on: { kind: "vm", vmId: VMS.off } }],
  "operator-of-group": [{ role: "operator", on: ofLab }],
  "viewer-of-group": [{ role: "viewer", on: ofLab }],
  "one-right": [{ role: "storekeeper", on: everything }],
  "no-rights": [],
};

/** Commands that an administrator must be offered on such a host: without one, its page was not read. */
const OFFERED: readonly CommandName[] = [
  ...[
    "run_backup_now",
    "delete_backup",
    "test_backup_target",
    "run_schedule_now",
    "delete_schedule",
  ] as const,
  ...["delete_alert", "update_alert", "end_silence", "test_alert_target", "delete_template"] as const,
  ...["create_vm_from_template", "restore_bin_entry", "delete_bin_entry", "empty_bin"] as const,
  ...["revoke_token", "delete_user", "update_user", "delete_role", "delete_vm", "force_stop_vm"] as const,
];

/** A command that a page offers to post, with the fields that stand fast. */
interface Offered {
  readonly command: CommandName;
  readonly input: Readonly<Record<string, string>>;
}

/** Forms that their pages read themselves, with their command. */
const OWN_FORMS: readonly (readonly [RegExp, CommandName])[] = [
  [/^\/vms\/new$/, "create_vm"],
  [/^\/projects\/[0-9a-f-]+$/, "update_project"],
  [/^\/projects\/[0-9a-f-]+\/tools$/, "add_local_tool"],
  [/^\/profiles\/[0-9a-f-]+$/, "update_profile"],
  [/^\/profiles\/import$/, "import_profile"],
  [/^\/profiles\/skill$/, "set_tool"],
  [/^\/vms\/import$/, "import_vm"],
  [/^\/vms\/import-ova$/, "import_ova"],
  [/^\/vms\/import-from$/, "import_foreign_vm"],
  [/^\/vms\/move$/, "batch_migrate_vms"],
  [/^\/vms\/[^/]+\/migrate$/, "migrate_vm"],
  [/^\/storage\/[^/]+\/copy$/, "copy_volume_to_host"],
  [/^\/templates\/[0-9a-f-]+\/copy$/, "copy_template_to_host"],
  [/^\/settings\/placement$/, "create_placement_rule"],
  [/^\/maintenance$/, "start_maintenance"],
  [/^\/vms\/[^/]+\/backups$/, "update_backup"],
  [/^\/templates\/[0-9a-f-]+$/, "create_vm_from_template"],
  [/^\/settings\/users\/[0-9a-f-]+$/, "update_user"],
  [/\/clone$/, "clone_vm"],
  [/\/rename$/, "rename_vm"],
  [/\/template$/, "create_template"],
  [/\/export-ova$/, "export_ova"],
  [/\/hardware$/, "update_vm"],
  [/\/cloud-init$/, "set_cloud_init"],
  [/\/xml$/, "set_vm_xml"],
  [/^\/networks\/new$/, "create_network"],
  [/^\/networks\/.*\/edit$/, "update_network"],
  [/\/forwards$/, "add_port_forward"],
  [/^\/images\/new$/, "download_image"],
  [/^\/templates\/new$/, "create_template"],
  [/^\/settings\/users$/, "create_user"],
  [/^\/settings\/tokens$/, "create_token"],
  [/^\/settings\/hosts$/, "invite_host"],
];

/** Forms that are no one command: of the page itself, of a choice of VMs, of one's own two factors. */
const NO_COMMAND = /^\/(?:sign-out|preferences|vms\/actions|settings\/account)$/;

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

/** Commands of a page's forms and buttons that can be pressed. */
function offersIn(html: string, at: string): Offered[] {
  const vmId = /^\/vms\/([0-9a-f-]{36})/.exec(at)?.[1];
  const offers: Offered[] = [];
  for (const [form] of html.matchAll(/<form\s[^>]*>[^]*?<\/form>/g)) {
    const head = form.slice(0, form.indexOf(">") + 1);
    if (attribute(head, "method") !== "post") continue;
    const buttons = [...form.matchAll(/<button\s[^>]*>/g)].map(([tag]) => tag)
      .filter((tag) => attribute(tag, "type") === "submit" && !/\sdisabled[\s>]/.test(tag))
      .filter((tag) => !/\sformmethod="get"/i.test(tag));
    for (const button of buttons) {
      const to = new URL(
        attribute(button, "formAction") ?? attribute(button, "formaction") ?? attribute(head, "action") ?? at,
        `http://here${at}`,
      );
      const value = attribute(button, "name") === "action" ? attribute(button, "value") ?? "" : "";
      const name = /^\/do\/(\w+)$/.exec(to.pathname)?.[1] ??
        (isCommand(value) ? value : OWN_FORMS.find(([path]) => path.test(to.pathname))?.[1]);
      if (name === undefined && NO_COMMAND.test(to.pathname)) continue;
      assert.ok(name !== undefined && isCommand(name), `${at}: ${to.pathname} is of no known command`);
      const fields = Object.fromEntries(
        [...to.searchParams].filter(([key]) => !["to", "from", "host"].includes(key)),
      );
      offers.push({ command: name, input: vmId === undefined ? fields : { vmId, ...fields } });
    }
  }
  return offers;
}

/** Entries of the sidebar and tabs of one's own VM, if there is one, that are not there although their pages open. */
async function hidden(person: Person, own: string | undefined): Promise<string[]> {
  const paths = [
    ...DESTINATIONS.map(({ href }) => ({ href, from: "/" })),
    ...(own === undefined ? [] : VM_TABS).map(({ path }) => ({
      href: `/vms/${own}${path}`,
      from: `/vms/${own}`,
    })),
  ];
  const wrong: string[] = [];
  for (const { href, from } of paths) {
    const links = linksIn(await (await person.fetch(from)).text(), from);
    if (links.includes(href)) continue;
    const response = await person.fetch(href);
    await response.body?.cancel();
    if (response.status !== 403) wrong.push(`${href} is hidden, and answers ${response.status}`);
  }
  return wrong;
}

/** Opens every page that somebody is led to. @returns what they are offered in vain */
async function inVain(person: Person): Promise<{ wrong: string[]; offered: ReadonlySet<CommandName> }> {
  const wrong: string[] = [], asked = new Set<string>(), offered = new Set<CommandName>();
  await visitPages((address) => person.fetch(address), async (address, html) => {
    for (const { command, input } of offersIn(html, address)) {
      const key = `${command} ${JSON.stringify(input)}`;
      if (asked.has(key)) continue;
      asked.add(key);
      offered.add(command);
      // Nothing is carried out: what passes the check of rights fails at the field that no command has.
      const { code } = await refusal(person.raw(command, { ...input, "no such field": true }));
      if (["Forbidden", "VmNotFound"].includes(code)) wrong.push(`${code} ${key}, on ${address}`);
    }
  }, (status, address, from) => wrong.push(`${status} ${address}, from ${from}`));
  return { wrong, offered };
}

Deno.test("no user is offered a refused command: links, tabs, rows, buttons, forms", async (t) => {
  await using host = await furnished();
  const { server } = host;
  for (const [name, grants] of Object.entries(ACTORS)) {
    await t.step(name, async () => {
      await asRoot(server, "create_user", { name, password: PASSWORD, grants: [...grants] });
      const person = await signedIn(server, name, PASSWORD);
      const own = grants.some(({ role }) => role === "storekeeper")
        ? undefined
        : grants.some(({ on }) => on === ofLab)
        ? VMS.grouped
        : VMS.own;
      const { wrong, offered } = await inVain(person);
      if (name === "administrator") assert.deepEqual(OFFERED.filter((each) => !offered.has(each)), []);
      wrong.push(...await hidden(person, grants.length === 0 ? undefined : own));
      assert.deepEqual(wrong, [], wrong.join("\n"));
    });
  }
});
