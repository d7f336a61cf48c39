/** Messages to real servers on loopback: HTTP and SMTP, their faults, and targets that must not be reached. */
import assert from "node:assert/strict";
import type { AlertIncident } from "../../lib/contract/mod.ts";
import { alertText } from "../../lib/alerts/text.ts";
import { mailServer } from "../../tests/testbed/mail_server.ts";
import { findLanguages } from "../i18n/catalogs.ts";
import { inLanguage } from "../i18n/request_locale.ts";
import { Jobs } from "../jobs/jobs.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { NotDelivered } from "../outbound/post.ts";
import { type OutgoingAlert, send } from "./channels.ts";
import { BACK_OFF_MS, Delivery, STALE_MS } from "./delivery.ts";
import { GATHER_MS, Outbox, PACE_MS } from "./outbox.ts";
import {
  ALERT_MIGRATIONS,
  AlertRecords,
  type AlertTargetRecord,
  type MessageItem,
  type WaitingMessage,
} from "./records.ts";

const SECRET = "s3cret-pass-phrase";

function incident(change: Partial<AlertIncident> = {}): AlertIncident {
  return {
    id: "i1",
    alertId: "a1",
    name: "CPU is busy",
    severity: "critical",
    watches: "vm_metric",
    state: "firing",
    host: "local",
    vmId: "v1",
    vmName: "web",
    message: "CPU usage is 97 %, above 90 %",
    value: 97,
    firedAt: Date.UTC(2026, 0, 1),
    silenced: false,
    ...change,
  };
}

const target = (change: Partial<AlertTargetRecord>): AlertTargetRecord => ({
  id: "t1",
  name: "Ops",
  channel: "webhook",
  enabled: true,
  minSeverity: "info",
  privateAddresses: true,
  ...change,
});

function outgoing(items: MessageItem[] = [{ kind: "fired", incident: incident() }], more = 0): OutgoingAlert {
  return { id: "m1", text: alertText(items, more, "host1"), items, more, at: Date.UTC(2026, 0, 1) };
}

Deno.test("a message is in the language that it is made in, and keeps the name that a user gave", async () => {
  const fired: MessageItem = { kind: "fired", incident: incident() };
  const known = incident({ alertId: "vm-crashed", name: "VM crashed", endedAt: Date.UTC(2026, 0, 2) });
  findLanguages(undefined);
  const { title, lines } = await inLanguage(
    "de",
    () => alertText([fired, { kind: "resolved", incident: known }], 3, "host1"),
  );
  assert.equal(title, "web: CPU is busy und 4 weitere (host1)");
  assert.match(lines[0]!, /^\[Kritisch\] web: CPU is busy\. /);
  assert.match(lines[1]!, /^\[Behoben\] web: VM ist abgestürzt\. /);
  assert.equal(lines[2], "… und 3 weitere. Die Seite „Alarme“ zeigt alle.");
});

