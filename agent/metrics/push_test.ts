/** Figures sent to a receiver on loopback, over HTTP and TLS, and its faults. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ContractError } from "../../lib/contract/errors.ts";
import { labelSet, type MetricFamily, NO_LABELS } from "../../lib/formats/exposition.ts";
import { testFolder } from "../../tests/testbed/folder.ts";
import { otlpReceiver, type OtlpRequestSent } from "../../tests/testbed/otlp_receiver.ts";
import { localhostCertificate } from "../../tests/testbed/tls.ts";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { MetricPusher, PUSH_MIGRATIONS, type PushedHost } from "./push.ts";

setLogLevel("error");
const SECRET = "s3cret-of-the-receiver";

const DOMAIN = labelSet({ domain: 'web\n"<b>"' });
const FAMILIES: readonly MetricFamily[] = [
  {
    name: "cpu_seconds",
    kind: "counter",
    help: "CPU time",
    samples: [[DOMAIN, 12.5], [labelSet({ domain: "db" }), 3]],
  },
  { name: "up", kind: "gauge", help: "Whether it answers", samples: [[NO_LABELS, 1]] },
  {
    name: "unknown",
    kind: "gauge",
    help: "Nothing is known",
    samples: [[NO_LABELS, NaN], [DOMAIN, Infinity]],
  },
];

/** A sender with its database; figures are taken when the test says so. */
async function sender(resolve?: (host: string) => Promise<string[]>) {
  const folder = await testFolder();
  const clock = new TestClock(Date.UTC(2026, 5, 1));
  const store = new Store(folder.path, undefined, [{ name: "metrics", migrations: PUSH_MIGRATIONS }]);
  store.open();
  let hosts: PushedHost[] = [];
  const make = () => new MetricPusher({ store, clock, latest: () => hosts, ...(resolve && { resolve }) });
  const push = make(), stop = new AbortController();
  return {
    push,
    clock,
    stop,
    make,
    folder,
    take: (families: Iterable<MetricFamily> = FAMILIES) =>
      hosts = [{ id: "local", hostname: "host1", takenAt: clock.now(), families }],
    run: () => push.run(stop.signal),
    async [Symbol.asyncDispose]() {
      store.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const refused = (run: () => unknown, pattern: RegExp) =>
  assert.throws(run, (error) => error instanceof ContractError && pattern.test(error.message));

Deno.test("MetricPusher sends what OTLP has for counters and gauges, when it is new, as often as told", async () => {
  await using to = otlpReceiver();
  await using from = await sender();
  const { push, clock, take, run } = from;
  take();
  await run();
  assert.equal(to.got.length, 0, "it is off until it is switched on");
  push.set({
    enabled: true,
    url: to.url,
    privateAddresses: true,
    headers: `Authorization: Bearer ${SECRET}\nX-Scope: a b`,
    intervalSeconds: 60,
  });
  assert.ok(push.isOn);
  await run();
  const [{ path, headers, request }] = to.got as [typeof to.got[number]];
  assert.deepEqual([path, headers.get("authorization"), headers.get("x-scope")], [
    "/v1/metrics",
    `Bearer ${SECRET}`,
    "a b",
  ]);
  const [{ resource, scopeMetrics: [scope] }] = request.resourceMetrics as [
    OtlpRequestSent["resourceMetrics"][number],
  ];
  const about = Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue]));
  assert.deepEqual([about["service.name"], about["host.name"]], ["kvm-manager", "host1"]);
  const [cpu, up, ...others] = scope!.metrics;
  assert.deepEqual(others, [], "what is unknown is not sent");
  assert.equal(cpu!.sum!.isMonotonic, true);
  assert.deepEqual(
    cpu!.sum!.dataPoints.map(({ attributes, asDouble }) => [attributes[0]!.value.stringValue, asDouble]),
    [
      ['web\n"<b>"', 12.5],
      ["db", 3],
    ],
  );
  const [point] = up!.gauge!.dataPoints;
  assert.equal(point!.timeUnixNano, `${Date.UTC(2026, 5, 1)}000000`);
  const { lastSentAt, lastPoints, trouble } = push.show();
  assert.deepEqual([lastSentAt, lastPoints, trouble], [clock.now(), 3, undefined]);
  await clock.advance(61_000);
  await run();
  assert.equal(to.got.length, 1, "no figures were taken since");
  take();
  await run();
  assert.equal(to.got.length, 2);
  await clock.advance(30_000);
  take();
  await run();
  assert.equal(to.got.length, 2, "not before its time");
});

