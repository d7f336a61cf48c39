/** Nothing is offered that is refused: every page as everybody, its links opened, its forms' commands asked for. */
import assert from "node:assert/strict";
import { type CommandName, COMMANDS, type Grant } from "../../lib/contract/mod.ts";
import { DESTINATIONS } from "../../components/shell/navigation.ts";
import { VM_TABS } from "../../lib/vm/tabs.ts";
import { asRoot, type Person, signedIn } from "../testbed/people.ts";
import { call, refusal } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";

const PASSWORD = "one bed for every machine";

/** A host of libvirt's test driver: two VMs, a network, a pool. */
const vmXml = (name: string, uuid: string) =>
  `<domain type="test"><name>${name}</name><uuid>${uuid}</uuid><memory unit="MiB">64</memory><vcpu>1</vcpu>
  <os><type>hvm</type></os><devices><disk type="file" device="disk"><source file="/${name}.img"/><target dev="vda"/></disk>
  <interface type="network"><source network="default"/><mac address="52:54:00:00:00:0${
    uuid.at(-1)
  }"/></interface></devices></domain>`;
const OWN = "11111111-1111-4111-8111-111111111111", FOREIGN = "22222222-2222-4222-8222-222222222222";
const HOST = `<node>${vmXml("own", OWN)}${vmXml("foreign", FOREIGN)}
  <network><name>default</name><bridge name="virbr0"/><forward/><ip address="192.168.122.1" netmask="255.255.255.0"/></network>
  <pool type="dir"><name>default</name><target><path>/default-pool</path></target></pool></node>`;

const everything = { kind: "everything" } as const, ownVm = { kind: "vm", vmId: OWN } as const;
/** Who looks: name, and what they may. */
const ACTORS: Readonly<Record<string, readonly Grant[]>> = {
  administrator: [{ role: "administrator", on: everything }],
  operator: [{ role: "operator", on: everything }],
  viewer: [{ role: "viewer", on: everything }],
  "operator-of-one": [{ role: "operator", on: ownVm }],
  "viewer-of-one": [{ role: "viewer", on: ownVm }],
  "janitor-of-one": [{ role: "janitor", on: ownVm }],
  "one-right": [{ role: "storekeeper", on: everything }],
  "no-rights": [],
};

/** Links that are no pages to look at: files, the event stream, the way out. */
const NOT_OPENED =
  /^\/(?:sign-out|preferences)\b|\/export(?:\?|$)|\/(?:download|screenshot)\b|^\/api\/v1\/(?!reference)/;

const unescaped = (text: string) =>
  text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const attribute = (tag: string, name: string) => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescaped(found);
};

/** Addresses that a page has links to, as paths of ours. */
function linksIn(html: string, at: string): string[] {
  return [...html.matchAll(/<a\s[^>]*>/g)].map(([tag]) => attribute(tag, "href")).filter((href) =>
    href !== undefined
  )
    .map((href) => new URL(href, `http://here${at}`)).filter(({ host }) => host === "here")
    .map(({ pathname, search }) => pathname + search);
}

/** Questions that buttons of a page lead to. */
const questionsIn = (html: string) =>
  [...html.matchAll(/<button\s[^>]*formmethod="get"[^>]*>/gi)].map(([tag]) => tag)
    .filter((tag) => !/\sdisabled[\s>]/.test(tag))
    .map((tag) =>
      `${attribute(tag, "formAction") ?? attribute(tag, "formaction")}?action=${attribute(tag, "value")}`
    );

/** A command that a page offers to post, with the fields that stand fast. */
interface Offered {
  readonly command: CommandName;
  readonly input: Readonly<Record<string, string>>;
}

/** Forms that their pages read themselves, with their command. */
const OWN_FORMS: readonly (readonly [RegExp, CommandName])[] = [
  [/^\/vms\/new$/, "create_vm"],
  [/^\/vms\/import$/, "import_vm"],
  [/^\/vms\/import-ova$/, "import_ova"],
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
];

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