interface Got {
  readonly path: string;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** A web server that keeps what it is sent. */
function hook(answer: (got: Got) => Response = () => new Response("ok"), hostname = "127.0.0.1") {
  const got: Got[] = [];
  const server = Deno.serve({ hostname, port: 0, onListen: () => {} }, async (request) => {
    const text = await request.text();
    const one = {
      path: new URL(request.url).pathname,
      headers: request.headers,
      body: text === "" ? {} : JSON.parse(text) as Record<string, unknown>,
    };
    got.push(one);
    return answer(one);
  });
  return {
    got,
    url: `http://${hostname}:${server.addr.port}`,
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const options = () => ({ signal: new AbortController().signal });
const refused = (pattern: RegExp, isFinal: boolean) => (error: unknown) => {
  assert.ok(error instanceof NotDelivered, String(error));
  assert.match(error.message, pattern);
  assert.equal(error.isFinal, isFinal, error.message);
  return true;
};

Deno.test("send() posts what webhooks, ntfy, Gotify and Slack expect", async () => {
  await using server = hook();
  const url = server.url;
  await send(target({ channel: "webhook", url: `${url}/hook`, secret: SECRET }), outgoing(), options());
  await send(target({ channel: "ntfy", url: `${url}/sub/my-topic`, secret: SECRET }), outgoing(), options());
  await send(target({ channel: "gotify", url: `${url}/`, secret: SECRET }), outgoing(), options());
  const evil = { kind: "fired", incident: incident({ vmName: "<!channel> & <http://x|y>" }) } as const;
  await send(target({ channel: "slack", url: `${url}/services/T/B/X` }), outgoing([evil], 7), options());
  const [webhook, ntfy, gotify, slack] = server.got;
  assert.deepEqual([webhook!.path, webhook!.headers.get("authorization")], ["/hook", `Bearer ${SECRET}`]);
  assert.equal(webhook!.headers.get("x-kvm-manager-message"), "m1");
  assert.deepEqual(
    (webhook!.body.alerts as { event: string; vmName: string }[]).map(({ event, vmName }) => [event, vmName]),
    [["fired", "web"]],
  );
  assert.deepEqual([ntfy!.path, ntfy!.body.topic, ntfy!.body.priority, ntfy!.body.tags], [
    "/sub/",
    "my-topic",
    5,
    ["rotating_light"],
  ]);
  assert.deepEqual([gotify!.path, gotify!.headers.get("x-gotify-key"), gotify!.body.priority], [
    "/message",
    SECRET,
    9,
  ]);
  assert.match(String(slack!.body.text), /&lt;!channel&gt; &amp; &lt;http/);
  assert.match(String(slack!.body.text), /and 7 more/);
  assert.doesNotMatch(String(slack!.body.text), /<!channel>/);
});

Deno.test("send() tells what another try may help from what it cannot, and never posts on to where it is redirected", async () => {
  await using elsewhere = hook();
  const answers = [
    new Response("no such hook", { status: 404 }),
    new Response("later", { status: 503 }),
    new Response("slow down", { status: 429 }),
    new Response(null, { status: 307, headers: { location: `${elsewhere.url}/x` } }),
  ];
  await using server = hook(() => answers.shift()!);
  const to = target({ url: `${server.url}/x`, secret: SECRET });
  await assert.rejects(send(to, outgoing(), options()), refused(/HTTP 404: no such hook/, true));
  await assert.rejects(send(to, outgoing(), options()), refused(/HTTP 503/, false));
  await assert.rejects(send(to, outgoing(), options()), refused(/HTTP 429/, false));
  await assert.rejects(send(to, outgoing(), options()), refused(/redirect/, true));
  assert.deepEqual(elsewhere.got, []);
});

/** Addresses of hosts that must not be reached without being allowed; and some that never are. */
const PRIVATE = [
  "127.0.0.1",
  "[::1]",
  "10.0.0.1",
  "192.168.1.1",
  "[::ffff:127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[2002:7f00:1::]",
];
const NEVER = ["169.254.169.254", "0.0.0.0", "[fe80::1]", "224.0.0.1"];

Deno.test("send() reaches nothing private that was not allowed, and nothing link-local ever (threat 17)", async () => {
  await using server = hook();
  for (const channel of ["webhook", "ntfy", "gotify", "slack"] as const) {
    for (const host of PRIVATE) {
      const to = target({ channel, url: `http://${host}:${server.port}/x`, privateAddresses: false });
      await assert.rejects(
        send(to, outgoing(), options()),
        refused(/Allow private addresses/, true),
        `${channel} ${host}`,
      );
    }
  }
  for (const host of NEVER) {
    const to = target({ url: `http://${host}:${server.port}/x`, privateAddresses: true });
    await assert.rejects(
      send(to, outgoing(), options()),
      (error) => error instanceof NotDelivered && error.isFinal,
      host,
    );
  }
  // A name of the internet that leads home, at once or with the next answer (rebinding)
  const rebinding = [["127.0.0.1"], ["10.0.0.1", "8.8.8.8"]];
  for (const answer of rebinding) {
    const to = target({ url: `http://rebind.test:${server.port}/x`, privateAddresses: false });
    await assert.rejects(
      send(to, outgoing(), { ...options(), resolve: () => Promise.resolve(answer) }),
      refused(/Allow private/, true),
    );
  }
  // Also where private networks are allowed, a name never leads to this host itself
  const named = target({ url: `http://rebind.test:${server.port}/x`, privateAddresses: true });
  await assert.rejects(
    send(named, outgoing(), { ...options(), resolve: () => Promise.resolve(["127.0.0.1"]) }),
    refused(/loopback/, true),
  );
  const mail = target({
    channel: "email",
    smtpHost: "127.0.0.1",
    mailFrom: "a@b.example",
    mailTo: ["c@d.example"],
    privateAddresses: false,
  });
  await assert.rejects(
    send(mail, outgoing(), options()),
    refused(/Allow private/, true),
  );
  assert.deepEqual(server.got, []);
});

const MAIL = {
  channel: "email",
  smtpHost: "127.0.0.1",
  smtpSecurity: "none",
  mailFrom: "kvm@host.example",
} as const;

Deno.test("send() does not wait for servers that answer a letter at a time", async () => {
  const letters = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(new TextEncoder().encode("x"));
    },
  });
  await using server = hook(() => new Response(letters, { status: 500 }));
  const late = /not taken within 0.3 seconds/;
  await assert.rejects(
    send(target({ url: server.url }), outgoing(), { ...options(), mostMs: 300 }),
    refused(late, false),
  );
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const drips: Promise<void>[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      drips.push((async () => {
        const say = (text: string) => connection.write(new TextEncoder().encode(text));
        try {
          await say("220 slow ESMTP\r\n");
          for (let times = 0; times < 100; times++) {
            await say("250-more\r\n");
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        } catch {
          // It was left.
        } finally {
          connection.close();
        }
      })());
    }
  })();
  const mail = target({
    channel: "email",
    smtpHost: "127.0.0.1",
    smtpPort: (listener.addr as Deno.NetAddr).port,
    smtpSecurity: "none",
    mailFrom: "a@example.org",
    mailTo: ["b@example.org"],
  });
  await assert.rejects(send(mail, outgoing(), { ...options(), mostMs: 300 }), refused(late, false));
  listener.close();
  await serving;
  await Promise.all(drips);
});