Deno.test("MetricPusher backs off, waits as the receiver asks, tells why, and goes on when it is back", async () => {
  const answers: (Response | undefined)[] = [
    new Response("busy", { status: 503 }),
    new Response("slow down", { status: 429, headers: { "retry-after": "300" } }),
    new Response("bad token", { status: 401 }),
    Response.json({ partialSuccess: { rejectedDataPoints: "2", errorMessage: "too old" } }),
  ];
  await using to = otlpReceiver(() => answers.shift());
  await using from = await sender();
  const { push, clock, take, run } = from;
  push.set({ enabled: true, url: to.url, privateAddresses: true });
  const after = async (ms: number) => {
    await clock.advance(ms);
    take();
    await run();
    return to.got.length;
  };
  assert.equal(await after(0), 1);
  assert.match(push.show().trouble!, /HTTP 503: busy/);
  assert.equal(push.show().nextTryAt, clock.now() + 15_000);
  assert.equal(await after(14_000), 1);
  assert.equal(await after(1000), 2);
  assert.equal(await after(299_000), 2, "as it asked");
  assert.equal(await after(1000), 3);
  assert.match(push.show().trouble!, /HTTP 401: bad token/);
  assert.equal(await after(899_000), 3, "what another try cannot help is tried seldom");
  assert.equal(await after(1000), 4);
  assert.match(push.show().trouble!, /2 figures were refused: too old/);
  assert.equal(await after(900_000), 5);
  assert.deepEqual([push.show().trouble, push.show().lastPoints], [undefined, 3]);
});

Deno.test("MetricPusher sends very many figures in parts, and lets others run in between", async () => {
  await using to = otlpReceiver();
  await using from = await sender();
  const { push, take, run } = from;
  push.set({ enabled: true, url: `${to.url}/otlp/v1/metrics?tenant=a`, privateAddresses: true });
  const labels = Array.from({ length: 9000 }, (_, index) => labelSet({ domain: `vm-${index}` }));
  take([{ name: "a", kind: "gauge", help: "a", samples: labels.map((each) => [each, 1]) }]);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await run();
  clearInterval(timer);
  const sizes = to.got.map(({ request }) =>
    request.resourceMetrics[0]!.scopeMetrics[0]!.metrics[0]!.gauge!.dataPoints.length
  );
  assert.deepEqual(sizes, [2000, 2000, 2000, 2000, 1000]);
  assert.equal(to.got[0]!.path, "/otlp/v1/metrics");
  assert.equal(push.show().lastPoints, 9000);
  assert.ok(turns >= 4, `${turns} turns of others`);
});

Deno.test("MetricPusher reaches public addresses alone unless told, never link-local ones, and follows no redirect", async () => {
  await using elsewhere = otlpReceiver();
  await using to = otlpReceiver(() =>
    new Response(null, { status: 307, headers: { location: elsewhere.url } })
  );
  const names: Readonly<Record<string, string>> = {
    "otel.test": "127.0.0.1",
    "meta.test": "169.254.169.254",
  };
  await using from = await sender((host) => Promise.resolve([names[host] ?? host]));
  const { push, take, stop } = from;
  take();
  const why = async (url: string, privateAddresses: boolean) => {
    push.set({ url, privateAddresses });
    return await push.test(stop.signal).then(() => "sent", (error) => {
      assert.ok(error instanceof ContractError && error.code === "MetricsNotSent", String(error));
      return error.message;
    });
  };
  const { port } = new URL(to.url);
  for (const url of [to.url, `http://otel.test:${port}`, "http://[::ffff:127.0.0.1]:1", "http://10.0.0.1"]) {
    assert.match(await why(url, false), /Allow private addresses/, url);
  }
  assert.match(
    await why(`http://otel.test:${port}`, true),
    /not|this host/i,
    "a name does not lead to this host",
  );
  for (const url of ["http://169.254.169.254/latest", "http://meta.test", "http://[fe80::1]"]) {
    assert.doesNotMatch(await why(url, true), /^sent$/, url);
  }
  assert.deepEqual(to.got, [], "nothing was connected to");
  assert.match(await why(to.url, true), /redirect \(HTTP 307\)/);
  assert.deepEqual(elsewhere.got, []);
});

