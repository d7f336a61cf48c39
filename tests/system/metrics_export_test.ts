/** `/metrics`: who may read it, what promtool says of it, and a real Prometheus that scrapes it. */
import assert from "node:assert/strict";
import { exposition, labelSet } from "../../lib/formats/exposition.ts";
import { exportedFamilies } from "../../lib/metrics/exported.ts";
import { testFolder } from "../testbed/folder.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { asRoot, Person, personWith } from "../testbed/people.ts";
import { run } from "../testbed/process.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const noQemu = await requirement("qemu") !== null;
const noPrometheus = await requirement("prometheus") !== null;
/** Milliseconds after which a reading must be there: the interval is 5 s. */
const SECONDS = 30;
/** A name that tries to write samples of its own; libvirt takes it. */
const hostile = (name: string) => `${name}"} 1 # \\`;

const scrape = (who: Person, accept = "text/plain") => who.fetch("/metrics", { headers: { accept } });

/** promtool's words on a text; empty when it finds nothing. @throws {ProcessError} for what is no exposition, or badly named */
const promtool = (text: string) => run(["promtool", "check", "metrics"], { stdin: text });

/** The value of a sample that has these labels among its own. */
function valueOf(text: string, name: string, ...labels: string[]): number | undefined {
  const line = text.split("\n").find((each) =>
    each.startsWith(`${name}{`) && labels.every((label) => each.includes(label))
  );
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")));
}

