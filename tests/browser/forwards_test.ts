/** Port forwards on the pages of networks and machines, on the real kernel, in a real browser. */
import assert from "node:assert/strict";
import { forwardNames } from "../../agent/network/forwards/names.ts";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { fromMenu, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "forwarding", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** A port of the host that is most likely free. */
function somePort(): number {
  return 31_000 + crypto.getRandomValues(new Uint16Array(1))[0]! % 1000;
}

/** A server whose forwards are removed before it stops: rules outlive it. */
async function forwardServer(): Promise<AsyncDisposable & { server: TestServer }> {
  const server = await readyServer();
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      try {
        for (const { id } of await call(server, "list_port_forwards")) {
          await call(server, "remove_port_forward", { id });
        }
      } finally {
        await server[Symbol.asyncDispose]();
      }
    },
  };
}

/** Whether the kernel translates a port. */
async function isTranslated({ dataDir }: TestServer, port: number): Promise<boolean> {
  const { table } = forwardNames(dataDir);
  return new RegExp(`^table inet ${table} [^]*dport ${port} dnat`, "m").test(
    await run(["nft", "list", "ruleset"]),
  );
}

browserTest("a port forward is added, switched off and removed, with and without JavaScript", async (t) => {
  await using network = await testNetwork("page-fw");
  await using vm = await testMachine({ purpose: "page-fw", network, guest: false });
  await using running = await forwardServer();
  const { server } = running;
  await known(server, vm.uuid);
  await using tester = await browser();
  for (const javaScriptEnabled of [true, false]) {
    await t.step(javaScriptEnabled ? "with" : "without", async () => {
      const port = somePort();
      const row = "tr[data-forward]";
      await visit(tester, `${server.url}/networks/${network.name}`, async (page) => {
        await page.getByText("Add port forward…").click();
        await page.getByLabel("Host port", { exact: true }).fill(String(port));
        await page.getByLabel("Fixed address", { exact: true }).fill(`${network.subnet}.9`);
        await page.getByLabel("Port of the target", { exact: true }).fill("80");
        await page.getByLabel("Note", { exact: true }).fill("the web <b>server</b>");
        await page.getByRole("button", { name: "Add port forward" }).click();
        await waitForText(page, row, "Active");
        await waitForText(page, row, `${network.subnet}.9 port 80`);
        await waitForText(page, row, "the web <b>server</b>");
        await waitForText(page, "body", "The port forward was added");
        await becomes(() => isTranslated(server, port), true);
        await page.getByRole("button", { name: `Switch off the port forward TCP ${port}` }).click();
        await waitForText(page, row, "Switched off");
        await becomes(() => isTranslated(server, port), false);
        await fromMenu(page, `TCP ${port}`, `Remove the port forward TCP ${port}`);
        await waitForText(page, "h1", `Remove the port forward TCP ${port}?`);
        await page.getByRole("button", { name: "Remove" }).click();
        await waitForText(page, "main", "The port forward was removed");
        await becomes(() => page.locator(row).count(), 0);
      }, { javaScriptEnabled });
    });
  }
});

browserTest("a forward to a machine shows on both their pages, and what is refused is said", async () => {
  await using network = await testNetwork("both-fw");
  await using vm = await testMachine({ purpose: "both-fw", network, guest: false });
  await using running = await forwardServer();
  const { server } = running;
  await known(server, vm.uuid);
  await using tester = await browser();
  const port = somePort();
  await visit(tester, `${server.url}/networks/${network.name}`, async (page) => {
    await page.getByText("Add port forward…").click();
    const add = async (ports: string) => {
      await page.getByLabel("Host port", { exact: true }).fill(ports);
      await page.getByRole("button", { name: "Add port forward" }).click();
    };
    await add(`${port}-${port + 4}`);
    await waitForText(page, "tr[data-forward]", `${vm.name} does not run`);
    await waitForText(page, "tr[data-forward]", "Waiting");
    await add(String(port + 2));
    await waitForText(
      page,
      "body",
      `is forwarded to ${vm.name} on ${network.name} already. Choose another one.`,
    );
    await page.goto(`${server.url}/networks/${network.name}/confirm?action=delete`);
    await waitForText(page, "main", "These port forwards go with it:");
    await waitForText(page, "main", `TCP ${port}–${port + 4}`);
    await page.goto(`${server.url}/vms/${vm.uuid}/network`);
    await waitForText(page, "tr[data-forward]", `TCP ${port}–${port + 4}`);
    await page.locator("tr[data-forward]").getByRole("link", { name: network.name }).click();
    await page.waitForURL(`**/networks/${network.name}`);
  }, { expected: /status of 409/ });
});

browserTest(
  "a forward whose network is gone is shown with the networks, and can be removed there",
  async () => {
    await using running = await forwardServer();
    const { server } = running;
    let name = "";
    {
      await using network = await testNetwork("gone-fw");
      name = network.name;
      await until("the network", async () => {
        const found = await call(server, "get_networks");
        return found.some((each) => each.name === name);
      });
      await call(server, "add_port_forward", {
        network: name,
        protocol: "udp",
        hostPort: somePort(),
        address: `${network.subnet}.9`,
      });
    }
    await using tester = await browser();
    await visit(tester, `${server.url}/networks`, async (page) => {
      await waitForText(page, "main", "Port forwards without their network");
      await waitForText(page, "tr[data-forward]", name);
      await page.getByRole("button", { name: /^Actions for UDP/ }).click();
      await page.getByRole("menuitem", { name: /Remove the port forward UDP/ }).click();
      await page.getByRole("button", { name: "Remove" }).click();
      await waitForText(page, "main", "The port forward was removed");
      assert.deepEqual(await call(server, "list_port_forwards"), []);
    });
  },
);

browserTest(
  "the pages with port forwards are free of axe-core's violations in both themes, wide and narrow",
  async (t) => {
    await using network = await testNetwork("axe-fw");
    await using vm = await testMachine({ purpose: "axe-fw", network, guest: false });
    await using running = await forwardServer();
    const { server } = running;
    await known(server, vm.uuid);
    const { name, subnet } = network;
    const port = somePort();
    await call(server, "add_port_forward", {
      network: name,
      protocol: "tcp",
      hostPort: port,
      address: `${subnet}.9`,
      description: "a note that is long enough to be broken over several lines of the table",
    });
    const { id } = await call(server, "add_port_forward", {
      network: name,
      protocol: "udp",
      hostPort: port,
      hostPortEnd: port + 9,
      hostAddress: `${subnet}.1`,
      vmId: vm.uuid,
    });
    await using tester = await browser();
    const here = `/networks/${name}`;
    for (
      const path of [
        here,
        `${here}/forwards?remove=${id}`,
        `${here}/confirm?action=delete`,
        `/vms/${vm.uuid}/network`,
      ]
    ) {
      for (const size of [{}, PHONE]) {
        const what = path.replace(name, "NAME").replace(id, "ID").replace(vm.uuid, "VM");
        await t.step(
          `${what} ${size === PHONE ? "phone" : "wide"}`,
          () =>
            visit(tester, server.url + path, async (page) => {
              await page.getByRole("heading", { level: 1 }).waitFor();
              assert.equal(await overflows(page), false, "wider than its window");
            }, { ...size, accessible: "in both themes" }),
        );
      }
    }
  },
);
