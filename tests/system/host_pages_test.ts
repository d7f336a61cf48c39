/** The pages of a second host: every link stays there, every form acts there, and nothing happens on the first. */
import assert from "node:assert/strict";
import { addressFrom } from "../../lib/text/host_path.ts";
import { VMS } from "../testbed/furnished.ts";
import { collectForms, type HtmlForm, inSendingOrder } from "../testbed/html_forms.ts";
import { SECOND_HOST as HOST, twoHosts } from "../testbed/two_hosts.ts";
import { attribute, visitPages } from "../testbed/visit_pages.ts";

/** Commands about all hosts that a host's pages have forms for. */
const OF_ALL_HOSTS: ReadonlySet<string> = new Set(["update_bin_policy", "set_vm_project", "set_vm_end"]);
/** The places that lead to other hosts. */
const TO_OTHER_HOSTS = [
  /<nav id="host-menu".*?<\/nav>/s,
  /<nav class="host-chosen".*?<\/nav>/s,
  /<nav class="side-hosts".*?<\/nav>/s,
];
const withoutHostMenu = (html: string) => TO_OTHER_HOSTS.reduce((rest, each) => rest.replace(each, ""), html);

/** Addresses that a page's markup has. */
const addressesIn = (html: string) =>
  [...html.matchAll(/<(?:a|form|button|img|link|script)\s[^>]*>/g)].flatMap(([tag]) =>
    ["href", "action", "formaction", "formAction", "src"].map((name) => attribute(tag, name))
  ).filter((address) => address !== undefined && /^\/(?!\/)/.test(address)) as string[];

Deno.test("every link and form of a second host's pages stays there, and acts there alone", async (t) => {
  await using host = await twoHosts();
  const { api } = host;
  const vmIds = new Set((await api.getVms({ host: HOST })).map(({ id }) => id));
  assert.ok(vmIds.has(VMS.own));
  const isOurs = (link: string) =>
    link.startsWith(`/hosts/${HOST}/`) || vmIds.has(/^\/vms\/([^/?]+)/.exec(link)?.[1] ?? "");
  const forms = new Map<string, HtmlForm>(), away: string[] = [], refusals: string[] = [];
  let visited = 0;
  await t.step("every address of every page", async () => {
    await visitPages(
      host.open,
      (address, html) => {
        visited++;
        for (const each of addressesIn(withoutHostMenu(html))) {
          if (addressFrom({ id: HOST, isLinked: false }, each) !== each) away.push(`${address}: ${each}`);
        }
        collectForms(forms, html, address);
      },
      (status, address, from) => refusals.push(`${status} ${address} from ${from}`),
      {
        start: `/hosts/${HOST}/`,
        isFollowed: isOurs,
      },
    );
    assert.deepEqual(away, []);
    assert.deepEqual(refusals, []);
    assert.ok(visited > 60 && forms.size > 100, `${visited} pages, ${forms.size} forms`);
    const nowhere = await host.open("/hosts/nowhere/networks");
    assert.equal(nowhere.status, 404);
    assert.match(await nowhere.text(), /href="\/"/, "its links lead to this host");
  });
  const local = async () => ({
    vms: await api.getVms({ host: "local" }),
    networks: await api.getNetworks(),
    pools: await api.getStoragePools(),
    templates: (await api.listTemplates()).length,
  });
  const before = await local();
  await t.step("every form", async () => {
    const strays: string[] = [];
    let accepted = 0;
    for (const form of inSendingOrder(forms.values())) {
      const since = Date.now();
      const response = await host.open(form.action, {
        method: "POST",
        redirect: "manual",
        headers: { accept: "text/html" },
        body: new URLSearchParams(form.fields.map(([name, value]) => [name, value])),
      });
      await response.body?.cancel();
      if (response.status === 303) {
        accepted++;
        const to = response.headers.get("location")!;
        if (addressFrom({ id: HOST, isLinked: false }, to) !== to) strays.push(`${form.action} led to ${to}`);
      }
      for (const row of await api.getActivity({ since, limit: 50 })) {
        // What was refused by its input alone was carried out nowhere
        if (row.result === "ok" && row.host !== HOST && !OF_ALL_HOSTS.has(row.action)) {
          strays.push(`${form.action}: ${row.action} on ${row.host ?? "the local host"}`);
        }
      }
    }
    assert.deepEqual(strays, []);
    assert.ok(accepted > 50, `${accepted} forms were accepted`);
    assert.deepEqual(await local(), before);
  });
});