/** Commands of a page's forms and buttons that can be pressed. */
function offersIn(html: string, at: string): Offered[] {
  const vmId = /^\/vms\/([0-9a-f-]{36})/.exec(at)?.[1];
  const offers: Offered[] = [];
  for (const [form] of html.matchAll(/<form\s[^>]*>[^]*?<\/form>/g)) {
    const head = form.slice(0, form.indexOf(">") + 1);
    if (attribute(head, "method") !== "post") continue;
    const buttons = [...form.matchAll(/<button\s[^>]*>/g)].map(([tag]) => tag)
      .filter((tag) => attribute(tag, "type") === "submit" && !/\sdisabled[\s>]/.test(tag));
    for (const button of buttons) {
      const to = new URL(
        attribute(button, "formAction") ?? attribute(button, "formaction") ?? attribute(head, "action") ?? at,
        `http://here${at}`,
      );
      const value = attribute(button, "name") === "action" ? attribute(button, "value") ?? "" : "";
      const name = /^\/do\/(\w+)$/.exec(to.pathname)?.[1] ??
        (isCommand(value) ? value : OWN_FORMS.find(([path]) => path.test(to.pathname))?.[1]);
      if (name === undefined || !isCommand(name)) continue;
      const fields = Object.fromEntries(
        [...to.searchParams].filter(([key]) => !["to", "from", "host"].includes(key)),
      );
      offers.push({ command: name, input: vmId === undefined ? fields : { vmId, ...fields } });
    }
  }
  return offers;
}

/** Entries of the sidebar and tabs of one's own VM that are not there although their pages open. */
async function hidden(person: Person, sees: boolean): Promise<string[]> {
  const paths = [
    ...DESTINATIONS.map(({ href }) => ({ href, from: "/" })),
    ...(sees ? VM_TABS : []).map(({ path }) => ({ href: `/vms/${OWN}${path}`, from: `/vms/${OWN}` })),
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
async function inVain(person: Person): Promise<string[]> {
  const found = new Map<string, string>([["/", "the start"]]);
  const wrong: string[] = [], asked = new Set<string>();
  for (const [address, from] of found) {
    const response = await person.fetch(address);
    const html = await response.text();
    if (response.status >= 400 && response.status !== 503 && response.status !== 501) {
      wrong.push(`${response.status} ${address}, from ${from}`);
      continue;
    }
    if (!(response.headers.get("content-type") ?? "").startsWith("text/html")) continue;
    for (const link of [...linksIn(html, address), ...questionsIn(html)]) {
      if (!NOT_OPENED.test(link) && !found.has(link) && found.size < 300) found.set(link, address);
    }
    for (const { command, input } of offersIn(html, address)) {
      const key = `${command} ${JSON.stringify(input)}`;
      if (asked.has(key)) continue;
      asked.add(key);
      // Nothing is carried out: what passes the check of rights fails at the field that no command has.
      const { code } = await refusal(person.raw(command, { ...input, "no such field": true }));
      if (["Forbidden", "VmNotFound"].includes(code)) wrong.push(`${code} ${key}, on ${address}`);
    }
  }
  return wrong;
}

Deno.test("nobody is offered what is refused: links, tabs, rows, buttons, forms", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-offers-" });
  try {
    await Deno.writeTextFile(`${folder}/host.xml`, HOST);
    await using server = await startServer({ uri: `test://${folder}/host.xml`, logLevel: "error" });
    await asRoot(server, "create_role", { role: "janitor", permissions: ["vms.view", "vms.delete"] });
    await asRoot(server, "create_role", { role: "storekeeper", permissions: ["storage.view"] });
    await call(server, "get_vms");
    for (const [name, grants] of Object.entries(ACTORS)) {
      await t.step(name, async () => {
        await asRoot(server, "create_user", { name, password: PASSWORD, grants: [...grants] });
        const person = await signedIn(server, name, PASSWORD);
        const sees = grants.some(({ role }) => role !== "storekeeper");
        const wrong = [...await inVain(person), ...await hidden(person, sees)];
        assert.deepEqual(wrong, [], wrong.join("\n"));
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
