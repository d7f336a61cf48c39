import assert from "node:assert/strict";
import { ApiError } from "../../lib/client/api.ts";
import { aVm } from "../../lib/text/vm_fixture_test.ts";
import { LiveData } from "./live_data.ts";
import { answersOf, tableServer } from "./testing.ts";

const WEB = aVm({ name: "web", id: "a" });
const frame = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** A stream that is fed by hand. */
function stream() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter(), encoder = new TextEncoder();
  return {
    body: readable,
    send: (text: string) => writer.write(encoder.encode(text)),
    end: () => writer.close(),
  };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("it did not come to be");
}

Deno.test("events that come while the lists are read are not lost, and not overwritten by them", async () => {
  const gate = Promise.withResolvers<void>(), events = stream();
  const server = tableServer(
    { ...answersOf([WEB]), get_vms: () => gate.promise.then(() => [WEB]) },
    () => Promise.resolve(new Response(events.body)),
  );
  const data = new LiveData(server, () => {}), stop = new AbortController();
  const running = data.run(stop.signal);
  await events.send(frame("vm-state-changed", { vmId: "a", state: "paused" }));
  await events.send(frame("vm-created", { vm: aVm({ name: "new", id: "b" }) }));
  gate.resolve();
  await until(() => data.isRead && data.vms.length === 2);
  assert.equal(data.vm("a")?.state, "paused");
  await events.send(frame("vm-deleted", { vmId: "b" }));
  await until(() => data.vms.length === 1);
  assert.equal(data.link.state, "connected");
  stop.abort();
  await events.end();
  await running;
});

Deno.test("a stream that breaks is opened again, and everything read again; until then it is said", async () => {
  const first = stream(), second = stream(), streams = [first, second];
  let vms = [WEB];
  const server = tableServer(
    { ...answersOf([]), get_vms: () => vms },
    (path) => {
      if (path !== "/api/v1/events") return Promise.resolve(new Response("{}"));
      const next = streams.shift();
      return next === undefined
        ? Promise.reject(new ApiError("Unreachable", "no server answers"))
        : Promise.resolve(new Response(next.body));
    },
  );
  const data = new LiveData(server, () => {}), stop = new AbortController();
  const running = data.run(stop.signal);
  await until(() => data.vms.length === 1);
  vms = [];
  await first.end();
  await until(() => data.link.state === "broken");
  assert.equal(data.vms.length, 1);
  await until(() => data.link.state === "connected" && data.vms.length === 0);
  await second.end();
  await until(() => data.link.state === "broken" && data.link.reason === "no server answers");
  stop.abort();
  await running;
});