Deno.test("send() sends a mail that a real mail server takes; no name of a VM is a header of it", async () => {
  await using server = await mailServer({ password: SECRET });
  const evil = incident({ vmName: "web\r\nBcc: victim@evil.example\r\n\r\nhello", name: "Äh\u202e" });
  const to = target({
    ...MAIL,
    smtpPort: server.port,
    mailTo: ["ops@host.example", "b@host.example"],
    smtpUser: "kvm",
    secret: SECRET,
  });
  await send(to, outgoing([{ kind: "fired", incident: evil }]), options());
  const [mail] = server.got;
  assert.deepEqual([mail!.from, mail!.to, mail!.user], ["kvm@host.example", [
    "ops@host.example",
    "b@host.example",
  ], "kvm"]);
  const [head = ""] = mail!.data.split("\r\n\r\n");
  assert.doesNotMatch(head, /^bcc:/im);
  assert.match(head, /^Message-ID: <m1@host\.example>/im);
  assert.match(head, /^Auto-Submitted: auto-generated/im);
  assert.equal(mail!.data.includes(SECRET), false);
});

Deno.test("send() tells a wrong password, and never sends one without TLS where it was to be", async () => {
  await using server = await mailServer({ password: SECRET });
  const mailTo = ["ops@host.example"], smtpPort = server.port;
  const wrong = target({ ...MAIL, smtpPort, mailTo, smtpUser: "kvm", secret: "wrong" });
  await assert.rejects(send(wrong, outgoing(), options()), (error) => {
    assert.ok(error instanceof NotDelivered && error.isFinal, String(error));
    assert.doesNotMatch(error.message, /"wrong"|d3Jvbmc/);
    return true;
  });
  const logins = server.logins.length;
  const downgraded = target({
    ...MAIL,
    smtpSecurity: "starttls",
    smtpPort,
    mailTo,
    smtpUser: "kvm",
    secret: SECRET,
  });
  await assert.rejects(send(downgraded, outgoing(), options()), NotDelivered);
  assert.equal(server.logins.length, logins, "nothing was said before TLS");
  // The server has TLS, with an untrusted certificate
  await using secure = await mailServer({ password: SECRET }, {
    disabledCommands: [],
    allowInsecureAuth: false,
  });
  const untrusted = target({
    ...MAIL,
    smtpSecurity: "starttls",
    smtpPort: secure.port,
    mailTo,
    smtpUser: "kvm",
    secret: SECRET,
  });
  await assert.rejects(send(untrusted, outgoing(), options()), refused(/certificate/i, false));
  assert.deepEqual([secure.logins, secure.got], [[], []]);
});