Deno.test("MetricPusher believes the authorities it was given, and no others", async () => {
  await using files = await testFolder();
  const key = join(files.path, "key.pem"), certificate = join(files.path, "cert.pem");
  await localhostCertificate(key, certificate);
  const [keyText, cert] = await Promise.all([key, certificate].map((path) => Deno.readTextFile(path)));
  await using to = otlpReceiver(() => undefined, { key: keyText!, cert: cert! });
  await using from = await sender();
  const { push, take, stop } = from;
  take();
  push.set({ url: to.url, privateAddresses: true });
  await assert.rejects(push.test(stop.signal), /certificate|self.signed|issuer/i);
  push.set({ ca: cert! });
  assert.equal(await push.test(stop.signal), 3);
  assert.equal(push.show().ca.trim(), cert!.trim());
  refused(() => push.set({ ca: "no certificate" }), /ca must be certificates in PEM/);
  refused(
    () => push.set({ ca: cert!.replace(/[A-Za-z0-9+/]{40}/, "A".repeat(40)) }),
    /ca has a certificate that cannot be read/,
  );
  push.set({ ca: "" });
  await assert.rejects(push.test(stop.signal));
});

Deno.test("MetricPusher keeps its secrets: they are never shown, and go to no other server", async () => {
  await using from = await sender();
  const { push, make, stop } = from;
  refused(() => push.set({ enabled: true }), /url is needed/);
  push.set({ enabled: true, url: "https://otel.example.org/x?key=k3y", headers: `api-key: ${SECRET}` });
  assert.doesNotMatch(JSON.stringify(push.show()), /s3cret|k3y/);
  assert.deepEqual(push.show().headers, ["api-key"]);
  assert.equal(push.show().address, "https://otel.example.org");
  refused(
    () => push.set({ url: "https://evil.example.org" }),
    /headers must be given again: the server is another one/,
  );
  push.set({ url: "https://otel.example.org/y" });
  assert.deepEqual(make().show(), push.show(), "it is kept");
  for (const headers of ["Host: a", "Content-Type: x", "no colon", "A: b\r\nB", "A: b\u0000c", "Ä: b"]) {
    refused(() => push.set({ headers }), /headers must/);
  }
  for (const url of ["file:///etc/passwd", "ftp://a", "https://u:p@a", "nonsense"]) {
    refused(() => push.set({ url, headers: "" }), /url cannot be used/);
  }
  await assert.rejects(push.test(stop.signal), /no figures were taken yet/);
  push.set({ clearHeaders: true, url: "https://other.example.org" });
  assert.deepEqual(push.show().headers, []);
});

Deno.test("MetricPusher: a receiver that never answers holds nothing up, and ends with the program", async () => {
  const open = Promise.withResolvers<Response>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => open.promise);
  await using from = await sender();
  const { push, take, run, stop } = from;
  push.set({ enabled: true, url: `http://127.0.0.1:${server.addr.port}`, privateAddresses: true });
  take();
  const running = run();
  assert.equal(
    await Promise.race([
      running.then(() => "over"),
      new Promise((resolve) => setTimeout(() => resolve("waits"), 100)),
    ]),
    "waits",
  );
  assert.equal(push.show().trouble, undefined);
  stop.abort();
  await running;
  open.resolve(new Response());
  await server.shutdown();
});