/** Debian's prometheus, scraping a server as it is told to. */
async function prometheusAt(server: TestServer, token: string, folder: string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await Deno.writeTextFile(`${folder}/token`, token);
  await Deno.writeTextFile(
    `${folder}/prometheus.yml`,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: kvm-manager
    authorization: { credentials_file: ${folder}/token }
    static_configs: [{ targets: ["${new URL(server.url).host}"] }]
`,
  );
  const child = new Deno.Command("prometheus", {
    args: [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return (await response.json()).data;
  };
  return {
    /** The samples of a query. */
    query: async (query: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> =>
      (await ask(`query?query=${encodeURIComponent(query)}`)).result,
    targets: () => ask("targets"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

Deno.test({
  name: "/metrics: tokens alone, of their VMs alone, with the figures of virsh; Prometheus takes it",
  ignore: noQemu || noPrometheus,
  fn: async (t) => {
    await using network = await testNetwork("export");
    await using vm = await testMachine({
      purpose: "export",
      guest: false,
      start: true,
      memoryMiB: 64,
      disks: [{}],
      network,
    });
    await using other = await testMachine({ purpose: "export-other", guest: false });
    await using folder = await testFolder();
    await using server = await startServer({
      args: ["--metrics-endpoint", "token", "--metrics-interval", "5"],
    });
    await asRoot(server, "create_role", { role: "scraper", permissions: ["metrics.scrape", "vms.view"] });
    const all = await personWith(server, "all", [{ role: "viewer", on: { kind: "everything" } }]);
    const one = await personWith(server, "one", [{ role: "scraper", on: { kind: "vm", vmId: vm.uuid } }]);
    const none = await personWith(server, "none", [{ role: "viewer", on: { kind: "everything" } }], []);

    await t.step(
      "no token, a wrong token, a token without the permission: refused before anything is read",
      async () => {
        const nobody = await scrape(new Person(server, {}));
        assert.equal(nobody.status, 401);
        assert.match(nobody.headers.get("www-authenticate") ?? "", /^Bearer/);
        assert.doesNotMatch(await nobody.text(), /libvirt_domain/);
        const wrong = await scrape(new Person(server, { authorization: "Bearer kvmm_wrong" }));
        assert.equal(wrong.status, 401);
        await wrong.body?.cancel();
        const without = await scrape(none);
        assert.equal(without.status, 403);
        await without.body?.cancel();
        const posted = await all.fetch("/metrics", { method: "POST" });
        assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
        await posted.body?.cancel();
      },
    );

    const text = await until("the VM was read", async () => {
      const found = await (await scrape(all)).text();
      return found.includes(`libvirt_domain_block_stats_read_bytes_total{domain="${vm.name}"`)
        ? found
        : undefined;
    }, { seconds: SECONDS });

    await t.step("the figures are virsh's", async () => {
      const domain = `domain="${vm.name}"`;
      assert.equal(valueOf(text, "libvirt_domain_info_virtual_cpus", domain), 1);
      assert.equal(valueOf(text, "libvirt_domain_info_maximum_memory_bytes", domain), 64 << 20);
      assert.equal(valueOf(text, "libvirt_domain_info_vstate", domain), 1);
      assert.equal(valueOf(text, "libvirt_domain_info_vstate", `domain="${other.name}"`), 5);
      const stats = await virsh("domstats", vm.name);
      const counted = Number(/cpu\.time=(\d+)/.exec(stats)![1]) / 1e9;
      const told = valueOf(text, "libvirt_domain_info_cpu_time_seconds_total", domain)!;
      assert.ok(told > 0 && told <= counted, `${told}, virsh says ${counted}`);
      const path = /block\.0\.path=(.*)/.exec(stats)![1]!;
      assert.ok(
        valueOf(
          text,
          "libvirt_domain_block_stats_capacity_bytes",
          `source_file="${path}"`,
          'target_device="vda"',
        )! > 0,
      );
      const bridge = /<bridge name='([^']+)'/.exec(await virsh("net-dumpxml", network.name))![1]!;
      assert.notEqual(
        valueOf(
          text,
          "libvirt_domain_interface_stats_receive_bytes_total",
          domain,
          `source_bridge="${bridge}"`,
        ),
        undefined,
      );
      assert.match(text, /^libvirt_up 1$/m);
      assert.match(text, /^kvm_manager_build_info\{version="[^"]+"\} 1$/m);
      assert.match(text, /^kvm_manager_jobs\{state="running"\} \d+$/m);
    });

    await t.step("who may see one VM has that one, and nothing of the host", async () => {
      const mine = await (await scrape(one)).text();
      assert.ok(mine.includes(`domain="${vm.name}"`));
      assert.ok(!mine.includes(other.name));
      assert.doesNotMatch(mine, /libvirt_pool_info|kvm_manager_jobs/);
      assert.match(mine, /^libvirt_up 1$/m);
    });

    await t.step("promtool finds nothing, also with names that want to break out", async () => {
      assert.equal(await promtool(text), "");
      await virsh("domrename", other.name, hostile(other.name));
      try {
        const named = await until("the new name is known", async () => {
          const found = await (await scrape(all)).text();
          return found.includes(labelSet({ domain: hostile(other.name) }).text) ? found : undefined;
        }, { seconds: SECONDS });
        assert.equal(await promtool(named), "");
        await using prometheus = await prometheusAt(
          server,
          all.headers.authorization!.replace("Bearer ", ""),
          folder.path,
        );
        const found = await until("Prometheus has the VMs", async () => {
          const samples = await prometheus.query("libvirt_domain_info_vstate").catch(() => []);
          return samples.length > 0 ? samples : undefined;
        }, { seconds: SECONDS });
        const states = new Map(found.map(({ metric, value }) => [metric.domain, value[1]]));
        assert.equal(states.get(vm.name), "1");
        assert.equal(states.get(hostile(other.name)), "5");
        const [up] = await prometheus.query("up");
        assert.equal(up!.value[1], "1");
        const { activeTargets: [target] } = await prometheus.targets();
        assert.deepEqual([target.health, target.lastError], ["up", ""]);
      } finally {
        await virsh("domrename", hostile(other.name), other.name);
      }
    });

    await t.step("OpenMetrics, for who asks for it", async () => {
      const response = await scrape(all, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
      assert.match(
        response.headers.get("content-type") ?? "",
        /^application\/openmetrics-text; version=1\.0\.0/,
      );
      const open = await response.text();
      assert.ok(open.endsWith("\n# EOF\n"));
      assert.match(open, /^# TYPE libvirt_domain_info_cpu_time_seconds counter$/m);
      assert.equal(
        (await all.call("export_metrics", { format: "prometheus" })).text.includes("# EOF"),
        false,
      );
    });
  },
});

Deno.test({
  name: "/metrics: there is no such address where it is not switched on",
  ignore: noQemu,
  fn: async () => {
    await using server = await startServer();
    const all = await personWith(server, "all", [{ role: "viewer", on: { kind: "everything" } }]);
    const response = await scrape(all);
    assert.equal(response.status, 404);
    await response.body?.cancel();
    await assert.rejects(all.call("export_metrics", {}), /MetricsUnavailable/);
  },
});

Deno.test({
  name: "exposition() of any name is one that promtool takes",
  ignore: noPrometheus,
  fn: async () => {
    const names = ['a"b', "a\\", "a\nlibvirt_up 0", "{}", "名前", "\u202e", "a\ud800", '"} 1\n#', "\r", "\0"];
    const vms = names.map((name, index) => ({
      name,
      id: String(index),
      state: 1,
      virtualCpus: 1,
      memoryBytes: 1,
      maximumMemoryBytes: 1,
      bridgeOf: () => name,
      reading: {
        "cpu.time": 1,
        "block.count": 1,
        "block.0.name": name,
        "block.0.path": name,
        "block.0.rd.bytes": 1,
        "net.count": 1,
        "net.0.name": name,
        "net.0.rx.bytes": 1,
      },
    }));
    const pools = names.map((name) => ({ name, capacity: 2, allocation: 1 }));
    const text = [...exposition(exportedFamilies(vms, pools), "prometheus")].join("");
    assert.equal(await promtool(text), "");
    assert.doesNotMatch(text, /^libvirt_up/m);
  },
});