/** A store, its outbox and its delivery, as often as they are started. */
function world(clock = new TestClock()) {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-delivery-" });
  let store: Store | undefined;
  const start = () => {
    store?.close();
    store = new Store(folder, () => {}, [{ name: "alerts", migrations: ALERT_MIGRATIONS }]);
    const records = new AlertRecords(store);
    records.attach(() => {});
    const outbox = new Outbox(records, clock), jobs = new Jobs(store, { clock });
    const delivery = new Delivery({
      records,
      outbox,
      jobs,
      clock,
      hostname: () => "host1",
      language: () => "en",
    });
    const tell = (...items: MessageItem[]) => {
      for (const message of outbox.plan(items)) records.put(records.messages, message);
    };
    return {
      records,
      outbox,
      jobs,
      delivery,
      clock,
      tell,
      run: () => delivery.run(new AbortController().signal),
    };
  };
  return {
    start,
    [Symbol.dispose]: () => {
      store?.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

const fired = (id: string): MessageItem => ({ kind: "fired", incident: incident({ id }) });

Deno.test("Delivery gathers, paces, and shows each message as a task with its result", async () => {
  await using server = hook();
  using place = world();
  const { records, jobs, clock, tell, run } = place.start();
  records.put(records.targets, target({ url: `${server.url}/x` }));
  for (let index = 0; index < 200; index++) tell(fired(`i${index}`));
  await run();
  assert.equal(server.got.length, 0, "it waits for others to go with it");
  await clock.advance(GATHER_MS);
  await run();
  await run();
  assert.deepEqual([
    server.got.length,
    (server.got[0]!.body.alerts as unknown[]).length,
    server.got[0]!.body.more,
  ], [1, 50, 150]);
  tell(fired("later"));
  await clock.advance(GATHER_MS);
  await run();
  assert.equal(server.got.length, 1, "one a minute");
  await clock.advance(PACE_MS);
  await run();
  assert.equal(server.got.length, 2);
  assert.deepEqual(jobs.list(5).map(({ title, state, actor }) => [title, state, actor]), [
    ["Send 1 alert to Ops", "done", "KVM Manager"],
    ["Send 200 alerts to Ops", "done", "KVM Manager"],
  ]);
  assert.equal(records.messages.size, 0);
});

Deno.test("Delivery tries again with back-off, also after a restart, with the same id, until it arrives once", async () => {
  let left = 3;
  await using server = hook(() => left-- > 0 ? new Response("away", { status: 503 }) : new Response("ok"));
  using place = world();
  let run = place.start();
  run.records.put(run.records.targets, target({ url: `${server.url}/x` }));
  run.tell(fired("i1"));
  await run.clock.advance(GATHER_MS);
  await run.run();
  for (const wait of BACK_OFF_MS.slice(0, 3)) {
    run = place.start();
    await run.run();
    await run.clock.advance(wait - 1);
    await run.run();
    const tries = server.got.length;
    await run.clock.advance(1);
    await run.run();
    assert.equal(server.got.length, tries + 1);
  }
  assert.deepEqual([server.got.length, run.records.messages.size], [4, 0]);
  assert.equal(new Set(server.got.map(({ body }) => body.id)).size, 1);
  await run.clock.advance(STALE_MS);
  await place.start().run();
  assert.equal(server.got.length, 4, "once");
});

Deno.test("Delivery gives up what no other try helps, and what is a day old; a target that is gone gets nothing", async () => {
  let status = 404;
  await using server = hook(() => new Response("no", { status }));
  using place = world();
  const { records, clock, tell, run, delivery, jobs } = place.start();
  records.put(records.targets, target({ url: `${server.url}/x` }));
  tell(fired("i1"));
  await clock.advance(GATHER_MS);
  await run();
  assert.deepEqual([records.messages.size, jobs.list(1)[0]!.state], [0, "failed"]);
  assert.match(delivery.status("t1").lastError ?? "", /HTTP 404/);
  status = 503;
  tell(fired("i2"));
  for (let at = 0; at < STALE_MS + 2 * 3600_000; at += 60_000) {
    await clock.advance(60_000);
    await run();
  }
  assert.equal(records.messages.size, 0);
  assert.ok(server.got.length < 35, `${server.got.length} tries in a day`);
  tell(fired("i3"));
  records.delete(records.targets, "t1");
  await clock.advance(GATHER_MS + PACE_MS);
  const tries = server.got.length;
  await run();
  assert.deepEqual([records.messages.size, server.got.length], [0, tries]);
});

Deno.test("Delivery that is stopped keeps its message", async () => {
  const stop = new AbortController();
  await using server = hook(() => {
    stop.abort();
    return new Response("late", { status: 503 });
  });
  using place = world();
  const { records, clock, tell, delivery } = place.start();
  records.put(records.targets, target({ url: `${server.url}/x` }));
  tell(fired("i1"));
  await clock.advance(GATHER_MS);
  await delivery.run(stop.signal);
  assert.deepEqual([records.messages.size, records.messages.all[0]!.tries], [1, 0]);
});

/** The ids of what a message has told of. */
const idsIn = ({ body }: Got) => (body.alerts as { id: string }[]).map(({ id }) => id);

Deno.test("Delivery gives up what is a day old, and not what was added to its message since, nor what earlier versions stored", async () => {
  let status = 503;
  await using server = hook(() => new Response("no", { status }));
  using place = world();
  const { records, clock, tell, run } = place.start();
  records.put(records.targets, target({ url: `${server.url}/x` }));
  const waitFor = async (ms: number) => {
    for (let at = 0; at < ms; at += 60_000) {
      await clock.advance(60_000);
      await run();
    }
  };
  tell(...Array.from({ length: 60 }, (_, index) => fired(`old${index}`)));
  const [{ items: stored }] = records.messages.all as [WaitingMessage];
  const items = stored.map(({ kind, incident }) => ({ kind, incident }));
  records.put(records.messages, { ...records.messages.all[0]!, items });
  await waitFor(STALE_MS - 600_000);
  assert.deepEqual([records.messages.all[0]!.items.length, records.messages.all[0]!.more], [50, 10]);
  tell(fired("new"));
  await waitFor(2 * 3600_000);
  assert.deepEqual(
    records.messages.all.map(({ items, more }) => [items.map(({ incident }) => incident.id), more]),
    [[["new"], 0]],
  );
  status = 200;
  await waitFor(2 * 3600_000);
  assert.deepEqual([idsIn(server.got.at(-1)!), records.messages.size], [["new"], 0]);
});

Deno.test("Delivery sends what was added to a message that waited for its turn", async () => {
  let isFirst = true;
  using place = world();
  const { records, clock, tell, run } = place.start();
  await using server = hook(() => {
    if (isFirst) tell(fired("late"));
    isFirst = false;
    return new Response("ok");
  });
  for (let index = 0; index < 6; index++) {
    records.put(records.targets, target({ id: `t${index}`, url: `${server.url}/${index}` }));
  }
  tell(fired("early"));
  await clock.advance(GATHER_MS);
  await run();
  assert.equal(server.got.length, 6);
  await clock.advance(GATHER_MS + PACE_MS);
  await run();
  const told = (index: number) => server.got.filter(({ path }) => path === `/${index}`).flatMap(idsIn);
  for (let index = 0; index < 6; index++) assert.deepEqual(told(index), ["early", "late"], `target ${index}`);
});
