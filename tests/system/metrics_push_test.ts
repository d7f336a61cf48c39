/** The figures of a real libvirt, sent by the application to a receiver of OTLP. */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { appHere } from "../testbed/app_here.ts";
import { otlpReceiver } from "../testbed/otlp_receiver.ts";
import { testMachine } from "../testbed/machine.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

setLogLevel("error");

Deno.test({
  name: "metrics are sent to a receiver of OTLP: what /metrics would tell of a VM that runs",
  ignore: await requirement("qemu") !== null,
  fn: async () => {
    await using vm = await testMachine({ purpose: "metrics-push", guest: false, start: true, disks: [{}] });
    await using to = otlpReceiver();
    await using here = await appHere();
    const { app, api } = here;
    await until("the VM is known", () => Promise.resolve(app.hosts.vm(vm.uuid) !== undefined));
    assert.deepEqual(await api.getMetricPush(), {
      enabled: false,
      intervalSeconds: 60,
      ca: "",
      privateAddresses: false,
      address: null,
      headers: [],
      lastSentAt: null,
      lastPoints: 0,
    });
    await api.updateMetricPush({ enabled: true, url: to.url, privateAddresses: true });
    const sent = () =>
      to.got.flatMap(({ request }) => request.resourceMetrics).flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics);
    const valueOf = (name: string) => {
      const metric = sent().find((each) => each.name === name);
      return (metric?.sum ?? metric?.gauge)?.dataPoints.find(({ attributes }) =>
        attributes.some(({ key, value }) => key === "domain" && value.stringValue === vm.name)
      )?.asDouble;
    };
    await until(
      "the VM's figures were sent",
      () => Promise.resolve((valueOf("libvirt_domain_info_cpu_time_seconds") ?? 0) > 0),
      {
        seconds: 60,
      },
    );
    assert.equal(valueOf("libvirt_domain_info_vstate"), 1);
    assert.ok(valueOf("libvirt_domain_block_stats_capacity_bytes")! > 0);
    assert.ok(sent().some(({ name }) => name === "kvm_manager_resident_memory_bytes"));
    // The receiver has it a moment before the answer has come back
    await until("the sending to be known", async () => {
      const { lastSentAt, lastPoints, trouble } = await api.getMetricPush();
      return lastSentAt !== null && lastPoints > 10 && trouble === undefined;
    });
    const { points } = await api.testMetricPush();
    assert.ok(points > 10);
  },
});
